/* SPDX-License-Identifier: MIT */
/// Control groups of version 2.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

/// A control group of its own for as long as it lives. There is one at a time.
class ControlGroup
{
public:
	/// Skips the subtest with @reason where @controller cannot be had.
	ControlGroup(const std::string &controller, const std::string &reason);
	/// Its processes must have been waited for.
	~ControlGroup();
	ControlGroup(const ControlGroup &) = delete;
	ControlGroup &operator=(const ControlGroup &) = delete;

	/// From now on this process is in it.
	void enter() const;
	/// Contents of a file of the group, or of the root of all groups.
	std::string read(const std::string &file) const;
	std::string read_root(const std::string &file) const;
	/// The number after @key in a file of the group; 0 if it is not there.
	std::uint64_t number(const std::string &file, const std::string &key) const;
	/// Writes to a file of the group; false if the kernel refuses it.
	bool write(const std::string &file, const std::string &text) const;

private:
	std::filesystem::path root_;
	std::filesystem::path path_;
};
