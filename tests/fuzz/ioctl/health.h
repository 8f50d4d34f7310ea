/* SPDX-License-Identifier: MIT */
/// Whether the device still computes.
#pragma once

#include <string>

namespace fuzz
{

/// Computes a product on a file of its own, with the NPU calls or with rocket's.
/// Answers what is wrong, or nothing.
std::string health_npu();
std::string health_rocket();

} // namespace fuzz
