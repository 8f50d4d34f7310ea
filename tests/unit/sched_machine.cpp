/* SPDX-License-Identifier: MIT */
#include "sched_machine.h"

#include <utility>

namespace npu::test
{

namespace
{

SchedClient *client_of(npu_entity *entity)
{
	return entity ? container_of(entity, SchedClient, entity) : nullptr;
}

} // namespace

npu_hints hints(npu_rank rank, std::uint32_t weight, bool limited)
{
	npu_hints result{};

	result.rank = rank;
	result.weight = weight;
	result.limited = limited;
	return result;
}

std::uint64_t SchedClient::had_ms()
{
	return std::exchange(had_ns, 0) / ms;
}

SchedMachine::SchedMachine(unsigned int cores)
{
	npu_sched_init(&sched, &params);
	for (unsigned int i = 0; i < cores; i++)
		npu_sched_init_core(&sched, &cores_.emplace_back().sched);
}

SchedMachine::~SchedMachine()
{
	for (SchedClient &client : clients_) {
		npu_entity_unready(&client.entity, now);
		npu_entity_idle(&client.entity);
		npu_entity_fini(&client.entity);
	}
}

npu_sched_file &SchedMachine::file()
{
	npu_sched_file &file = files_.emplace_back();

	npu_sched_init_file(&sched, &file);
	return file;
}

SchedClient &SchedMachine::client(npu_sched_file &file, std::uint32_t mask, const npu_hints &hints)
{
	SchedClient &client = clients_.emplace_back();

	npu_entity_init(&client.entity, &file, mask, &hints);
	return client;
}

SchedClient &SchedMachine::client(std::uint32_t mask, const npu_hints &hints)
{
	return client(file(), mask, hints);
}

void SchedMachine::ready(SchedClient &client)
{
	npu_entity_work work{};

	work.queued_ns = now;
	work.deadline_ns = client.until_ns ? now + client.until_ns : 0;
	npu_entity_ready(&client.entity, &work, now);
}

void SchedMachine::queue(SchedClient &client)
{
	client.queued++;
	if (!client.running)
		ready(client);
	run();
}

void SchedMachine::take(Core &core, SchedClient &client)
{
	npu_sched_taken(&core.sched, &client.entity, now);
	npu_entity_unready(&client.entity, now);
	if (core.sched.attached != client.entity.file)
		switches_++;
	core.sched.attached = client.entity.file;
	core.client = &client;
	client.queued--;
	client.running = true;
}

void SchedMachine::end(Core &core)
{
	SchedClient *client = std::exchange(core.client, nullptr);

	if (!client)
		return;
	client->running = false;
	client->had_ns += client->slice_ns;
	if (core.sched.rank == NPU_RANK_LATENCY)
		client->latency_ns += client->slice_ns;
	npu_sched_charge(&core.sched, &client->entity, client->slice_ns, now);
	if (client->queued)
		ready(*client);
	else
		npu_entity_idle(&client->entity);
}

void SchedMachine::run()
{
	npu_sched_follow(&sched, now);
	for (const bool stay : {true, false})
		for (Core &core : cores_) {
			SchedClient *client =
				core.client ? nullptr
					    : client_of(npu_sched_pick(&core.sched, stay, now));

			if (client)
				take(core, *client);
		}
}

void SchedMachine::step()
{
	now += ms;
	for (Core &core : cores_) {
		end(core);
		run();
	}
}

void SchedMachine::load(std::span<SchedClient *const> clients, std::uint32_t duration_ms)
{
	for (; duration_ms; duration_ms--) {
		for (SchedClient *client : clients)
			while (client->queued + client->running < 2)
				queue(*client);
		step();
	}
}

const SchedClient *SchedMachine::serves(unsigned int core) const
{
	return cores_[core].client;
}

} // namespace npu::test
