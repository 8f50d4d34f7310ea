/* SPDX-License-Identifier: MIT */
/// Injects hangs and faults of lanes on the virtual NPU.
#pragma once

namespace fuzz
{

/// Whether there is a virtual NPU that supports it, and this process may configure it.
bool inject_works();
/// Makes the next lane of any client hang or fault, at a limited rate.
void inject_lane(bool hang);
/// Ends the injection.
void inject_end();
unsigned inject_count();

} // namespace fuzz
