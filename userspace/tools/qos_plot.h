/* SPDX-License-Identifier: MIT */
/*
 * Plots of npu-bench qos, as scripts with their data that gnuplot draws.
 */
#pragma once

#include <ostream>
#include <span>
#include <string>
#include <vector>

#include "qos_report.h"
#include "qos_run.h"
#include "qos_trace.h"

namespace npu::bench::qos
{

/// Distributions of added latency, all latency work of a policy and a number of
/// clients together. @p time says in the title what kind of time it is.
void plot_latency(std::ostream &out, const std::vector<Row> &rows, const std::string &time);

/// Which client has which core, from @p from on for @p ns, and when clients with a
/// period submit. @p time is as in plot_latency().
void plot_timeline(std::ostream &out, const Clients &clients, std::span<const Slice> slices,
		   std::uint64_t from, std::uint64_t ns, const std::string &time);

} // namespace npu::bench::qos
