/* SPDX-License-Identifier: MIT */
/// Taking the device away from its driver, and giving it back.
#pragma once

#include <string>

/// A device that can be taken away: the virtual one or, of the hardware, a core that
/// the others are useless without.
struct Plug {
	/// The module with its driver.
	std::string module;
	/// Directory of the driver.
	std::string driver;
	/// Its name there.
	std::string device;
};

/// The device that is there. Skips the subtest where there is none.
Plug need_plug();

/// Takes the device away; it comes back however the subtest ends.
class Unplugged
{
public:
	explicit Unplugged(Plug plug);
	~Unplugged();
	Unplugged(const Unplugged &) = delete;
	Unplugged &operator=(const Unplugged &) = delete;

	void rebind();

private:
	int write_driver(const char *file) const;

	Plug plug_;
	bool gone_ = true;
};
