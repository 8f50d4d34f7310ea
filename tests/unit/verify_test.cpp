/* SPDX-License-Identifier: MIT */
/*
 * The verifier of RKNN streams: each rule in both directions, and valid streams.
 */
#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <map>
#include <string>
#include <tuple>

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
	EXPECT_EQ(*fault, (Fault{static_cast<std::uint32_t>(words.size() - 1), DRM_NPU_FAULT_SHAPE,
				 0x3018}));
}

/// Registers that a stream omits have their reset values.
TEST(Verify, LeavesOutRegisters)
{
	constexpr std::array addresses{0x1070U, 0x1110U, 0x4020U, 0x5018U, 0x5020U,
				       0x502cU, 0x5038U, 0x6070U, 0x701cU};

	for (unsigned index = 0; index < RKNN_CASE_BASES; index++) {
		const std::uint32_t enable = rknn_case_bases[index].enable;

		for (std::size_t i = 0; i < base(index).size(); i++) {
			Words words = base(index), without = words;
			const auto reg = static_cast<unsigned>(words[i] & 0xffff);

			SCOPED_TRACE(std::string(rknn_case_bases[index].name) + ", register " +
				     std::to_string(reg));
			without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
			words[i] = rknn_case_word(reg, reg == 0x5068 ? 0x01010101 : 0);
			Verifier with(use_case), other(use_case);
			const auto expected = with.verify(words, enable);
			const auto fault = other.verify(without, enable);

			if (fault && std::ranges::find(addresses, reg) != addresses.end()) {
				EXPECT_EQ(*fault, (Fault{static_cast<std::uint32_t>(without.size()),
							 DRM_NPU_FAULT_MISSING, reg}));
				continue;
			}
			ASSERT_EQ(fault.has_value(), expected.has_value());
			if (!fault) {
				EXPECT_EQ(other.emit(), with.emit());
				continue;
			}
			EXPECT_EQ(fault->reg, expected->reg);
			EXPECT_EQ(fault->reason, expected->reason);
		}
	}
}

