/* SPDX-License-Identifier: MIT */
#include "operation.h"

#include <cerrno>

#include "verifier.h"

namespace npu::test
{

namespace
{

/// Passes the tasks of @p lane through the kernel's verifier and returns the rewritten ones.
Lane verified(const Machine &machine, const Lane &lane)
{
	Verifier verifier([&](std::uint64_t address, bool) {
		return machine.has(static_cast<std::uint32_t>(address)) ? 0 : -EINVAL;
	});
	Lane accepted;

	for (const Task &task : lane) {
		const auto fault = verifier.verify(task.commands, task.enable);

		if (fault) {
			ADD_FAILURE() << "task " << accepted.size() << " of enable " << std::hex
				      << task.enable << " is refused for " << fault->reason
				      << " at register " << fault->reg;
			return {};
		}
		accepted.push_back({verifier.emit(), task.enable});
	}
	return accepted;
}

} // namespace

void run(Machine &machine, std::span<const Lane> lanes)
{
	for (std::uint32_t core = 0; core < lanes.size(); core++) {
		const Lane lane = verified(machine, lanes[core]);

		ASSERT_FALSE(lane.empty());
		const npu_model_status status = machine.run(core, lane);
		ASSERT_EQ(status, NPU_MODEL_DONE) << std::hex << machine.core(core).error_reg
						  << " = " << machine.core(core).error_value
						  << " fault at " << machine.core(core).fault_addr;
		EXPECT_NE(npu_model_irq(&machine.core(core)), 0U);
	}
}

} // namespace npu::test
