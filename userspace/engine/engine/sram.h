/* SPDX-License-Identifier: MIT */
/**
 * @file
 * What is worth a place in on-chip memory.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <string_view>
#include <vector>

#include <npu/buffer.h>
#include <npu/device.h>
#include <npu/error.h>

#pragma GCC visibility push(default)
namespace npu
{

/// How much on-chip memory is used.
struct SramUse {
	/// How to choose what is on the chip.
	enum class Mode : std::uint8_t {
		/// For what gains by it, as the device tells its bandwidths.
		automatic,
		/// For nothing.
		off,
		/// For whatever fits into @c bytes, activations first.
		bytes,
	};
	/// What on-chip memory is used for.
	Mode mode = Mode::automatic;
	/// Bytes that Mode::bytes uses, at most those of the first region on the chip. Other
	/// modes ignore it.
	std::size_t bytes = 0;

	/// "auto", "off", or a number of bytes.
	/// \retval EINVAL none of them
	static Result<SramUse> from(std::string_view text);
};

/// Bytes a second.
struct Bandwidths {
	/// What a core draws.
	double core = 0;
	/// What all cores together draw from system memory.
	double system = 0;
	/// What all cores together draw from on-chip memory.
	double chip = 0;
};

/// Seconds that @p cores cores take to transfer @p bytes, @p chip_bytes of which
/// are on the chip, all at a time: as long as the slowest of the three takes.
/// \pre chip_bytes is at most bytes, cores is not 0, no bandwidth is 0
double transfer_seconds(double bytes, double chip_bytes, double cores,
			const Bandwidths &bandwidths);

/// Says of one buffer after the other whether it is to be on the chip.
class SramPlan
{
public:
	/// For a device without on-chip memory, nothing ever is.
	static Result<SramPlan> create(const Device &device, const SramUse &use);

	/// What a job does with a buffer, or with its streams.
	struct Operand {
		/// The buffer; nullptr for the streams.
		const Buffer *buffer;
		/// Bytes that each of the job's products, which run one after the
		/// other, transfers of it.
		std::vector<double> bytes;
		/// Whether it may be on the chip. What the CPU reads may not where the device
		/// does not see the CPU's caches: on-chip memory is not cached there, and
		/// reading it takes the CPU many times as long.
		bool movable = true;
	};

	/// A job on @p cores cores with @p operands, most wanted first: prefer
	/// those on the chip that make it faster. A buffer for which the device refuses
	/// that stays where it is. Returns whether its streams are to be there too, which
	/// the caller has to see to when it creates the job.
	/// \pre all operands have as many bytes
	bool place(std::span<const Operand> operands, std::size_t cores);

	/// Forget all buffers and jobs, which may be freed.
	void clear();

private:
	static std::size_t room_for(const Operand &operand);
	bool prefer(const Buffer *buffer, std::size_t rank);
	bool gains(std::span<const double> totals, std::span<const double> chip,
		   std::span<const double> more, double cores) const;

	SramUse use_;
	Bandwidths bandwidths_;
	std::size_t size_ = 0;
	std::size_t room_ = 0;
	std::set<std::uint32_t> placed_;
};

} // namespace npu
#pragma GCC visibility pop
