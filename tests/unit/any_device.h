/* SPDX-License-Identifier: MIT */
/*
 * The device of tests that run on any.
 */
#pragma once

#include <npu/device.h>

namespace npu::test
{

/// Whether there is a real device to test: NPU_TEST_DEVICE is its device file.
bool on_real_device();

/// That device or, by default, one without a kernel.
Result<Device> any_device();

} // namespace npu::test
