/* SPDX-License-Identifier: MIT */
/// Allocations of the calling thread that the kernel makes fail.
#pragma once

#include <string>

namespace fuzz
{

/// Whether the kernel can; sets up failslab and fail_page_alloc on the first call.
bool fail_nth_works();
/// Why it cannot.
std::string fail_nth_missing();
/// Whether copies from and to user memory fail as well.
bool fail_nth_usercopy();

/// The @n-th allocation, or copy, from here on fails, on this thread. No signal
/// may arrive before the end: its frame is a copy, too.
void fail_nth_set(unsigned n);
/// Ends it; answers whether one failed.
bool fail_nth_end();

/// Spares what a function of the kernel allocates, for as long as it lives.
class Spared
{
public:
	explicit Spared(const std::string &function);
	~Spared();
	Spared(const Spared &) = delete;
	Spared &operator=(const Spared &) = delete;

	/// Why the kernel cannot; empty if it can.
	const std::string &missing() const { return missing_; }

private:
	std::string missing_;
};

} // namespace fuzz
