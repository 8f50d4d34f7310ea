/* SPDX-License-Identifier: MIT */
/// Command streams: a small valid one, and mutations of it.
#pragma once

#include <cstdint>
#include <vector>

#include "objects.h"
#include "random.h"

namespace fuzz
{

using Stream = std::vector<std::uint64_t>;

/// The product of a few rows with the buffers of @base.
Stream valid_stream(const Base &base);
/// A product that passes the verifier and hangs.
Stream hanging_stream(const Base &base);
/// A product that passes the verifier and accesses unmapped memory.
Stream faulting_stream(const Base &base);

/// Changes one thing.
void mutate(Stream &stream, Random &random, const File &file);

/// Appends link and start, as clients of rocket's ioctls must.
void finish_rocket(Stream &stream);

} // namespace fuzz
