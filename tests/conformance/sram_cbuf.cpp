/* SPDX-License-Identifier: MIT */
/// What a job leaves in a core's convolution buffer is for no other job: one file
/// tries whatever reuses on-chip data to see what another had there.
#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <random>
#include <vector>

#include "igt.h"
#include "sram.h"

namespace
{

constexpr std::uint32_t data_reuse = 1 << 12;
constexpr std::uint32_t weight_reuse = 1 << 13;
/// What fills more of the buffer than any job of the spy, and the largest of those.
constexpr Shape large{64, 256, 64};
constexpr Shape most{16, 96, 64};

/// Registers that say what is loaded, how much and from where.
constexpr std::array<std::uint32_t, 12> loaders{0x100c, 0x1020, 0x1024,        0x1028,
						0x1030, 0x1034, 0x1038,        0x1044,
						0x107c, 0x1080, cna_cbuf_con0, cna_feature_addr};

std::uint64_t *find(Task &task, std::uint32_t reg)
{
	auto found = std::ranges::find_if(
		task.commands, [&](std::uint64_t word) { return (word & 0xffff) == reg; });

	return found == task.commands.end() ? nullptr : &*found;
}

void change(Task &task, std::uint32_t reg, std::uint32_t bits, std::uint32_t add = 0)
{
	if (std::uint64_t *word = find(task, reg)) {
		const auto value = static_cast<std::uint32_t>(*word >> 16);

		set(task, reg, (value | bits) + add);
	}
}

/// Fills the buffer of core 0, and then looks what another file sees of it.
class Spy
{
public:
	/// Whether the job of @lanes was accepted. Whatever it computes must not
	/// depend on what the other file had on the chip.
	bool try_job(const std::vector<Lane> &lanes)
	{
		drm_npu_job_create args{};
		const int ret = create_job(device, lanes, args);

		if (ret) {
			CHECK_EQ(ret, -EINVAL);
			return false;
		}
		const std::vector<std::uint8_t> first = look(args.job_id, 0x11);
		const std::vector<std::uint8_t> second = look(args.job_id, 0x77);
		CHECK(first == second);
		CHECK_OK(device.destroy_job(args.job_id));
		return true;
	}

	/// A product of the spy's own.
	Task task(const Shape &shape = most) const
	{
		return matmul(shape, product.features.address(), product.weights.address(),
			      product.out.address());
	}

	Device victim, device;
	Product secret{victim, large}, product{device, most, 3};

private:
	std::vector<std::uint8_t> look(std::uint32_t job, std::uint8_t value)
	{
		for (const Buffer *buffer : {&secret.features, &secret.weights})
			std::fill_n(buffer->as<std::uint8_t>(), buffer->size(), value);
		run(victim, victim_context_, secret_job_);
		std::fill_n(product.out.as<std::uint8_t>(), product.out.size(), 0xee);
		/* Jobs that hang or fault would have it banned. */
		const std::uint32_t context = device.context(1);
		run(device, context, job);
		CHECK_OK(device.destroy_context(context));
		return {product.out.as<std::uint8_t>(),
			product.out.as<std::uint8_t>() + product.out.size()};
	}

	std::uint32_t victim_context_ = victim.context(1);
	std::uint32_t secret_job_ = create_job(victim, {{secret.task()}});
};

} // namespace

/* Neither the first task of a job nor that of a lane may find anything there. */
SUBTEST(sram_cbuf_first)
{
	Spy spy;

	CHECK(spy.try_job({{spy.task()}}));
	for (std::uint32_t reuse : {data_reuse, weight_reuse, data_reuse | weight_reuse}) {
		igt::Note note("reuse " + std::to_string(reuse >> 12));
		Task task = spy.task();

		change(task, cna_cbuf_con0, reuse);
		CHECK(!spy.try_job({{task}}));
		CHECK(!spy.try_job({{task, spy.task()}}));
		if (spy.device.info().core_count > 1) {
			CHECK(!spy.try_job({{spy.task()}, {task}}));
			CHECK(!spy.try_job({{task}, {spy.task()}}));
		}
	}
}

/* Nor what comes after a task that left less there than is then used. */
SUBTEST(sram_cbuf_beyond)
{
	std::optional<Spy> spy;
	std::mt19937 random(20);
	unsigned accepted = 0;

	auto below = [&](std::size_t n) {
		return static_cast<std::uint32_t>(random() % n);
	};
	auto any_shape = [&] {
		return Shape{4U << below(3), 32 + 32 * below(3), 32 + 32 * below(2)};
	};
	for (unsigned round = 0; round < 300; round++) {
		igt::Note note("round " + std::to_string(round));
		/* Some jobs fault, and a file may have only so many of them. */
		if (round % 30 == 0)
			spy.emplace();
		const Shape shape = any_shape();
		Task first = spy->task(shape), second = spy->task(below(2) ? shape : any_shape());

		change(second, cna_cbuf_con0, below(2) ? data_reuse : weight_reuse);
		for (unsigned i = below(3); i > 0; i--) {
			const std::uint32_t reg = loaders[below(loaders.size())];
			const std::uint32_t add = (below(2) ? 1u : -1u) << below(20);

			/* Mostly both, so that they agree about what is there. */
			if (below(4))
				change(first, reg, 0, add);
			change(second, reg, 0, add);
		}
		accepted += spy->try_job({{first, second}});
	}
	/* Some of it is no more than what is allowed. */
	CHECK(accepted > 10);
}
