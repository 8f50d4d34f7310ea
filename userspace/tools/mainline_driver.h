/* SPDX-License-Identifier: MIT */
/*
 * Files of mainline's rocket driver.
 */
#pragma once

#include <memory>

#include <npu/driver.h>
#include <npu/error.h>

namespace npu::bench
{

/// Open mainline's driver.
/// \retval ENODEV it is not there
Result<std::shared_ptr<Driver>> open_mainline();

} // namespace npu::bench
