/* SPDX-License-Identifier: MIT */
/// Command streams: a small one of the generator, and what is made of it.
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
/// The same that passes the verifier and hangs.
Stream hanging_stream(const Base &base);
/// The same that reaches memory that is not mapped.
Stream faulting_stream(const Base &base);

/// Changes one thing.
void mutate(Stream &stream, Random &random, const File &file);

/// Appends link and start, as a client of the rocket calls has to.
void finish_rocket(Stream &stream);

} // namespace fuzz
