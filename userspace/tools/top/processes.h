/* SPDX-License-Identifier: MIT */
/*
 * Finds the processes that have an NPU open, as far as permissions allow.
 */
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <sys/types.h>

#include "fdinfo.h"

namespace npu::top
{

/// A process with open files of the device.
struct Process {
	pid_t pid = 0;
	std::string user;
	std::string command;
	/// Clients that no earlier process in the list has: processes may share a file.
	std::vector<Client> clients;
};

/// The processes in @p proc that have @p device open, without @p self. Omits processes that the
/// caller may not inspect, and those that exit meanwhile.
std::vector<Process> find_processes(const std::filesystem::path &proc, const std::string &device,
				    pid_t self);

/// The device file that this process opened last; empty if there is none.
std::string opened_device();

} // namespace npu::top
