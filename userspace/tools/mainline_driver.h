/* SPDX-License-Identifier: MIT */
/*
 * Opens the device of mainline's rocket driver.
 */
#pragma once

#include <memory>

#include <npu/driver.h>
#include <npu/error.h>

namespace npu::bench
{

/// Open mainline's driver.
/// \retval ENODEV the driver is not loaded or has no device
Result<std::shared_ptr<Driver>> open_mainline();

} // namespace npu::bench
