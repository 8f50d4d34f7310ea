/* SPDX-License-Identifier: MIT */
/// Subtests with each result there is, on the harness of npu-conformance, to see
/// what igt_runner makes of them.
#include <cstdlib>

#include "igt.h"

SUBTEST(passes)
{
	CHECK_EQ(1, 1);
}

SUBTEST(skips)
{
	igt::skip("on purpose");
}

SUBTEST(fails)
{
	CHECK_EQ(1, 2);
}

SUBTEST(crashes)
{
	std::abort();
}
