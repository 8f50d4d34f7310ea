/* SPDX-License-Identifier: MIT */
#include "screen.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>

/* Use functions instead of macros, so that calls can be qualified with "::". */
#define NCURSES_NOMACROS
#include <curses.h>
#include <poll.h>
#include <unistd.h>

namespace npu::top
{

namespace
{

volatile std::sig_atomic_t asked_to_end;

void on_signal(int /*signal*/)
{
	asked_to_end = 1;
}

attr_t attributes(Style style)
{
	switch (style) {
	case Style::bold:
		return A_BOLD;
	case Style::heading:
		return A_REVERSE;
	case Style::plain:
		break;
	}
	return A_NORMAL;
}

/// Shows @p text in line @p y, over its whole width if @p style has a background.
void draw_line(int y, const std::string &text, Style style)
{
	const int width = COLS;
	const int length = std::min(static_cast<int>(text.size()), width);

	::attrset(static_cast<int>(attributes(style)));
	::mvaddnstr(y, 0, text.c_str(), length);
	if (style == Style::heading && length < width)
		::hline(' ', width - length);
	::attrset(A_NORMAL);
}

} // namespace

struct Screen::Terminal {
	SCREEN *screen = nullptr;
	/// The signal mask while waiting: signals are only delivered during waits.
	sigset_t waiting{};
};

Screen::Screen() : terminal_(std::make_unique<Terminal>()) {}

Result<std::unique_ptr<Screen>> Screen::create()
{
	const char *const type = std::getenv("TERM");
	std::unique_ptr<Screen> screen(new Screen);
	sigset_t blocked;

	if (!::isatty(STDIN_FILENO) || !::isatty(STDOUT_FILENO))
		return fail(ENOTTY,
			    "standard input and output are no terminal; use --once or --json");
	/* newterm() itself would not report the reason. */
	if (!type || !*type)
		return fail(ENOTTY,
			    "the variable TERM is not set; set it, or use --once or --json");
	::sigemptyset(&blocked);
	for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGWINCH})
		::sigaddset(&blocked, signal);
	screen->terminal_->screen = ::newterm(nullptr, stdout, stdin);
	if (!screen->terminal_->screen)
		return fail(ENOTTY, std::string("the terminal type '") + type +
					    "' is not known; set TERM, or use --once or --json");
	::sigprocmask(SIG_BLOCK, &blocked, &screen->terminal_->waiting);
	struct sigaction action{};
	action.sa_handler = on_signal;
	for (const int signal : {SIGINT, SIGTERM, SIGHUP})
		::sigaction(signal, &action, nullptr);
	::cbreak();
	::noecho();
	::nodelay(stdscr, true);
	::keypad(stdscr, true);
	::curs_set(0);
	return screen;
}

Screen::~Screen()
{
	if (!terminal_->screen)
		return;
	::endwin();
	::delscreen(terminal_->screen);
	::sigprocmask(SIG_SETMASK, &terminal_->waiting, nullptr);
}

// Not static: only valid while a screen exists.
// NOLINTNEXTLINE(readability-convert-member-functions-to-static)
std::size_t Screen::width() const
{
	return static_cast<std::size_t>(std::max(COLS, 1));
}

// NOLINTNEXTLINE(readability-convert-member-functions-to-static)
void Screen::draw(const std::vector<Line> &lines, const std::string &help) const
{
	const int last = LINES - 1;

	::erase();
	for (int y = 0; y < last && y < static_cast<int>(lines.size()); y++)
		draw_line(y, lines[static_cast<std::size_t>(y)].text,
			  lines[static_cast<std::size_t>(y)].style);
	draw_line(last, help, Style::plain);
	::refresh();
}

Screen::Event Screen::wait(Clock::time_point time)
{
	while (!asked_to_end) {
		const auto left = std::max(time - Clock::now(), Clock::duration());
		const auto seconds = std::chrono::floor<std::chrono::seconds>(left);
		const timespec timeout{.tv_sec = static_cast<time_t>(seconds.count()),
				       .tv_nsec = static_cast<long>((left - seconds).count())};
		pollfd input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
		const int ready = ::ppoll(&input, 1, &timeout, &terminal_->waiting);

		if (ready < 0 && errno != EINTR)
			return Event::end;
		key_ = ::getch();
		if (key_ == KEY_RESIZE)
			return Event::resize;
		if (key_ != ERR)
			return Event::key;
		/* The terminal hung up. */
		if (ready > 0 && (input.revents & (POLLHUP | POLLERR)))
			return Event::end;
		if (ready == 0)
			return Event::time;
	}
	return Event::end;
}

} // namespace npu::top
