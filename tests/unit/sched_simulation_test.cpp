/* SPDX-License-Identifier: MIT */
/*
 * Compares the driver's scheduler with a reference that examines everything at each step: after
 * each of thousands of random steps, both must make the same choice and have the same virtual times
 * and budgets.
 */
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

extern "C" {
#include <npu_accel.h>
#include <npu_reference.h>
}

#include "sched_machine.h"

namespace npu::test
{
namespace
{

struct Shape {
	std::string name;
	std::uint32_t files;
	std::uint32_t contexts;
	std::uint32_t cores;
	std::uint32_t steps;
	bool fcfs;
	std::uint64_t stay_ns;
};

class Simulation
{
public:
	Simulation(const Shape &run, std::uint32_t seed);
	~Simulation();

	void step();
	void compare() const;
	[[nodiscard]] std::uint64_t taken() const { return taken_; }

private:
	struct Core {
		npu_sched_core sched{};
		/* Number of the context on the core, or -1. */
		int context = -1;
	};
	struct Context {
		npu_entity entity{};
		/* Slices that can run in parallel. */
		std::uint32_t lanes = 0;
		std::uint32_t running = 0;
		npu_hints hints{};
		std::uint64_t queued_ns = 0;
		std::uint64_t deadline_ns = 0;
	};

	std::uint32_t random(std::uint64_t below);
	[[nodiscard]] int index_of(const npu_entity *entity) const;
	[[nodiscard]] int index_of(const npu_ref_context *context) const;
	void pass(std::uint64_t ns);
	void change(std::uint32_t index);
	void ready(std::uint32_t index);
	void unready(std::uint32_t index);
	void settle(std::uint32_t index);
	void queue(std::uint32_t index);
	void cancel(std::uint32_t index);
	void follow();
	void take(std::uint32_t core);
	void end(std::uint32_t core);

