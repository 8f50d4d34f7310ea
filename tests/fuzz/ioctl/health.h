/* SPDX-License-Identifier: MIT */
/// Checks that the device still works.
#pragma once

#include <string>

namespace fuzz
{

/// Computes a product on a new file, with our ioctls or rocket's. @return the error, empty on
/// success.
std::string health_npu();
std::string health_rocket();

} // namespace fuzz
