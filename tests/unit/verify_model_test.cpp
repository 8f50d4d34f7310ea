/* SPDX-License-Identifier: MIT */
/*
 * The verifier and the model agree: the model computes all streams that the verifier accepts. They
 * neither hang a core nor need features that the model lacks. Published programs that run on boards
 * pass both.
 */
#include <array>
#include <cerrno>
#include <string>

#include <gtest/gtest.h>

#include <rknn_cases.h>

#include "model_harness.h"
#include "verifier.h"

namespace npu::test
{

namespace
{

using Words = std::vector<std::uint64_t>;

int use_case(std::uint64_t address, bool)
{
	return rknn_case_mapped(address) ? 0 : -EINVAL;
}

/// A core with the client's buffers.
struct Core {
	Core()
	{
		for (const std::uint32_t buffer :
		     {RKNN_CASE_FEATURES, RKNN_CASE_WEIGHTS, RKNN_CASE_RESULTS, RKNN_CASE_BIASES,
		      RKNN_CASE_OTHER})
			npu.bus.map(buffer, RKNN_CASE_BUFFER_BYTES);
	}

	void expect_done(const std::vector<Words> &bodies,
			 const std::vector<std::uint32_t> &enables)
	{
		EXPECT_EQ(npu.run_chain(bodies, enables), NPU_MODEL_DONE)
			<< "register " << std::hex << npu->error_reg << ", address "
			<< npu->fault_addr;
	}

