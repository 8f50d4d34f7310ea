/* SPDX-License-Identifier: MIT */
/// Injects failures of allocations by the calling thread.
#pragma once

#include <string>

namespace fuzz
{

/// Whether the kernel supports it; sets up failslab and fail_page_alloc on the first call.
bool fail_nth_works();
/// The reason why the kernel does not support it.
std::string fail_nth_missing();
/// Whether copies from and to user memory can fail as well.
bool fail_nth_usercopy();

/// Makes the @n-th allocation or copy by this thread fail. No signal may arrive before
/// fail_nth_end(), since its frame is copied, too.
void fail_nth_set(unsigned n);
/// Ends the injection. @return whether a failure was injected
bool fail_nth_end();

/// Excludes allocations by a kernel function from injection during its lifetime.
class Spared
{
public:
	explicit Spared(const std::string &function);
	~Spared();
	Spared(const Spared &) = delete;
	Spared &operator=(const Spared &) = delete;

	/// The reason why the kernel does not support it; empty if it does.
	const std::string &missing() const { return missing_; }

private:
	std::string missing_;
};

} // namespace fuzz
