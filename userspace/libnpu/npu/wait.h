/* SPDX-License-Identifier: MIT */
/**
 * @file
 * What a wait has come to.
 */
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <variant>

#include "npu/error.h"

#pragma GCC visibility push(default)
namespace npu
{

/// The three ways in which a wait ends.
enum class WaitState : std::uint8_t {
	/// The job or fence has ended without an error.
	ended,
	/// The deadline has come first.
	timed_out,
	/// The job or fence has ended with an error, or the wait itself failed.
	failed,
};

/// The result of a wait; true if what was waited for has ended well.
///
/// @code
/// auto waited = context.wait(seqno, npu::Deadline::in(20ms));
/// if (waited.timed_out())
///         ...
/// else if (waited.failed())
///         std::cerr << waited.error().message << '\n';
/// @endcode
///
/// It may hold a value in each of the states: of a job, how far it is. It holds none if the
/// wait itself failed. After a timeout only Context::wait() and CompletionPage::wait() give one.
template <typename T = std::monostate>
class [[nodiscard]] WaitResult
{
public:
	/// What ended well.
	WaitResult(T value) : state_(WaitState::ended), value_(std::move(value)) {}
	/// A wait that failed, without a value.
	WaitResult(std::unexpected<Error> error)
		: state_(WaitState::failed), error_(std::move(error).error())
	{
	}
	/// What timed out or failed, and what is known of it.
	WaitResult(WaitState state, Error error, std::optional<T> value = {})
		: state_(state), value_(std::move(value)), error_(std::move(error))
	{
	}

	/// How the wait has ended.
	WaitState state() const { return state_; }
	/// The job or fence has ended without an error.
	bool ended() const { return state_ == WaitState::ended; }
	/// The deadline has come first.
	bool timed_out() const { return state_ == WaitState::timed_out; }
	/// The job or fence has ended with an error, or the wait itself failed.
	bool failed() const { return state_ == WaitState::failed; }
	/// As ended().
	explicit operator bool() const { return ended(); }

	/// Why it failed; after a timeout ETIME and what has not ended.
	/// @pre it has not ended well
	const Error &error() const { return error_; }
	/// The same, to move from.
	/// @pre it has not ended well
	Error &error() { return error_; }

	/// Whether there is a value.
	bool has_value() const { return value_.has_value(); }
	/// @pre has_value(), which holds for all that ended well
	const T &operator*() const { return *value_; }
	/// @pre has_value(), which holds for all that ended well
	const T *operator->() const { return &*value_; }

private:
	WaitState state_;
	std::optional<T> value_;
	Error error_;
};

/// Pass on the error of @p result, which has not ended well.
template <typename T>
std::unexpected<Error> forward(WaitResult<T> &result)
{
	return std::unexpected(std::move(result.error()));
}

} // namespace npu
#pragma GCC visibility pop
