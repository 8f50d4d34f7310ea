/* SPDX-License-Identifier: MIT */
/*
 * Statistics, and the time of a task: arithmetic and bus, which overlap, plus a start-up
 * time.
 */
#include <cmath>

#include "model_matmul.h"

namespace model_test
{
namespace
{

/* Round numbers, so that the formula can be done by hand. */
constexpr npu_model_params plain{
	.clock_hz = 1000000000,
	.core_bytes_per_us = 10000,
	.post_bytes_per_us = 0,
	.total_bytes_per_us = 21000,
	.load_permille = 0,
	.sram_bytes_per_us = 12000,
	.task_ns = 5000,
	.timing_only = 0,
};

npu_model_stats run(const Matmul &matmul, const npu_model_params &params, uint32_t active = 1,
		    const std::vector<uint32_t> &on_chip = {})
{
	std::mt19937 rng(1);
	Npu npu(0, params);

	for (const uint32_t base : on_chip)
		npu.bus.on_chip(base, npu.get());

	matmul.map(npu);
	matmul.store(npu, matmul.random(rng));
	npu->active_cores = active;
	EXPECT_EQ(npu.run(program(matmul.registers())), NPU_MODEL_DONE);
	return npu->stats;
}

uint64_t fetch_bytes(const Matmul &matmul)
{
	return (program(matmul.registers()).size() + 1) / 2 * 16;
}

/* Rounding of integers may take a few nanoseconds. */
void expect_near(uint64_t is, double should)
{
	EXPECT_NEAR(static_cast<double>(is), should, 3.0 + should / 100000);
}

/// Nanoseconds of the array for @p cycles of 1 GHz, and of a bus that takes @p bus.
double overlapped(double cycles, double bus)
{
	return 5000 + std::hypot(cycles, bus);
}

TEST(ModelStats, CountsWorkAndBytes)
{
	for (const Kind kind : {Kind::int8, Kind::fp16, Kind::fp16_to_fp16}) {
		const Matmul matmul{.kind = kind, .w = 3, .h = 5, .k = 96, .n = 64};
		const npu_model_stats stats = run(matmul, plain);

		EXPECT_EQ(stats.tasks, 1u);
		EXPECT_EQ(stats.macs, 15ull * 96 * 64);
		EXPECT_EQ(stats.written_bytes, matmul.output_size());
		EXPECT_EQ(stats.read_bytes,
			  matmul.feature_size() + matmul.weight_size() + fetch_bytes(matmul));
	}
}

TEST(ModelStats, AreTheSameWithTimingOnly)
{
	npu_model_params timing = plain;

	timing.timing_only = 1;
	for (const Kind kind : {Kind::int8, Kind::fp16, Kind::fp16_to_fp16}) {
		const Matmul matmul{.kind = kind, .w = 3, .h = 5, .k = 96, .n = 64};
		const npu_model_stats computed = run(matmul, plain);
		const npu_model_stats timed = run(matmul, timing);

		EXPECT_EQ(timed.tasks, computed.tasks);
		EXPECT_EQ(timed.macs, computed.macs);
		EXPECT_EQ(timed.read_bytes, computed.read_bytes);
		EXPECT_EQ(timed.written_bytes, computed.written_bytes);
		EXPECT_EQ(timed.busy_ns, computed.busy_ns);
	}
}

TEST(ModelStats, TimingOnlyMovesNothingAndFindsFaults)
{
	const Matmul matmul{.w = 1, .h = 4, .k = 64, .n = 32};
	npu_model_params timing = plain;
	std::mt19937 rng(1);

	timing.timing_only = 1;
	for (const uint32_t base : {feature_base, weight_base, output_base}) {
		Npu npu(0, timing);

		matmul.map(npu);
		matmul.store(npu, matmul.random(rng));
		EXPECT_EQ(npu.run(program(matmul.registers())), NPU_MODEL_DONE);
		EXPECT_EQ(npu.bus.get<uint8_t>(output_base), untouched);
		npu.bus.unmap(base);
		EXPECT_EQ(npu.run(program(matmul.registers())), NPU_MODEL_FAULT);
		EXPECT_EQ(npu->fault_addr, base);
	}
}

TEST(ModelStats, AddUpOverAChain)
{
	const Matmul matmul{.h = 5, .k = 64, .n = 32};
	const npu_model_stats single = run(matmul, plain);
	std::mt19937 rng(1);
	Npu npu(0, plain);

	matmul.map(npu);
	matmul.store(npu, matmul.random(rng));
	const Stream stream = body(matmul.registers());
	ASSERT_EQ(npu.run_chain({stream, stream, stream, stream}), NPU_MODEL_DONE);
	EXPECT_EQ(npu->stats.tasks, 4u);
	EXPECT_EQ(npu->stats.macs, 4 * single.macs);
	EXPECT_EQ(npu->stats.written_bytes, 4 * single.written_bytes);
	EXPECT_EQ(npu->stats.read_bytes, 4 * single.read_bytes);
	/* Each task starts up, and its bytes are its own. */
	EXPECT_EQ(npu->stats.busy_ns, 4 * single.busy_ns);
}

TEST(ModelStats, StreamedWeightsAreReadOnce)
{
	const Matmul matmul{.h = 700, .k = 256, .n = 256, .data_banks = 11, .weight_banks = 1};
	const npu_model_stats stats = run(matmul, plain);

	EXPECT_EQ(stats.read_bytes,
		  matmul.feature_size() + matmul.weight_size() + fetch_bytes(matmul));
}

/* 1024 int8 products a cycle, 512 of fp16. */
TEST(ModelTime, ComputeBound)
{
	npu_model_params params = plain;
	const Matmul int8{.h = 128, .k = 1024, .n = 512, .data_banks = 8, .weight_banks = 4};
	const Matmul fp16{.kind = Kind::fp16,
			  .h = 128,
			  .k = 1024,
			  .n = 512,
			  .data_banks = 8,
			  .weight_banks = 4};

	params.core_bytes_per_us = params.total_bytes_per_us = 1000000000;
	expect_near(run(int8, params).busy_ns, 5000 + 128.0 * 1024 * 512 / 1024);
	expect_near(run(fp16, params).busy_ns, 5000 + 128.0 * 1024 * 512 / 512);

	params.clock_hz = 600000000;
	expect_near(run(int8, params).busy_ns, 5000 + 128.0 * 512 / 0.6);
	params.task_ns = 0;
	expect_near(run(int8, params).busy_ns, 128.0 * 512 / 0.6);
}

/* A half slice, and rows that do not fill fours, take the time of full ones. */
TEST(ModelTime, PaddedShapes)
{
	npu_model_params params = plain;

	params.core_bytes_per_us = params.total_bytes_per_us = 1000000000;
	params.task_ns = 0;
	const uint64_t full = run({.h = 64, .k = 1024, .n = 512}, params).busy_ns;
	EXPECT_EQ(run({.h = 64, .k = 1008, .n = 512}, params).busy_ns, full);
	EXPECT_EQ(run({.h = 61, .k = 1024, .n = 512}, params).busy_ns, full);
	EXPECT_LT(run({.h = 60, .k = 1024, .n = 512}, params).busy_ns, full);
}

/* Four pixels, of which one is real, 32 slices of channels, 32 groups of kernels. */
constexpr double row_cycles = 4 * 32 * 32;

TEST(ModelTime, MemoryBound)
{
	npu_model_params params = plain;
	const Matmul matmul{.h = 1, .k = 1024, .n = 1024};
	const auto bytes = static_cast<double>(matmul.feature_size() + matmul.weight_size() +
					       matmul.output_size() + fetch_bytes(matmul));

	expect_near(run(matmul, params).busy_ns, overlapped(row_cycles, bytes / 10));
	params.clock_hz = 500000000;
	expect_near(run(matmul, params).busy_ns, overlapped(2 * row_cycles, bytes / 10));
	params.core_bytes_per_us = 4000;
	expect_near(run(matmul, params).busy_ns, overlapped(2 * row_cycles, bytes / 4));
}

/* The time of a task is that of the array, start-up, and waits for what takes longest. */
TEST(ModelTime, Stalls)
{
	const Matmul matmul{.h = 1, .k = 1024, .n = 1024};
	const auto weights = static_cast<double>(matmul.weight_size());
	const auto bytes =
		weights + static_cast<double>(matmul.feature_size() + matmul.output_size() +
					      fetch_bytes(matmul));

	npu_model_stats stats = run(matmul, plain);
	EXPECT_EQ(stats.start_ns, 5000u);
	EXPECT_EQ(stats.sram_ns, 0u);
	expect_near(stats.memory_ns, std::hypot(row_cycles, bytes / 10) - row_cycles);
	expect_near(stats.busy_ns,
		    static_cast<double>(stats.start_ns + stats.memory_ns) + row_cycles);

	stats = run(matmul, plain, 3, {weight_base});
	EXPECT_EQ(stats.start_ns, 5000u);
	EXPECT_EQ(stats.memory_ns, 0u);
	expect_near(stats.sram_ns, std::hypot(row_cycles, weights / 4) - row_cycles);
}

/* Traffic to SRAM overlaps with other traffic, up to the limit of the core's port. */
TEST(ModelTime, OnChipMemory)
{
	npu_model_params params = plain;
	const Matmul matmul{.h = 1, .k = 1024, .n = 1024};
	const auto weights = static_cast<double>(matmul.weight_size());
	const auto rest = static_cast<double>(matmul.feature_size() + matmul.output_size() +
					      fetch_bytes(matmul));

	/* One core is bound by its port, wherever the bytes are. */
	npu_model_stats stats = run(matmul, params, 1, {weight_base});
	EXPECT_EQ(stats.sram_bytes, matmul.weight_size());
	expect_near(stats.busy_ns, overlapped(row_cycles, (weights + rest) / 10));
	EXPECT_EQ(run(matmul, params, 1).sram_bytes, 0u);

	/* Three share the memory on the chip, which is slower. */
	stats = run(matmul, params, 3, {weight_base});
	expect_near(stats.busy_ns, overlapped(row_cycles, weights / 4));
	/* A little of it takes load from the rest. */
	stats = run(matmul, params, 3, {feature_base, output_base});
	EXPECT_EQ(stats.sram_bytes, matmul.feature_size() + matmul.output_size());
	expect_near(
		stats.busy_ns,
		overlapped(row_cycles, (weights + static_cast<double>(fetch_bytes(matmul))) / 7));

	/* Other masters take half of the bandwidth of system memory, and none of SRAM's. */
	params.load_permille = 500;
	expect_near(run(matmul, params, 3).busy_ns, overlapped(row_cycles, (weights + rest) / 3.5));
	expect_near(run(matmul, params, 3, {weight_base}).busy_ns,
		    overlapped(row_cycles, weights / 4));
}

/* Cores share the total; one core alone cannot draw all of it. */
TEST(ModelTime, CoresShareTheBus)
{
	const Matmul matmul{.h = 1, .k = 1024, .n = 1024};
	const auto bytes = static_cast<double>(matmul.feature_size() + matmul.weight_size() +
					       matmul.output_size() + fetch_bytes(matmul));

	expect_near(run(matmul, plain, 1).busy_ns, overlapped(row_cycles, bytes / 10));
	expect_near(run(matmul, plain, 2).busy_ns, overlapped(row_cycles, bytes / 10));
	expect_near(run(matmul, plain, 3).busy_ns, overlapped(row_cycles, bytes / 7));
	expect_near(run(matmul, plain, 4).busy_ns, overlapped(row_cycles, bytes / 5.25));
}

TEST(ModelTime, ReuseSavesTheBus)
{
	const Matmul matmul{.h = 8, .k = 1024, .n = 256, .data_banks = 2, .weight_banks = 9};
	std::mt19937 rng(1);
	Registers again = matmul.registers();
	Npu npu(0, plain);

	again[0x1040] |= 1u << 13;
	matmul.map(npu);
	matmul.store(npu, matmul.random(rng));
	ASSERT_EQ(npu.run(program(matmul.registers())), NPU_MODEL_DONE);
	const npu_model_stats first = npu->stats;
	ASSERT_EQ(npu.run(program(again)), NPU_MODEL_DONE);
	EXPECT_EQ(first.read_bytes - (npu->stats.read_bytes - first.read_bytes),
		  matmul.weight_size());
	EXPECT_LT(npu->stats.busy_ns - first.busy_ns, first.busy_ns);
	EXPECT_EQ(npu->stats.macs, 2 * first.macs);
}

/* A task that faults does not count as work. */
TEST(ModelStats, FaultsAreNoTasks)
{
	const Matmul matmul{.h = 4, .k = 64};
	std::mt19937 rng(1);
	Npu npu;

	matmul.map(npu);
	matmul.store(npu, matmul.random(rng));
	npu.bus.unmap(matmul.output);
	ASSERT_EQ(npu.run(program(matmul.registers())), NPU_MODEL_FAULT);
	EXPECT_EQ(npu->stats.tasks, 0u);
	EXPECT_EQ(npu->stats.macs, 0u);
	EXPECT_EQ(npu->stats.busy_ns, 0u);
	EXPECT_EQ(npu->stats.written_bytes, 0u);
}

} /* namespace */
} /* namespace model_test */
