/* SPDX-License-Identifier: MIT */
/// npu-top: reading of samples, differences of two samples, and their display.
#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <npu_accel.h>

#include "top/fdinfo.h"
#include "top/model.h"
#include "top/processes.h"
#include "top/sample.h"
#include "top/view.h"

namespace
{

namespace fs = std::filesystem;
using namespace npu::top;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr std::uint64_t ms = 1000000;

/// fdinfo as the driver writes it.
std::string fdinfo(std::uint64_t id, std::uint64_t latency_ns = 0, std::uint64_t throughput_ns = 0)
{
	return "pos:\t0\nflags:\t02100002\nmnt_id:\t26\nino:\t441\n"
	       "drm-driver:\trocket\ndrm-client-id:\t" +
	       std::to_string(id) + "\ndrm-engine-npu:\t" +
	       std::to_string(latency_ns + throughput_ns) +
	       " ns\ndrm-engine-capacity-npu:\t3\nnpu-time-throughput:\t" +
	       std::to_string(throughput_ns) + " ns\nnpu-time-latency:\t" +
	       std::to_string(latency_ns) +
	       " ns\nnpu-time-background:\t0 ns\nnpu-contexts:\t2\nnpu-jobs-queued:\t5\n"
	       "npu-jobs:\t100\nnpu-jobs-failed:\t3\nnpu-banned:\t1\nnpu-missed-deadlines:\t4\n"
	       "drm-total-memory:\t2048 KiB\ndrm-resident-memory:\t2048 KiB\n"
	       "drm-active-memory:\t1 MiB\ndrm-resident-sram:\t64 KiB\n";
}

TEST(TopFdInfo, Client)
{
	const auto client = parse_fdinfo(fdinfo(7, 20, 30));

	ASSERT_TRUE(client);
	EXPECT_EQ(client->id, 7);
	EXPECT_EQ(client->busy_ns, 50);
	EXPECT_THAT(client->class_ns, ElementsAre(20, 30, 0));
	EXPECT_EQ(client->contexts, 2);
	EXPECT_EQ(client->queued, 5);
	EXPECT_EQ(client->jobs, 100);
	EXPECT_EQ(client->failed, 3);
	EXPECT_EQ(client->missed, 4);
	EXPECT_TRUE(client->banned);
	EXPECT_EQ(client->memory.at("memory").resident, 2048 * 1024);
	EXPECT_EQ(client->memory.at("memory").active, 1024 * 1024);
	EXPECT_EQ(client->memory.at("sram").resident, 64 * 1024);
}

/* fdinfo of other drivers, of other files, and of mainline's driver, which has the same name. */
TEST(TopFdInfo, NoClient)
{
	for (const char *text :
	     {"", "pos:\t0\nflags:\t0\n", "drm-driver:\ti915\ndrm-client-id:\t7\n",
	      "drm-driver:\trocket\ndrm-client-id:\t7\n", "npu-time-latency", ":",
	      "npu-time-latency:\t", "npu-time-latency:\tmuch"})
		EXPECT_FALSE(parse_fdinfo(text)) << text;
}

/* Malformed values are ignored. */
TEST(TopFdInfo, Strange)
{
	const auto client = parse_fdinfo("npu-time-latency:\t5 ns\n\n:\nnonsense\nnpu-jobs:\t-3\n"
					 "npu-jobs-queued:\t99999999999999999999\nnpu-con");

	ASSERT_TRUE(client);
	EXPECT_EQ(client->class_ns[latency], 5);
	EXPECT_EQ(client->jobs, 0);
	EXPECT_EQ(client->queued, 0);
	EXPECT_EQ(client->contexts, 0);
}

/// A /proc and a /sys made of files.
class TopFolders : public testing::Test
{
protected:
	TopFolders()
	{
		std::string name = testing::TempDir() + "top.XXXXXX";

		root_ = mkdtemp(name.data());
	}
	~TopFolders() override { fs::remove_all(root_); }

	void write(const std::string &path, const std::string &text) const
	{
		fs::create_directories((root_ / path).parent_path());
		std::ofstream(root_ / path, std::ios::binary) << text;
	}
	/// An open file of a process.
	void open(int pid, int fd, const std::string &device, const std::string &text) const
	{
		const fs::path process = root_ / "proc" / std::to_string(pid);

		fs::create_directories(process / "fd");
		fs::create_symlink(device, process / "fd" / std::to_string(fd));
		write("proc/" + std::to_string(pid) + "/fdinfo/" + std::to_string(fd), text);
		write("proc/" + std::to_string(pid) + "/comm",
		      "name of " + std::to_string(pid) + "\n");
	}
	std::vector<Process> find(pid_t self = 0) const
	{
		return find_processes(root_ / "proc", "/dev/accel/accel0", self);
	}

