/* SPDX-License-Identifier: MIT */
/// Lanes whose ends are held back, by the driver's files in debugfs. Until a test lets it
/// end, a lane keeps its core, on any machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "device.h"
#include "patience.h"

/// All cores.
inline constexpr std::uint32_t all_cores = ~0u;

/// Closes the gate of some cores for as long as it lives. There is one at a time.
class Hold
{
public:
	/// Skips the subtest where the files cannot be had.
	explicit Hold(std::uint32_t cores = all_cores);

	/// Lets all lanes end, or none.
	void open() const { set(0, 0); }
	void close() const { set(cores_, 0); }
	/// Lets so many lanes of each core end, and returns when they have on some core.
	void pass(unsigned lanes) const;
	/// Returns when a lane has ended but for the hold.
	void wait_held() const;
	/// Lets lanes end, a few of each core at a time, until @condition holds. Answers how
	/// many of a core that were, at most.
	template <typename Condition>
	unsigned until(const Condition &condition) const
	{
		unsigned passed = 0;

		check_came(patience::comes([&] {
			if (condition())
				return true;
			if (has_passed()) {
				set(cores_, at_a_time);
				passed += at_a_time;
			}
			return false;
		}));
		close();
		return passed;
	}

	/// Writes @text to the gate as it is. Answers 0 or a negative errno.
	int write_raw(const char *text, std::size_t size) const;
	/// Whether the gate of each core is closed, by what the driver says.
	bool is_closed() const;

	/// Makes the watchdog find that what runs on a core has taken too long.
	static void expire(std::uint32_t cores = all_cores);

private:
	static constexpr unsigned at_a_time = 2;

	/// What the driver says of a core.
	struct Core {
		unsigned index;
		bool closed;
		unsigned left;
		bool held;
	};
	std::vector<Core> look() const;

	void set(std::uint32_t cores, unsigned pass) const;
	/// Whether some core has let as many lanes end as it was to, or waits to be told.
	bool has_passed() const;
	static void check_came(bool came);

	std::uint32_t cores_;
	Fd fd_;
};
