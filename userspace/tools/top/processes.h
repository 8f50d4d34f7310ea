/* SPDX-License-Identifier: MIT */
/*
 * The processes that have an NPU open, as far as they may be looked at.
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
	/// Those that no process before has: a file may be shared by several.
	std::vector<Client> clients;
};

/// The processes below @p proc, a folder like /proc, that have @p device open and that the
/// caller may look at, without process @p self. Processes that end meanwhile are left out.
std::vector<Process> find_processes(const std::filesystem::path &proc, const std::string &device,
				    pid_t self);

/// The device file that this process has opened last; empty if none.
std::string opened_device();

} // namespace npu::top
