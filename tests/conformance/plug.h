/* SPDX-License-Identifier: MIT */
/// Taking the virtual device away from its driver, and giving it back.
#pragma once

/// Skips the subtest where that cannot be done.
void need_plug();

/// Writes the device's name to a file of its driver; answers 0 or a negative errno.
int write_driver(const char *file);

/// Takes the device away; it comes back however the subtest ends.
class Unplugged
{
public:
	Unplugged();
	~Unplugged();
	Unplugged(const Unplugged &) = delete;
	Unplugged &operator=(const Unplugged &) = delete;

	void rebind();
	/// It has come back by other means.
	void rebound() { gone_ = false; }

private:
	bool gone_ = true;
};
