/* SPDX-License-Identifier: MIT */
/// Tasks that start other blocks than a product does, alone and in chains with it,
/// and what they must not inherit from other clients.
#include <algorithm>
#include <map>

#include "igt.h"
#include "program.h"

namespace
{

constexpr std::uint32_t enable_flying = 0x18;
constexpr std::uint32_t enable_pool = 0x60;
/// So long that a core gets no second task with it.
constexpr std::uint32_t slice_of_its_own = 100'000'000;

using Values = std::map<std::uint32_t, std::uint32_t>;

Task task_of(const Values &values, std::uint32_t enable)
{
	Task task;

	task.enable = enable;
	for (const auto &[reg, value] : values)
		task.commands.push_back(command(target_of(reg), reg, value));
	return task;
}

/// The sum of two tensors of 4 x 32 int32, by DPU alone.
Values sum(std::uint32_t a, std::uint32_t b, std::uint32_t out)
{
	return {{0x400c, 0x1e5}, {0x4010, 0x90000004}, {0x4020, out},        {0x4024, 0x40},
		{0x4030, 3},     {0x403c, 0x1f001f},   {0x4040, 0x53},       {0x4050, 0x36e},
		{0x4058, 0x1f},  {0x405c, 3},          {0x4060, 0x53},       {0x4070, 0x10c203c0},
		{0x4078, 1},     {0x4084, 1},          {0x500c, 3},          {0x5014, 0x1f},
		{0x5018, a},     {0x501c, 0},          {0x5034, 0x4000000c}, {0x5038, b},
		{0x5040, 0x40},  {0x5044, 0x27881}};
}

/// A function of 4 x 16 fp16 by lookup table, in which nothing is written.
Values lookup(std::uint32_t in, std::uint32_t out)
{
	return {{0x400c, 0x1e5},   {0x4010, 0x48000002}, {0x4020, out},     {0x4024, 0x40},
		{0x4030, 3},       {0x403c, 0xf000f},    {0x4040, 0x53},    {0x4050, 0x126},
		{0x4058, 0xf},     {0x405c, 3},          {0x4060, 0x53},    {0x4070, 0x302},
		{0x4084, 0x10001}, {0x4108, 0x68},       {0x410c, 0x50500}, {0x4110, 0xffffc000},
		{0x411c, 0x4000},  {0x500c, 3},          {0x5014, 0xf},     {0x5018, in},
		{0x5034, 1},       {0x5044, 0x17849}};
}

/// The largest of 2 x 2 of 8 x 8 pixels of 16 int8, by PPU.
Values pool(std::uint32_t in, std::uint32_t out)
{
	return {{0x600c, 7},    {0x6010, 7},     {0x6014, 0xf},      {0x6018, 3},   {0x601c, 3},
		{0x6020, 0xf},  {0x6024, 0x11},  {0x6034, 0x110101}, {0x6070, out}, {0x607c, 0x100},
		{0x60dc, 3},    {0x700c, 7},     {0x7010, 7},        {0x7014, 0xf}, {0x701c, in},
		{0x7024, 0x80}, {0x7028, 0x400}, {0x7030, 1}};
}

/// Tensors of a sum.
struct Sum {
	explicit Sum(const Device &device) : a(device, 4096), b(device, 4096), out(device, 4096)
	{
		for (std::int32_t i = 0; i < 128; i++) {
			a.as<std::int32_t>()[i] = 1000 * i - 70000;
			b.as<std::int32_t>()[i] = 3 * i * i;
		}
	}

	Task task() const
	{
		return task_of(sum(a.address(), b.address(), out.address()), enable_flying);
	}
	void clear() const { std::fill_n(out.as<std::int32_t>(), 128, -1); }
	void check() const
	{
		for (std::int32_t i = 0; i < 128; i++)
			CHECK_EQ(out.as<std::int32_t>()[i], 1000 * i - 70000 + 3 * i * i);
	}

	Buffer a, b, out;
};

/// An image and what is pooled of it.
struct Pool {
	explicit Pool(const Device &device) : in(device, 4096), out(device, 4096)
	{
		for (int i = 0; i < 1024; i++)
			in.as<std::int8_t>()[i] = static_cast<std::int8_t>(i * 37 % 251 - 125);
	}

	Task task() const { return task_of(pool(in.address(), out.address()), enable_pool); }
	void clear() const { std::fill_n(out.as<std::int8_t>(), 256, std::int8_t{99}); }
	void check() const
	{
		for (int y = 0; y < 4; y++)
			for (int x = 0; x < 4; x++)
				for (int c = 0; c < 16; c++)
					CHECK_EQ(out.as<std::int8_t>()[(y * 4 + x) * 16 + c],
						 largest(y * 2, x * 2, c));
	}
	int largest(int y, int x, int c) const
	{
		const auto at = [&](int dy, int dx) {
			return in.as<std::int8_t>()[((y + dy) * 8 + x + dx) * 16 + c];
		};

		return std::max({at(0, 0), at(0, 1), at(1, 0), at(1, 1)});
	}