/// The most common form of published programs starts DPU_RDMA with all of its engines off. It then
/// needs neither sizes nor bus bandwidth.
TEST(Verify, AcceptsAnIdleRdma)
{
	const std::array idle{rknn_case_word(0x501c, 1), rknn_case_word(0x5028, 1),
			      rknn_case_word(0x5034, 1), rknn_case_word(0x5044, 0x10)};
	Verifier verifier(use_case);
	Words words = base(RKNN_CASE_MATMUL_INT8);

	words.insert(words.end(), idle.begin(), idle.end());
	EXPECT_FALSE(verifier.verify(words, 0x1d));
	words.push_back(rknn_case_word(0x5068, 0));
	EXPECT_FALSE(verifier.verify(words, 0x1d));
	/* An engine that is on reads data that nothing consumes. */
	words.push_back(rknn_case_word(0x5044, 0));
	EXPECT_TRUE(verifier.verify(words, 0x1d));
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

/// Zero is a valid address for an engine that runs.
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

/// The previous task differs in a setting on which the data in the buffer depend, so that they
/// cannot be reused. Each such pair is accepted without reuse.
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

/// A refused task leaves no data to reuse.
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

/// All streams of the generator, with their addresses in ranges of the client.
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

/// A chip without a feature has another number in its table.
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
		{"banks", RKNN_CASE_CONV, &Chip::cbuf_banks, 11, 0x1040},
		{"bytes of a bank", RKNN_CASE_STRIDE, &Chip::cbuf_bank_bytes, 0x4000, 0x1040},
		{"depthwise", RKNN_CASE_DEPTHWISE, &Chip::features,
		 static_cast<std::uint32_t>(~DRM_NPU_FEATURE_DEPTHWISE), 0x100c},
		{"images", RKNN_CASE_IMAGE, &Chip::features,
		 static_cast<std::uint32_t>(~DRM_NPU_FEATURE_IMAGE), 0x100c},
		{"deconvolution", RKNN_CASE_DECONV, &Chip::features,
		 static_cast<std::uint32_t>(~DRM_NPU_FEATURE_DECONVOLUTION), 0x100c},
		{"DPU alone", RKNN_CASE_SUM_INT32, &Chip::features,
		 static_cast<std::uint32_t>(~DRM_NPU_FEATURE_STANDALONE), 0x400c},
		{"tables", RKNN_CASE_TABLE, &Chip::features,
		 static_cast<std::uint32_t>(~DRM_NPU_FEATURE_TABLE), 0x4070},
		{"pooling", RKNN_CASE_POOL_INT8, &Chip::features,
		 static_cast<std::uint32_t>(~DRM_NPU_FEATURE_POOLING), 0x6024},
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

/// The verifier uses the limits that QUERY reports.
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
	EXPECT_EQ(record.max_pool_window, 16U);
	EXPECT_EQ(record.table_entries, 513U);
	EXPECT_EQ(record.command_bytes, 0U); // the core says that
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

/// The names and numbers are those of chapter 36 of the TRM.
TEST(Names, AreThoseOfBlocksAndRegisters)
{
	const std::tuple<std::uint32_t, std::string, std::string> cases[] = {
		{0x0000, "PC", "VERSION"},
		{0x0008, "PC", "OPERATION_ENABLE"},
		{0x1004, "CNA", "S_POINTER"},
		{0x1010, "CNA", "CONV_CON2"},
		{0x1148, "CNA", "DCOMP_AMOUNT0 + 0x08"},
		{0x300c, "CORE", "MAC_GATING"},
		{0x4010, "DPU", "DATA_FORMAT"},
		{0x4104, "DPU", "LUT_ACCESS_DATA"},
		{0x5044, "DPU_RDMA", "FEATURE_MODE_CFG"},
		{0x6008, "PPU", "OPERATION_ENABLE"},
		{0x607c, "PPU", "DST_SURF_STRIDE"},
		{0x7024, "PPU_RDMA", "LINE_STRIDE"},
		{0x4ffc, "DPU", ""},
		{0x0040, "PC", ""},
	};

	for (const auto &[reg, block, name] : cases) {
		drm_npu_query_register record{};

		SCOPED_TRACE(reg);
		ASSERT_TRUE(npu_isa_rknn.name(reg, &record));
		EXPECT_EQ(record.block, block);
		EXPECT_EQ(record.name, name);
	}
	for (const std::uint32_t reg : {0x2000U, 0x8004U, 0xf008U, 0x14010U, ~0U}) {
		drm_npu_query_register record{};

		EXPECT_FALSE(npu_isa_rknn.name(reg, &record)) << reg;
	}
}

/// Every register that the streams of the table write has a unique name.
TEST(Names, AreKnownOfAllThatStreamsWrite)
{
	std::map<std::string, std::uint64_t> registers;

	for (unsigned index = 0; index < RKNN_CASE_BASES; index++)
		for (const std::uint64_t word : base(index)) {
			drm_npu_query_register record{};

			ASSERT_TRUE(npu_isa_rknn.name(word & 0xffff, &record));
			EXPECT_THAT(record.name,
				    testing::MatchesRegex("[A-Z][A-Z0-9_]*( . 0x[0-9a-f]*)?"));
			EXPECT_THAT(record.name, testing::Not(testing::HasSubstr("RKNN")));
			const std::string name = std::string(record.block) + "." + record.name;
			const auto known = registers.emplace(name, word & 0xffff).first;
			EXPECT_EQ(known->second, word & 0xffff) << name;
		}
}

std::uint32_t value_of(const Words &words, std::uint32_t reg)
{
	const auto word = std::ranges::find_if(
		words, [=](std::uint64_t command) { return (command & 0xffff) == reg; });

	return word == words.end() ? ~0U : static_cast<std::uint32_t>(*word >> 16);
}

/// The words of a stream of the table, as the kernel emits them.
Words emitted(unsigned index, const rknn_case_write *changes = nullptr)
{
	Verifier verifier(use_case);

	EXPECT_FALSE(verifier.verify(base(index, changes), rknn_case_bases[index].enable));
	return verifier.emit();
}

/// The streams of the table write all registers of their blocks once, in order. The kernel's start
/// sets the groups of CNA and CORE, and only users of tables write their entries.
TEST(Emit, HasEveryRegisterOnce)
{
	for (unsigned index = 0; index < RKNN_CASE_BASES; index++) {
		Words words = base(index);

		SCOPED_TRACE(rknn_case_bases[index].name);
		if (index == RKNN_CASE_TABLE)
			continue;
		std::erase_if(words, [](std::uint64_t word) {
			const std::uint64_t reg = word & 0xffff;
			return reg == 0x4100 || reg == 0x4104;
		});
		EXPECT_EQ(emitted(index), words);
	}
}

/// The verifier accepts the kernel's own output, with the same meaning.
TEST(Emit, IsAcceptedAgain)
{
	for (unsigned index = 0; index < RKNN_CASE_BASES; index++) {
		const Words words = emitted(index);
		Verifier verifier(use_case);

		SCOPED_TRACE(rknn_case_bases[index].name);
		ASSERT_FALSE(verifier.verify(words, rknn_case_bases[index].enable));
		EXPECT_EQ(verifier.emit(), words);
	}
}

TEST(Emit, DropsWhatIsTheKernels)
{
	const Words right = emitted(RKNN_CASE_CONV);
	Words words = base(RKNN_CASE_CONV);

	for (const std::uint64_t word :
	     {0x0000'0000'0000'0000ULL, 0x0001'1234'5678'9abcULL, 0x0101'2000'0000'0010ULL,
	      0x0101'0000'0005'0014ULL, 0x0041'0000'0000'0000ULL, 0x0201'2000'000e'1004ULL,
	      0x0801'0000'000e'3004ULL})
		words.insert(words.begin() + 7, word);
	words.insert(words.begin(), rknn_case_word(0x4004, 0x30));
	words.push_back(rknn_case_word(0x600c, 5));
	Verifier verifier(use_case);
	ASSERT_FALSE(verifier.verify(words, 0x1d));
	EXPECT_EQ(verifier.emit(), right);
}

TEST(Emit, DropsBits)
{
	const rknn_case_write split[RKNN_CASE_CHANGES] = {{0x1010, 0x50000340},
							  {0x1080, 0xfffffffd}};
	const rknn_case_write many[RKNN_CASE_CHANGES] = {{0x1010, 0x4000}};

	EXPECT_EQ(value_of(emitted(RKNN_CASE_MATMUL_INT8, split), 0x1010), 0x340U);
	EXPECT_EQ(value_of(emitted(RKNN_CASE_MATMUL_INT8, split), 0x1080), 0x0ffffffdU);
	EXPECT_EQ(value_of(emitted(RKNN_CASE_MATMUL_INT8, many), 0x1010), 0x3ff0U);
}

/// For an image, all columns are loaded, including those in the last atom.
TEST(Emit, LoadsAllColumnsOfAnImage)
{
	const rknn_case_write part[RKNN_CASE_CHANGES] = {
		{0x1084, 0x5001c}, {0x1020, 0x10001c}, {0x1028, 0xe},
		{0x102c, 0x16c},   {0x1044, 0x1c0},    {0x3014, 0x19000d},
		{0x4030, 0xd},     {0x405c, 0x19000d}, {0x500c, 0xd}};

	EXPECT_EQ(value_of(emitted(RKNN_CASE_IMAGE, part), 0x1084), 0x10001cU);
	EXPECT_EQ(value_of(emitted(RKNN_CASE_WIDENED), 0x1084), 0x80008U);
}

/// A lane of matrix products whose streams omit most registers.
class Delta : public testing::Test
{
protected:
	/// A task that only writes these registers.
	std::optional<Fault> task(const Words &words) { return verifier_.verify(words, 0x0d); }
	static Words whole(std::uint32_t results, std::uint32_t pad)
	{
		const rknn_case_write changes[RKNN_CASE_CHANGES] = {{0x4020, results},
								    {0x1184, pad}};

		return base(RKNN_CASE_MATMUL_INT8, changes);
	}
	void expect(std::uint32_t results, std::uint32_t pad)
	{
		EXPECT_EQ(value_of(verifier_.emit(), 0x4020), results);
		EXPECT_EQ(value_of(verifier_.emit(), 0x1184), pad);
	}

	Verifier verifier_{use_case};
};

/// Each of the two register groups keeps what the lane wrote.
TEST_F(Delta, InheritsFromTwoTasksAgo)
{
	ASSERT_FALSE(task(whole(0x40000000, 1)));
	ASSERT_FALSE(task(whole(0x40001000, 2)));
	ASSERT_FALSE(task({rknn_case_word(0x4020, 0x40002000)}));
	expect(0x40002000, 1);
	ASSERT_FALSE(task({rknn_case_word(0x1184, 3)}));
	expect(0x40001000, 3);
	ASSERT_FALSE(task({rknn_case_word(0x3030, 0)}));
	expect(0x40002000, 1);
}

TEST_F(Delta, HasResetValuesInTheOtherGroup)
{
	ASSERT_FALSE(task(whole(0x40000000, 1)));
	auto fault = task({rknn_case_word(0x4020, 0x40002000)});
	ASSERT_TRUE(fault);
	EXPECT_EQ(*fault, (Fault{1, DRM_NPU_FAULT_MISSING, 0x1070}));
	fault = task({rknn_case_word(0x1070, 0x20000000), rknn_case_word(0x1110, 0x30000000),
		      rknn_case_word(0x4020, 0x40002000)});
	ASSERT_TRUE(fault);
	EXPECT_EQ(*fault, (Fault{3, DRM_NPU_FAULT_SHAPE, 0x1038}));
}

/// Without alternating groups there is only one group.
TEST_F(Delta, InheritsFromTheTaskBefore)
{
	Words words = whole(0x40000000, 1);

	for (const unsigned pointer : {0x1004U, 0x3004U, 0x4004U})
		words.insert(words.begin(), rknn_case_word(pointer, 0x30));
	std::erase(words, rknn_case_word(0x4004, 0xe));
	ASSERT_FALSE(task(words));
	ASSERT_FALSE(task({rknn_case_word(0x1184, 3)}));
	expect(0x40000000, 3);
	ASSERT_FALSE(task({rknn_case_word(0x4020, 0x40002000)}));
	expect(0x40002000, 3);
}

/// A block's groups alternate with the tasks that start the block.
TEST_F(Delta, AlternatesByBlock)
{
	ASSERT_FALSE(task(whole(0x40000000, 1)));
	ASSERT_FALSE(verifier_.verify(base(RKNN_CASE_POOL_INT8), 0x60));
	ASSERT_FALSE(task(whole(0x40001000, 2)));
	ASSERT_FALSE(verifier_.verify(base(RKNN_CASE_SUM_INT32), 0x18));
	/* CNA is in the group of the first task, DPU in that of the second. */
	const Words words = whole(0x40002000, 2);
	Words dpu;
	std::ranges::copy_if(words, std::back_inserter(dpu),
			     [](std::uint64_t word) { return (word & 0xf000) == 0x4000; });
	ASSERT_FALSE(task(dpu));
	expect(0x40002000, 1);
}

/// A refused task does not write registers.
TEST_F(Delta, InheritsNothingOfARefusal)
{
	ASSERT_FALSE(task(whole(0x40000000, 1)));
	ASSERT_FALSE(task(whole(0x40001000, 2)));
	ASSERT_TRUE(task({rknn_case_word(0x1184, 7), rknn_case_word(0x3018, 0)}));
	ASSERT_FALSE(task({rknn_case_word(0x3030, 0)}));
	expect(0x40000000, 1);
}

/// The entries of a table that a stream writes, and their places in it.
std::vector<std::uint16_t> table(const Words &words, unsigned number)
{
	std::vector<std::uint16_t> entries;
	auto word = std::ranges::find(words, rknn_case_word(0x4100, 0x20000 | number << 16));

	if (word == words.end())
		return entries;
	for (++word; word != words.end() && (*word & 0xffff) == 0x4104; ++word)
		entries.push_back(static_cast<std::uint16_t>(*word >> 16));
	return entries;
}

TEST(Table, IsWrittenForEachTaskThatUsesIt)
{
	const rknn_case_write second[RKNN_CASE_CHANGES] = {{0x4100, 0x301ff}, {0x4104, 0xffff8001}};
	const rknn_case_write unused[RKNN_CASE_CHANGES] = {{0x4070, 0x383}, {0x4104, 5}};
	Verifier verifier(use_case);
	std::vector<std::uint16_t> first(513), last(513);

	first[0] = 0x1234;
	ASSERT_FALSE(verifier.verify(base(RKNN_CASE_TABLE), 0x18));
	EXPECT_EQ(table(verifier.emit(), 0), first);
	EXPECT_EQ(table(verifier.emit(), 1), last);
	EXPECT_FALSE(verifier.continues());

	last[511] = 0x8001;
	ASSERT_FALSE(verifier.verify(base(RKNN_CASE_TABLE, second), 0x18));
	EXPECT_EQ(table(verifier.emit(), 0), first);
	EXPECT_EQ(table(verifier.emit(), 1), last);
	EXPECT_FALSE(verifier.continues());

	first[0] = 5;
	ASSERT_FALSE(verifier.verify(base(RKNN_CASE_TABLE, unused), 0x18));
	EXPECT_TRUE(table(verifier.emit(), 0).empty());
	ASSERT_FALSE(verifier.verify(base(RKNN_CASE_TABLE, second), 0x18));
	EXPECT_EQ(table(verifier.emit(), 0), first);
}

/// Addresses increment, and nothing is written beyond the end.
TEST(Table, CountsUp)
{
	Words words = base(RKNN_CASE_TABLE);
	std::vector<std::uint16_t> expected(513);

	words.push_back(rknn_case_word(0x4100, 0x20000));
	for (unsigned i = 0; i < 513; i++) {
		words.push_back(rknn_case_word(0x4104, i + 7));
		expected[i] = static_cast<std::uint16_t>(i + 7);
	}
	Verifier verifier(use_case);
	ASSERT_FALSE(verifier.verify(words, 0x18));
	EXPECT_EQ(table(verifier.emit(), 0), expected);
	words.push_back(rknn_case_word(0x4104, 1));
	const auto fault = verifier.verify(words, 0x18);
	ASSERT_TRUE(fault);
	EXPECT_EQ(*fault, (Fault{static_cast<std::uint32_t>(words.size() - 1), DRM_NPU_FAULT_VALUE,
				 0x4104}));
}

/// Data in the buffer can only be reused right after the convolution that loaded them: the kernel
/// may cut the lane at any other task.
TEST(Verify, NoReuseBehindAnotherTask)
{
	const rknn_case_write reuse[RKNN_CASE_CHANGES] = {{0x1040, 0x1041}};
	Verifier verifier(use_case);

	ASSERT_FALSE(verifier.verify(base(RKNN_CASE_MATMUL_INT8), 0x0d));
	ASSERT_FALSE(verifier.verify(base(RKNN_CASE_MATMUL_INT8, reuse), 0x0d));
	EXPECT_TRUE(verifier.continues());
	for (const unsigned other : {RKNN_CASE_POOL_INT8, RKNN_CASE_SUM_INT32}) {
		ASSERT_FALSE(verifier.verify(base(RKNN_CASE_MATMUL_INT8), 0x0d));
		EXPECT_FALSE(verifier.continues());
		ASSERT_FALSE(verifier.verify(base(other), rknn_case_bases[other].enable));
		EXPECT_FALSE(verifier.continues());
		const auto fault = verifier.verify(base(RKNN_CASE_MATMUL_INT8, reuse), 0x0d);
		ASSERT_TRUE(fault);
		EXPECT_EQ(fault->reason, static_cast<unsigned>(DRM_NPU_FAULT_REUSE));
	}
}

/// A body of @p count words, and the four words that mainline's clients append.
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
	/* Idle words before the link are not part of the body. */
	for (const std::uint64_t idle : {0x0ULL, 0x0001'0000'0000'0000ULL}) {
		Words words = whole_stream(5, true);

		words[4] = idle;
		EXPECT_EQ(Verifier::split(words), (Verifier::Split{4, 0x1d}));
		words = whole_stream(5, false);
		words.insert(words.end() - 2, idle);
		words.insert(words.end() - 1, idle);
		EXPECT_EQ(Verifier::split(words), (Verifier::Split{5, 0x1d}));
	}
	/* The blocks are not checked here. */
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
	/* The start, and the word that must precede it. */
	for (std::size_t i = 8; i < 10; i++) {
		Words words = whole_stream(6, false);

		words[i] = rknn_case_word(0x3030, 0);
		EXPECT_FALSE(Verifier::split(words)) << i;
	}
	/* A start of another register, and words after the start. */
	EXPECT_FALSE(Verifier::split(whole_stream(6, true, 0x0081'0000'001d'0010)));
	Words words = whole_stream(6, true);
	words.push_back(rknn_case_word(0x3030, 0));
	EXPECT_FALSE(Verifier::split(words));
}

} // namespace

} // namespace npu::test
