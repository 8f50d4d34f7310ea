/* SPDX-License-Identifier: MIT */
/*
 * The device for tests that run on a fake or on a real one.
 */
#pragma once

#include <npu/device.h>

namespace npu::test
{

/// Whether to test a real device: NPU_TEST_DEVICE is its device file.
bool on_real_device();

/// Opens that device or, by default, one without a kernel.
Result<Device> any_device();

} // namespace npu::test