	Buffer in, out;
};

} // namespace

SUBTEST(block_sum)
{
	Device device;
	Sum sum(device);

	sum.clear();
	CHECK_EQ(run(device, device.context(), create_job(device, {{sum.task()}})), 1);
	sum.check();
}

/* Its end is told by interrupts of its own. */
SUBTEST(block_pool)
{
	Device device;
	Pool pool(device);

	pool.clear();
	CHECK_EQ(run(device, device.context(), create_job(device, {{pool.task()}})), 1);
	pool.check();
}

/* Whichever block ends the chain, and wherever it is cut. */
SUBTEST(block_chain)
{
	Device device;
	Product product(device);
	Pool pool(device);
	Sum sum(device);
	std::uint32_t context = device.context(one_core);

	for (std::uint32_t cost : {0u, slice_of_its_own}) {
		std::vector<Task> tasks{product.task(), sum.task(), pool.task()};

		std::ranges::sort(tasks, {}, &Task::enable);
		do {
			igt::Note note("the last starts " + std::to_string(tasks.back().enable));

			for (Task &task : tasks)
				task.cost_ns = cost;
			product.clear();
			sum.clear();
			pool.clear();
			CHECK_EQ(run(device, context, create_job(device, {tasks})), 1);
			product.check();
			sum.check();
			pool.check();
		} while (std::ranges::next_permutation(tasks, {}, &Task::enable).found);
	}
}

/* A lane that is cut after each task goes on as it was, whoever has the core between. */
SUBTEST(block_cut)
{
	Device device, other;
	Product a(device), b(device, {}, 5), theirs(other, {8, 64, 32}, 3);
	std::uint32_t context = device.context(one_core), foreign = other.context(one_core);
	std::uint32_t noise = create_job(other, {Lane(4, theirs.task())});
	Lane lane{a.task(), b.task()};
	std::uint64_t seqno = 0, last = 0;

	/* Of these each says no more than where its results go. */
	for (int i = 0; i < 6; i++) {
		Task task;

		task.commands = {command(target_of(dpu_dst_addr), dpu_dst_addr,
					 (i % 2 ? b : a).out.address())};
		lane.push_back(task);
	}
	for (Task &task : lane)
		task.cost_ns = slice_of_its_own;
	std::uint32_t job = create_job(device, {lane});
	for (int round = 0; round < 4; round++) {
		CHECK_OK(submit(other, foreign, std::vector<std::uint32_t>(8, noise), {}, &last));
		CHECK_OK(submit(device, context, {job}, {}, &seqno));
		CHECK_EQ(wait_ended(device, context, seqno).error, 0);
		a.check();
		b.check();
	}
	CHECK_EQ(wait_ended(other, foreign, last).error, 0);
	theirs.check();
}

/* A task that uses tables finds none but its lane's. */
SUBTEST(block_table)
{
	Device device, other;
	Buffer in(device, 4096), out(device, 4096), theirs(other, 4096);
	std::uint32_t context = device.context(one_core), foreign = other.context(one_core);
	std::vector<std::uint16_t> first;
	Task spy = task_of(lookup(in.address(), out.address()), enable_flying);
	Task victim = task_of(lookup(theirs.address(), theirs.address() + 2048), enable_flying);

	for (std::uint32_t table : {0u, 1u}) {
		victim.commands.push_back(command(0x1001, 0x4100, 0x20000 | table << 16));
		for (std::uint32_t i = 0; i < 513; i++)
			victim.commands.push_back(command(0x1001, 0x4104, 0x1000 + i));
	}
	for (std::uint16_t i = 0; i < 64; i++)
		in.as<std::uint16_t>()[i] = static_cast<std::uint16_t>(0x3800 + 64 * i);
	for (int round = 0; round < 2; round++) {
		std::fill_n(out.as<std::uint16_t>(), 64, std::uint16_t{0x7777});
		CHECK_EQ(run(device, context, create_job(device, {{spy}})), 1);
		first.assign(out.as<std::uint16_t>(), out.as<std::uint16_t>() + 64);
		for (std::uint16_t value : first)
			CHECK_EQ(value & 0x7fff, 0);
		CHECK_EQ(run(other, foreign, create_job(other, {{victim}})), 1);
		CHECK(std::any_of(theirs.as<std::uint16_t>() + 1024,
				  theirs.as<std::uint16_t>() + 1024 + 64,
				  [](std::uint16_t value) { return value & 0x7fff; }));
	}
}
