/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Errors as values. Everything that can fail at run time returns a Result.
 *
 * Memory of the process is the exception: when it is exhausted, C++ calls throw
 * std::bad_alloc and C functions return -ENOMEM. Nothing leaks then, a submit that throws
 * has queued no job, and all objects remain usable. Destructors do not throw.
 */
#pragma once

#include <expected>
#include <string>
#include <utility>

#pragma GCC visibility push(default)
/// libnpu and the engine. librknn is in npu::rknn.
namespace npu
{

/// What went wrong: an errno, and one line for a person.
struct Error {
	/// A positive errno.
	int code = 0;
	/// Which call failed, on what, and what to do about it if that is known.
	std::string message;
};

/// A value, or why there is none.
template <typename T>
using Result = std::expected<T, Error>;

/// An error of @p code whose message is "@p what: text of the code".
std::unexpected<Error> fail(int code, std::string what);

/// Pass on the error of @p result, whatever it would have held.
template <typename T>
std::unexpected<Error> forward(Result<T> &result)
{
	return std::unexpected(std::move(result.error()));
}

} // namespace npu
#pragma GCC visibility pop