	model_test::Npu npu;
};

class AcceptedCase : public testing::TestWithParam<unsigned>
{
};

TEST_P(AcceptedCase, IsComputed)
{
	static constexpr rknn_case_write none[RKNN_CASE_CHANGES] = {{0, 0}};
	const rknn_case &test = rknn_cases[GetParam()];
	const rknn_case_base &base = rknn_case_bases[test.base];
	std::array<unsigned long long, RKNN_CASE_WORDS> words;
	std::vector<Words> bodies;
	std::vector<std::uint32_t> enables;
	Verifier verifier(use_case);

	SCOPED_TRACE(std::string(test.name) + ", " + base.name);
	if (test.kind == RKNN_CASE_AFTER) {
		const unsigned count = rknn_case_stream(&base, none, words.data());

		ASSERT_FALSE(
			verifier.verify(Words(words.begin(), words.begin() + count), base.enable));
		bodies.push_back(verifier.emit());
		enables.push_back(base.enable);
	}
	const unsigned count = rknn_case_changed(&test, words.data());
	const std::uint32_t enable = rknn_case_enable(&test);
	if (verifier.verify(Words(words.begin(), words.begin() + count), enable))
		return;
	bodies.push_back(verifier.emit());
	enables.push_back(enable);
	Core().expect_done(bodies, enables);
}

INSTANTIATE_TEST_SUITE_P(All, AcceptedCase, testing::Range(0U, static_cast<unsigned>(RKNN_CASES)));

/// The changes that a program known to run on boards makes to a stream of the table.
struct Published {
	const char *name;
	unsigned base;
	std::vector<rknn_case_write> writes;
};

/*
 * Words as published, HAP's for the most part. Streams of DPU alone are 4 pixels of
 * 32 channels, or 8 of 16 of fp16; products are of 4 rows.
 */
const Published published[] = {
	{"a row of fp32 times an fp16",
	 RKNN_CASE_SUM_INT32,
	 {{0x4010, 0xb4000005},
	  {0x4040, 0x42},
	  {0x4048, 0x3c000000},
	  {0x4070, 0x383},
	  {0x5034, 1},
	  {0x5044, 0x2f8a1},
	  {0x504c, 0x70}}},
	{"fp32 times fp16 in words",
	 RKNN_CASE_SUM_INT32,
	 {{0x4010, 0xb4000005}, {0x4070, 0x10c003c4}, {0x5040, 0x10}, {0x5044, 0x2f8a1}}},
	{"fp32 times a factor of each channel in BN",
	 RKNN_CASE_SUM_INT32,
	 {{0x4010, 0xb4000005},
	  {0x4060, 0x42},
	  {0x4068, 1},
	  {0x4070, 0x383},
	  {0x5028, 8},
	  {0x502c, RKNN_CASE_BIASES},
	  {0x5034, 1},
	  {0x5044, 0x2f8a1}}},
	{"the last sum over K, to fp32", RKNN_CASE_SUM_INT32, {{0x4010, 0xb0000004}}},
	{"the vendor's square", RKNN_CASE_PRODUCT_FP16, {{0x4010, 0x68000002}}},
	{"the vendor's product and gamma",
	 RKNN_CASE_PRODUCT_FP16,
	 {{0x4040, 0x42}, {0x4048, 1}, {0x501c, 8}}},
	{"the vendor's inverse square root",
	 RKNN_CASE_SUM_INT32,
	 {{0x4010, 0x24000011},
	  {0x4040, 0x42},
	  {0x4048, 0xffff0100},
	  {0x4060, 0x20050},
	  {0x4064, 0x5f37},
	  {0x4070, 0x383},
	  {0x5034, 1},
	  {0x5044, 0xf821}}},
	{"the vendor's mean of squares",
	 RKNN_CASE_MATMUL_FP16,
	 {{0x100c, 0x1b0},
	  {0x3010, 0x300},
	  {0x4010, 0xac000003},
	  {0x4040, 0x20040},
	  {0x4044, 0x3d27c5ac},
	  {0x4048, 0x3c800000},
	  {0x4060, 0x42},
	  {0x4068, 0x3c800000}}},
	{"rows copied",
	 RKNN_CASE_SUM_INT32,
	 {{0x4010, 0}, {0x4050, 2}, {0x4070, 0x383}, {0x5034, 1}, {0x5044, 0x7801}}},
	{"the exponential of scores",
	 RKNN_CASE_MATMUL_FP16,
	 {{0x3010, 0x200},
	  {0x4010, 0x28000002},
	  {0x4040, 0x42},
	  {0x4048, 0x65c50000},
	  {0x4050, 0x126},
	  {0x4060, 0x20010},
	  {0x4064, 0x466f1280}}},
	{"a masked product, two engines for a column",
	 RKNN_CASE_ACCUMULATE,
	 {{0x100c, 0x120},
	  {0x1030, 0x800},
	  {0x1034, 0x40},
	  {0x3010, 0x200},
	  {0x4010, 0x48000002},
	  {0x4050, 0x126},
	  {0x4070, 0x108003c4},
	  {0x4084, 0x10001},
	  {0x5034, 0x40000008},
	  {0x5044, 0x17d40},
	  {0x504c, 0x40},
	  {0x506c, 0x40}}},
	{"a sum over K of fp16, two engines for a column",
	 RKNN_CASE_ACCUMULATE,
	 {{0x100c, 0x120},
	  {0x1030, 0x800},
	  {0x1034, 0x40},
	  {0x3010, 0x200},
	  {0x4010, 0x48000002},
	  {0x4050, 0x126},
	  {0x4070, 0x108202c0},
	  {0x4084, 0x10001},
	  {0x5034, 0x40000008},
	  {0x5044, 0x17d40}}},
	{"sums of int4's partial sums",
	 RKNN_CASE_MATMUL_FP16,
	 {{0x100c, 0x20000090}, {0x1180, 7}, {0x3010, 0x101}, {0x4010, 0x84000001}}},
	{"int4 without sums of inputs", RKNN_CASE_MATMUL_INT4, {{0x3010, 0x600}}},
	{"int4 with sums of inputs", RKNN_CASE_MATMUL_INT4, {{0x3010, 0x601}}},
	{"tf32 by the name of fp32", RKNN_CASE_MATMUL_TF32, {{0x4010, 0xb4000005}}},
	{"the end of a core's list, one pixel of 32 channels",
	 RKNN_CASE_POOL_FP16,
	 {{0x600c, 0},
	  {0x6010, 0},
	  {0x6014, 0x1f},
	  {0x6018, 0},
	  {0x601c, 0},
	  {0x6020, 0x1f},
	  {0x6034, 0},
	  {0x700c, 0},
	  {0x7010, 0},
	  {0x7014, 0x1f}}},
};

class PublishedProgram : public testing::TestWithParam<Published>
{
};

TEST_P(PublishedProgram, IsAcceptedAndComputed)
{
	static constexpr rknn_case_write none[RKNN_CASE_CHANGES] = {{0, 0}};
	const rknn_case_base &base = rknn_case_bases[GetParam().base];
	std::array<unsigned long long, RKNN_CASE_WORDS> words;
	const unsigned count = rknn_case_stream(&base, none, words.data());
	Words stream(words.begin(), words.begin() + count);
	Verifier verifier(use_case);

	SCOPED_TRACE(GetParam().name);
	for (const rknn_case_write &write : GetParam().writes)
		stream.push_back(rknn_case_word(write.reg, write.value));
	const auto fault = verifier.verify(stream, base.enable);
	ASSERT_FALSE(fault) << "register " << std::hex << fault->reg;
	/* With the author's words, and with the kernel's. */
	Core().expect_done({stream}, {base.enable});
	Core().expect_done({verifier.emit()}, {base.enable});
}

INSTANTIATE_TEST_SUITE_P(All, PublishedProgram, testing::ValuesIn(published));

} // namespace

} // namespace npu::test
