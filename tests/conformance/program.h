/* SPDX-License-Identifier: MIT */
/// Programs of the RKNN dialect, jobs of them, and their fences.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "device.h"
#include "hold.h"
#include "sync.h"

/// Blocks that a matrix multiplication starts: CNA, CORE and DPU.
inline constexpr std::uint32_t enable_conv = 0x0d;

constexpr std::uint64_t command(std::uint32_t target, std::uint32_t reg, std::uint32_t value)
{
	return std::uint64_t{target} << 48 | std::uint64_t{value} << 16 | reg;
}

/// The target that the registers of a block answer to.
constexpr std::uint32_t target_of(std::uint32_t reg)
{
	return (0x100u << (reg >> 12)) + 1;
}

/// Registers that subtests tamper with.
enum Register : std::uint32_t {
	cna_cbuf_con0 = 0x1040,
	cna_cvt_con0 = 0x104c,
	cna_weight_size0 = 0x1030,
	cna_feature_addr = 0x1070,
	cna_dma_con1 = 0x107c,
	cna_weight_addr = 0x1110,
	dpu_dst_addr = 0x4020,
};

struct Task {
	std::vector<std::uint64_t> commands;
	std::uint32_t enable = enable_conv;
	/// The cost that the client declares.
	std::uint32_t cost_ns = 0;
};
using Lane = std::vector<Task>;

/// Replaces the value that @task writes to @reg.
void set(Task &task, std::uint32_t reg, std::uint32_t value);
/// Where @task writes @reg.
std::uint32_t index_of(const Task &task, std::uint32_t reg);

/// Index of the region on the chip.
inline constexpr std::uint32_t on_chip = 1;

/// JOB_CREATE; answers 0 or a negative errno. Of @args flags, region and outputs count.
int create_job(const Device &device, const std::vector<Lane> &lanes, drm_npu_job_create &args);
std::uint32_t create_job(const Device &device, const std::vector<Lane> &lanes,
			 std::uint32_t region = 0);

/// An int8 product of [m][k] features and [n][k] weights; k and n are multiples
/// of 32 and all fits the buffer of a core.
struct Shape {
	std::uint32_t m = 4, k = 32, n = 32;
};
Task matmul(const Shape &shape, std::uint32_t features, std::uint32_t weights, std::uint32_t out);

/// A product with its operands, and with its results to be checked. Cached buffers are
/// handed over each time.
class Product
{
public:
	explicit Product(const Device &device, Shape shape = {}, std::uint32_t seed = 1,
			 std::uint32_t flags = 0);

	Task task() const;
	void clear() const;
	/// Whether the result is what arithmetic says.
	void check() const;
	/// Whether the result has not been written since clear().
	void check_untouched() const;

	Shape shape;
	Buffer features, weights, out;
};

/// The product's program with features that lie where no memory is.
Task faulting(const Product &product);

/// A product that keeps the virtual device busy for a moment.
Lane slow_lane(const Product &product, unsigned tasks = 10);
inline constexpr Shape slow_shape{64, 256, 256};

/// The mask of the core that most tests hold.
inline constexpr std::uint32_t one_core = 1;

/// A job that runs on the cores of a mask, to be looked at and cancelled, until the hold
/// lets it end.
struct RunningJob {
	explicit RunningJob(const Device &device, std::uint32_t lanes = 1,
			    std::uint32_t cores = one_core);

	Hold hold;
	Product product;
	std::uint32_t job;
};

struct Syncs {
	std::vector<drm_npu_sync> in, out;
};

/// JOB_SUBMIT; answers 0 or a negative errno. @seqno goes in and out as it is.
int submit(const Device &device, std::uint32_t context, const std::vector<std::uint32_t> &jobs,
	   const Syncs &syncs = {}, std::uint64_t *seqno = nullptr, std::uint64_t deadline_ns = 0);

/// The ends of jobs; each answers 0 or a negative errno.
int wait_job(const Device &device, std::uint32_t context, std::uint64_t seqno,
	     std::int64_t timeout_ns, drm_npu_job_wait &args);
int cancel(const Device &device, std::uint32_t context, std::uint64_t first, std::uint64_t last,
	   std::uint32_t *cancelled = nullptr);
int wait_buffer(const Device &device, std::uint32_t handle, std::int64_t timeout_ns,
		std::uint32_t flags = 0);
/// Waits without end; what the call then says of the job.
drm_npu_job_wait wait_ended(const Device &device, std::uint32_t context, std::uint64_t seqno);
/// What JOB_WAIT reports at present.
drm_npu_job_wait look_at(const Device &device, std::uint32_t context, std::uint64_t seqno);
/// Returns when a lane of the job has started.
void wait_running(const Device &device, std::uint32_t context, std::uint64_t seqno);

/// Whether it has ended; of Hold::until().
bool has_ended(const Device &device, std::uint32_t context, std::uint64_t seqno);

/// Runs one job in @context and waits for it; answers the status of its fence.
int run(const Device &device, std::uint32_t context, std::uint32_t job);
/// Whether a product comes out right, in a new context.
void check_works(const Device &device);
