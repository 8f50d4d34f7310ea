/* SPDX-License-Identifier: MIT */
/// The verifier of RKNN streams: each rule both ways.
#include <algorithm>
#include <cerrno>
#include <iterator>
#include <map>
#include <set>

#include "igt.h"
#include "leak.h"
#include "program.h"

namespace
{

/// The bits that clients may write, by register. The source is
/// chapter 36 of the RK3588 TRM, less what is not verified or not understood.
std::map<std::uint32_t, std::uint32_t> client_bits()
{
	std::map<std::uint32_t, std::uint32_t> bits{
		{0x100c, 0x6001f3ff}, {0x1010, 0xf0ff7ff0}, {0x1014, 0x03ff3f3f},
		{0x1020, 0x07ff07ff}, {0x1024, 0xffffffff}, {0x1028, 0x000007ff},
		{0x102c, 0x003fffff}, {0x1030, 0xffffffff}, {0x1034, 0x0007ffff},
		{0x1038, 0x1f1f3fff}, {0x1040, 0x000030ff}, {0x1044, 0x00003fff},
		{0x104c, 0x0fffffff}, {0x1050, 0xffffffff}, {0x1054, 0xffffffff},
		{0x1058, 0xffffffff}, {0x105c, 0xffffffff}, {0x1060, 0},
		{0x1064, 0},          {0x1068, 0x000000ff}, {0x1074, 0},
		{0x1078, 0x000f000f}, {0x107c, 0x0fffffff}, {0x1080, 0xffffffff},
		{0x1084, 0x07ff07ff}, {0x1088, 0x0000ffff}, {0x1100, 0},
		{0x1104, 0},          {0x1180, 0x0000ffff}, {0x1184, 0xffffffff},
		{0x3010, 0x00000703}, {0x3014, 0x1fff1fff}, {0x3018, 0x00001fff},
		{0x301c, 0x0000005f}, {0x3030, 0},          {0x400c, 0x000001fd},
		{0x4010, 0xfffffff7}, {0x4014, 0x0000ffff}, {0x4024, 0xfffffff0},
		{0x4030, 0x00001fff}, {0x4034, 0x00001fff}, {0x4038, 0x1fff1fff},
		{0x403c, 0x1fff1fff}, {0x4040, 0x000fffff}, {0x4044, 0xffffffff},
		{0x4048, 0xffff3f01}, {0x404c, 0xffffffff}, {0x4050, 0x000007ff},
		{0x4054, 0x0000ffff}, {0x4058, 0x00001fff}, {0x405c, 0x1fff1fff},
		{0x4060, 0x000fffff}, {0x4064, 0xffffffff}, {0x4068, 0xffff3f01},
		{0x406c, 0xffffffff}, {0x4070, 0xffffffff}, {0x4074, 0xffffffff},
		{0x4078, 0xffffffff}, {0x407c, 0xffffffff}, {0x4080, 0xffffffff},
		{0x4084, 0x0001ffff}, {0x4088, 0xc00fffff}, {0x40c0, 0xfffffff0},
		{0x40c4, 0},          {0x4100, 0x000303ff}, {0x4104, 0xffffffff},
		{0x4108, 0x000000ff}, {0x410c, 0x00ffffff}, {0x4110, 0xffffffff},
		{0x4114, 0xffffffff}, {0x4118, 0xffffffff}, {0x411c, 0xffffffff},
		{0x4120, 0xffffffff}, {0x4124, 0x000003ff}, {0x4128, 0xffffffff},
		{0x412c, 0x000003ff},
	};

	for (std::uint32_t reg = 0x1140; reg <= 0x117c; reg += 4)
		bits[reg] = 0;
	for (std::uint32_t reg = 0x4090; reg <= 0x40ac; reg += 4)
		bits[reg] = 0xffffffff;
	return bits;
}

/// Registers that no other has to agree with.
constexpr std::uint32_t lone_registers[] = {
	0x1050, 0x1054, 0x1058, 0x105c, 0x1078, 0x107c, 0x1080, 0x1180, 0x1184, 0x301c,
	0x4014, 0x4024, 0x4038, 0x4040, 0x4044, 0x4048, 0x404c, 0x4054, 0x4060, 0x4064,
	0x4068, 0x406c, 0x4074, 0x4078, 0x407c, 0x4080, 0x4084, 0x4088, 0x4090, 0x4094,
	0x4098, 0x409c, 0x40a0, 0x40a4, 0x40a8, 0x40ac, 0x40c0,
};

/// Registers of DPU_RDMA that clients may write.
constexpr std::uint32_t rdma_registers[] = {
	0x5004, 0x500c, 0x5010, 0x5014, 0x5018, 0x501c, 0x5020, 0x5028, 0x502c,
	0x5034, 0x5038, 0x5040, 0x5044, 0x5048, 0x504c, 0x5064, 0x5068, 0x506c,
};

constexpr std::uint32_t addresses[] = {cna_feature_addr, cna_weight_addr, dpu_dst_addr};
/// Choices of a register group, which the kernel makes itself.
constexpr std::uint32_t s_pointers[] = {0x1004, 0x3004, 0x4004};

constexpr std::uint32_t data_reuse = 1 << 12;
constexpr std::uint32_t weight_reuse = 1 << 13;

std::uint32_t value_of(const Task &task, std::uint32_t reg)
{
	return static_cast<std::uint32_t>(task.commands[index_of(task, reg)] >> 16);
}

/// Where a stream is refused; @command ~0 means the stream as a whole.
struct Fault {
	std::uint32_t reason;
	std::uint32_t command = ~0u;
	std::uint32_t lane = 0, task = 0;
};

void check_refused(const Device &device, const std::vector<Lane> &lanes, Fault fault)
{
	drm_npu_job_create args{};

	args.job_id = args.fault_lane = args.fault_task = poison;
	args.fault_command = args.fault_reason = poison;
	CHECK_ERR(create_job(device, lanes, args), EINVAL);
	CHECK_EQ(args.job_id, poison);
	CHECK_EQ(args.fault_reason, fault.reason);
	CHECK_EQ(args.fault_lane, fault.lane);
	CHECK_EQ(args.fault_task, fault.task);
	CHECK_EQ(args.fault_command, fault.command == ~0u
					     ? lanes[fault.lane][fault.task].commands.size()
					     : fault.command);
}

/// @task is refused, whichever command is to blame.
void check_fails(const Device &device, const Task &task, std::uint32_t reason)
{
	drm_npu_job_create args{};

	CHECK_ERR(create_job(device, {{task}}, args), EINVAL);
	CHECK_EQ(args.fault_reason, reason);
}

/// Why a matrix product does not run with other blocks.
std::uint32_t enable_reason(std::uint32_t blocks)
{
	switch (blocks) {
	case 0x18:
	case 0x1d:
		return DRM_NPU_FAULT_SHAPE;
	case 0x60:
		return DRM_NPU_FAULT_MISSING;
	default:
		return DRM_NPU_FAULT_ENABLE;
	}
}

void check_accepted(const Device &device, const std::vector<Lane> &lanes)
{
	CHECK_OK(device.destroy_job(create_job(device, lanes)));
}

/// @task with @command in the middle, which must be refused for @reason.
void check_command(const Device &device, Task task, std::uint64_t extra, std::uint32_t reason)
{
	task.commands.insert(task.commands.begin() + 20, extra);
	check_refused(device, {{task}}, {reason, 20});
}

igt::Note note_reg(std::uint32_t reg, std::uint32_t value = 0)
{
	return igt::Note("register " + std::to_string(reg) + ", value " + std::to_string(value));
}

} // namespace

