/* SPDX-License-Identifier: MIT */
#include "engine/sram.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <functional>
#include <numeric>

namespace npu
{

namespace
{

constexpr std::size_t page_bytes = 4096;

} // namespace

Result<SramUse> SramUse::from(std::string_view text)
{
	if (text == "auto")
		return SramUse{};
	if (text == "off")
		return SramUse{.mode = Mode::off};
	SramUse use{.mode = Mode::bytes};
	const auto [end, error] = std::from_chars(text.begin(), text.end(), use.bytes);
	if (error != std::errc{} || end != text.end())
		return fail(EINVAL, "on-chip memory '" + std::string(text) +
					    "' is not auto, off or a number of bytes");
	return use;
}

double transfer_seconds(double bytes, double chip_bytes, double cores, const Bandwidths &bandwidths)
{
	return std::max({bytes / cores / bandwidths.core, (bytes - chip_bytes) / bandwidths.system,
			 chip_bytes / bandwidths.chip});
}

Result<SramPlan> SramPlan::create(const Device &device, const SramUse &use)
{
	SramPlan plan;

	plan.use_ = use;
	if (use.mode == SramUse::Mode::off || device.info().region_count <= chip_region ||
	    device.cores().empty())
		return plan;
	auto regions = device.regions();
	if (!regions)
		return forward(regions);
	const RegionInfo &chip = (*regions)[chip_region];
	plan.bandwidths_ = {
		.core = static_cast<double>(device.cores().front().bandwidth),
		.system = static_cast<double>(regions->front().bandwidth),
		.chip = static_cast<double>(chip.bandwidth),
	};
	plan.size_ = use.mode == SramUse::Mode::bytes ? std::min<std::size_t>(use.bytes, chip.size)
						      : chip.size;
	plan.room_ = plan.size_;
	return plan;
}

/// Whether moving @p more bytes of each product to SRAM is faster, where @p chip bytes of its @p
/// totals are in SRAM already.
bool SramPlan::gains(std::span<const double> totals, std::span<const double> chip,
		     std::span<const double> more, double cores) const
{
	double before = 0;
	double after = 0;

	if (use_.mode == SramUse::Mode::bytes)
		return true;
	/* Without bandwidths of the device there is no gain to predict. */
	if (bandwidths_.core <= 0 || bandwidths_.system <= 0 || bandwidths_.chip <= 0)
		return false;
	for (std::size_t i = 0; i < totals.size(); i++) {
		before += transfer_seconds(totals[i], chip[i], cores, bandwidths_);
		after += transfer_seconds(totals[i], chip[i] + more[i], cores, bandwidths_);
	}
	return after < before;
}

void SramPlan::clear()
{
	placed_.clear();
	room_ = size_;
}

/// Size of @p operand in whole pages.
std::size_t SramPlan::room_for(const Operand &operand)
{
	if (operand.buffer)
		return operand.buffer->size();
	const auto bytes = static_cast<std::size_t>(
		std::accumulate(operand.bytes.begin(), operand.bytes.end(), 0.0));
	return (bytes + page_bytes - 1) / page_bytes * page_bytes;
}

bool SramPlan::place(std::span<const Operand> operands, std::size_t cores)
{
	bool streams = false;

	if (operands.empty())
		return streams;
	std::vector<double> totals(operands.front().bytes.size());
	std::vector<double> chip(totals.size());

	for (const Operand &operand : operands)
		std::ranges::transform(totals, operand.bytes, totals.begin(), std::plus{});
	for (std::size_t i = 0; i < operands.size() && size_; i++) {
		const Buffer *buffer = operands[i].buffer;

		if (!operands[i].movable)
			continue;
		if (!buffer || !placed_.contains(buffer->handle())) {
			const std::size_t room = room_for(operands[i]);

			if (room > room_ ||
			    !gains(totals, chip, operands[i].bytes, static_cast<double>(cores)))
				continue;
			if (!prefer(buffer, i))
				continue;
			streams = streams || !buffer;
			room_ -= room;
		}
		std::ranges::transform(chip, operands[i].bytes, chip.begin(), std::plus{});
	}
	return streams;
}

/// Sets the residency of @p buffer to prefer SRAM, and to be evicted after all buffers of a higher
/// @p rank. Returns whether the device accepts the preference.
bool SramPlan::prefer(const Buffer *buffer, std::size_t rank)
{
	if (!buffer)
		return true;
	const auto priority = static_cast<std::uint8_t>(255 - std::min<std::size_t>(rank, 255));
	if (!buffer->set_residency(Buffer::Residency::prefer, priority))
		return false;
	placed_.insert(buffer->handle());
	return true;
}

} // namespace npu
