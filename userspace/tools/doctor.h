/* SPDX-License-Identifier: MIT */
/*
 * npu-info --doctor: finds out why the NPU of an RK3588 does not work, or is slow.
 */
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace npu::doctor
{

/// A problem and its remedy.
struct Finding {
	/// A word for programs: "no-node", "other-driver" ...
	std::string id;
	/// The NPU does not work at all; otherwise it is only slower.
	bool fatal;
	std::string problem;
	std::string remedy;
};

/// The system to examine.
struct System {
	/// Root of /proc, /sys, /dev and /lib; tests use a fake tree.
	std::filesystem::path root = "/";
	/// Opens a device file; answers 0 or an errno.
	std::function<int(const std::filesystem::path &)> open_device;
};

/// Checks the system for known problems.
/// \return findings in the order in which to fix them; empty without problems
std::vector<Finding> diagnose(const System &system);

/// The system that this program runs on.
System this_system();

} // namespace npu::doctor
