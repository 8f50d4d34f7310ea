/* SPDX-License-Identifier: MIT */
#include "qos_plot.h"

#include <algorithm>
#include <array>
#include <iomanip>
#include <map>
#include <string>
#include <utility>

#include "qos_statistics.h"

namespace npu::bench::qos
{

namespace
{

/// Points of a distribution.
constexpr int points = 200;
/// Lower limit of the logarithmic scale; smaller values are clamped.
constexpr double least_us = 10;

/// Colours that also the colour-blind can tell apart.
constexpr std::array<const char *, 6> colours{"#0072b2", "#d55e00", "#009e73",
					      "#e69f00", "#56b4e9", "#cc79a7"};

void begin(std::ostream &out, const char *file, int width, int height)
{
	out << "# SPDX-License-Identifier: MIT\n"
	    << "set terminal svg size " << width << ',' << height
	    << " noenhanced font 'sans,13' background 'white'\n"
	    << "set output '" << file << "'\n"
	    << std::fixed << std::setprecision(3);
}

double to_ms(std::uint64_t time, std::uint64_t from)
{
	return (static_cast<double>(time) - static_cast<double>(from)) / 1e6;
}

} // namespace

void plot_latency(std::ostream &out, const std::vector<Row> &rows, const std::string &time)
{
	/* Sorted by policy, which determines the colour. */
	std::map<std::pair<std::string, std::uint32_t>, std::vector<double>> lines;

	for (const Row &row : rows) {
		auto &values = lines[{row.policy, row.clients}];
		values.insert(values.end(), row.added_us.begin(), row.added_us.end());
	}
	begin(out, "qos-latency.svg", 820, 400);
	std::string plot = "plot";
	int number = 0;
	for (auto &[key, values] : lines) {
		const auto &[policy, clients] = key;
		const std::string data = "$line" + std::to_string(number);
		const int dash = 1 + number % static_cast<int>(lines.size() / 2);

		std::ranges::sort(values);
		out << data << " << EOD\n";
		for (int i = 1; i <= points; i++) {
			const double percent = 100.0 * i / points;
			out << std::max(percentile(values, percent), least_us) << ' '
			    << percent / 100 << '\n';
		}
		out << "EOD\n";
		plot += (number++ ? ", " : " ") + data + " with lines linewidth 2 dashtype " +
			std::to_string(dash) + " linecolor '" +
			(policy == "fcfs" ? colours[1] : colours[0]) + "' title '" +
			(policy == "fcfs" ? "fcfs, " : "hints, ") + std::to_string(clients) +
			" prefill'";
	}
	out << "set title 'Latency that prefill adds to vision (2 ms) and audio (0.3 ms) jobs, "
	    << time
	    << "'\n"
	       "set logscale x\nset format x '%.0f'\n"
	       "set xrange ["
	    << least_us
	    << ":2e6]\nset yrange [0:1]\n"
	       "set xlabel 'added latency in us'\nset ylabel 'jobs with no more'\n"
	       "set grid\nset key outside right center vertical reverse Left\n"
	    << plot << '\n';
}

void plot_timeline(std::ostream &out, const Clients &clients, std::span<const Slice> slices,
		   std::uint64_t from, std::uint64_t ns, const std::string &time)
{
	const std::uint64_t to = from + ns;
	std::string plot = "plot";
	std::string ticks;
	std::uint32_t cores = 0;

	begin(out, "qos-timeline.svg", 820, 320);
	for (const Slice &slice : slices)
		cores = std::max(cores, slice.core + 1);
	for (std::size_t i = 0; i < clients.size(); i++) {
		const Behaviour &behaviour = clients[i]->behaviour();
		const std::string number = std::to_string(i);
		const std::string style =
			std::string(" linecolor '") + colours[i % colours.size()] + "'";
		const double row = -1 - static_cast<double>(i) / 2;

		out << "$slices" << number << " << EOD\n";
		for (const Slice &slice : slices) {
			if (slice.client != clients[i]->id() || slice.ended_ns < from ||
			    slice.started_ns > to)
				continue;
			const double begins = to_ms(std::max(slice.started_ns, from), from);
			const double ends = to_ms(std::min(slice.ended_ns, to), from);
			const double core = slice.core;
			out << begins << ' ' << core << ' ' << begins << ' ' << ends << ' '
			    << core - 0.4 << ' ' << core + 0.4 << '\n';
		}
		out << "EOD\n";
		plot.append(i ? ", $slices" : " $slices")
			.append(number)
			.append(" with boxxyerror fillstyle solid border linecolor 'white'")
			.append(style)
			.append(" title '")
			.append(behaviour.name)
			.append("'");
		if (!behaviour.period_ns)
			continue;
		out << "$submits" << number << " << EOD\n";
		for (const Sample &sample : clients[i]->samples())
			if (sample.queued_ns >= from && sample.queued_ns <= to)
				out << to_ms(sample.queued_ns, from) << ' ' << row << '\n';
		out << "EOD\n";
		ticks += ", '" + behaviour.name + " submits' " + std::to_string(row);
		plot.append(", $submits")
			.append(number)
			.append(" with points pointtype 11")
			.append(style)
			.append(" notitle");
	}
	out << "set title 'Who has which core: latency work beside prefill, " << time
	    << "'\n"
	       "set xlabel 'ms'\nset xrange [0:"
	    << static_cast<double>(ns) / 1e6 << "]\nset yrange [" << cores << " - 0.5:-2]\n"
	    << "set ytics (";
	for (std::uint32_t core = 0; core < cores; core++)
		out << (core ? ", " : "") << "'core " << core << "' " << core;
	out << ticks << ") scale 0\nset key outside right center vertical reverse Left\n"
	    << plot << '\n';
}

} // namespace npu::bench::qos
