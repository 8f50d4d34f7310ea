/* SPDX-License-Identifier: MIT */
/*
 * The benchmarks of npu-bench.
 */
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace npu::bench
{

struct MatmulOptions {
	std::string device;
	std::string dtype = "int8";
	/// Only models whose name contains this.
	std::string model;
	bool json = false;
};

/// Device time of the matrix products of real models. \return the exit code
int matmul(const MatmulOptions &options);

struct AccuracyOptions {
	std::string device;
	/// GGUF files, and a reference text for each.
	std::vector<std::string> models;
	std::vector<std::string> texts;
	/// Number of bytes of text to read.
	std::uint32_t bytes = 2048;
	/// Number of greedy tokens to compare.
	std::uint32_t tokens = 200;
	bool json = false;
};

/// Perplexity and logits of each precision against float. \return the exit code
int accuracy(const AccuracyOptions &options);

struct SramOptions {
	std::string device;
	/// Only models whose name contains this.
	std::string model;
	/// Background loads on system memory to test, in percent of its bandwidth.
	std::vector<std::uint32_t> loads{0, 50, 80};
	/// Also test with this many bytes of SRAM, even without a gain; skipped if empty.
	std::string bytes;
	/// File for the JSON, in addition to the printed table.
	std::string out;
	bool json = false;
};

/// Bytes and time of a token with and without on-chip memory. \return the exit code
int sram(const SramOptions &options);

struct SubmitOptions {
	std::string device;
	/// Only rows whose PATH/MODE/CLIENTS begins with this.
	std::string only;
	std::uint32_t rounds = 15;
	/// File for the JSON, in addition to the printed table.
	std::string out;
	/// Duration of a measurement.
	std::uint32_t milliseconds = 20;
	bool json = false;
	/// Instead measure how long interrupts are off when a job with many waiters ends.
	bool waiters = false;
	/// Numbers of waiting threads.
	std::vector<std::uint32_t> threads{1, 100, 10000};
	/// Instead measure the cost of creating jobs.
	bool create = false;
};

/// Measure the cost of submitting and waiting. \return the exit code
int submit(const SubmitOptions &options);

struct RocketOptions {
	std::string device;
	/// Only rows whose DRIVER/FILES/LANES/TASKS/BATCH begins with this.
	std::string only;
	std::uint32_t rounds = 3;
	/// File for the JSON; rows that it has already are kept.
	std::string out;
	/// Duration of a measurement.
	std::uint32_t milliseconds = 50;
	bool json = false;
};

/// Measure the cost of jobs on a register-level board with the loaded driver, ours or
/// mainline's. \return the exit code
int rocket(const RocketOptions &options);

struct QosOptions {
	std::string device;
	/// "model" or "host".
	std::string clock = "model";
	/// Duration of a run.
	std::uint32_t milliseconds = 10000;
	/// File for the JSON, in addition to the printed table.
	std::string out;
	/// Directory for the gnuplot scripts.
	std::string plot;
	bool json = false;
};

/// Latency beside throughput: added latency, shares and deadlines.
/// \return the exit code
int qos_benchmark(const QosOptions &options);

} // namespace npu::bench
