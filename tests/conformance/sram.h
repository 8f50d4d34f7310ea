/* SPDX-License-Identifier: MIT */
/// Buffers in on-chip memory.
#pragma once

#include <cstdint>
#include <vector>

#include "program.h"

/// BO_RESIDENCY; answers 0 or a negative errno.
int residency(const Device &device, std::uint32_t handle, std::uint32_t want,
	      std::uint32_t priority = 0);
int prefer(const Device &device, std::uint32_t handle, std::uint32_t priority = 0);
int pin(const Device &device, std::uint32_t handle);
/// To system memory, to stay.
int evict(const Device &device, std::uint32_t handle);

/// The region; skips the subtest where there is none.
drm_npu_query_region need_sram(const Device &device);
/// Those of its operands and results.
std::vector<std::uint32_t> handles(const Product &product);
/// For threads that write to what moves: skips the subtest on User-mode Linux with
/// several processors. Its flush_tlb_range() reaches a thread that runs on another one
/// no sooner than that enters the kernel, so writes go to where the buffer was.
void need_unmapping();
bool inside(const Device &device, std::uint32_t handle);
/// Whether it is within some seconds.
bool gets_inside(const Device &device, std::uint32_t handle);
bool gets_outside(const Device &device, std::uint32_t handle);
/// Whether the file has nothing there within some seconds.
bool gets_empty(const Device &device);

/// A buffer filled with numbers that follow from @seed.
class Pattern
{
public:
	Pattern(const Device &device, std::uint64_t size, std::uint32_t seed = 1);

	std::uint32_t handle() const { return buffer.handle(); }
	void fill(std::uint32_t seed);
	/// Whether it has what it was filled with.
	void check() const;

	Buffer buffer;

private:
	std::uint32_t seed_;
};
