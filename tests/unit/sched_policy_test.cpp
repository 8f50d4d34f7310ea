/* SPDX-License-Identifier: MIT */
/*
 * Properties of the driver's scheduler: the order of clients, and their long-term shares.
 */
#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "sched_machine.h"

namespace npu::test
{
namespace
{

constexpr npu_rank latency = NPU_RANK_LATENCY;
constexpr npu_rank throughput = NPU_RANK_THROUGHPUT;
constexpr npu_rank background = NPU_RANK_BACKGROUND;

/* A share of time, give or take some percent. */
void expect_share(std::uint64_t had, std::uint64_t wanted, std::uint64_t percent)
{
	EXPECT_LE(had * 100, wanted * (100 + percent));
	EXPECT_GE(had * 100, wanted * (100 - percent));
}

/* Clients in one file, or each in its own. */
class SchedBoth : public testing::TestWithParam<bool>
{
protected:
	SchedClient &client(SchedMachine &machine, std::uint32_t mask, const npu_hints &hints)
	{
		if (GetParam() || !file_)
			file_ = &machine.file();
		return machine.client(*file_, mask, hints);
	}

private:
	npu_sched_file *file_ = nullptr;
};

INSTANTIATE_TEST_SUITE_P(Files, SchedBoth, testing::Bool(),
			 [](const auto &test) { return test.param ? "several" : "one"; });

TEST_P(SchedBoth, ServesByClassThenDeadlineThenAge)
{
	struct Case {
		npu_rank rank;
		std::uint64_t until_ms;
		std::size_t turn;
	};
	static constexpr std::array<Case, 6> cases{{{background, 1, 5},
						    {throughput, 0, 3},
						    {throughput, 9, 2},
						    {throughput, 0, 4},
						    {latency, 0, 1},
						    {latency, 50, 0}}};
	SchedMachine machine(1);
	std::array<SchedClient *, cases.size()> order{};

	machine.queue(machine.client(1, hints(latency)));
	for (const Case &entry : cases) {
		SchedClient &added = client(machine, 1, hints(entry.rank));

		added.until_ns = entry.until_ms * ms;
		machine.queue(added);
		order[entry.turn] = &added;
	}
	for (const SchedClient *next : order) {
		machine.step();
		EXPECT_EQ(machine.serves(0), next);
	}
}

TEST(SchedPolicy, FilesGetWhatTheirWeightsSay)
{
	SchedMachine machine(1);
	std::vector<SchedClient *> clients;

	for (const std::uint32_t weight : {50u, 100u, 200u})
		clients.push_back(&machine.client(1, hints(throughput, weight)));
	machine.load(clients, 1050);
	expect_share(clients[0]->had_ms(), 150, 5);
	expect_share(clients[1]->had_ms(), 300, 5);
	expect_share(clients[2]->had_ms(), 600, 5);

	/* The weight of a file is that of its heaviest entity, whatever their number. */
	for (const std::uint32_t weight : {100u, 50u})
		clients.push_back(
			&machine.client(*clients[1]->entity.file, 1, hints(throughput, weight)));
	machine.load(clients, 1050);
	expect_share(clients[0]->had_ms(), 150, 5);
	expect_share(clients[2]->had_ms(), 600, 5);
	expect_share(clients[1]->had_ms(), 120, 5);
	expect_share(clients[3]->had_ms(), 120, 5);
	expect_share(clients[4]->had_ms(), 60, 5);
}

TEST(SchedPolicy, ManyEntitiesGetNoMoreThanOne)
{
	SchedMachine machine(2);
	npu_sched_file &many = machine.file();
	std::vector<SchedClient *> clients{&machine.client(3, hints(throughput)),
					   &machine.client(3, hints(throughput))};

	for (int i = 0; i < 30; i++)
		clients.push_back(&machine.client(many, 3, hints(throughput)));
	machine.load(clients, 600);
	expect_share(clients[0]->had_ms(), 400, 3);
	expect_share(clients[1]->had_ms(), 400, 3);
}

TEST(SchedPolicy, EqualsGetTheSameOnSeveralCores)
{
	SchedMachine machine(2);
	std::vector<SchedClient *> clients;

	for (int i = 0; i < 3; i++)
		clients.push_back(&machine.client(3, hints(throughput)));
	machine.load(clients, 600);
	for (SchedClient *client : clients)
		expect_share(client->had_ms(), 400, 2);
}

TEST_P(SchedBoth, IdlenessSavesNoTime)
{
	SchedMachine machine(1);
	const std::array<SchedClient *, 2> clients{&client(machine, 1, hints(throughput)),
						   &client(machine, 1, hints(throughput))};

	machine.load(clients, 10);
	machine.load(std::span(clients).first(1), 400);
	clients[0]->had_ms();
	clients[1]->had_ms();
	machine.load(clients, 100);
	expect_share(clients[0]->had_ms(), 50, 5);
	expect_share(clients[1]->had_ms(), 50, 5);
}

TEST_P(SchedBoth, TimeAloneOnACoreIsNotHeldAgainstAClientForLong)
{
	SchedMachine machine(2);
	std::array<SchedClient *, 3> clients{};

	clients[0] = &client(machine, 1, hints(throughput));
	clients[1] = &client(machine, 1, hints(throughput));
	clients[2] = &client(machine, 2, hints(throughput));
	machine.load(clients, 1200);
	expect_share(clients[2]->had_ms(), 1200, 1);
	clients[0]->had_ms();
	/* The client is 600 ms ahead, which is limited to one span. */
	clients[2] = &machine.client(*clients[2]->entity.file, 1, hints(throughput));
	machine.load(clients, 600);
	EXPECT_GE(clients[2]->had_ms(), 100u);
	EXPECT_GE(clients[0]->had_ms(), 190u);
}

TEST(SchedPolicy, ALongSliceIsPaidForInFull)
{
	SchedMachine machine(1);
	const std::array<SchedClient *, 2> clients{&machine.client(1, hints(throughput)),
						   &machine.client(1, hints(throughput))};

	machine.load(clients, 10);
	clients[0]->slice_ns = 700 * ms;
	while (machine.serves(0) != clients[0])
		machine.load(clients, 1);
	machine.load(clients, 1);
	clients[0]->slice_ns = ms;
	clients[0]->had_ms();
	clients[1]->had_ms();
	/* The other file waited for 700 ms and catches up by as much. */
	machine.load(clients, 690);
	EXPECT_EQ(clients[0]->had_ms(), 0u);
	EXPECT_EQ(clients[1]->had_ms(), 690u);
	machine.load(clients, 100);
	EXPECT_GE(clients[0]->had_ms(), 40u);
}

TEST(SchedPolicy, IdlenessDoesNotPayADebt)
{
	SchedMachine machine(1);
	const std::array<SchedClient *, 2> clients{&machine.client(1, hints(throughput)),
						   &machine.client(1, hints(throughput))};

	machine.load(clients, 10);
	clients[0]->slice_ns = 700 * ms;
	while (machine.serves(0) != clients[0])
		machine.load(clients, 1);
	machine.load(clients, 1);
	clients[0]->slice_ns = ms;
	machine.load(std::span(clients).last(1), 50);
	clients[0]->had_ms();
	/* The other file already caught up in part while the first one was idle. */
	machine.load(clients, 600);
	EXPECT_LE(clients[0]->had_ms(), 2u);
}

TEST(SchedPolicy, DeadlinesGetNoMoreInTheLongRun)
{
	SchedMachine machine(1);
	const std::array<SchedClient *, 2> clients{&machine.client(1, hints(throughput)),
						   &machine.client(1, hints(throughput))};

	clients[0]->until_ns = 1;
	machine.load(clients, 60);
	/* Deadlines take effect at first. */
	EXPECT_GE(clients[0]->had_ms(), 50u);
	machine.load(clients, 600);
	const std::uint64_t had = clients[0]->had_ms();
	EXPECT_LE(had, 400u);
	EXPECT_GE(had, 290u);
}

TEST(SchedPolicy, NoRankWaitsForLongerThanItsPatience)
{
	SchedMachine machine(1);
	const std::array<SchedClient *, 3> clients{&machine.client(1, hints(latency)),
						   &machine.client(1, hints(throughput)),
						   &machine.client(1, hints(background))};
	std::array<std::uint32_t, 3> waited{}, served{};

	machine.params.starve_ms = 20;
	for (int i = 0; i < 1000; i++) {
		machine.load(clients, 1);
		for (std::size_t j = 0; j < clients.size(); j++) {
			const bool now = machine.serves(0) == clients[j];

			waited[j] = now ? 0 : waited[j] + 1;
			served[j] += now;
			/* starve_ms, plus two slices. */
			EXPECT_LE(waited[j], 22u);
		}
	}
	/* Starved ranks get no more than that. */
	EXPECT_LE(served[1], 1000u / 20);
	EXPECT_LE(served[2], 1000u / 20);
	EXPECT_GE(served[0], 900u);
}

TEST(SchedPolicy, AnotherCoreDoesNotPutOffARankThatWaits)
{
	SchedMachine machine(2);
	const std::array<SchedClient *, 2> clients{&machine.client(1, hints(latency)),
						   &machine.client(2, hints(throughput))};
	SchedClient &waits = machine.client(*clients[1]->entity.file, 1, hints(throughput));

	machine.params.starve_ms = 20;
	machine.load(clients, 2);
	machine.queue(waits);
	machine.load(clients, 22);
	EXPECT_EQ(waits.had_ms(), 1u);
}

TEST(SchedPolicy, ACoreKeepsItsFileWhileLittleIsOwedToOthers)
{
	SchedMachine machine(1);
	const std::array<SchedClient *, 2> clients{&machine.client(1, hints(throughput)),
						   &machine.client(1, hints(throughput))};

	machine.sched.stay_ns = 9 * ms;
	machine.load(clients, 200);
	EXPECT_LE(machine.switches(), 200u / 9);
	EXPECT_GE(machine.switches(), 200u / 21);
	expect_share(clients[0]->had_ms(), 100, 10);

	/* A deadline of the other file forces a switch. */
	clients[1]->until_ns = 1;
	machine.load(clients, 20);
	clients[1]->had_ms();
	machine.load(clients, 20);
	EXPECT_GE(clients[1]->had_ms(), 17u);
}

TEST(SchedBudget, LimitedLatencyWorkGetsItsShareAndNoMore)
{
	SchedMachine machine(1);
	std::vector<SchedClient *> clients{&machine.client(1, hints(throughput))};

	machine.params.latency_percent = 40;
	/* The budget does not grow with the number of files. */
	for (int i = 0; i < 3; i++)
		clients.push_back(&machine.client(1, hints(latency, NPU_SCHED_WEIGHT, true)));
	machine.load(clients, 2000);
	EXPECT_EQ(machine.sched.wanting + machine.sched.wanted, 3u);
	std::uint64_t had = 0;
	for (const SchedClient *client : clients)
		had += client->latency_ns / ms;
	/* The budget starts with the grant of 100 ms; each file may overdraw by a slice. */
	EXPECT_LE(had, (2000u + 100) * 40 / 100 + 3);
	EXPECT_GE(had, 2000u * 40 / 100 - 3);
	/* All four clients share the rest. */
	expect_share(clients[0]->had_ms(), 2000u * 60 / 100 / 4, 10);
}

TEST(SchedBudget, PrivilegedLatencyWorkNeedsNone)
{
	SchedMachine machine(1);
	const std::array<SchedClient *, 2> clients{&machine.client(1, hints(throughput)),
						   &machine.client(1, hints(latency))};

	machine.params.latency_percent = 0;
	machine.load(clients, 400);
	EXPECT_GE(clients[1]->had_ms(), 395u);
	EXPECT_EQ(machine.sched.wanting + machine.sched.wanted, 0u);
}

TEST(SchedBudget, FilesThatDoNothingHaveNoPart)
{
	SchedMachine machine(1);
	const std::array<SchedClient *, 2> clients{&machine.client(1, hints(throughput)),
						   &machine.client(1, hints(latency, 100, true))};
	std::vector<SchedClient *> others;

	for (int i = 0; i < 9; i++)
		others.push_back(&machine.client(1, hints(latency, 100, true)));
	machine.load(clients, 1000);
	EXPECT_GE(clients[1]->latency_ns, 490 * ms);
	EXPECT_LE(clients[1]->latency_ns, 560 * ms);

	/*
	 * Files have a part of the budget while they have work, and for one or two windows after.
	 */
	for (SchedClient *other : others)
		machine.queue(*other);
	EXPECT_EQ(machine.sched.wanting + machine.sched.wanted, 10u);
	machine.load(clients, 210);
	EXPECT_EQ(machine.sched.wanting + machine.sched.wanted, 1u);
	clients[1]->latency_ns = 0;
	machine.load(clients, 1000);
	EXPECT_GE(clients[1]->latency_ns, 490 * ms);
}

TEST(SchedBudget, ADebtOfAllFilesIsNotForgotten)
{
	SchedMachine machine(4);

	/* All four slices fit into the budget of a window at their start. */
	for (std::uint32_t core = 0; core < 4; core++) {
		SchedClient &client = machine.client(1u << core, hints(latency, 100, true));

		client.slice_ns = 190 * ms;
		machine.queue(client);
	}
	machine.step();
	npu_entity *entity = &machine.client(1, hints(latency, 100, true)).entity;
	/* The debt is 560 ms, and 2 ms are granted per ms. */
	EXPECT_EQ(npu_entity_rank(entity, machine.now + 270 * ms), throughput);
	EXPECT_EQ(npu_entity_rank(entity, machine.now + 290 * ms), latency);
}

/* A job that hangs must not delay all files for as long. */
TEST(SchedBudget, OneSliceCostsOthersAWindowAtMost)
{
	SchedMachine machine(1);
	SchedClient &hangs = machine.client(1, hints(latency, 100, true));
	SchedClient &other = machine.client(1, hints(latency, 100, true));

	hangs.slice_ns = 10000 * ms;
	machine.queue(hangs);
	machine.step();
	EXPECT_EQ(npu_entity_rank(&other.entity, machine.now + 110 * ms), latency);
	EXPECT_EQ(npu_entity_rank(&hangs.entity, machine.now + 10000 * ms), throughput);
}

TEST(SchedChange, TakesEffectAtOnceAndCountsOnce)
{
	SchedMachine machine(1);
	SchedClient &one = machine.client(1, hints(throughput));
	SchedClient &two = machine.client(1, hints(throughput));
	const npu_fair *fair = machine.sched.fair;
	npu_hints other = hints(background, 300);

	machine.queue(one);
	machine.queue(one);
	machine.queue(two);
	EXPECT_EQ(fair[throughput].weight, 200u);
	/* The first client is running; it is active in its new class. */
	npu_entity_change(&one.entity, &other, machine.now);
	EXPECT_EQ(fair[throughput].weight, 100u);
	EXPECT_EQ(fair[background].weight, 300u);
	other = hints(latency);
	npu_entity_change(&two.entity, &other, machine.now);
	EXPECT_EQ(fair[throughput].weight, 0u);
	EXPECT_EQ(fair[latency].weight, 100u);
	machine.step();
	EXPECT_EQ(machine.serves(0), &two);
	machine.step();
	EXPECT_EQ(machine.serves(0), &one);
	machine.step();
	for (const npu_rank rank : {latency, throughput, background})
		EXPECT_EQ(fair[rank].weight, 0u);
	EXPECT_EQ(machine.sched.ready_count, 0u);
}

TEST(SchedChange, AnEarlierDeadlineCountsAtOnce)
{
	SchedMachine machine(1);
	std::array<SchedClient *, 4> clients{};

	for (SchedClient *&client : clients) {
		client = &machine.client(1, hints(throughput));
		client->until_ns = 50 * ms;
		machine.queue(*client);
	}
	npu_entity_hasten(&clients[3]->entity, machine.now + 20 * ms, machine.now);
	npu_entity_hasten(&clients[2]->entity, machine.now + 90 * ms, machine.now);
	/* The first client is running already. */
	npu_entity_hasten(&clients[0]->entity, 1, machine.now);
	EXPECT_EQ(machine.sched.ready_count, 3u);
	for (const std::size_t next : {3u, 1u, 2u}) {
		machine.step();
		EXPECT_EQ(machine.serves(0), clients[next]);
	}
}

TEST(SchedOrder, FirstComeFirstServedFollowsItsParameter)
{
	SchedMachine machine(1);
	const std::array<SchedClient *, 4> clients{
		&machine.client(1, hints(throughput)), &machine.client(1, hints(background)),
		&machine.client(1, hints(throughput, 10)), &machine.client(1, hints(latency))};

	machine.params.fcfs = true;
	for (SchedClient *client : clients) {
		machine.now++;
		machine.queue(*client);
	}
	EXPECT_EQ(machine.serves(0), clients[0]);
	for (const std::size_t next : {1u, 2u}) {
		machine.step();
		EXPECT_EQ(machine.serves(0), clients[next]);
	}
	machine.queue(*clients[1]);
	/* Queued entities are sorted again. */
	machine.params.fcfs = false;
	machine.step();
	EXPECT_EQ(machine.serves(0), clients[3]);
	machine.step();
	EXPECT_EQ(machine.serves(0), clients[1]);
}

} // namespace
} // namespace npu::test
