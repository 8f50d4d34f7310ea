/* SPDX-License-Identifier: MIT */
/// Cached memory on a board whose CPU and device only see each other's writes after a sync. Missing
/// syncs have an effect, and the driver misses none.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <fstream>

#include "igt.h"
#include "program.h"
#include "sram.h"

namespace
{

/// Cache line size of the CPU.
constexpr std::size_t line = 64;

/// A job whose buffers are all cached, with two cache lines of features.
struct Client {
	Client() : product(device, {}, 1, DRM_NPU_BO_CACHED), context(device.context())
	{
		char two_views = 'N';

		std::ifstream("/sys/module/npu_board/parameters/two_views") >> two_views;
		if (two_views != 'Y')
			igt::skip("the CPU and the device have one view, see two_views");
		CHECK_EQ(product.features.size() % line, 0);
		job = create_job(device, {{product.task()}});
	}

	void go()
	{
		product.clear();
		CHECK_EQ(run(device, context, job), 1);
	}
	/// Inverts features without a sync; a second call restores them.
	void flip(std::size_t first, std::size_t count)
	{
		auto *features = product.features.as<std::uint8_t>() + first;

		std::transform(features, features + count, features,
			       [](auto byte) { return static_cast<std::uint8_t>(~byte); });
	}
	void flip() { flip(0, feature_bytes()); }
	std::size_t feature_bytes() const { return std::size_t{product.shape.m} * product.shape.k; }

	Device device;
	Product product;
	std::uint32_t context, job = 0;
};

} // namespace

SUBTEST(views_without_sync_for_device)
{
	Client client;

	client.flip();
	client.go();
	/* The device has read the old features. */
	client.flip();
	client.product.check();

	client.flip();
	client.product.features.to_device();
	client.go();
	client.product.check();
}

SUBTEST(views_without_sync_for_cpu)
{
	Client client;
	const auto *out = client.product.out.as<volatile std::uint32_t>();

	client.go();
	for (std::uint32_t i = 0; i < client.product.shape.m * client.product.shape.n; i++)
		CHECK_EQ(std::uint32_t{out[i]}, poison);
	client.product.check();
}

/* A sync of a range does not affect other lines. */
SUBTEST(views_range)
{
	Client client;
	drm_npu_bo_sync args{client.product.features.handle(), DRM_NPU_SYNC_FOR_DEVICE, line, line,
			     0};

	client.flip();
	CHECK_OK(call(client.device.fd(), DRM_IOCTL_NPU_BO_SYNC, &args));
	client.go();
	client.flip(0, line);
	client.product.check();
}

/* A move copies all writes of either side, synced or not. */
SUBTEST(views_moves)
{
	Client client;
	const Device &device = client.device;
	const Buffer &features = client.product.features, &out = client.product.out;

	need_sram(device);
	client.go();
	CHECK_OK(pin(device, out.handle()));
	client.product.check();
	client.go();
	CHECK_OK(evict(device, out.handle()));
	client.product.check();

	client.flip();
	CHECK_OK(pin(device, features.handle()));
	client.go();
	client.product.check();
	client.flip();
	CHECK_OK(evict(device, features.handle()));
	client.go();
	client.product.check();
}
