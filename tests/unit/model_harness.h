/* SPDX-License-Identifier: MIT */
/*
 * A bench for one modelled core: memory of separate mappings, hand-made command
 * streams, and the kick of the mainline driver.
 *
 * Registers are set from the published recipes, so the tests do not depend on
 * the generator of the project.
 */
#ifndef MODEL_HARNESS_H
#define MODEL_HARNESS_H

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "model/npu_model.h"
#include <rknn/rknn_regs.h>

namespace model_test
{

/* Far apart, so that a wrong stride lands in nothing. */
inline constexpr uint32_t code_base = 0x10000000;
inline constexpr uint32_t feature_base = 0x20000000;
inline constexpr uint32_t weight_base = 0x30000000;
inline constexpr uint32_t output_base = 0x40000000;
/* Initial contents of memory. */
inline constexpr uint8_t untouched = 0xa5;

/* Memory as the core sees it; an access must lie in one mapping. */
class Bus
{
public:
	struct Access {
		bool write;
		uint32_t addr;
		uint32_t len;
	};

	void map(uint32_t base, size_t size)
	{
		ranges_[base] = std::vector<uint8_t>(size, untouched);
	}

	void unmap(uint32_t base) { ranges_.erase(base); }

	uint8_t *find(uint32_t addr, size_t len)
	{
		auto range = ranges_.upper_bound(addr);

		if (range == ranges_.begin())
			return nullptr;
		--range;
		const size_t offset = addr - range->first;
		if (offset > range->second.size() || len > range->second.size() - offset)
			return nullptr;
		return range->second.data() + offset;
	}

	template <typename T>
	void put(uint32_t addr, std::span<const T> values)
	{
		uint8_t *to = find(addr, values.size_bytes());

		ASSERT_NE(to, nullptr) << "the test itself is wrong";
		std::memcpy(to, values.data(), values.size_bytes());
	}

	template <typename T>
	T get(uint32_t addr)
	{
		const uint8_t *from = find(addr, sizeof(T));
		T value{};

		EXPECT_NE(from, nullptr) << "the test itself is wrong";
		if (from)
			std::memcpy(&value, from, sizeof(T));
		return value;
	}

	npu_model_bus callbacks() { return {.read = read, .write = write, .host = this}; }

	/* Marks the mapping at @base as SRAM, and counts its bytes for @core. */
	void on_chip(uint32_t base, npu_model_core *core)
	{
		chip_bases_.insert(base);
		core_ = core;
	}

	/* All accesses, including refused ones. */
	std::vector<Access> log;

	/* Bytes accessed in [base, base + size). */
	uint64_t bytes(bool writes, uint32_t base, uint32_t size) const
	{
		uint64_t sum = 0;

		for (const Access &access : log)
			if (access.write == writes && access.addr - base < size)
				sum += access.len;
		return sum;
	}

private:
	void count(uint32_t addr, uint32_t len)
	{
		for (const uint32_t base : chip_bases_)
			if (addr - base < ranges_[base].size())
				core_->sram_bytes += len;
	}

	static int read(void *host, uint32_t addr, void *dst, uint32_t len)
	{
		auto *bus = static_cast<Bus *>(host);
		const uint8_t *from = bus->find(addr, len);

		bus->count(addr, len);
		bus->log.push_back({false, addr, len});
		if (!from)
			return -1;
		if (dst)
			std::memcpy(dst, from, len);
		return 0;
	}

	static int write(void *host, uint32_t addr, const void *src, uint32_t len)
	{
		auto *bus = static_cast<Bus *>(host);
		uint8_t *to = bus->find(addr, len);

		bus->count(addr, len);
		bus->log.push_back({true, addr, len});
		if (!to)
			return -1;
		if (src)
			std::memcpy(to, src, len);
		return 0;
	}

