/* SPDX-License-Identifier: MIT */
#include "patience.h"

#include <sys/wait.h>

namespace patience
{

namespace
{

/// How much slower than a machine of today this one is at making processes, at least 1.
/// Measured once, for a loaded machine may get slower by chance only.
double slowness()
{
	static const double factor = [] {
		constexpr int processes = 20;
		constexpr std::chrono::duration<double> expected(processes * 0.001);
		const auto start = std::chrono::steady_clock::now();

		for (int i = 0; i < processes; i++) {
			const pid_t pid = fork();

			if (!pid)
				_exit(0);
			if (pid > 0)
				waitpid(pid, nullptr, 0);
		}
		const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
		return std::clamp(took / expected, 1.0, 30.0);
	}();

	return factor;
}

} // namespace

std::chrono::milliseconds one()
{
	return std::chrono::milliseconds(static_cast<long long>(120'000 * slowness()));
}

unsigned ms()
{
	return static_cast<unsigned>(one().count());
}

std::chrono::seconds all()
{
	return std::chrono::seconds(static_cast<long long>(300 * slowness()));
}

} // namespace patience