SUBTEST(job_verify_targets)
{
	Device device;
	Product product(device);
	const std::set<std::uint32_t> blocks{0x0201, 0x0801, 0x1001, 0x2001, 0x4001, 0x8001};
	const std::set<std::uint32_t> ignored{0x0001, 0x0041};
	leak::Check leak;

	for (std::uint32_t target = 0; target < 0x10000; target += target < 0x2100 ? 0x10 : 0xf1) {
		for (std::uint32_t t : {target, target + 1}) {
			if (blocks.contains(t) || ignored.contains(t) || t > 0xffff)
				continue;
			igt::Note note("target " + std::to_string(t));
			check_command(device, product.task(), command(t, 0x100c, 0),
				      DRM_NPU_FAULT_TARGET);
		}
	}
	leak.done();
}

/* The words that only the kernel writes: links and sync, which it replaces, and what
   starts or stops something, which it does not accept. */
SUBTEST(job_verify_kernel_words)
{
	Device device;
	Product product(device);

	Task task = product.task();

	for (std::uint32_t reg : {0x08u, 0x20u, 0x24u, 0x30u, 0x34u})
		check_command(device, product.task(), command(0x0101, reg, 0),
			      DRM_NPU_FAULT_TARGET);
	check_command(device, product.task(), command(0x0081, 8, enable_conv),
		      DRM_NPU_FAULT_TARGET);
	/* A link to where there is nothing. */
	for (std::uint64_t word : {command(0x0101, 0x10, 0xfffffff0), command(0x0101, 0x14, 0xffff),
				   command(0x0041, 0, 0), command(0x0001, 0x1234, 0x56789abc)})
		task.commands.insert(task.commands.begin() + 20, word);
	CHECK_EQ(run(device, device.context(), create_job(device, {{task, task}})), 1);
	product.check();
}