	std::map<uint32_t, std::vector<uint8_t>> ranges_;
	std::set<uint32_t> chip_bases_;
	npu_model_core *core_ = nullptr;
};

constexpr uint64_t command(uint32_t target, uint32_t reg, uint32_t value)
{
	return uint64_t{target} << 48 | uint64_t{value} << 16 | reg;
}

/* Registers of a task by offset; a test changes single ones. */
using Registers = std::map<uint32_t, uint32_t>;
using Stream = std::vector<uint64_t>;

inline uint32_t target_of(uint32_t reg)
{
	switch (reg >> 12) {
	case 1:
		return 0x0201;
	case 3:
		return 0x0801;
	case 4:
		return 0x1001;
	case 5:
		return 0x2001;
	case 6:
		return 0x4001;
	case 7:
		return 0x8001;
	default:
		return 0x0101;
	}
}

inline Stream body(const Registers &registers)
{
	Stream stream;

	for (const auto &[reg, value] : registers)
		stream.push_back(command(target_of(reg), reg, value));
	return stream;
}

/* AMOUNTS of a stream of @words words, as the mainline driver computes it. */
constexpr uint32_t amounts(size_t words)
{
	return static_cast<uint32_t>((words + 1) / 2 - 1);
}

/* The link to the next stream; a base of 0 is no link. */
struct Link {
	uint32_t base = 0;
	uint32_t amounts = 0;
};

inline void finish(Stream &stream, Link link = {}, uint32_t enable = 0x0d)
{
	stream.push_back(link.base ? command(0x0101, 0x0010, link.base) : 0);
	stream.push_back(command(0x0101, 0x0014, link.amounts));
	stream.push_back(command(0x0041, 0, 0));
	stream.push_back(command(0x0081, 0x0008, enable));
}

inline Stream program(const Registers &registers, Link link = {}, uint32_t enable = 0x0d)
{
	Stream stream = body(registers);

	finish(stream, link, enable);
	return stream;
}

/* One core on its bus. */
class Npu
{
public:
	explicit Npu(uint32_t index = 0, const npu_model_params &params = npu_model_params_rk3588)
		: core_(std::make_unique_for_overwrite<npu_model_core>()), index_(index)
	{
		const npu_model_bus callbacks = bus.callbacks();

		/* The model must initialise all of it. */
		std::memset(static_cast<void *>(core_.get()), 0xcc, sizeof(npu_model_core));
		npu_model_init(core_.get(), index, &callbacks, &params);
		bus.map(code_base, 0x10000);
	}

	npu_model_core *operator->() { return core_.get(); }
	npu_model_core *get() { return core_.get(); }
	uint32_t index() const { return index_; }

	uint32_t read(uint32_t reg) const { return npu_model_read_reg(core_.get(), reg); }
	void write(uint32_t reg, uint32_t value) { npu_model_write_reg(core_.get(), reg, value); }
	uint32_t raw() const { return read(RKNN_PC_INTERRUPT_RAW_STATUS) & RKNN_INT_CLEARABLE; }
	bool irq() const { return npu_model_irq(core_.get()) != 0; }

	/* Do all writes of mainline's rocket before a start. */
	void prepare(uint32_t base, uint32_t amount, uint32_t tasks)
	{
		write(0x0010, 1);
		write(0x1004, 0xe | index_ << 28);
		write(0x3004, 0xe | index_ << 28);
		write(0x0010, base);
		write(0x0014, amount);
		write(0x0020, 0x300);
		write(0x0024, 0x300);
		write(0x0030, 1u << 14 | 1u << 13 | 1u << 12 | tasks);
		write(0x0034, 0);
	}

	npu_model_status start(uint32_t base, uint32_t amount, uint32_t tasks = 1)
	{
		prepare(base, amount, tasks);
		write(0x0008, 1);
		return npu_model_run(core_.get());
	}

	/* Acknowledge interrupts as the driver's interrupt thread does. */
	void acknowledge()
	{
		write(0x0020, 0);
		write(0x0008, 0);
		write(0x0024, 0x1ffff);
	}

	/* Place one stream and run it. */
	npu_model_status run(const Stream &stream, uint32_t at = code_base)
	{
		place(stream, at);
		return start(at, amounts(stream.size()));
	}

	void place(const Stream &stream, uint32_t at = code_base)
	{
		bus.put(at, std::span<const uint64_t>(stream));
	}

	/*
	 * Link the bodies and run them as one chain of as many tasks; each
	 * stream starts on 64 bytes. A convolution, unless @enables says what
	 * else is started.
	 */
	npu_model_status run_chain(const std::vector<Stream> &bodies,
				   const std::vector<uint32_t> &enables = {})
	{
		uint32_t at = code_base;

		for (size_t i = 0; i < bodies.size(); i++) {
			const uint32_t next =
				at + static_cast<uint32_t>((bodies[i].size() + 4 + 7) / 8 * 64);
			const uint32_t enable = enables.empty() ? 0x0d : enables[i];
			Stream stream = bodies[i];

			if (i + 1 < bodies.size())
				finish(stream, {next, amounts(bodies[i + 1].size() + 4)}, enable);
			else
				finish(stream, {}, enable);
			place(stream, at);
			at = next;
		}
		return start(code_base, amounts(bodies[0].size() + 4),
			     static_cast<uint32_t>(bodies.size()));
	}

	Bus bus;

private:
	std::unique_ptr<npu_model_core> core_;
	uint32_t index_;
};

} /* namespace model_test */

#endif /* MODEL_HARNESS_H */
