/* SPDX-License-Identifier: MIT */
/// Lanes that the virtual NPU makes hang or fault.
#pragma once

namespace fuzz
{

/// Whether there is a virtual NPU that can, and this process may ask it to.
bool inject_works();
/// The next lane of anyone hangs, or faults. Not more often than some in a second.
void inject_lane(bool hang);
/// No lane hangs or faults any more.
void inject_end();
unsigned inject_count();

} // namespace fuzz