	fs::path root_;
};

TEST_F(TopFolders, Processes)
{
	open(20, 3, "/dev/accel/accel0", fdinfo(1));
	open(20, 4, "/dev/null", "pos:\t0\n");
	open(20, 5, "/dev/accel/accel0", fdinfo(2));
	open(9, 7, "/dev/accel/accel0", fdinfo(3));
	open(10, 7, "/dev/accel/accel1", fdinfo(4));
	open(11, 7, "/dev/accel/accel0", fdinfo(5));
	write("proc/uptime", "1 1\n");
	const std::vector<Process> processes = find(11);

	ASSERT_THAT(processes, SizeIs(2));
	EXPECT_EQ(processes[0].pid, 9);
	EXPECT_EQ(processes[0].command, "name of 9");
	EXPECT_FALSE(processes[0].user.empty());
	EXPECT_THAT(processes[0].clients, SizeIs(1));
	EXPECT_EQ(processes[1].pid, 20);
	ASSERT_THAT(processes[1].clients, SizeIs(2));
	EXPECT_EQ(processes[1].clients[1].id, 2);
}

/* Inherited and duplicated descriptors are one client. */
TEST_F(TopFolders, SharedFile)
{
	open(20, 3, "/dev/accel/accel0", fdinfo(1));
	open(20, 4, "/dev/accel/accel0", fdinfo(1));
	open(21, 3, "/dev/accel/accel0", fdinfo(1));
	const std::vector<Process> processes = find();

	ASSERT_THAT(processes, SizeIs(1));
	EXPECT_THAT(processes[0].clients, SizeIs(1));
}

/* The folders of a process vanish one by one, and a process may close the file. */
TEST_F(TopFolders, EndsWhileRead)
{
	open(20, 3, "/dev/accel/accel0", fdinfo(1));
	fs::remove(root_ / "proc/20/fdinfo/3");
	open(21, 3, "/dev/accel/accel0", "");
	open(22, 3, "/dev/accel/accel0", fdinfo(2));
	fs::remove_all(root_ / "proc/22/fdinfo");
	fs::create_directories(root_ / "proc/23");
	open(24, 3, "/dev/accel/accel0", fdinfo(3));
	fs::remove(root_ / "proc/24/comm");
	const std::vector<Process> processes = find();

	ASSERT_THAT(processes, SizeIs(1));
	EXPECT_EQ(processes[0].pid, 24);
	EXPECT_EQ(processes[0].command, "");
	EXPECT_THAT(find_processes(root_ / "none", "/dev/accel/accel0", 0), IsEmpty());
}

/// A device that answers QUERY only.
class QueryDriver final : public npu::Driver
{
public:
	int ioctl(unsigned long request, void *argument) override
	{
		const auto &args = *static_cast<const drm_npu_query *>(argument);

		if (request != DRM_IOCTL_NPU_QUERY)
			return -ENOTTY;
		if (error && args.type == error_type)
			return -error;
		switch (args.type) {
		case DRM_NPU_QUERY_DEVICE: {
			drm_npu_query_device device{};
			std::ranges::copy(std::string_view("RK3588"), std::begin(device.name));
			device.core_count = 2;
			device.region_count = 2;
			return answer(args, device);
		}
		case DRM_NPU_QUERY_CORE: {
			drm_npu_query_core core{};
			core.clock_hz = 600000000;
			core.busy_ns = args.index * ms;
			return answer(args, core);
		}
		case DRM_NPU_QUERY_REGION: {
			drm_npu_query_region region{};
			region.kind = args.index;
			region.size = 1 << 20;
			return answer(args, region);
		}
		case DRM_NPU_QUERY_ACTIVITY:
			return answer(args, activity);
		default:
			return -EINVAL;
		}
	}
	std::span<std::byte> map(std::size_t /*size*/, std::uint64_t /*offset*/,
				 npu::MapAccess /*access*/, int &result) override
	{
		result = -ENODEV;
		return {};
	}
	std::span<std::byte> map_dma_buf(int /*fd*/, std::size_t /*size*/, int &result) override
	{
		result = -ENODEV;
		return {};
	}
	void unmap(std::span<std::byte> /*bytes*/) override {}

