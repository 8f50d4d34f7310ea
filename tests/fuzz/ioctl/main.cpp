/* SPDX-License-Identifier: MIT */
#include <cstdio>
#include <ctime>
#include <fstream>
#include <random>

#include <CLI/CLI.hpp>

#include "../../conformance/igt.h"
#include "supervisor.h"
#include "walk.h"

int main(int argc, char **argv)
{
	fuzz::Options options;
	CLI::App app(
		"Makes random calls on the first accel-npu device and checks what they answer.");

	options.seed = std::random_device()();
	app.add_option("--seed", options.seed, "of the random numbers [a new one, is printed]");
	app.add_option("--seconds", options.seconds, "how long")->capture_default_str();
	app.add_option("--threads", options.threads, "threads that call, 1 to 64")
		->check(CLI::Range(1, 64))
		->capture_default_str();
	app.add_option("--files", options.files, "open device files, 1 to 64")
		->check(CLI::Range(1, 64))
		->capture_default_str();
	app.add_option("--calls", options.calls,
		       "calls each thread makes, however long that takes, instead of --seconds");
	app.add_option("--fail-share", options.fail_share,
		       "of 100 calls, how many have each allocation fail in turn")
		->check(CLI::Range(0, 100))
		->capture_default_str();
	app.add_option("--log", options.log, "writes all calls to this file");
	app.add_flag("--fail-nth-walk", options.walk,
		     "makes each call once for each of its allocations, which fails");
	app.add_flag("--victim", options.victim)->group("");
	app.footer("Exit status: 0 nothing found, 77 skipped, 79 wrong usage, 98 something found.\n"
		   "\n"
		   "Example:\n"
		   "  npu-ioctl-fuzz --seed 7 --threads 1 --seconds 10 --log calls.txt");
	try {
		app.parse(argc, argv);
	} catch (const CLI::ParseError &e) {
		return app.exit(e) ? igt::exit_invalid : igt::exit_pass;
	}

	try {
		return options.walk ? fuzz::walk() : fuzz::supervise(options);
	} catch (const igt::Skip &) {
		return igt::exit_skip;
	} catch (const igt::Failure &) {
		return igt::exit_fail;
	} catch (const std::exception &e) {
		std::fprintf(stderr, "npu-ioctl-fuzz: %s\n", e.what());
		return igt::exit_fail;
	}
}