/* A word of zeros is no command, wherever it is. */
SUBTEST(job_verify_zero_words)
{
	Device device;
	Product product(device);
	Task task = product.task();

	for (std::size_t at : {std::size_t{0}, std::size_t{20}, task.commands.size()})
		task.commands.insert(task.commands.begin() + static_cast<std::ptrdiff_t>(at), 3, 0);
	CHECK_EQ(run(device, device.context(), create_job(device, {{task}})), 1);
	product.check();

	Task empty;
	empty.commands.assign(100, 0);
	check_refused(device, {{empty}}, {DRM_NPU_FAULT_MISSING});
}

SUBTEST(job_verify_registers)
{
	Device device;
	Product product(device);
	std::map<std::uint32_t, std::uint32_t> known = client_bits();
	leak::Check leak;

	for (std::uint32_t reg : addresses)
		known[reg] = 0;
	for (std::uint32_t reg : s_pointers)
		known[reg] = 0;
	for (std::uint32_t reg : rdma_registers)
		known[reg] = 0;
	/* Every word of the four blocks, and offsets between words. */
	for (std::uint32_t block : {0x1000u, 0x3000u, 0x4000u, 0x5000u}) {
		for (std::uint32_t reg = block; reg < block + 0x1000;
		     reg += reg < block + 0x200 ? 1 : 52) {
			if (known.contains(reg))
				continue;
			igt::Note note("register " + std::to_string(reg));
			check_command(device, product.task(), command(target_of(reg), reg, 0),
				      DRM_NPU_FAULT_REGISTER);
		}
	}
	leak.done();
}

/* A register of one block under the name of another. */
SUBTEST(job_verify_wrong_block)
{
	Device device;
	Product product(device);

	for (const auto &[reg, bits] : client_bits()) {
		for (std::uint32_t target : {0x0201u, 0x0801u, 0x1001u}) {
			if (target == target_of(reg))
				continue;
			igt::Note note = note_reg(reg, target);
			check_command(device, product.task(), command(target, reg, 0),
				      DRM_NPU_FAULT_REGISTER);
		}
	}
	for (std::uint32_t reg : {0x200cu, 0x500cu, 0x600cu, 0x900cu, 0xf00cu, 0x0008u, 0x0010u})
		for (std::uint32_t target : {0x0201u, 0x0801u, 0x1001u})
			check_command(device, product.task(), command(target, reg, 0),
				      DRM_NPU_FAULT_REGISTER);
}

/* Streams may have groups alternate or not; to the hardware the kernel says it. */
SUBTEST(job_verify_s_pointer)
{
	Device device;
	Product product(device);

	for (std::uint32_t reg : s_pointers) {
		for (std::uint32_t value : {0x6u, 0xcu, 0xfu, 0x1eu, 0x4000000eu, 0x1000eu})
			check_command(device, product.task(), command(target_of(reg), reg, value),
				      DRM_NPU_FAULT_VALUE);
		for (std::uint32_t value : {0u, 0xeu, 0x30u}) {
			igt::Note note = note_reg(reg, value);
			Task task = product.task();

			task.commands.insert(task.commands.begin(),
					     command(target_of(reg), reg, value));
			CHECK_EQ(run(device, device.context(), create_job(device, {{task, task}})),
				 1);
			product.check();
		}
	}
	/* The number of a core, whichever it will be. */
	for (std::uint32_t core : {0x1000000eu, 0x2000000eu, 0x3000000eu}) {
		Task task = product.task();

		task.commands.insert(task.commands.begin(), command(0x0201, 0x1004, core));
		task.commands.insert(task.commands.begin(), command(0x0801, 0x3004, core));
		CHECK_EQ(run(device, device.context(), create_job(device, {{task}})), 1);
		product.check();
		check_command(device, product.task(), command(0x1001, 0x4004, core),
			      DRM_NPU_FAULT_VALUE);
	}
}

