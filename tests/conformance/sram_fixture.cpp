/* SPDX-License-Identifier: MIT */
#include "sram.h"

#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <thread>

#include "igt.h"
#include "patience.h"

namespace
{

bool gets_to(const Device &device, std::uint32_t handle, std::uint32_t region)
{
	/* Jobs of others may have to end first. */
	return patience::comes([&] { return device.buffer(handle).region == region; });
}

std::uint32_t number(std::uint32_t seed, std::size_t index)
{
	return (static_cast<std::uint32_t>(index) + seed) * 2654435761u;
}

} // namespace

int residency(const Device &device, std::uint32_t handle, std::uint32_t want,
	      std::uint32_t priority)
{
	drm_npu_bo_residency args{};

	args.handle = handle;
	args.residency = want;
	args.region = on_chip;
	args.priority = priority;
	return call(device.fd(), DRM_IOCTL_NPU_BO_RESIDENCY, &args);
}

int prefer(const Device &device, std::uint32_t handle, std::uint32_t priority)
{
	return residency(device, handle, DRM_NPU_RESIDENCY_PREFER, priority);
}

int pin(const Device &device, std::uint32_t handle)
{
	return residency(device, handle, DRM_NPU_RESIDENCY_PIN);
}

int evict(const Device &device, std::uint32_t handle)
{
	return residency(device, handle, DRM_NPU_RESIDENCY_NONE);
}

drm_npu_query_region need_sram(const Device &device)
{
	if (device.info().region_count < 2)
		igt::skip("needs a device with on-chip memory: npu_virt with sram_kib, or a "
			  "device tree that gives some to the NPU");
	return device.region(on_chip);
}

std::vector<std::uint32_t> handles(const Product &product)
{
	return {product.features.handle(), product.weights.handle(), product.out.handle()};
}

void need_unmapping()
{
	std::ifstream file("/proc/cpuinfo");
	std::string text{std::istreambuf_iterator<char>(file), {}};

	if (text.find("User Mode Linux") != text.npos && std::thread::hardware_concurrency() > 1)
		igt::skip("needs one processor, or a machine that is not User-mode Linux");
}

bool inside(const Device &device, std::uint32_t handle)
{
	return device.buffer(handle).region == on_chip;
}

bool gets_inside(const Device &device, std::uint32_t handle)
{
	return gets_to(device, handle, on_chip);
}

bool gets_outside(const Device &device, std::uint32_t handle)
{
	return gets_to(device, handle, DRM_NPU_REGION_SYSTEM);
}

bool gets_empty(const Device &device)
{
	return patience::comes([&] { return !device.region(on_chip).file_used; });
}

Pattern::Pattern(const Device &device, std::uint64_t size, std::uint32_t seed)
	: buffer(device, size), seed_(seed)
{
	fill(seed);
}

void Pattern::fill(std::uint32_t seed)
{
	std::span words(buffer.as<std::uint32_t>(), static_cast<std::size_t>(buffer.size() / 4));

	seed_ = seed;
	for (std::size_t i = 0; i < words.size(); i++)
		words[i] = number(seed, i);
}

void Pattern::check() const
{
	std::span words(buffer.as<const std::uint32_t>(),
			static_cast<std::size_t>(buffer.size() / 4));

	for (std::size_t i = 0; i < words.size(); i++) {
		if (words[i] == number(seed_, i))
			continue;
		igt::Note note("word " + std::to_string(i));
		CHECK_EQ(words[i], number(seed_, i));
	}
}
