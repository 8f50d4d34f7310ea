/* SPDX-License-Identifier: MIT */
#include "walk.h"

#include <cerrno>
#include <cstdio>

#include <fcntl.h>

#include "../../conformance/device.h"
#include "../../conformance/igt.h"
#include "../../conformance/plug.h"
#include "../../conformance/program.h"
#include "fail_nth.h"

namespace fuzz
{

namespace
{

/// More allocations than a probe has.
constexpr unsigned max_fail = 5000;

/// Failures after which the device is made to work, to see that it still can. It is
/// a good probe that takes the time.
constexpr unsigned works_every = 16;

/*
 * If this fails, drm_minor_alloc() leaves an error pointer where the release of the
 * minor drops a reference: the DRM core of Linux 6.12 to 7.2 oopses, before the
 * driver can do anything about it.
 */
constexpr const char *unsafe = "drm_sysfs_minor_alloc";

/// A device that is bound to its driver and taken away again.
class Binding
{
public:
	explicit Binding(Plug plug)
		: plug_(std::move(plug)), bind_(open("bind")), unbind_(open("unbind"))
	{
	}

	int bind() const { return write(bind_); }
	void unbind() const { CHECK_OK(write(unbind_)); }
	bool bound() const { return !access((plug_.driver + "/" + plug_.device).c_str(), F_OK); }

private:
	Fd open(const char *file) const
	{
		Fd fd(::open((plug_.driver + "/" + file).c_str(), O_WRONLY | O_CLOEXEC));

		CHECK(fd.get() >= 0);
		return fd;
	}
	int write(const Fd &fd) const
	{
		const std::string &name = plug_.device;

		return pwrite(fd.get(), name.data(), name.size(), 0) < 0 ? -errno : 0;
	}

	Plug plug_;
	Fd bind_, unbind_;
};

/*
 * The machine's mdev may get to the removal of the node before this one so late that
 * it takes this one away. Then it makes it again.
 */
void check_opens_and_works()
{
	constexpr int tries = 6000;

	for (int i = 0; i < tries; i++) {
		try {
			check_works(Device());
			return;
		} catch (const igt::Skip &) {
			usleep(10000);
		}
	}
	igt::fail(__FILE__, __LINE__, "a device that is bound can be opened", "");
}

void check_bind(const Binding &binding)
{
	CHECK_OK(binding.bind());
	CHECK(binding.bound());
	check_opens_and_works();
	binding.unbind();
}

/// Answers how many allocations and copies failed; throws if something is wrong.
unsigned walk_bind(const Binding &binding)
{
	for (unsigned n = 1; n < max_fail; n++) {
		igt::Note note("allocation " + std::to_string(n));

		fail_nth_set(n);
		int result = binding.bind();
		bool failed = fail_nth_end();

		CHECK_EQ(binding.bound(), !result);
		if (!result)
			binding.unbind();
		if (!failed) {
			CHECK_OK(result);
			return n - 1;
		}
		/* Links in sysfs and debugfs, say, are not worth failing for. */
		if (result && result != -EFAULT)
			CHECK_ERR(result, ENOMEM);
		if (n % works_every == 0)
			check_bind(binding);
	}
	igt::fail(__FILE__, __LINE__, "the probe ends", "allocations without end");
}

} // namespace

unsigned walk_probe()
{
	const Spared spared(unsafe);

	if (!spared.missing().empty()) {
		std::printf("skipped: fail-nth: probe: %s\n", spared.missing().c_str());
		throw igt::Skip{};
	}
	const Binding binding(need_plug());

	binding.unbind();
	const unsigned failures = walk_bind(binding);
	check_bind(binding);
	CHECK_OK(binding.bind());
	check_opens_and_works();
	return failures;
}

} // namespace fuzz