	drm_npu_query_activity activity{};
	int error = 0;
	std::uint32_t error_type = DRM_NPU_QUERY_DEVICE;

private:
	template <typename Record>
	static int answer(const drm_npu_query &args, const Record &record)
	{
		EXPECT_EQ(args.size, sizeof(record));
		*reinterpret_cast<Record *>(static_cast<std::uintptr_t>(args.data)) = record;
		return 0;
	}
};

class TopSampler : public TopFolders
{
protected:
	npu::Result<Sample> take() const
	{
		return Sampler(driver_, "/dev/accel/accel0", {root_ / "proc", root_ / "sys"}, 1)
			.take();
	}

	std::shared_ptr<QueryDriver> driver_ = std::make_shared<QueryDriver>();
};

TEST_F(TopSampler, Device)
{
	driver_->activity.files = 1;
	const auto sample = take();

	ASSERT_TRUE(sample);
	EXPECT_EQ(sample->name, "RK3588");
	EXPECT_FALSE(sample->is_virtual);
	EXPECT_THAT(sample->cores, SizeIs(2));
	EXPECT_THAT(sample->regions, SizeIs(2));
	EXPECT_EQ(sample->clock_hz, 600000000);
	EXPECT_EQ(sample->max_clock_hz, 600000000);
	EXPECT_FALSE(sample->temperature);
	EXPECT_EQ(sample->hidden, 0);
}

TEST_F(TopSampler, ClockAndTemperature)
{
	write("sys/class/devfreq/fb000000.gpu/cur_freq", "1\n");
	write("sys/class/devfreq/fdab0000.npu/cur_freq", "300000000\n");
	write("sys/class/devfreq/fdab0000.npu/max_freq", "1000000000\n");
	write("sys/class/thermal/thermal_zone0/type", "soc-thermal\n");
	write("sys/class/thermal/thermal_zone0/temp", "1\n");
	write("sys/class/thermal/thermal_zone5/type", "npu-thermal\n");
	write("sys/class/thermal/thermal_zone5/temp", "46230\n");
	const auto sample = take();

	ASSERT_TRUE(sample);
	EXPECT_EQ(sample->clock_hz, 300000000);
	EXPECT_EQ(sample->max_clock_hz, 1000000000);
	EXPECT_EQ(sample->temperature, 46230);
}

/* A sensor that is off cannot be read. */
TEST_F(TopSampler, NoNumbers)
{
	write("sys/class/devfreq/fdab0000.npu/cur_freq", "");
	write("sys/class/thermal/thermal_zone5/type", "npu-thermal\n");
	write("sys/class/thermal/thermal_zone5/temp", "");
	const auto sample = take();

	ASSERT_TRUE(sample);
	EXPECT_EQ(sample->clock_hz, 600000000);
	EXPECT_FALSE(sample->temperature);
}

/* The program's own file does not count as hidden. */
TEST_F(TopSampler, HiddenFiles)
{
	driver_->activity.files = 5;
	open(20, 3, "/dev/accel/accel0", fdinfo(1));
	open(20, 4, "/dev/accel/accel0", fdinfo(2));
	ASSERT_TRUE(take());
	EXPECT_EQ(take()->hidden, 2);
	/* A file that was opened after the query. */
	driver_->activity.files = 1;
	EXPECT_EQ(take()->hidden, 0);
}

TEST_F(TopSampler, Errors)
{
	driver_->error = ENODEV;
	ASSERT_FALSE(take());
	EXPECT_EQ(take().error().code, ENODEV);
	EXPECT_THAT(take().error().message, HasSubstr("gone away"));

	driver_->error = EINVAL;
	driver_->error_type = DRM_NPU_QUERY_ACTIVITY;
	ASSERT_FALSE(take());
	EXPECT_EQ(take().error().code, EINVAL);
	EXPECT_THAT(take().error().message, HasSubstr("same version"));
}

Client client(std::uint64_t id, std::uint64_t latency_ns, std::uint64_t throughput_ns,
	      std::uint64_t jobs = 0)
{
	Client made;

	made.id = id;
	made.busy_ns = latency_ns + throughput_ns;
	made.class_ns = {latency_ns, throughput_ns, 0};
	made.jobs = jobs;
	made.memory["memory"].resident = id << 20;
	return made;
}

Process process(pid_t pid, std::vector<Client> clients)
{
	return {.pid = pid,
		.user = "somebody",
		.command = "program",
		.clients = std::move(clients)};
}

Sample sample(std::uint64_t now_ns, const std::vector<std::uint64_t> &busy_ns,
	      std::vector<Process> processes = {})
{
	Sample made;

	made.name = "RK3588";
	made.activity.now_ns = now_ns;
	for (const std::uint64_t ns : busy_ns) {
		made.cores.emplace_back();
		made.cores.back().busy_ns = ns;
	}
	made.processes = std::move(processes);
	return made;
}

TEST(TopModel, Loads)
{
	Sample before = sample(1000 * ms, {0, 100 * ms}, {process(5, {client(1, 0, 50 * ms, 10)})});
	Sample after = sample(1100 * ms, {25 * ms, 200 * ms},
			      {process(5, {client(1, 20 * ms, 100 * ms, 15)})});

	after.activity.ended_jobs = 40;
	const Snapshot snapshot = compare(before, after);
	EXPECT_EQ(snapshot.interval_ns, 100 * ms);
	EXPECT_THAT(snapshot.cores, ElementsAre(0.25, 1.0));
	EXPECT_DOUBLE_EQ(snapshot.jobs_per_second, 400);
	ASSERT_THAT(snapshot.rows, SizeIs(1));
	EXPECT_DOUBLE_EQ(snapshot.rows[0].load, 0.35);
	EXPECT_THAT(snapshot.rows[0].class_load, ElementsAre(0.1, 0.25, 0));
	EXPECT_DOUBLE_EQ(snapshot.rows[0].jobs_per_second, 50);
}

/* Counters of new files count from 0; closed files are omitted. */
TEST(TopModel, FilesComeAndGo)
{
	const Sample before = sample(0, {0}, {process(5, {client(1, 0, 90 * ms)})});
	const Sample after = sample(100 * ms, {0},
				    {process(5, {client(2, 0, 10 * ms)}),
				     process(6, {client(3, 30 * ms, 0), client(4, 10 * ms, 0)})});
	const Snapshot snapshot = compare(before, after);

	ASSERT_THAT(snapshot.rows, SizeIs(2));
	EXPECT_DOUBLE_EQ(snapshot.rows[0].load, 0.1);
	EXPECT_DOUBLE_EQ(snapshot.rows[1].load, 0.4);
	EXPECT_EQ(snapshot.rows[1].resident("memory"), 7 << 20);
	EXPECT_EQ(snapshot.rows[1].resident("sram"), 0);
}

/* No division by zero, no load above 1; counters may be reset. */
TEST(TopModel, NoTime)
{
	const Sample once = sample(5, {7}, {process(5, {client(1, 1, 2)})});

	EXPECT_THAT(compare(once, once).cores, Each(0.0));
	EXPECT_DOUBLE_EQ(compare(once, once).rows[0].load, 0);
	EXPECT_THAT(compare(sample(0, {0}), sample(10, {50})).cores, Each(1.0));
	EXPECT_THAT(compare(sample(0, {50}), sample(10, {0})).cores, Each(0.0));
	EXPECT_THAT(compare(sample(0, {}), sample(10, {5})).cores, Each(0.0));
}

std::vector<pid_t> sorted(Snapshot snapshot, Order order)
{
	std::vector<pid_t> pids;

	sort(snapshot, order);
	for (const Row &row : snapshot.rows)
		pids.push_back(row.pid);
	return pids;
}

TEST(TopModel, Sorts)
{
	const Sample before = sample(0, {0});
	Sample after = sample(100 * ms, {0},
			      {process(9, {client(1, 10, 0)}), process(7, {client(2, 30, 0)}),
			       process(8, {client(3, 20, 0)}), process(6, {client(4, 20, 0)})});
	after.processes[0].clients[0].queued = 3;
	after.processes[2].clients[0].missed = 3;
	const Snapshot snapshot = compare(before, after);

	EXPECT_THAT(sorted(snapshot, Order::load), ElementsAre(7, 6, 8, 9));
	EXPECT_THAT(sorted(snapshot, Order::memory), ElementsAre(6, 8, 7, 9));
	EXPECT_THAT(sorted(snapshot, Order::queue), ElementsAre(9, 6, 7, 8));
	EXPECT_THAT(sorted(snapshot, Order::missed), ElementsAre(8, 6, 7, 9));
	EXPECT_THAT(sorted(snapshot, Order::pid), ElementsAre(6, 7, 8, 9));
	Order order = Order::load;
	for (std::size_t i = 0; i < order_names.size(); i++)
		order = next_order(order);
	EXPECT_EQ(order, Order::load);
}

/// A snapshot with a value in each field.
Snapshot full()
{
	Snapshot snapshot;

	snapshot.name = "RK3588";
	snapshot.is_virtual = true;
	snapshot.cores = {0.5, 1.0, 0};
	snapshot.regions = {{.name = "memory", .size = 8ull << 30, .used = 3 << 20},
			    {.name = "sram", .size = 956 << 10, .used = 512 << 10}};
	snapshot.clock_hz = 600000000;
	snapshot.max_clock_hz = 1000000000;
	snapshot.temperature = 46230;
	snapshot.queued = 12;
	snapshot.missed = 3;
	Row row;
	row.pid = 4711;
	row.user = "somebody";
	row.command = "llama-cli\x1b[2J";
	row.load = 0.123;
	row.memory["memory"].resident = 1536 << 10;
	row.queued = 77;
	row.missed = 8;
	snapshot.rows = {row};
	snapshot.hidden = 2;
	return snapshot;
}

std::string all(const std::vector<Line> &lines)
{
	std::string text;

	for (const Line &line : lines)
		text += line.text + '\n';
	return text;
}

TEST(TopView, Wide)
{
	const std::string text = all(render(full(), Order::load, 120));

	for (const char *part :
	     {"RK3588 (virtual)", "clock 600/1000 MHz", "46.2 C", "memory 3M/8G", "sram 512K/956K",
	      "core 0 [", "50.0%", "100.0%", "queue 12", "missed 3", "PID USER", ">NPU%", "4711",
	      "somebody", "12.3", "1.5M", "77", "MISSED", "2 more open"})
		EXPECT_THAT(text, HasSubstr(part));
}

/* Control characters in a command must not reach the terminal. */
TEST(TopView, StrangeCommand)
{
	EXPECT_THAT(all(render(full(), Order::load, 120)), HasSubstr("llama-cli?[2J"));
	EXPECT_THAT(all(render(full(), Order::load, 120)), Not(HasSubstr("\x1b")));
}

/* At any width, no line is too long and the most important columns are shown. */
TEST(TopView, AnyWidth)
{
	for (std::size_t width = 1; width < 200; width++)
		for (const Line &line : render(full(), Order::pid, width))
			EXPECT_LE(line.text.size(), width);
	const std::string narrow = all(render(full(), Order::load, 40));
	EXPECT_THAT(narrow, HasSubstr("4711"));
	EXPECT_THAT(narrow, HasSubstr("12.3"));
	EXPECT_THAT(narrow, HasSubstr("llama"));
	EXPECT_THAT(narrow, Not(HasSubstr("MISSED")));
	const std::string eighty = all(render(full(), Order::load, 80));
	EXPECT_THAT(eighty, HasSubstr("LAT%"));
	EXPECT_THAT(eighty, HasSubstr("QUEUE"));
}

TEST(TopView, NothingKnown)
{
	const std::vector<Line> lines = render(Snapshot(), Order::load, 80);

	EXPECT_THAT(all(lines), Not(HasSubstr("MHz")));
	EXPECT_THAT(all(lines), Not(HasSubstr("more open")));
	EXPECT_TRUE(nlohmann::json::parse(to_json(Snapshot()))["temperature"].is_null());
}

TEST(TopView, Json)
{
	const std::string text = to_json(full());
	const nlohmann::json json = nlohmann::json::parse(text);

	EXPECT_THAT(text, Not(HasSubstr("\n")));
	EXPECT_EQ(json["device"], "RK3588");
	EXPECT_EQ(json["virtual"], true);
	EXPECT_EQ(json["cores"], (std::vector<double>{0.5, 1.0, 0}));
	EXPECT_EQ(json["queued_jobs"], 12);
	EXPECT_EQ(json["hidden_files"], 2);
	EXPECT_EQ(json["regions"][1]["used"], 512 << 10);
	EXPECT_DOUBLE_EQ(json["temperature"], 46.23);
	EXPECT_EQ(json["processes"][0]["pid"], 4711);
	EXPECT_EQ(json["processes"][0]["memory"]["memory"]["resident"], 1536 << 10);
	EXPECT_EQ(json["processes"][0]["classes"].size(), class_count);
	/* A command need not be UTF-8. */
	Snapshot strange = full();
	strange.rows[0].command = "\xff\xfe";
	EXPECT_TRUE(nlohmann::json::accept(to_json(strange)));
}

} // namespace
