/* SPDX-License-Identifier: MIT */
/*
 * Exit codes and error reports of all tools.
 */
#pragma once

#include <exception>
#include <functional>
#include <iostream>
#include <new>

#include <CLI/CLI.hpp>

#include <npu/error.h>

namespace npu::tool
{

/// Exit codes: 0 done, 1 it failed, 2 wrong usage, 3 no device or no access.
constexpr int exit_failed = 1;
constexpr int exit_usage = 2;
constexpr int exit_device = 3;

/// Report @p error as the one line "NAME: message".
/// \return the exit code
inline int report(const std::string &name, const Error &error)
{
	std::cerr << name << ": " << error.message << '\n';
	return error.code == ENODEV || error.code == EACCES ? exit_device : exit_failed;
}

/// Add --version, parse the command line, run @p body, and report what it throws.
/// \return the exit code
inline int run(CLI::App &app, int argc, const char *const *argv, const std::function<int()> &body)
{
	app.set_version_flag("--version", app.get_name() + " (accel-npu) " NPU_VERSION);
	try {
		app.parse(argc, argv);
	} catch (const CLI::ParseError &error) {
		return app.exit(error) ? exit_usage : 0;
	}
	try {
		return body();
	} catch (const std::bad_alloc &) {
		return report(app.get_name(), Error{ENOMEM, "memory is exhausted"});
	} catch (const std::exception &error) {
		return report(app.get_name(), Error{0, error.what()});
	}
}

} // namespace npu::tool
