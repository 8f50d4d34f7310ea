/* SPDX-License-Identifier: MIT */
/// The dump that a hang leaves in /sys/class/devcoredump.
#include <array>
#include <cerrno>
#include <cstdlib>
#include <memory>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "igt.h"
#include "injection.h"
#include "program.h"

namespace
{

const char directory[] = "/sys/class/devcoredump";

std::vector<std::string> dumps()
{
	std::vector<std::string> names;
	DIR *dir = opendir(directory);

	if (!dir)
		igt::skip("needs /sys/class/devcoredump: a kernel with CONFIG_DEV_COREDUMP");
	while (const dirent *entry = readdir(dir))
		if (std::string_view(entry->d_name).starts_with("devcd"))
			names.push_back(std::string(directory) + "/" + entry->d_name);
	closedir(dir);
	return names;
}

/*
 * Writing anything does away with a dump. The link in the device goes last, and the
 * kernel complains of a dump that is made before.
 */
void discard(const std::string &dump)
{
	Fd fd(open((dump + "/data").c_str(), O_WRONLY | O_CLOEXEC));
	const std::unique_ptr<char, decltype(&std::free)> device(
		realpath((dump + "/failing_device").c_str(), nullptr), std::free);

	if (fd.get() >= 0 && write(fd.get(), "1", 1) < 0)
		CHECK_EQ(errno, 0);
	if (!device)
		return;
	const std::string link = std::string(device.get()) + "/devcoredump";
	struct stat status{};
	CHECK(patience::comes([&] { return lstat(link.c_str(), &status) < 0; }));
}

void discard_all()
{
	for (const std::string &dump : dumps())
		discard(dump);
	CHECK(patience::comes([] { return dumps().empty(); }));
}

/*
 * The dump is made by a worker, after the job has ended. It is seen in the directory
 * before it has its files, of which this link is the last.
 */
std::string wait_for_dump()
{
	std::vector<std::string> found;

	CHECK(patience::comes([&] {
		found = dumps();
		return !found.empty() && !access((found[0] + "/failing_device").c_str(), F_OK);
	}));
	return found[0];
}

std::string read_all(const std::string &dump)
{
	Fd fd(open((dump + "/data").c_str(), O_RDONLY | O_CLOEXEC));
	std::array<char, 4096> part{};
	std::string all;
	ssize_t size;

	CHECK(fd.get() >= 0);
	while ((size = read(fd.get(), part.data(), part.size())) > 0)
		all.append(part.data(), static_cast<std::size_t>(size));
	CHECK_EQ(size, 0);
	return all;
}

} // namespace

SUBTEST(coredump_hang)
{
	need_root();
	discard_all();
	Device device;
	Product product(device);
	std::uint32_t context = device.context();
	std::uint32_t job = create_job(device, {{product.task()}});
	Hang hang;

	CHECK_EQ(hang.run(device, context, job), -ETIMEDOUT);
	std::string dump = wait_for_dump();
	std::string data = read_all(dump);
	CHECK(!data.empty());
	CHECK(data.find("\nlane: 0\n") != std::string::npos);
	CHECK(data.find("\nfault_task: 0\nfault_tasks: 1\n") != std::string::npos);
	/* Some registers of the core, a line each. */
	CHECK(data.find("\nregisters:\n  0x") != std::string::npos);
	CHECK(data.find("\nwords:\n  - 0x") != std::string::npos);
	/* A second read returns the same dump. */
	CHECK(read_all(dump) == data);
	/* The dump names our device. */
	std::string link = dump + "/failing_device/driver";
	char target[256]{};
	CHECK(readlink(link.c_str(), target, sizeof(target) - 1) > 0);
	CHECK(std::string_view(target).ends_with(
		device.info().flags & DRM_NPU_DEVICE_VIRTUAL ? "/npu_virt" : "/npu_rk3588"));
	discard_all();
	check_works(device);
}

/* A dump may contain data of a client, so only root may read it. */
SUBTEST(coredump_root_only)
{
	need_root();
	discard_all();
	Device device;
	Product product(device);
	std::uint32_t job = create_job(device, {{product.task()}});
	Hang hang;

	CHECK_EQ(hang.run(device, device.context(), job), -ETIMEDOUT);
	std::string dump = wait_for_dump();
	struct stat status{};
	CHECK_OK(stat((dump + "/data").c_str(), &status));
	CHECK_EQ(status.st_uid, 0);
	CHECK_EQ(status.st_mode & 0077, 0);
	CHECK_OK(seteuid(65534));
	CHECK_EQ(open((dump + "/data").c_str(), O_RDONLY), -1);
	CHECK_EQ(errno, EACCES);
	CHECK_OK(seteuid(0));
	discard_all();
}

/* Dumps that nobody reads do not accumulate. */
SUBTEST(coredump_unread)
{
	need_root();
	discard_all();
	Hang hang;
	/* Each time a new file, lest it be banned. */
	auto hang_once = [&] {
		Device device;
		Product product(device);

		CHECK_EQ(hang.run(device, device.context(), create_job(device, {{product.task()}})),
			 -ETIMEDOUT);
	};

	for (int i = 0; i < 3; i++)
		hang_once();
	wait_for_dump();
	usleep(50000);
	CHECK_EQ(dumps().size(), 1);
	discard_all();
	/* The next one is new. */
	hang_once();
	wait_for_dump();
	discard_all();
}

/* Cancelling a job makes no dump. */
SUBTEST(coredump_cancelled_is_none)
{
	need_root();
	discard_all();
	Device device;
	RunningJob running(device, 1, all_cores);
	std::uint32_t context = device.context();

	CHECK_OK(submit(device, context, {running.job}));
	wait_running(device, context, 1);
	CHECK_OK(cancel(device, context, 1, 1));
	CHECK_EQ(wait_ended(device, context, 1).error, ECANCELED);
	usleep(100000);
	CHECK(dumps().empty());
}
