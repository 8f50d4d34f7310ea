/* SPDX-License-Identifier: MIT */
/*
 * The verifier and the model agree: what the former accepts, the latter computes. A
 * stream that is accepted neither hangs a core nor wants what is not modelled.
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
	model_test::Npu npu;

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
	for (const std::uint32_t buffer : {RKNN_CASE_FEATURES, RKNN_CASE_WEIGHTS, RKNN_CASE_RESULTS,
					   RKNN_CASE_BIASES, RKNN_CASE_OTHER})
		npu.bus.map(buffer, RKNN_CASE_BUFFER_BYTES);
	EXPECT_EQ(npu.run_chain(bodies, enables), NPU_MODEL_DONE)
		<< "register " << std::hex << npu->error_reg << ", address " << npu->fault_addr;
}

INSTANTIATE_TEST_SUITE_P(All, AcceptedCase, testing::Range(0U, static_cast<unsigned>(RKNN_CASES)));

} // namespace

} // namespace npu::test