SUBTEST(job_verify_mac_gating)
{
	Device device;
	Product product(device);

	for (std::uint32_t value : {0u, 1u, 0x07800800u, ~0u})
		check_command(device, product.task(), command(0x0801, 0x300c, value),
			      DRM_NPU_FAULT_REGISTER);
}

SUBTEST(job_verify_value_refused)
{
	Device device;
	Product product(device);
	const Task good = product.task();
	leak::Check leak;

	for (const auto &[reg, bits] : client_bits()) {
		for (unsigned bit = 0; bit < 32; bit++) {
			if (bits >> bit & 1)
				continue;
			igt::Note note = note_reg(reg, 1u << bit);
			Task task = good;
			std::uint32_t index = index_of(task, reg);

			task.commands[index] |= std::uint64_t{1} << (16 + bit);
			check_refused(device, {{task}}, {DRM_NPU_FAULT_VALUE, index});
		}
	}
	leak.done();
}

SUBTEST(job_verify_value_accepted)
{
	Device device;
	Product product(device);
	const std::map<std::uint32_t, std::uint32_t> known = client_bits();
	leak::Check leak;

	for (std::uint32_t reg : lone_registers) {
		igt::Note note = note_reg(reg);
		Task task = product.task();

		set(task, reg, known.at(reg));
		check_accepted(device, {{task}});
		set(task, reg, 0);
		check_accepted(device, {{task}});
	}
	leak.done();
}

/* Sizes that another register repeats: one more is refused, and so is one less. */
SUBTEST(job_verify_shape)
{
	Device device;
	Product product(device);
	const Task good = product.task();
	const struct {
		std::uint32_t reg;
		unsigned shift;
	} fields[] = {
		{0x1020, 0}, {0x1020, 16}, {0x1024, 0}, {0x1028, 0},  {0x102c, 0},
		{0x1030, 0}, {0x1034, 0},  {0x1038, 0}, {0x1038, 16}, {0x1038, 24},
		{0x1084, 0}, {0x1084, 16}, {0x1088, 0}, {0x3014, 0},  {0x3014, 16},
		{0x3018, 0}, {0x4030, 0},  {0x4034, 0}, {0x403c, 0},  {0x4050, 2},
		{0x4050, 5}, {0x4050, 8},  {0x4058, 0}, {0x405c, 0},  {0x405c, 16},
	};

	for (const auto &field : fields) {
		for (std::uint32_t change : {1u, -1u}) {
			std::uint32_t value = value_of(good, field.reg) + (change << field.shift);
			igt::Note note = note_reg(field.reg, value);
			Task task = good;

			if (value & ~client_bits().at(field.reg))
				continue;
			set(task, field.reg, value);
			drm_npu_job_create args{};
			CHECK_ERR(create_job(device, {{task}}, args), EINVAL);
			CHECK_EQ(args.fault_reason, DRM_NPU_FAULT_SHAPE);
			CHECK(args.fault_command < task.commands.size());
		}
	}
}

/* Registers of DPU_RDMA count if it is started, and else are only verified. */
SUBTEST(job_verify_rdma)
{
	Device device, other;
	Product product(device);
	Buffer theirs(other, 64 << 20);
	Task task = product.task();

	for (std::uint32_t reg : rdma_registers)
		task.commands.push_back(command(0x2001, reg, reg == 0x5004 ? 0xe : 0));
	check_accepted(device, {{task}});
	set(task, 0x5018, theirs.address() + (32 << 20));
	check_refused(device, {{task}}, {DRM_NPU_FAULT_ADDRESS, index_of(task, 0x5018)});
	set(task, 0x5018, 0);

	/* The task wants no operand, but MRDMA runs and would read one. */
	task.enable = 0x1d;
	set(task, 0x500c, 0);
	set(task, 0x5010, product.shape.m - 1);
	set(task, 0x5014, product.shape.n - 1);
	set(task, 0x5034, 1);
	check_refused(device, {{task}}, {DRM_NPU_FAULT_SHAPE, index_of(task, 0x5044)});
	set(task, 0x5044, 0x7810);
	set(task, 0x5068, 0x01010101);
	check_accepted(device, {{task}});
}

