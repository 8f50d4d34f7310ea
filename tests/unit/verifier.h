/* SPDX-License-Identifier: MIT */
/*
 * The kernel's verifier of RKNN streams, without a kernel.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

struct npu_isa_chip;

namespace npu::test
{

/// Why a stream is refused, as &struct npu_isa_fault has it.
struct Fault {
	std::uint32_t command = 0;
	std::uint32_t reason = 0;
	std::uint32_t reg = 0;

	bool operator==(const Fault &) const = default;
};

/// Verifies the tasks of one lane, one after the other.
class Verifier
{
public:
	/// Whether the client may use an address, and to write there if so.
	using Use = std::function<int(std::uint64_t address, bool write)>;

	/// For the RK3588, or for another @p chip of the family.
	explicit Verifier(Use use, const npu_isa_chip *chip = nullptr);

	/// \return why the next task is refused, if it is; errors of Use other
	/// than EINVAL are in the reason, negative.
	std::optional<Fault> verify(std::span<const std::uint64_t> commands, std::uint32_t enable);

	/// \return the commands that the kernel writes for the task that was
	/// accepted last.
	std::vector<std::uint64_t> emit() const;

	/// \return whether that task must follow the one before without a cut.
	bool continues() const;

	/// A stream with link and start, without them.
	struct Split {
		std::uint32_t body = 0;
		std::uint32_t enable = 0;

		bool operator==(const Split &) const = default;
	};
	static std::optional<Split> split(std::span<const std::uint64_t> commands);

	/// \return the words that @p count commands take in memory
	static std::uint32_t stream_words(std::uint32_t count);

	/// @p commands with the link to a stream of @p next_words words at
	/// @p next, none if 0, and the start, as the kernel puts them in memory.
	static std::vector<std::uint64_t> link(std::span<const std::uint64_t> commands,
					       std::uint32_t enable, std::uint64_t next,
					       std::uint32_t next_words);

private:
	Use use_;
	std::vector<std::byte> state_;
};

} // namespace npu::test
