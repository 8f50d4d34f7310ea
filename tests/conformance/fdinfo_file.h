/* SPDX-License-Identifier: MIT */
/// What /proc/PID/fdinfo tells of an open file.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include <unistd.h>

/// Values by key, without the blanks before a value.
using FdInfo = std::map<std::string, std::string>;

/// The text as it is.
std::string read_fdinfo_text(int fd, pid_t pid = getpid());
/// Fails if a key comes twice.
FdInfo read_fdinfo(int fd, pid_t pid = getpid());
/// "N UNIT", in bytes, nanoseconds or what is counted.
std::uint64_t fdinfo_amount(const std::string &text);
/// The amount of a key, which has to be there.
std::uint64_t fdinfo_amount(const FdInfo &info, const std::string &key);