SUBTEST(job_verify_banks)
{
	Device device;
	Product product(device);

	for (std::uint32_t data = 0; data < 16; data++) {
		for (std::uint32_t weights = 0; weights < 16; weights++) {
			igt::Note note(std::to_string(data) + " banks of data, " +
				       std::to_string(weights) + " of weights");
			Task task = product.task();

			set(task, cna_cbuf_con0, weights << 4 | data);
			if (data && weights && data + weights <= 12)
				check_accepted(device, {{task}});
			else
				check_refused(device, {{task}},
					      {DRM_NPU_FAULT_SHAPE, index_of(task, cna_cbuf_con0)});
		}
	}
}

/* Registers that a stream leaves out have reset values, whatever others have left
   in them; but without an address there is nothing to compute. */
SUBTEST(job_verify_missing)
{
	Device device;
	Product product(device);
	const Task good = product.task();

	for (std::size_t i = 0; i < good.commands.size(); i++) {
		const auto reg = static_cast<std::uint32_t>(good.commands[i] & 0xffff);
		const bool needed = std::ranges::find(addresses, reg) != std::end(addresses);
		igt::Note note = note_reg(reg);
		drm_npu_job_create args{}, expected{};
		Task task = good, zero = good;

		task.commands.erase(task.commands.begin() + static_cast<std::ptrdiff_t>(i));
		set(zero, reg, 0);
		const int ret = create_job(device, {{task}}, args);
		if (needed) {
			CHECK_ERR(ret, EINVAL);
			CHECK_EQ(args.fault_reason, DRM_NPU_FAULT_MISSING);
			CHECK_EQ(args.fault_register, reg);
			continue;
		}
		CHECK_EQ(ret, create_job(device, {{zero}}, expected));
		CHECK_EQ(args.fault_reason, expected.fault_reason);
		CHECK_EQ(args.fault_register, expected.fault_register);
		if (ret)
			continue;
		CHECK_OK(device.destroy_job(args.job_id));
		CHECK_OK(device.destroy_job(expected.job_id));
	}
	Task one;
	one.commands = {good.commands[0]};
	check_refused(device, {{one}}, {DRM_NPU_FAULT_MISSING});
}

/* A task has what the one before the last has written, wherever the lane is cut. */
SUBTEST(job_verify_delta)
{
	Device device;
	Product a(device), b(device, {}, 5);
	const Task first = a.task();
	Task second, third;

	/* The third is a again, the fourth b, of which only addresses are said. */
	second = b.task();
	third.enable = enable_conv;
	third.commands = {command(0x1001, dpu_dst_addr, a.out.address())};
	Task fourth = third;
	fourth.commands = {command(0x1001, dpu_dst_addr, b.out.address())};
	for (int round = 0; round < 3; round++) {
		CHECK_EQ(run(device, device.context(),
			     create_job(device, {{first, second, third, fourth}})),
			 1);
		a.check();
		b.check();
	}
	/* There is nothing for it to inherit. */
	check_refused(device, {{third}}, {DRM_NPU_FAULT_MISSING});
	check_refused(device, {{first, third}}, {DRM_NPU_FAULT_MISSING, ~0u, 0, 1});
	check_refused(device, {{first, second}, {third}}, {DRM_NPU_FAULT_MISSING, ~0u, 1, 0});
}

SUBTEST(job_verify_enable)
{
	Device device;
	Product product(device);

	for (unsigned value = 0; value < 0x100; value++) {
		igt::Note note("enable " + std::to_string(value));
		Task task = product.task();

		task.enable = value;
		if (value == enable_conv)
			check_accepted(device, {{task}});
		else
			check_fails(device, task, enable_reason(value));
	}
	for (unsigned bit = 8; bit < 32; bit++) {
		Task task = product.task();

		task.enable |= 1u << bit;
		check_refused(device, {{task}}, {DRM_NPU_FAULT_ENABLE});
	}
}

/* QUERY names the register that JOB_CREATE reports as refused. */
SUBTEST(job_verify_names)
{
	Device device;
	Product product(device);
	drm_npu_query_register names{};
	drm_npu_job_create args{};
	Task task = product.task();

	task.commands[index_of(task, 0x4010)] |= std::uint64_t{1} << (16 + 3);
	CHECK_ERR(create_job(device, {{task}}, args), EINVAL);
	CHECK_OK(device.query(DRM_NPU_QUERY_REGISTER, args.fault_register, &names, sizeof(names)));
	CHECK(names.block == std::string("DPU"));
	CHECK(names.name == std::string("DATA_FORMAT"));
	task = product.task();
	task.enable = 0;
	CHECK_ERR(create_job(device, {{task}}, args), EINVAL);
	CHECK_OK(device.query(DRM_NPU_QUERY_REGISTER, args.fault_register, &names, sizeof(names)));
	CHECK(names.block == std::string("PC"));
	CHECK(names.name == std::string("OPERATION_ENABLE"));
}

