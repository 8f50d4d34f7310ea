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

/// The reason of a refusal, as in &struct npu_isa_fault.
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
	/// Returns whether the client may read an address, or write to it.
	using Use = std::function<int(std::uint64_t address, bool write)>;

	/// Creates a verifier for the RK3588, or for another @p chip of the family.
	explicit Verifier(Use use, const npu_isa_chip *chip = nullptr);

	/// \return the fault of the next task, if it is refused; errors of Use other than EINVAL
	/// are negative reasons.
	std::optional<Fault> verify(std::span<const std::uint64_t> commands, std::uint32_t enable);

	/// \return the commands that the kernel writes for the last accepted task
	std::vector<std::uint64_t> emit() const;

	/// \return whether that task must follow the previous one without a cut
	bool continues() const;

	/// A stream with its link and start removed.
	struct Split {
		std::uint32_t body = 0;
		std::uint32_t enable = 0;

		bool operator==(const Split &) const = default;
	};
	static std::optional<Split> split(std::span<const std::uint64_t> commands);

	/// \return the words that @p count commands take in memory
	static std::uint32_t stream_words(std::uint32_t count);

	/// Appends the start, and the link to a stream of @p next_words words at @p next unless it
	/// is 0, as the kernel does.
	static std::vector<std::uint64_t> link(std::span<const std::uint64_t> commands,
					       std::uint32_t enable, std::uint64_t next,
					       std::uint32_t next_words);

private:
	Use use_;
	std::vector<std::byte> state_;
};

} // namespace npu::test
