/* SPDX-License-Identifier: MIT */
/// Faults that the virtual device, or the board, makes on demand, in programs that are good.
#pragma once

#include <cstdint>
#include <string>

#include "device.h"

/// Parameters of npu_virt and npu_board that count the lanes to go wrong.
inline const char inject_hang[] = "inject_hang";
inline const char inject_fault[] = "inject_fault";

/// Where the parameters are.
std::string parameter_path(const std::string &name);
unsigned get_parameter(const std::string &name);
/// Answers 0 or a negative errno.
int set_parameter(const std::string &name, unsigned value);

/// Injects into the next lanes; nothing is left of it however the subtest ends.
/// Skips the subtest where that cannot be done.
class Injection
{
public:
	explicit Injection(std::string name, unsigned lanes = 1);
	~Injection();
	Injection(const Injection &) = delete;
	Injection &operator=(const Injection &) = delete;

	/// Once more.
	void again(unsigned lanes = 1) const;
	unsigned left() const { return get_parameter(name_); }
	/// Returns when all lanes have been started.
	void wait() const;

private:
	std::string name_;
};

/// Cores that hang, and whose watchdog need not be waited for.
class Hang
{
public:
	/// Runs a job, so many lanes of which hang; answers the status of its fence.
	int run(const Device &device, std::uint32_t context, std::uint32_t job,
		unsigned lanes = 1) const;

private:
	Injection injection_{inject_hang, 0};
};