SUBTEST(job_verify_addresses)
{
	Device device, other;
	Product product(device);
	const Task good = product.task();
	std::uint32_t freed, foreign;
	{
		Buffer buffer(device, 1 << 20);
		freed = buffer.address() + (1 << 19);
	}
	Buffer theirs(other, 64 << 20);
	foreign = theirs.address() + (32 << 20);
	leak::Check leak;

	for (std::uint32_t reg : addresses) {
		std::uint32_t index = index_of(good, reg);

		for (std::uint32_t address :
		     {0u, 0x10u, 0x1000u, 0xfff0u, 0x7ffffff0u, 0xfffffff0u, freed, foreign}) {
			igt::Note note = note_reg(reg, address);
			Task task = good;

			set(task, reg, address);
			check_refused(device, {{task}}, {DRM_NPU_FAULT_ADDRESS, index});
		}
		for (std::uint32_t odd = 1; odd < 16; odd++) {
			igt::Note note = note_reg(reg, odd);
			Task task = good;

			set(task, reg, value_of(good, reg) + odd);
			check_refused(device, {{task}}, {DRM_NPU_FAULT_VALUE, index});
		}
		Task task = good;
		set(task, reg, value_of(good, reg) + 4096 - 16);
		check_accepted(device, {{task}});
	}
	leak.done();
}

/* A buffer that only a job keeps, by its handle closed, is no client's. */
SUBTEST(job_verify_closed_buffer)
{
	Device device;
	Product product(device);
	Task task = product.task();

	create_job(device, {{task}});
	product.weights.close();
	check_refused(device, {{task}}, {DRM_NPU_FAULT_ADDRESS, index_of(task, cna_weight_addr)});
}

/* Command memory of jobs is mapped for the device, but not for streams to use. */
SUBTEST(job_verify_command_memory)
{
	Device device;
	Product product(device);
	const Task good = product.task();
	std::vector<std::uint32_t> jobs;

	for (int i = 0; i < 64; i++)
		jobs.push_back(create_job(device, {Lane(8, good)}));
	/* They lie somewhere in the first megabytes, where nothing else is now. */
	std::vector<std::uint32_t> ours = {product.features.address(), product.weights.address(),
					   product.out.address()};
	for (std::uint32_t address = 0; address < 2 << 20; address += 4096) {
		if (std::ranges::find(ours, address) != ours.end())
			continue;
		for (std::uint32_t reg : addresses) {
			igt::Note note = note_reg(reg, address);
			Task task = good;

			set(task, reg, address);
			check_refused(device, {{task}},
				      {DRM_NPU_FAULT_ADDRESS, index_of(task, reg)});
		}
	}
}

SUBTEST(job_verify_place)
{
	Device device;
	Product product(device);
	const Task good = product.task();
	Task bad = good;
	std::uint32_t cores = device.limits().max_lanes;

	set(bad, 0x301c, 0xff);
	std::uint32_t index = index_of(bad, 0x301c);
	for (std::uint32_t lane = 0; lane < cores; lane++) {
		for (std::uint32_t task = 0; task < 5; task++) {
			igt::Note note("lane " + std::to_string(lane) + ", task " +
				       std::to_string(task));
			std::vector<Lane> lanes(cores, Lane(5, good));

			lanes[lane][task] = bad;
			check_refused(device, lanes, {DRM_NPU_FAULT_VALUE, index, lane, task});
		}
	}
}

SUBTEST(job_verify_reuse_first)
{
	Device device;
	Product product(device);
	const Task good = product.task();
	std::uint32_t con0 = value_of(good, cna_cbuf_con0);

	for (std::uint32_t reuse : {data_reuse, weight_reuse, data_reuse | weight_reuse}) {
		Task task = good;

		set(task, cna_cbuf_con0, con0 | reuse);
		check_refused(device, {{task}}, {DRM_NPU_FAULT_REUSE});
		/* Data of another lane is on another core. */
		check_refused(device, {{good}, {task}}, {DRM_NPU_FAULT_REUSE, ~0u, 1, 0});
	}
}

