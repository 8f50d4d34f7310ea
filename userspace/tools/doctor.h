/* SPDX-License-Identifier: MIT */
/*
 * npu-info --doctor: what keeps the NPU of an RK3588 from working, or from being fast.
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
	/// The NPU does not work because of the problem; otherwise it works, but slower.
	bool fatal;
	std::string problem;
	std::string remedy;
};

/// The system to examine.
struct System {
	/// Prefix of /proc, /sys, /dev and /lib; tests have a tree of their own.
	std::filesystem::path root = "/";
	/// Opens a device file; answers 0 or an errno.
	std::function<int(const std::filesystem::path &)> open_device;
};

/// Look for what keeps the NPU from working.
/// \return findings, the first being the one to mend first; none if all is well
std::vector<Finding> diagnose(const System &system);

/// The system that this program runs on.
System this_system();

} // namespace npu::doctor