	npu_sched_params params_{1000, 50, 100, 20, false};
	npu_sched sched_{};
	std::unique_ptr<npu_ref> ref_{new npu_ref{}};
	std::vector<Core> cores_;
	std::vector<npu_sched_file> files_;
	std::vector<Context> contexts_;
	std::mt19937 engine_;
	std::uint64_t now_ = 1000000 * ms;
	std::uint64_t taken_ = 0;
};

Simulation::Simulation(const Shape &run, std::uint32_t seed)
	: cores_(run.cores), files_(run.files), contexts_(run.contexts), engine_(seed)
{
	/* Make virtual times overflow 64 bits after a while. */
	const std::int64_t time = -40 * static_cast<std::int64_t>(ms);

	params_.fcfs = run.fcfs;
	npu_sched_init(&sched_, &params_);
	sched_.stay_ns = run.stay_ns;
	ref_->policy = &params_;
	ref_->stay_ns = run.stay_ns;
	ref_->core_count = run.cores;
	ref_->now = now_;
	for (Core &core : cores_)
		npu_sched_init_core(&sched_, &core.sched);
	for (std::size_t rank = 0; rank < NPU_RANKS; rank++) {
		sched_.fair[rank].time = static_cast<std::uint64_t>(time);
		ref_->mean[rank] = time;
	}
	for (std::size_t i = 0; i < files_.size(); i++) {
		npu_sched_init_file(&sched_, &files_[i]);
		for (std::size_t rank = 0; rank < NPU_RANKS; rank++) {
			files_[i].groups[rank].time = static_cast<std::uint64_t>(time);
			files_[i].groups[rank].turn = static_cast<std::uint64_t>(time);
			ref_->files[i].shares[rank].time = time;
			ref_->files[i].shares[rank].lowest = time;
		}
	}
	for (std::size_t i = 0; i < contexts_.size(); i++) {
		const std::uint32_t mask = 1 + random((1u << run.cores) - 1);
		const npu_hints none = hints(NPU_RANK_THROUGHPUT);

		ref_->contexts[i].file = &ref_->files[i % files_.size()];
		ref_->contexts[i].born = ++ref_->born;
		ref_->contexts[i].mask = mask;
		npu_entity_init(&contexts_[i].entity, &files_[i % files_.size()], mask, &none);
		change(static_cast<std::uint32_t>(i));
	}
}

Simulation::~Simulation()
{
	for (Context &context : contexts_) {
		npu_entity_unready(&context.entity, now_);
		npu_entity_idle(&context.entity);
		npu_entity_fini(&context.entity);
	}
	/* Without work, all sums are zero and no core has a candidate. */
	for (const npu_fair &fair : sched_.fair) {
		EXPECT_EQ(fair.weight, 0u);
		EXPECT_EQ(fair.rest, 0);
	}
	EXPECT_EQ(sched_.ready_count, 0u);
	for (const Core &core : cores_)
		EXPECT_FALSE(npu_sched_any(&core.sched));
}

std::uint32_t Simulation::random(std::uint64_t below)
{
	return static_cast<std::uint32_t>(engine_() % below);
}

int Simulation::index_of(const npu_entity *entity) const
{
	if (!entity)
		return -1;
	return static_cast<int>(
		reinterpret_cast<const Context *>(reinterpret_cast<const char *>(entity) -
						  offsetof(Context, entity)) -
		contexts_.data());
}

int Simulation::index_of(const npu_ref_context *context) const
{
	return context ? static_cast<int>(context - ref_->contexts) : -1;
}

void Simulation::pass(std::uint64_t ns)
{
	now_ += ns;
	ref_->now = now_;
}

void Simulation::change(std::uint32_t index)
{
	static constexpr std::uint32_t classes[] = {DRM_NPU_CLASS_LATENCY, DRM_NPU_CLASS_THROUGHPUT,
						    DRM_NPU_CLASS_BACKGROUND};
	static constexpr std::uint32_t weights[] = {1, 50, 100, 300, 10000};
	const bool privileged = random(2);
	const std::uint32_t rank = random(NPU_RANKS);
	const std::uint32_t weight = weights[random(std::size(weights))];
	const npu_hints other =
		hints(static_cast<npu_rank>(rank),
		      privileged ? weight : std::min(weight, NPU_SCHED_WEIGHT), !privileged);

	npu_entity_change(&contexts_[index].entity, &other, now_);
	npu_ref_change(ref_.get(), &ref_->contexts[index], classes[rank], weight, privileged);
}

void Simulation::ready(std::uint32_t index)
{
	const Context &context = contexts_[index];
	auto *job = npu_ref_job(&ref_->contexts[index], 1);
	npu_entity_work work{};

	work.queued_ns = context.queued_ns;
	work.deadline_ns = context.deadline_ns;
	job->queued = context.queued_ns;
	job->deadline = context.deadline_ns;
	npu_entity_ready(&contexts_[index].entity, &work, now_);
	npu_ref_ready(ref_.get(), &ref_->contexts[index]);
}

void Simulation::unready(std::uint32_t index)
{
	npu_entity_unready(&contexts_[index].entity, now_);
	npu_ref_unready(ref_.get(), &ref_->contexts[index]);
}

/* A slice has ended: update the readiness of the context. */
void Simulation::settle(std::uint32_t index)
{
	Context &context = contexts_[index];

	if (context.lanes) {
		ready(index);
	} else if (!context.running) {
		npu_entity_idle(&context.entity);
		npu_ref_idle(ref_.get(), &ref_->contexts[index]);
	}
}

void Simulation::queue(std::uint32_t index)
{
	Context &context = contexts_[index];

	if (context.lanes || context.running)
		return;
	context.lanes = 1 + random(cores_.size());
	context.queued_ns = now_;
	context.deadline_ns = random(3) ? 0 : now_ + random(20) * ms;
	ready(index);
}

void Simulation::cancel(std::uint32_t index)
{
	contexts_[index].lanes = 0;
	unready(index);
	settle(index);
}

void Simulation::follow()
{
	params_.fcfs = !random(4);
	npu_sched_follow(&sched_, now_);
	if (ref_->fcfs == params_.fcfs)
		return;
	ref_->fcfs = params_.fcfs;
	for (std::size_t i = 0; i < contexts_.size(); i++) {
		npu_ref_context *context = &ref_->contexts[i];

		if (!context->ready)
			continue;
		npu_ref_unready(ref_.get(), context);
		npu_ref_ready(ref_.get(), context);
	}
}

void Simulation::take(std::uint32_t number)
{
	Core &core = cores_[number];
	npu_ref_core *ref = &ref_->cores[number];
	npu_ref_context *chosen = npu_ref_pick(ref_.get(), number);
	const bool same = chosen && chosen->file == ref->attached;

	ASSERT_EQ(npu_sched_any(&core.sched), npu_ref_waits(ref_.get(), number));
	ASSERT_EQ(index_of(npu_sched_pick(&core.sched, true, now_)), same ? index_of(chosen) : -1);
	/* Picking also repays debts. */
	chosen = npu_ref_pick(ref_.get(), number);
	core.context = index_of(npu_sched_pick(&core.sched, false, now_));
	ASSERT_EQ(core.context, index_of(chosen));
	if (core.context < 0)
		return;

	const auto index = static_cast<std::uint32_t>(core.context);
	npu_sched_taken(&core.sched, &contexts_[index].entity, now_);
	core.sched.attached = contexts_[index].entity.file;
	ref->ctx = chosen;
	npu_ref_taken(ref_.get(), ref);
	ref->attached = chosen->file;
	EXPECT_EQ(core.sched.rank, ref->rank);
	EXPECT_EQ(core.sched.limited, ref->limited);
	contexts_[index].running++;
	if (!--contexts_[index].lanes)
		unready(index);
	taken_++;
}

void Simulation::end(std::uint32_t number)
{
	Core &core = cores_[number];
	npu_ref_core *ref = &ref_->cores[number];

	if (core.context < 0)
		return;
	const auto index = static_cast<std::uint32_t>(core.context);
	const std::uint64_t ns = 1 + random(4 * ms);

	pass(ns);
	core.context = -1;
	contexts_[index].running--;
	npu_sched_charge(&core.sched, &contexts_[index].entity, ns, now_);
	npu_ref_charge(ref_.get(), ref, ref->ctx, ns);
	ref->ctx = nullptr;
	settle(index);
}

void Simulation::step()
{
	const std::uint32_t what = random(1000);
	const std::uint32_t index = random(contexts_.size());
	const std::uint32_t core = random(cores_.size());

	if (what < 500)
		queue(index);
	else if (what < 880)
		end(core);
	else if (what < 920)
		pass(random(6 * ms));
	else if (what < 940)
		cancel(index);
	else if (what < 990)
		change(index);
	else
		follow();
	for (std::uint32_t i = 0; i < cores_.size(); i++)
		if (cores_[i].context < 0)
			take(i);
}

void Simulation::compare() const
{
	for (std::size_t i = 0; i < contexts_.size(); i++) {
		const npu_entity &entity = contexts_[i].entity;
		const npu_ref_context &ref = ref_->contexts[i];

		ASSERT_EQ(entity.ready, ref.ready);
		ASSERT_EQ(entity.group != nullptr, ref.active);
		ASSERT_EQ(static_cast<std::int64_t>(entity.time), ref.time);
	}
	for (std::size_t i = 0; i < files_.size(); i++) {
		const npu_ref_file &ref = ref_->files[i];

		ASSERT_EQ(files_[i].budget.left, ref.budget.left);
		for (std::size_t rank = 0; rank < NPU_RANKS; rank++) {
			const npu_group &group = files_[i].groups[rank];

			ASSERT_EQ(static_cast<std::int64_t>(group.time), ref.shares[rank].time);
			ASSERT_EQ(static_cast<std::int64_t>(group.turn), ref.shares[rank].lowest);
			ASSERT_EQ(static_cast<std::int64_t>(group.debt), ref.shares[rank].debt);
			ASSERT_EQ(group.overdrawn, ref.shares[rank].overdrawn);
		}
	}
	ASSERT_EQ(sched_.budget.left, ref_->budget.left);
	for (std::size_t rank = 0; rank < NPU_RANKS; rank++)
		ASSERT_EQ(static_cast<std::int64_t>(sched_.fair[rank].time), ref_->mean[rank]);
}

class SchedSimulation : public testing::TestWithParam<Shape>
{
};

INSTANTIATE_TEST_SUITE_P(Sizes, SchedSimulation,
			 testing::Values(Shape{"few", 3, 8, 1, 8000, false, 0},
					 Shape{"cores", 3, 12, 3, 8000, false, 2 * ms},
					 Shape{"files", 64, 64, 3, 3000, false, ms / 2},
					 Shape{"first_come", 8, 40, 3, 5000, true, 0},
					 Shape{"thousand_contexts", 64, 1000, 3, 3000, false,
					       ms / 2}),
			 [](const auto &test) { return test.param.name; });

TEST_P(SchedSimulation, AgreesWithTheReference)
{
	const Shape &run = GetParam();
	Simulation simulation(run, 20260);

	for (std::uint32_t i = 0; i < run.steps; i++) {
		ASSERT_NO_FATAL_FAILURE(simulation.step()) << "step " << i;
		ASSERT_NO_FATAL_FAILURE(simulation.compare()) << "step " << i;
	}
	/* The simulation must have run slices. */
	EXPECT_GT(simulation.taken(), run.steps / 5);
}

} // namespace
} // namespace npu::test
