/* SPDX-License-Identifier: MIT */
/*
 * Cost of the driver's scheduler on the host.
 *
 * The same sequence of operations runs several times. The shortest time of each operation counts,
 * to exclude noise from the host.
 */
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

extern "C" {
#include <core/sched/npu_sched.h>
}

namespace
{

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t ms = 1000000;
constexpr unsigned int cores = 3;
constexpr std::size_t slices = 4000;

/* The shortest time of each operation of one kind. */
class Times
{
public:
	Times() : least_(slices, std::numeric_limits<double>::max()) {}

	void note(std::size_t index, double ns) { least_[index] = std::min(least_[index], ns); }
	[[nodiscard]] double most() const { return std::ranges::max(least_); }
	[[nodiscard]] double mean() const
	{
		double sum = 0;

		for (const double ns : least_)
			sum += ns;
		return sum / static_cast<double>(least_.size());
	}

private:
	std::vector<double> least_;
};

/* The overhead of reading the clock. */
double clock_ns()
{
	double least = std::numeric_limits<double>::max();

	for (int i = 0; i < 10000; i++) {
		const auto begin = Clock::now();
		const std::chrono::duration<double, std::nano> passed = Clock::now() - begin;

		least = std::min(least, passed.count());
	}
	return least;
}

/* All contexts always have work; cores take slices in turn. */
class Load
{
public:
	Load(std::uint32_t contexts, std::uint32_t files);

	void run(double overhead, Times &picks, Times &charges, Times &others);

private:
	void ready(npu_entity &entity);

	npu_sched_params params_{1000, 50, 100, 500, false};
	npu_sched sched_{};
	std::array<npu_sched_core, cores> cores_{};
	std::vector<npu_sched_file> files_;
	std::vector<npu_entity> entities_;
	std::mt19937 engine_{1};
	std::uint64_t now_ = 1000000 * ms;
};

Load::Load(std::uint32_t contexts, std::uint32_t files) : files_(files), entities_(contexts)
{
	npu_sched_init(&sched_, &params_);
	for (npu_sched_core &core : cores_)
		npu_sched_init_core(&sched_, &core);
	for (npu_sched_file &file : files_)
		npu_sched_init_file(&sched_, &file);
	for (std::size_t i = 0; i < entities_.size(); i++) {
		npu_hints hints{};

		hints.rank = NPU_RANK_THROUGHPUT;
		hints.weight = NPU_SCHED_WEIGHT;
		npu_entity_init(&entities_[i], &files_[i % files], (1u << cores) - 1, &hints);
		ready(entities_[i]);
	}
}

void Load::ready(npu_entity &entity)
{
	npu_entity_work work{};

	work.queued_ns = now_;
	/* Some have a deadline. */
	work.deadline_ns = engine_() % 4 ? 0 : now_ + engine_() % (20 * ms);
	npu_entity_ready(&entity, &work, now_);
}

void Load::run(double overhead, Times &picks, Times &charges, Times &others)
{
	const auto timed = [&](Times &times, std::size_t index, auto &&call) {
		const auto begin = Clock::now();

		call();
		const std::chrono::duration<double, std::nano> passed = Clock::now() - begin;
		times.note(index, std::max(0.0, passed.count() - overhead));
	};

	for (std::size_t i = 0; i < slices; i++) {
		npu_sched_core &core = cores_[i % cores];
		npu_entity *entity = nullptr;

		timed(picks, i, [&] { entity = npu_sched_pick(&core, false, now_); });
		timed(others, i, [&] {
			npu_sched_taken(&core, entity, now_);
			npu_entity_unready(entity, now_);
		});
		core.attached = entity->file;
		now_ += ms / 2 + engine_() % ms;
		timed(charges, i, [&] { npu_sched_charge(&core, entity, ms, now_); });
		timed(others, i, [&] { ready(*entity); });
	}
}

nlohmann::ordered_json measure(std::uint32_t contexts, std::uint32_t files, int rounds)
{
	const double overhead = clock_ns();
	Times picks, charges, others;

	for (int i = 0; i < rounds; i++)
		Load(contexts, files).run(overhead, picks, charges, others);
	return {{"contexts", contexts},
		{"files", files},
		{"pick_ns", picks.mean()},
		{"charge_ns", charges.mean()},
		{"max_ns", std::max({picks.most(), charges.most(), others.most()})}};
}

} // namespace

int main(int argc, char **argv)
{
	CLI::App app{"What the driver's scheduler costs, on this host, in nanoseconds.\n"
		     "Example: sched-bench --out sched.json"};
	std::string out;
	int rounds = 15;

	app.add_option("--out", out, "file for the figures as JSON");
	app.add_option("--rounds", rounds, "how often each sequence runs")
		->check(CLI::Range(1, 1000));
	CLI11_PARSE(app, argc, argv);

	nlohmann::ordered_json rows;
	std::printf("%10s %8s %10s %10s %10s\n", "contexts", "files", "pick ns", "charge ns",
		    "max ns");
	for (const auto &[contexts, files] :
	     {std::pair{10u, 10u}, std::pair{100u, 64u}, std::pair{1000u, 64u}}) {
		const auto row = measure(contexts, files, rounds);

		std::printf("%10u %8u %10.1f %10.1f %10.1f\n", contexts, files,
			    row["pick_ns"].get<double>(), row["charge_ns"].get<double>(),
			    row["max_ns"].get<double>());
		rows.push_back(row);
	}
	std::printf("a pick at 1000 contexts costs %.2f of one at 10\n",
		    rows.back()["pick_ns"].get<double>() / rows.front()["pick_ns"].get<double>());
	if (out.empty())
		return 0;
	std::ofstream file(out);
	file << nlohmann::ordered_json{{"rows", rows}}.dump(2) << '\n';
	if (!file.flush()) {
		std::cerr << "sched-bench: cannot write " << out << '\n';
		return 1;
	}
	return 0;
}
