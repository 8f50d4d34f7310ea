/* SPDX-License-Identifier: MIT */
#include "tracefs.h"

#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace npu::trace
{

namespace
{

namespace fs = std::filesystem;

constexpr std::array<const char *, 3> names{"npu_slice", "npu_job", "npu_move"};
/// Size of the buffer of each CPU: about ten thousand events.
constexpr std::string_view buffer_kb = "4096";

/// \return 0 or an errno
int write(const fs::path &path, std::string_view text)
{
	const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));

	if (!fd.valid() || ::write(fd.get(), text.data(), text.size()) < 0)
		return errno;
	return 0;
}

std::unexpected<Error> refused(int error, const fs::path &path)
{
	if (error == EACCES || error == EPERM)
		return fail(EACCES, path.string() + " is for root only; run npu-trace with sudo");
	return fail(error, "cannot use " + path.string());
}

} // namespace

Result<std::unique_ptr<Session>> Session::create(const fs::path &tracing)
{
	const fs::path instance =
		tracing / "instances" / ("npu-trace-" + std::to_string(::getpid()));

	if (::access(tracing.c_str(), X_OK))
		return errno == ENOENT ? fail(ENODEV, "there is no " + tracing.string() +
							      "; mount tracefs there")
				       : refused(errno, tracing);
	if (::access((tracing / "events/npu").c_str(), X_OK))
		return fail(ENODEV, "the kernel has no trace points of the driver; load npu.ko");
	if (::mkdir(instance.c_str(), 0700))
		return refused(errno, instance.parent_path());
	std::unique_ptr<Session> session(new Session(instance));
	if (const int error = write(instance / "buffer_size_kb", buffer_kb))
		return refused(error, instance / "buffer_size_kb");
	for (const char *name : names) {
		const fs::path enable = instance / "events/npu" / name / "enable";

		if (const int error = write(enable, "1"))
			return error == ENOENT
				       ? fail(ENODEV,
					      std::string("the driver has no trace point ") + name +
						      "; load one of the version of "
						      "this program")
				       : refused(error, enable);
	}
	const fs::path pipe = instance / "trace_pipe";
	session->pipe_ = UniqueFd(::open(pipe.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
	if (!session->pipe_.valid())
		return refused(errno, pipe);
	return session;
}

Session::~Session()
{
	for (const char *name : names)
		write(instance_ / "events/npu" / name / "enable", "0");
	/* Close the pipe first: an instance with open files cannot be removed. */
	pipe_ = UniqueFd();
	::rmdir(instance_.c_str());
}

Result<void> Session::read(Events &events)
{
	std::array<char, 1 << 16> buffer{};

	for (;;) {
		const ssize_t got = ::read(pipe_.get(), buffer.data(), buffer.size());

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && errno != EAGAIN)
			return fail(errno, "cannot read " + (instance_ / "trace_pipe").string());
		if (got <= 0)
			return {};
		rest_.append(buffer.data(), static_cast<std::size_t>(got));
		std::string_view text = rest_;
		for (std::size_t end = text.find('\n'); end != std::string_view::npos;
		     end = text.find('\n')) {
			events.add(text.substr(0, end));
			text.remove_prefix(end + 1);
		}
		rest_ = std::string(text);
	}
}

Result<std::unique_ptr<TaskSlices>> TaskSlices::create(fs::path parameter)
{
	const UniqueFd fd(::open(parameter.c_str(), O_RDONLY | O_CLOEXEC));
	std::array<char, 32> text{};
	const ssize_t got = fd.valid() ? ::read(fd.get(), text.data(), text.size()) : -1;

	if (got < 0)
		return refused(errno, parameter);
	if (const int error = write(parameter, "1"))
		return refused(error, parameter);
	return std::unique_ptr<TaskSlices>(
		new TaskSlices(std::move(parameter), {text.data(), static_cast<std::size_t>(got)}));
}

TaskSlices::~TaskSlices()
{
	write(parameter_, before_);
}

} // namespace npu::trace
