/* SPDX-License-Identifier: MIT */
/*
 * A full-screen terminal, implemented with ncurses.
 */
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <npu/error.h>

#include "view.h"

namespace npu::top
{

/// Takes over the terminal during its lifetime. Only one object may exist at a time.
class Screen
{
public:
	using Clock = std::chrono::steady_clock;

	/// The reason why wait() has returned.
	enum class Event : std::uint8_t {
		/// The timeout has passed.
		time,
		/// The terminal was resized.
		resize,
		/// A key was pressed, see key().
		key,
		/// A signal requests termination, or the terminal is gone.
		end,
	};

	/// \retval ENOTTY no terminal, or of a type that ncurses does not know
	static Result<std::unique_ptr<Screen>> create();
	~Screen();
	Screen(const Screen &) = delete;
	Screen &operator=(const Screen &) = delete;

	std::size_t width() const;
	/// Shows @p lines, and @p help in the last line. Only what has changed is sent to the
	/// terminal.
	void draw(const std::vector<Line> &lines, const std::string &help) const;
	/// Waits until @p time, or until something happens.
	Event wait(Clock::time_point time);
	int key() const { return key_; }

private:
	struct Terminal;

	Screen();

	std::unique_ptr<Terminal> terminal_;
	int key_ = 0;
};

} // namespace npu::top
