/* SPDX-License-Identifier: MIT */
#include "stream_machine.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>

#include <rknn/rknn_regs.h>

#include "verifier.h"

namespace npu::fuzz
{

namespace
{

constexpr std::uint32_t code_base = 0x10000000;
constexpr std::uint32_t code_bytes = 1 << 16;
constexpr std::uint32_t mac_gating = 0x07800800;
constexpr std::uint32_t mac_gating_word = (RKNN_CORE_MAC_GATING & 0x1ff) >> 2;

constexpr std::uint32_t task_con(std::uint32_t tasks)
{
	return RKNN_PC_TASK_CON_RESERVED | RKNN_PC_TASK_CON_COUNT_CLEAR | RKNN_PC_TASK_CON_PP_EN |
	       tasks;
}

constexpr std::uint32_t pointer(std::uint32_t index)
{
	return RKNN_S_POINTER_PING_PONG | RKNN_S_POINTER_CORE(index);
}

/// Fast: each lane initialises a lot of state.
template <typename T>
void fill(T &values, std::uint64_t &state)
{
	auto *to = reinterpret_cast<std::byte *>(std::data(values));
	const std::size_t size = std::size(values) * sizeof(values[0]);

	for (std::size_t at = 0; at < size; at += sizeof(state)) {
		state ^= state << 13U;
		state ^= state >> 7U;
		state ^= state << 17U;
		std::memcpy(to + at, &state, std::min(sizeof(state), size - at));
	}
}

} // namespace

Machine::Machine() : core_(std::make_unique_for_overwrite<npu_model_core>())
{
	std::uint64_t state = 1;

	ranges_[code_base] = {std::vector<std::byte>(code_bytes), false};
	for (const std::uint32_t base : client_bases) {
		Range &range = ranges_[base];

		range = {std::vector<std::byte>(buffer_bytes), true};
		fill(range.bytes, state);
	}
}

bool Machine::is_clients(std::uint64_t address)
{
	return std::ranges::any_of(client_bases, [=](std::uint32_t base) {
		return address >= base && address < std::uint64_t{base} + buffer_bytes;
	});
}

void Machine::complain(const std::string &what)
{
	if (complaint_.empty())
		complaint_ = what;
}

/// The neighbour's buffer is in no range, since it is in another address space.
std::byte *Machine::find(std::uint32_t address, std::uint32_t size, bool write)
{
	auto range = ranges_.upper_bound(address);

	if (refused_)
		complain("the core goes on after a fault");
	refused_ = true;
	if (range == ranges_.begin())
		return nullptr;
	--range;
	const std::uint32_t offset = address - range->first;
	if (offset > range->second.bytes.size() || size > range->second.bytes.size() - offset ||
	    (write && !range->second.writable))
		return nullptr;
	refused_ = false;
	return range->second.bytes.data() + offset;
}

int Machine::read(void *host, std::uint32_t address, void *to, std::uint32_t size)
{
	const std::byte *from = static_cast<Machine *>(host)->find(address, size, false);

	if (!from)
		return 1;
	std::memcpy(to, from, size);
	return 0;
}

int Machine::write(void *host, std::uint32_t address, const void *from, std::uint32_t size)
{
	auto *machine = static_cast<Machine *>(host);
	std::byte *to = machine->find(address, size, true);

	if (!to)
		return 1;
	const auto *bytes = static_cast<const std::byte *>(from);
	machine->outcome_.writes.push_back({address, {bytes, bytes + size}});
	machine->before_.emplace_back(to, to + size);
	std::memcpy(to, from, size);
	return 0;
}

void Machine::place(const std::vector<Stream> &lane)
{
	const auto size = [&](std::size_t i) {
		return test::Verifier::stream_words(
			static_cast<std::uint32_t>(lane[i].commands.size()));
	};
	std::byte *to = ranges_[code_base].bytes.data();
	std::uint32_t at = code_base;

	for (std::size_t i = 0; i < lane.size(); i++) {
		const bool last = i + 1 == lane.size();
		const std::uint32_t bytes = size(i) * 8;
		const std::vector<std::uint64_t> words =
			test::Verifier::link(lane[i].commands, lane[i].enable,
					     last ? 0 : at + bytes, last ? 0 : size(i + 1));

		if (words.size() * 8 != bytes)
			complain("a stream has another size in memory");
		std::memcpy(to, words.data(), bytes);
		to += bytes;
		at += bytes;
		if (!i)
			first_words_ = bytes / 8;
	}
}

/// Fills the core with state that another client could have left. Registers that clients cannot
/// write keep their reset values.
void Machine::poison(std::uint32_t seed)
{
	std::uint64_t state = seed;

	fill(core_->regs, state);
	for (auto &group : core_->regs[NPU_MODEL_CORE])
		group[mac_gating_word] = mac_gating;
	fill(core_->cbuf, state);
	fill(core_->acc, state);
	fill(core_->stage, state);
	fill(core_->slices, state);
	fill(core_->fetch, state);
	for (std::uint8_t &group : core_->group)
		group = seed & 1;
}

/// Starts a lane as the kernel does.
void Machine::start(std::uint32_t index, std::uint32_t tasks)
{
	const std::pair<std::uint32_t, std::uint32_t> writes[] = {
		{RKNN_PC_BASE_ADDRESS, RKNN_PC_BASE_ADDRESS_SLAVE},
		{RKNN_CNA_S_POINTER, pointer(index)},
		{RKNN_CORE_S_POINTER, pointer(index)},
		{RKNN_DPU_S_POINTER, RKNN_S_POINTER_PING_PONG},
		{RKNN_PC_BASE_ADDRESS, code_base},
		{RKNN_PC_REGISTER_AMOUNTS, (first_words_ + 1) / 2 - 1},
		{RKNN_PC_INTERRUPT_MASK, ends_},
		{RKNN_PC_INTERRUPT_CLEAR, RKNN_INT_CLEARABLE},
		{RKNN_PC_TASK_CON, task_con(tasks)},
		{RKNN_PC_TASK_DMA_BASE_ADDR, 0},
		{RKNN_PC_OPERATION_ENABLE, 1},
	};

	for (const auto &[reg, value] : writes)
		npu_model_write_reg(core_.get(), reg, value);
}

/// Checks memory that the lane must not change, and how the lane ended.
void Machine::check(const Outcome &outcome, std::uint32_t index, std::uint32_t tasks)
{
	if (refused_ != (outcome.status == NPU_MODEL_FAULT))
		complain("a refused access and a fault do not come together");
	if ((npu_model_irq(core_.get()) != 0) != (outcome.status == NPU_MODEL_DONE))
		complain("an interrupt and the end do not come together");
	if (outcome.status == NPU_MODEL_DONE && core_->stats.tasks != tasks)
		complain("another number of tasks than the lane has");
	if (outcome.status == NPU_MODEL_HUNG)
		complain("the core hangs");
	for (const auto block : {NPU_MODEL_CNA, NPU_MODEL_CORE})
		if (core_->s_pointer[block] != pointer(index))
			complain("S_POINTER has changed");
	if (core_->s_pointer[NPU_MODEL_DPU] != RKNN_S_POINTER_PING_PONG)
		complain("S_POINTER of DPU has changed");
	for (const auto &group : core_->regs[NPU_MODEL_CORE])
		if (group[mac_gating_word] != mac_gating)
			complain("MAC_GATING has changed");
	if (core_->pc_task_con != task_con(tasks) || core_->int_mask != ends_ ||
	    core_->pc_base - code_base >= code_bytes)
		complain("PC has changed");
	for (const auto &[address, bytes] : outcome.writes)
		if (!is_clients(address) || !is_clients(address + bytes.size() - 1))
			complain("a write to no buffer of the client");
}

Outcome Machine::run(const std::vector<Stream> &lane, std::uint32_t index, std::uint32_t seed)
{
	const npu_model_bus bus{read, write, this};
	const auto tasks = static_cast<std::uint32_t>(lane.size());

	outcome_ = {};
	before_.clear();
	refused_ = false;
	npu_model_init(core_.get(), index, &bus, &npu_model_params_rk3588);
	ends_ = RKNN_INT_END(lane.back().enable);
	place(lane);
	poison(seed);
	start(index, tasks);
	outcome_.status = npu_model_run(core_.get());
	if (outcome_.status != NPU_MODEL_DONE) {
		outcome_.error_reg = core_->error_reg;
		outcome_.error_value = core_->error_value;
		outcome_.fault_addr = core_->fault_addr;
	}
	check(outcome_, index, tasks);

	refused_ = false;
	while (!before_.empty()) {
		const auto &old = before_.back();
		std::memcpy(find(outcome_.writes[before_.size() - 1].first,
				 static_cast<std::uint32_t>(old.size()), true),
			    old.data(), old.size());
		before_.pop_back();
	}
	return outcome_;
}

} // namespace npu::fuzz