SUBTEST(job_verify_reuse_both)
{
	Device device;
	Product product(device);
	Task task = product.task();

	set(task, cna_cbuf_con0, value_of(task, cna_cbuf_con0) | data_reuse | weight_reuse);
	check_refused(device, {{product.task(), task}}, {DRM_NPU_FAULT_REUSE, ~0u, 0, 1});
}

SUBTEST(job_verify_reuse_other)
{
	Device device;
	Product product(device);
	const Task good = product.task();
	const struct {
		std::uint32_t reuse, reg, change;
	} cases[] = {
		{data_reuse, cna_feature_addr, 16},
		{weight_reuse, cna_weight_addr, 16},
		{data_reuse, 0x1044, 1},
		{data_reuse, 0x107c, 1},
		{data_reuse, 0x1080, 1},
		{data_reuse, 0x100c, -0x20000000u},
		{weight_reuse, 0x100c, -0x20000000u},
		{data_reuse, cna_cbuf_con0, 1},
		{weight_reuse, cna_cbuf_con0, 1},
		{data_reuse, cna_cbuf_con0, -16u},
		{weight_reuse, cna_cbuf_con0, -16u},
	};

	for (const auto &c : cases) {
		igt::Note note = note_reg(c.reg, c.change);
		Task task = good;

		/* One bank less of weights leaves room for one more of data. */
		set(task, cna_cbuf_con0, 0x41);
		Task first = task;
		set(task, cna_cbuf_con0, 0x41 | c.reuse);
		set(task, c.reg, value_of(task, c.reg) + c.change);
		check_refused(device, {{first, task}}, {DRM_NPU_FAULT_REUSE, ~0u, 0, 1});
	}
}

/* The data on the chip has another size. */
SUBTEST(job_verify_reuse_size)
{
	Device device;
	const Shape shape{4, 32, 32};
	const struct {
		std::uint32_t reuse;
		Shape shape;
	} cases[] = {
		{data_reuse, {8, 32, 32}},
		{data_reuse, {4, 64, 32}},
		{weight_reuse, {4, 64, 32}},
		{weight_reuse, {4, 32, 64}},
	};

	for (const auto &c : cases) {
		Product a(device, shape), b(device, c.shape);
		Task first = a.task(), second = b.task();

		set(second, cna_feature_addr, a.features.address());
		set(second, cna_weight_addr, a.weights.address());
		set(second, cna_cbuf_con0, value_of(second, cna_cbuf_con0) | c.reuse);
		check_refused(device, {{first, second}}, {DRM_NPU_FAULT_REUSE, ~0u, 0, 1});
	}
}

/* Weights that do not fit their banks stream through them and do not stay. */
SUBTEST(job_verify_reuse_large)
{
	Device device;
	Product product(device, {4, 1024, 128});
	Task first = product.task();
	Task task = first;

	set(first, cna_cbuf_con0, 0x11);
	set(task, cna_cbuf_con0, 0x11 | weight_reuse);
	check_refused(device, {{first, task}}, {DRM_NPU_FAULT_REUSE, ~0u, 0, 1});
}

SUBTEST(job_reuse_data)
{
	Device device;
	Product a(device), b(device, {}, 5);
	Task first = a.task(), second = b.task();

	/* The features of a, times the weights of b. */
	std::copy_n(a.features.as<std::uint8_t>(), 4 * 32, b.features.as<std::uint8_t>());
	set(second, cna_feature_addr, a.features.address());
	set(second, cna_cbuf_con0, value_of(second, cna_cbuf_con0) | data_reuse);
	CHECK_EQ(run(device, device.context(), create_job(device, {{first, second}})), 1);
	a.check();
	b.check();
}

SUBTEST(job_reuse_weights)
{
	Device device;
	Product a(device), b(device, {}, 5);
	Task first = a.task(), second = b.task();

	std::copy_n(a.weights.as<std::uint8_t>(), 32 * 32, b.weights.as<std::uint8_t>());
	set(second, cna_weight_addr, a.weights.address());
	set(second, cna_cbuf_con0, value_of(second, cna_cbuf_con0) | weight_reuse);
	CHECK_EQ(run(device, device.context(), create_job(device, {{first, second, second}})), 1);
	a.check();
	b.check();
}
