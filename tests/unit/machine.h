/* SPDX-License-Identifier: MIT */
/*
 * A machine of memory and modelled cores, for tests without a kernel.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include <model/npu_model.h>
#include <npu/job.h>

namespace npu::test
{

class Machine
{
public:
	static constexpr std::uint32_t core_count = 3;

	explicit Machine(const npu_model_params &params = npu_model_params_rk3588);

	/// Allocates @p size zeroed bytes for the device. The memory never moves.
	/// \return its device address
	std::uint32_t allocate(std::size_t size);
	void release(std::uint32_t address);
	std::span<std::byte> memory(std::uint32_t address) { return ranges_.at(address); }
	/// Whether @p address lies in allocated memory.
	bool has(std::uint32_t address) const;

	/// Link the tasks of @p lane as the kernel does and run them on @p core.
	npu_model_status run(std::uint32_t core, const Lane &lane, std::uint32_t lanes = 1);

	const npu_model_core &core(std::uint32_t index) const { return *cores_[index]; }

private:
	static int read(void *host, std::uint32_t address, void *to, std::uint32_t size);
	static int write(void *host, std::uint32_t address, const void *from, std::uint32_t size);
	std::byte *find(std::uint32_t address, std::uint32_t size);

	std::vector<std::unique_ptr<npu_model_core>> cores_;
	std::map<std::uint32_t, std::vector<std::byte>> ranges_;
	std::uint32_t next_ = 0x10000;
};

} // namespace npu::test
