/* SPDX-License-Identifier: MIT */
/*
 * All calls of the engine that reach the device, for tests that make each of them fail.
 */
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <npu/device.h>

#include "libnpu_calls.h"

namespace npu::test
{

/// A call of the engine, on its own objects.
struct EngineCall {
	std::string name;
	/// Creates the objects of the call and returns a function that makes the call, any
	/// number of times. The returned function owns the objects.
	std::function<std::function<Error()>(const Device &)> prepare;
	/// The call may succeed although one of its system calls failed.
	bool lenient = false;
};

std::vector<EngineCall> engine_calls();

} // namespace npu::test
