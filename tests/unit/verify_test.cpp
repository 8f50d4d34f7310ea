/* SPDX-License-Identifier: MIT */
/*
 * The verifier of RKNN streams: each rule both ways, and what must pass it.
 */
#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rknn/matmul.h>
#include <rknn/registers.h>
#include <rknn_cases.h>

#include "shapes.h"
#include "verifier.h"

extern "C" {
#include <core/include/npu_isa.h>
#include <rknn/rknn_chip.h>

extern const struct npu_isa_ops npu_isa_rknn;
}

namespace npu::test
{

namespace
{

using Words = std::vector<std::uint64_t>;

int use_case(std::uint64_t address, bool)
{
	return rknn_case_mapped(address) ? 0 : -EINVAL;
}

int use_any(std::uint64_t, bool)
{
	return 0;
}

Words base(unsigned index, const rknn_case_write *changes = nullptr)
{
	static constexpr rknn_case_write none[RKNN_CASE_CHANGES] = {{0, 0}};
	std::array<unsigned long long, RKNN_CASE_WORDS> words;
	const unsigned count =
		rknn_case_stream(&rknn_case_bases[index], changes ? changes : none, words.data());

	return {words.begin(), words.begin() + count};
}

class VerifyCase : public testing::TestWithParam<unsigned>
{
};

TEST_P(VerifyCase, IsJudged)
{
	const rknn_case &test = rknn_cases[GetParam()];
	std::array<unsigned long long, RKNN_CASE_WORDS> words;
	const unsigned count = rknn_case_changed(&test, words.data());
	Verifier verifier(use_case);

	SCOPED_TRACE(std::string(test.name) + ", " + rknn_case_bases[test.base].name);
	if (test.kind == RKNN_CASE_AFTER) {
		ASSERT_FALSE(verifier.verify(base(test.base), rknn_case_bases[test.base].enable));
	}
	const auto fault = verifier.verify(Words(words.begin(), words.begin() + count),
					   rknn_case_enable(&test));
	ASSERT_EQ(fault.has_value(), test.reason != DRM_NPU_FAULT_NONE)
		<< "reason " << (fault ? fault->reason : 0) << ", command "
		<< (fault ? fault->command : 0);
	if (!fault)
		return;
	EXPECT_EQ(fault->reason, test.reason);
	EXPECT_EQ(fault->command, rknn_case_blamed(&test, words.data(), count));
}

INSTANTIATE_TEST_SUITE_P(All, VerifyCase, testing::Range(0U, static_cast<unsigned>(RKNN_CASES)));

TEST(Verify, BlamesTheLastWrite)
{
	Verifier verifier(use_case);
	Words words = base(RKNN_CASE_CONV);

	words.push_back(rknn_case_word(0x3018, 0x1f));
	const auto fault = verifier.verify(words, 0x1d);
	ASSERT_TRUE(fault);
	EXPECT_EQ(*fault,
		  (Fault{static_cast<std::uint32_t>(words.size() - 1), DRM_NPU_FAULT_SHAPE}));
}

TEST(Verify, NeedsEveryRegister)
{
	for (unsigned index = 0; index < RKNN_CASE_BASES; index++) {
		const Words words = base(index);

		for (std::size_t i = 0; i < words.size(); i++) {
			const std::uint64_t reg = words[i] & 0xffff;
			Words without = words;
			Verifier verifier(use_case);

			if (reg == 0x4004 || reg == 0x5004)
				continue;
			SCOPED_TRACE(reg);
			without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
			/* What the task before has written does not count. */
			ASSERT_FALSE(verifier.verify(words, rknn_case_bases[index].enable));
			const auto fault = verifier.verify(without, rknn_case_bases[index].enable);
			ASSERT_TRUE(fault);
			EXPECT_EQ(*fault, (Fault{static_cast<std::uint32_t>(without.size()),
						 DRM_NPU_FAULT_MISSING}));
		}
	}
}

TEST(Verify, TellsWritesFromReads)
{
	std::map<std::uint64_t, bool> used;
	Verifier verifier([&](std::uint64_t address, bool write) {
		used[address] = write;
		return 0;
	});

	ASSERT_FALSE(verifier.verify(base(RKNN_CASE_ADD), 0x1d));
	const std::map<std::uint64_t, bool> expected{
		{RKNN_CASE_FEATURES, false}, {RKNN_CASE_WEIGHTS, false},
		{RKNN_CASE_RESULTS, true},   {RKNN_CASE_BIASES, false},
		{RKNN_CASE_OTHER, false},    {RKNN_CASE_OTHER + 0x1900, false},
	};
	EXPECT_EQ(used, expected);
}

TEST(Verify, HandsOnOtherErrors)
{
	Verifier verifier([](std::uint64_t, bool) { return -ENOMEM; });
	const auto fault = verifier.verify(base(RKNN_CASE_CONV), 0x1d);

	ASSERT_TRUE(fault);
	EXPECT_EQ(static_cast<int>(fault->reason), -ENOMEM);
}

/// Zero is an address like any other for an engine that runs.
TEST(Verify, OperandsAtAddressZero)
{
	constexpr std::array<std::pair<unsigned, std::uint32_t>, 3> operands{
		{{RKNN_CASE_CONV, 0x5020}, {RKNN_CASE_ADD, 0x5018}, {RKNN_CASE_ADD, 0x5038}}};

	for (const auto &[index, reg] : operands) {
		const rknn_case_write changes[RKNN_CASE_CHANGES] = {{reg, 0}};
		bool asked = false;
		Verifier verifier([&](std::uint64_t address, bool write) {
			asked |= !address && !write;
			return 0;
		});

		EXPECT_FALSE(verifier.verify(base(index, changes), 0x1d));
		EXPECT_TRUE(asked);
	}
}

/// Another task before that differs in what the on-chip data depend on: what it
/// left is not what is to be reused. Each such pair is accepted without reuse.
TEST(Verify, NoReuseOfOtherData)
{
	struct Pair {
		unsigned base;
		std::uint32_t con0;
		std::vector<rknn_case_write> changes;
	};
	const std::vector<Pair> pairs{
		{RKNN_CASE_CONV, 0x10b1, {{0x1010, 0x350}}},
		{RKNN_CASE_CONV, 0x10b1, {{0x1014, 0x210009}}},
		{RKNN_CASE_STRIDE, 0x1066, {{0x1020, 0x710020}, {0x1084, 0x710020}}},
		{RKNN_CASE_CONV, 0x10b1, {{0x1024, 0x1e0020}}},
		{RKNN_CASE_CONV, 0x10b1, {{0x1050, 0}}},
		{RKNN_CASE_CONV, 0x10b1, {{0x1054, 0}}},
		{RKNN_CASE_CONV, 0x10b1, {{0x1058, 0}}},
		{RKNN_CASE_CONV, 0x10b1, {{0x105c, 0}}},
		{RKNN_CASE_CONV, 0x10b1, {{0x1068, 0x22}}},
		{RKNN_CASE_CONV, 0x10b1, {{0x1078, 0}}},
		{RKNN_CASE_WIDENED, 0x10b1, {{0x1084, 0x100008}}},
		{RKNN_CASE_CONV, 0x10b1, {{0x1180, 1}}},
		{RKNN_CASE_CONV, 0x20b1, {{0x1038, 0x03030027}, {0x1030, 39 * 288}}},
	};

	for (const Pair &pair : pairs) {
		const std::uint32_t enable = rknn_case_bases[pair.base].enable;
		rknn_case_write changes[RKNN_CASE_CHANGES] = {};

		SCOPED_TRACE(pair.changes.front().reg);
		std::ranges::copy(pair.changes, changes);
		Verifier without(use_case);
		ASSERT_FALSE(without.verify(base(pair.base), enable));
		EXPECT_FALSE(without.verify(base(pair.base, changes), enable));

		changes[pair.changes.size()] = {0x1040, pair.con0};
		Verifier verifier(use_case);
		ASSERT_FALSE(verifier.verify(base(pair.base), enable));
		const auto fault = verifier.verify(base(pair.base, changes), enable);
		ASSERT_TRUE(fault);
		EXPECT_EQ(fault->reason, static_cast<unsigned>(DRM_NPU_FAULT_REUSE));
	}
}

/// A refused task leaves nothing to be reused.
TEST(Verify, NoReuseAfterARefusal)
{
	const rknn_case_write reuse[RKNN_CASE_CHANGES] = {{0x1040, 0x1041}};
	const rknn_case_write wrong[RKNN_CASE_CHANGES] = {{0x3018, 0}};
	Verifier verifier(use_case);

	ASSERT_TRUE(verifier.verify(base(RKNN_CASE_MATMUL_INT8, wrong), 0x0d));
	const auto fault = verifier.verify(base(RKNN_CASE_MATMUL_INT8, reuse), 0x0d);
	ASSERT_TRUE(fault);
	EXPECT_EQ(fault->reason, static_cast<unsigned>(DRM_NPU_FAULT_REUSE));
}

/// All that the generator makes, with the addresses at their places in a range.
TEST(Verify, AcceptsTheGenerator)
{
	for (const rknn::Type type : {rknn::Type::int8, rknn::Type::fp16})
		for (const Shape &shape : shapes()) {
			const rknn::WeightLayout layout(type, shape.k, shape.n);
			const rknn::Plan plan = rknn::plan_matmul({&layout, 1}, shape.m, 3);

			for (const auto &lane : plan.lanes) {
				Verifier verifier(use_any);

				for (const rknn::Tile &tile : lane) {
					const auto fault = verifier.verify(
						rknn::emit(layout, shape.m, tile,
							   {0x10000, 0x20000000, 0x80000000}),
						rknn::enable_convolution);
					ASSERT_FALSE(fault)
						<< shape.m << " x " << shape.k << " x " << shape.n
						<< ": command " << fault->command << ", reason "
						<< fault->reason;
				}
			}
		}
}

/// A chip that lacks something is a table with another number in it.
TEST(Verify, OtherChips)
{
	struct Case {
		std::string name;
		unsigned base;
		std::uint32_t npu_isa_chip::*member;
		std::uint32_t value;
		std::uint32_t reg;
	};
	using Chip = npu_isa_chip;
	const std::vector<Case> cases{
		{"banks", RKNN_CASE_CONV, &Chip::cbuf_banks, 11, 0},
		{"bytes of a bank", RKNN_CASE_STRIDE, &Chip::cbuf_bank_bytes, 0x4000, 0x1040},
		{"depthwise", RKNN_CASE_DEPTHWISE, &Chip::features,
		 static_cast<std::uint32_t>(~DRM_NPU_FEATURE_DEPTHWISE), 0x100c},
		{"images", RKNN_CASE_IMAGE, &Chip::features,
		 static_cast<std::uint32_t>(~DRM_NPU_FEATURE_IMAGE), 0x100c},
		{"types", RKNN_CASE_MATMUL_FP16, &Chip::type_count, 3, 0x4010},
		{"size", RKNN_CASE_STRIDE, &Chip::max_size, 112, 0x1028},
		{"channels", RKNN_CASE_CONV, &Chip::max_channels, 31, 0x1024},
		{"kernels", RKNN_CASE_CONV, &Chip::max_kernels, 63, 0x1038},
		{"bytes of a kernel", RKNN_CASE_CONV, &Chip::max_kernel_bytes, 287, 0x1034},
		{"window", RKNN_CASE_CONV, &Chip::max_window, 2, 0x1028},
		{"stride", RKNN_CASE_STRIDE, &Chip::max_stride, 1, 0x1028},
		{"padding", RKNN_CASE_CONV, &Chip::max_padding, 0, 0x1028},
	};

	for (const Case &c : cases) {
		npu_isa_chip chip = rknn_rk3588;
		const Words words = base(c.base);
		const std::uint32_t enable = rknn_case_bases[c.base].enable;

		SCOPED_TRACE(c.name);
		EXPECT_FALSE(Verifier(use_case, &chip).verify(words, enable));
		chip.*c.member = c.value;
		const auto fault = Verifier(use_case, &chip).verify(words, enable);
		ASSERT_TRUE(fault);
		const auto blamed = std::ranges::find_if(
			words, [&](std::uint64_t word) { return (word & 0xffff) == c.reg; });
		EXPECT_EQ(fault->command, blamed - words.begin());
	}
	npu_isa_chip chip = rknn_rk3588;
	const rknn_case_write dilated[RKNN_CASE_CHANGES] = {{0x1014, 0x210009}, {0x1068, 0x22}};
	chip.max_dilation = 1;
	EXPECT_FALSE(Verifier(use_case, &chip).verify(base(RKNN_CASE_CONV), 0x1d));
	EXPECT_TRUE(Verifier(use_case, &chip).verify(base(RKNN_CASE_CONV, dilated), 0x1d));
}

/// What QUERY tells of a chip is what its streams are verified by.
TEST(Features, AreTheChips)
{
	drm_npu_query_features record{};

	npu_isa_rknn.features(&rknn_rk3588, &record);
	EXPECT_EQ(record.generation, 3588U);
	EXPECT_EQ(record.buffer_banks, 12U);
	EXPECT_EQ(record.buffer_bank_bytes, 32768U);
	EXPECT_EQ(record.atom_bytes, 16U);
	EXPECT_EQ(record.channel_slice, 32U);
	EXPECT_EQ(record.max_size, 2047U);
	EXPECT_EQ(record.max_kernels, 8192U);
	EXPECT_EQ(record.pad, 0U);
	EXPECT_TRUE(record.features & DRM_NPU_FEATURE_CONVOLUTION);
	EXPECT_TRUE(record.features & DRM_NPU_FEATURE_DEPTHWISE);
}

TEST(Features, HaveTypesWithTheirGroups)
{
	std::vector<std::array<std::uint32_t, 4>> types;
	drm_npu_query_features features{};
	drm_npu_query_data_type record{};

	npu_isa_rknn.features(&rknn_rk3588, &features);
	for (std::uint32_t i = 0; i < features.data_type_count; i++) {
		ASSERT_TRUE(npu_isa_rknn.data_type(&rknn_rk3588, i, &record));
		types.push_back({record.operand, record.result, record.kernel_group,
				 record.depthwise_group});
	}
	EXPECT_FALSE(npu_isa_rknn.data_type(&rknn_rk3588, features.data_type_count, &record));
	EXPECT_FALSE(npu_isa_rknn.data_type(&rknn_rk3588, ~0U, &record));
	using Row = std::array<std::uint32_t, 4>;
	EXPECT_THAT(types, testing::IsSupersetOf({
				   Row{DRM_NPU_DATA_TYPE_INT8, DRM_NPU_DATA_TYPE_INT8, 32, 64},
				   Row{DRM_NPU_DATA_TYPE_INT8, DRM_NPU_DATA_TYPE_INT32, 32, 0},
				   Row{DRM_NPU_DATA_TYPE_FP16, DRM_NPU_DATA_TYPE_FP32, 16, 32},
				   Row{DRM_NPU_DATA_TYPE_INT4, DRM_NPU_DATA_TYPE_INT16, 64, 0},
			   }));
}

/// A body of @p count words and the four that mainline's users end it with.
Words whole_stream(std::size_t count, bool last, std::uint64_t start = 0x0081'0000'001d'0008)
{
	Words words(count, rknn_case_word(0x3030, 0));

	words.push_back(last ? 0 : 0x0101'2000'0000'0010);
	words.push_back(0x0101'0000'0000'0014);
	words.push_back(0x0041'0000'0000'0000);
	words.push_back(start);
	return words;
}

TEST(Split, FindsTheEnd)
{
	for (const bool last : {false, true})
		for (const std::size_t zeros : {0U, 1U, 3U, 17U})
			for (const std::uint32_t count : {1U, 2U, 7U, 126U}) {
				Words words = whole_stream(count, last);

				words.resize(words.size() + zeros);
				EXPECT_EQ(Verifier::split(words), (Verifier::Split{count, 0x1d}));
			}
	/* Zeros before the link are commands that do nothing. */
	Words words = whole_stream(5, true);
	words[4] = 0;
	EXPECT_EQ(Verifier::split(words), (Verifier::Split{5, 0x1d}));
	/* Blocks are not its concern. */
	EXPECT_EQ(Verifier::split(whole_stream(5, true, 0x0081'ffff'ffff'0008)),
		  (Verifier::Split{5, 0xffffffff}));
}

TEST(Split, RefusesWhatHasNoEnd)
{
	EXPECT_FALSE(Verifier::split(Words{}));
	EXPECT_FALSE(Verifier::split(Words(100)));
	EXPECT_FALSE(Verifier::split(whole_stream(0, true)));
	const Words good = whole_stream(6, false);
	for (std::size_t kept = 0; kept < good.size(); kept++)
		EXPECT_FALSE(Verifier::split(std::span(good).first(kept))) << kept;
	/* Each of the four must be what it should be. */
	for (std::size_t i = 6; i < 10; i++) {
		Words words = whole_stream(6, false);

		words[i] = rknn_case_word(0x3030, 0);
		EXPECT_FALSE(Verifier::split(words)) << i;
	}
	/* A start that writes another register, and what follows a start. */
	EXPECT_FALSE(Verifier::split(whole_stream(6, true, 0x0081'0000'001d'0010)));
	Words words = whole_stream(6, true);
	words.push_back(rknn_case_word(0x3030, 0));
	EXPECT_FALSE(Verifier::split(words));
}

} // namespace

} // namespace npu::test
