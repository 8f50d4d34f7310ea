/* SPDX-License-Identifier: MIT */
#include "any_device.h"

#include <cstdlib>
#include <memory>

#include "fake_driver.h"

namespace npu::test
{

bool on_real_device()
{
	return std::getenv("NPU_TEST_DEVICE") != nullptr;
}

Result<Device> any_device()
{
	if (const char *path = std::getenv("NPU_TEST_DEVICE"))
		return Device::open(path);
	return Device::create(std::make_shared<FakeDriver>());
}

} // namespace npu::test
