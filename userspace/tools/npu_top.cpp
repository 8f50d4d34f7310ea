/* SPDX-License-Identifier: MIT */
/*
 * npu-top: shows the activity of the NPU and of its clients.
 */
#include <chrono>
#include <iostream>
#include <map>
#include <string>
#include <thread>
#include <utility>

#include <unistd.h>

#include <npu/driver.h>

#include "tool.h"
#include "top/model.h"
#include "top/sample.h"
#include "top/screen.h"
#include "top/view.h"

namespace
{

using namespace npu::top;
using Clock = Screen::Clock;

constexpr const char *name = "npu-top";

struct Options {
	std::string device;
	Folders folders;
	double interval = 1;
	Order order = Order::load;
	bool once = false;
	bool json = false;

	Clock::duration step() const
	{
		return std::chrono::duration_cast<Clock::duration>(
			std::chrono::duration<double>(interval));
	}
};

void print(const Snapshot &snapshot, const Options &options)
{
	constexpr std::size_t any_width = 4096;

	if (options.json) {
		std::cout << to_json(snapshot) << '\n' << std::flush;
		return;
	}
	for (const Line &line : render(snapshot, options.order, any_width))
		std::cout << line.text << '\n';
}

/// Prints a snapshot after each interval, or one.
int print_all(const Sampler &sampler, const Options &options)
{
	auto before = sampler.take();

	while (before) {
		std::this_thread::sleep_for(options.step());
		auto after = sampler.take();
		if (!after)
			return npu::tool::report(name, after.error());
		Snapshot snapshot = compare(*before, *after);
		sort(snapshot, options.order);
		print(snapshot, options);
		if (options.once || !std::cout)
			return std::cout ? 0 : npu::tool::exit_failed;
		before = std::move(after);
	}
	return npu::tool::report(name, before.error());
}

std::string help(Order order)
{
	return std::string("q quit   s sort (by ") + order_names[static_cast<std::size_t>(order)] +
	       ")";
}

/// Shows @p snapshot until @p time or until the user quits.
/// \return whether the program goes on
bool show(Screen &screen, Snapshot &snapshot, Order &order, Clock::time_point time)
{
	for (;;) {
		sort(snapshot, order);
		screen.draw(render(snapshot, order, screen.width()), help(order));
		switch (screen.wait(time)) {
		case Screen::Event::time:
			return true;
		case Screen::Event::end:
			return false;
		case Screen::Event::resize:
			break;
		case Screen::Event::key:
			if (screen.key() == 'q')
				return false;
			if (screen.key() == 's')
				order = next_order(order);
			break;
		}
	}
}

/// Shows the device on the terminal until the user quits or the device goes away.
npu::Result<void> watch(const Sampler &sampler, const Options &options)
{
	auto before = sampler.take();
	if (!before)
		return npu::forward(before);
	auto screen = Screen::create();
	if (!screen)
		return npu::forward(screen);
	Order order = options.order;
	Snapshot snapshot = compare(*before, *before);

	for (Clock::time_point next = Clock::now() + options.step();
	     show(**screen, snapshot, order, next); next = Clock::now() + options.step()) {
		auto after = sampler.take();
		if (!after)
			return npu::forward(after);
		snapshot = compare(*before, *after);
		before = std::move(after);
	}
	return {};
}

int run(const Options &options)
{
	auto driver = npu::open_driver(options.device);
	if (!driver)
		return npu::tool::report(name, driver.error());
	const Sampler sampler(std::move(*driver), opened_device(), options.folders, ::getpid());

	if (options.once || options.json)
		return print_all(sampler, options);
	auto watched = watch(sampler, options);
	return watched ? 0 : npu::tool::report(name, watched.error());
}

} // namespace

int main(int argc, char **argv)
{
	CLI::App app("Shows what an NPU does, and for which processes.", name);
	Options options;
	std::map<std::string, Order> orders;

	for (std::size_t i = 0; i < order_names.size(); i++)
		orders.emplace(order_names[i], static_cast<Order>(i));
	app.add_option("--device", options.device, "device file [the first NPU found]");
	app.add_flag("--once", options.once, "print what one interval brings, and end");
	app.add_flag("--json", options.json, "print JSON, one line an interval");
	app.add_option("--interval", options.interval, "seconds from one look to the next [1]")
		->check(CLI::Range(0.01, 3600.0))
		->option_text("SECONDS");
	app.add_option(
		   "--sort", options.order,
		   "what the processes are sorted by: load, memory, queue, missed or pid [load]")
		->transform(CLI::CheckedTransformer(orders).description(""))
		->option_text("ORDER");
	app.add_option("--proc", options.folders.proc, "where to look for processes [/proc]");
	app.add_option("--sys", options.folders.sys, "where to look for clock and heat [/sys]");
	app.footer("Keys: q ends, s sorts by something else.\n"
		   "Percentages are of the time of all cores: all work of the process (NPU%), and\n"
		   "by class (LAT%, THR%, BG%). Processes of other users are shown to root only;\n"
		   "for others their files are counted.\n"
		   "Example: npu-top --once --json\n\n"
		   "Exit status: 0 done, 1 it failed, 2 wrong usage, 3 no device or no access.");

	return npu::tool::run(app, argc, argv, [&] { return run(options); });
}
