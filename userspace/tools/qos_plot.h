/* SPDX-License-Identifier: MIT */
/*
 * Plots of npu-bench qos, as gnuplot scripts with inline data.
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

/// Plots distributions of added latency for each policy and number of clients. @p time is for the
/// title: the kind of time that was measured.
void plot_latency(std::ostream &out, const std::vector<Row> &rows, const std::string &time);

/// Plots which client occupies each core in the @p ns after @p from, and the submits of periodic
/// clients. @p time is as in plot_latency().
void plot_timeline(std::ostream &out, const Clients &clients, std::span<const Slice> slices,
		   std::uint64_t from, std::uint64_t ns, const std::string &time);

} // namespace npu::bench::qos
