/* SPDX-License-Identifier: MIT */
/*
 * Amounts of memory in words and of this system.
 */
#include <limits>

#include <gtest/gtest.h>

#include "system_memory.h"

namespace npu
{

TEST(SystemMemory, ReadsBytes)
{
	EXPECT_EQ(bytes_from("0"), 0U);
	EXPECT_EQ(bytes_from("4096"), 4096U);
	EXPECT_EQ(bytes_from("3K"), 3072U);
	EXPECT_EQ(bytes_from("2M"), 2U << 20);
	EXPECT_EQ(bytes_from("5G"), std::size_t{5} << 30);
	EXPECT_EQ(bytes_from("18446744073709551615"), std::numeric_limits<std::size_t>::max());
}

TEST(SystemMemory, RefusesOtherWords)
{
	for (const char *text : {"", "K", "-1", "+1", "1k", "1KB", "1 K", " 1", "1.5G", "0x10",
				 "18446744073709551616", "17179869184G"})
		EXPECT_FALSE(bytes_from(text)) << text;
}

TEST(SystemMemory, HasSomeAvailable)
{
	const SystemMemory memory = system_memory();

	EXPECT_GT(memory.available, 0U);
	EXPECT_LE(memory.available, memory.total);
}

} // namespace npu
