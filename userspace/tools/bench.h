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
	/// GGUF files, and a text for each.
	std::vector<std::string> models;
	std::vector<std::string> texts;
	/// Bytes of text to take.
	std::uint32_t bytes = 2048;
	/// Tokens to compare greedily.
	std::uint32_t tokens = 200;
	bool json = false;
};

/// Perplexity and logits of each precision against float. \return the exit code
int accuracy(const AccuracyOptions &options);

struct SramOptions {
	std::string device;
	/// Only models whose name contains this.
	std::string model;
	/// Shares of the bandwidth of system memory that others take, in percent.
	std::vector<std::uint32_t> loads{0, 50, 80};
	/// Also with so many bytes, whatever the benefit; none if empty.
	std::string bytes;
	/// File for the JSON, beside what is printed.
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
	/// File for the JSON, beside what is printed.
	std::string out;
	/// Time that a measurement is to take.
	std::uint32_t milliseconds = 20;
	bool json = false;
	/// Measure how long interrupts are off while many threads wait instead.
	bool waiters = false;
	/// Numbers of these threads.
	std::vector<std::uint32_t> threads{1, 100, 10000};
	/// Measure the cost of creating jobs instead.
	bool create = false;
};

/// Measure the cost of submitting and waiting. \return the exit code
int submit(const SubmitOptions &options);

struct RocketOptions {
	std::string device;
	/// Only rows whose DRIVER/FILES/LANES/TASKS/BATCH begins with this.
	std::string only;
	std::uint32_t rounds = 3;
	/// File for the JSON, whose rows are added to.
	std::string out;
	/// Time that a measurement is to take.
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
	/// Time of a run.
	std::uint32_t milliseconds = 10000;
	/// File for the JSON, beside what is printed.
	std::string out;
	/// Directory for what gnuplot draws.
	std::string plot;
	bool json = false;
};

/// Latency beside throughput: added latency, shares and deadlines.
/// \return the exit code
int qos_benchmark(const QosOptions &options);

} // namespace npu::bench
