/* SPDX-License-Identifier: MIT */
/*
 * The terminal, by ncurses.
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

/// A full-screen program on the terminal, for as long as it lives. There is one at a time.
class Screen
{
public:
	using Clock = std::chrono::steady_clock;

	/// What ended a wait.
	enum class Event : std::uint8_t {
		/// The time has come.
		time,
		/// The terminal has another size.
		resize,
		/// A key, see key().
		key,
		/// A signal asks to end, or the terminal is gone.
		end,
	};

	/// \retval ENOTTY no terminal that ncurses knows
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
