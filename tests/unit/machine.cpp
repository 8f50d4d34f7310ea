/* SPDX-License-Identifier: MIT */
#include "machine.h"

#include <cstring>
#include <iterator>
#include <utility>

#include <rknn/rknn_regs.h>

namespace npu::test
{

Machine::Machine(const npu_model_params &params)
{
	const npu_model_bus bus{read, write, this};

	for (std::uint32_t i = 0; i < core_count; i++) {
		cores_.push_back(std::make_unique<npu_model_core>());
		npu_model_init(cores_.back().get(), i, &bus, &params);
	}
}

std::uint32_t Machine::allocate(std::size_t size)
{
	constexpr std::uint32_t page = 4096;
	const std::uint32_t address = next_;
	const auto rounded = static_cast<std::uint32_t>((size + page - 1) / page * page);

	/* A guard page between ranges, so that overruns fault. */
	next_ += rounded + page;
	ranges_.emplace(address, std::vector<std::byte>(rounded));
	return address;
}

void Machine::release(std::uint32_t address)
{
	ranges_.erase(address);
}

bool Machine::has(std::uint32_t address) const
{
	const auto range = ranges_.upper_bound(address);

	if (range == ranges_.begin())
		return false;
	return address - std::prev(range)->first < std::prev(range)->second.size();
}

std::byte *Machine::find(std::uint32_t address, std::uint32_t size)
{
	auto range = ranges_.upper_bound(address);

	if (range == ranges_.begin())
		return nullptr;
	--range;
	const std::uint32_t offset = address - range->first;
	if (offset > range->second.size() || size > range->second.size() - offset)
		return nullptr;
	return range->second.data() + offset;
}

int Machine::read(void *host, std::uint32_t address, void *to, std::uint32_t size)
{
	/* Timing-only accesses have no destination. */
	if (!to)
		return 0;
	const std::byte *from = static_cast<Machine *>(host)->find(address, size);

	if (!from)
		return 1;
	std::memcpy(to, from, size);
	return 0;
}

int Machine::write(void *host, std::uint32_t address, const void *from, std::uint32_t size)
{
	if (!from)
		return 0;
	std::byte *to = static_cast<Machine *>(host)->find(address, size);

	if (!to)
		return 1;
	std::memcpy(to, from, size);
	return 0;
}

npu_model_status Machine::run(std::uint32_t core, const Lane &lane, std::uint32_t lanes)
{
	constexpr std::size_t link_words = 4;
	std::vector<std::uint32_t> addresses;

	for (const Task &task : lane)
		addresses.push_back(allocate((task.commands.size() + link_words) * 8));
	for (std::size_t i = 0; i < lane.size(); i++) {
		const bool last = i + 1 == lane.size();
		const std::size_t next = last ? 0 : lane[i + 1].commands.size() + link_words;
		std::vector<std::uint64_t> words = lane[i].commands;

		words.push_back(
			last ? 0
			     : RKNN_CMD(RKNN_TARGET_PC, RKNN_PC_BASE_ADDRESS, addresses[i + 1]));
		words.push_back(RKNN_CMD(RKNN_TARGET_PC, RKNN_PC_REGISTER_AMOUNTS,
					 last ? 0 : (next + 1) / 2 - 1));
		words.push_back(RKNN_CMD(RKNN_TARGET_SYNC, 0, 0));
		words.push_back(
			RKNN_CMD(RKNN_TARGET_ENABLE, RKNN_PC_OPERATION_ENABLE, lane[i].enable));
		std::memcpy(memory(addresses[i]).data(), words.data(), words.size() * 8);
	}

	npu_model_core *model = cores_[core].get();
	const std::uint32_t pointer = RKNN_S_POINTER_PING_PONG | RKNN_S_POINTER_CORE(core);
	const auto words = static_cast<std::uint32_t>(lane.front().commands.size() + link_words);
	/* The last block of the task raises the interrupt: the PPU if it runs, else the DPU. */
	const std::uint32_t interrupts =
		lane.back().enable & RKNN_ENABLE_PPU ? RKNN_INT_PPU : RKNN_INT_DPU;
	model->active_cores = lanes;
	for (const auto &[reg, value] :
	     std::initializer_list<std::pair<std::uint32_t, std::uint32_t>>{
		     {RKNN_CNA_S_POINTER, pointer},
		     {RKNN_CORE_S_POINTER, pointer},
		     {RKNN_PC_BASE_ADDRESS, addresses.front()},
		     {RKNN_PC_REGISTER_AMOUNTS, (words + 1) / 2 - 1},
		     {RKNN_PC_INTERRUPT_MASK, interrupts},
		     {RKNN_PC_INTERRUPT_CLEAR, RKNN_INT_DPU | RKNN_INT_PPU},
		     {RKNN_PC_TASK_CON, 0x7000 | static_cast<std::uint32_t>(lane.size())},
		     {RKNN_PC_OPERATION_ENABLE, 1}})
		npu_model_write_reg(model, reg, value);
	const npu_model_status status = npu_model_run(model);
	for (const std::uint32_t address : addresses)
		release(address);
	return status;
}

} // namespace npu::test
