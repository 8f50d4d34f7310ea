/* SPDX-License-Identifier: MIT */
/*
 * A modelled core that runs lanes of a client, next to the memory of another client.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <model/npu_model.h>

#include "stream_source.h"

namespace npu::fuzz
{

/// The end of a lane, and its writes.
struct Outcome {
	npu_model_status status = NPU_MODEL_DONE;
	std::uint32_t error_reg = 0;
	std::uint32_t error_value = 0;
	std::uint32_t fault_addr = 0;
	/// Addresses and bytes, in order.
	std::vector<std::pair<std::uint32_t, std::vector<std::byte>>> writes;

	bool operator==(const Outcome &) const = default;
};

class Machine
{
public:
	Machine();

	/// Whether the client has a buffer at an address; streams do not count.
	static bool is_clients(std::uint64_t address);

	/// Runs a lane on core @p index, with registers and convolution buffer filled by @p poison.
	/// Restores memory afterwards.
	Outcome run(const std::vector<Stream> &lane, std::uint32_t index, std::uint32_t poison);

	/// The first violation of a run; empty if there is none.
	const std::string &complaint() const { return complaint_; }

private:
	struct Range {
		std::vector<std::byte> bytes;
		bool writable = false;
	};

	static int read(void *host, std::uint32_t address, void *to, std::uint32_t size);
	static int write(void *host, std::uint32_t address, const void *from, std::uint32_t size);
	std::byte *find(std::uint32_t address, std::uint32_t size, bool write);
	void place(const std::vector<Stream> &lane);
	void poison(std::uint32_t seed);
	void start(std::uint32_t index, std::uint32_t tasks);
	void check(const Outcome &outcome, std::uint32_t index, std::uint32_t tasks);
	void complain(const std::string &what);

	std::map<std::uint32_t, Range> ranges_;
	std::unique_ptr<npu_model_core> core_;
	Outcome outcome_;
	/// Contents of memory before each write.
	std::vector<std::vector<std::byte>> before_;
	bool refused_ = false;
	std::uint32_t first_words_ = 0;
	/// The interrupts that the kernel waits for.
	std::uint32_t ends_ = 0;
	std::string complaint_;
};

} // namespace npu::fuzz
