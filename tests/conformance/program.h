/* SPDX-License-Identifier: MIT */
/// Programs of the RKNN dialect, jobs of them, and their fences.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "device.h"

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
};
using Lane = std::vector<Task>;

/// Replaces the value that @task writes to @reg.
void set(Task &task, std::uint32_t reg, std::uint32_t value);
/// Where @task writes @reg.
std::uint32_t index_of(const Task &task, std::uint32_t reg);

/// JOB_CREATE; answers 0 or a negative errno. Only the outputs of @args count.
int create_job(const Device &device, const std::vector<Lane> &lanes, drm_npu_job_create &args);
std::uint32_t create_job(const Device &device, const std::vector<Lane> &lanes);

/// An int8 product of [m][k] features and [n][k] weights; k and n are multiples
/// of 32 and all fits the buffer of a core.
struct Shape {
	std::uint32_t m = 4, k = 32, n = 32;
};
Task matmul(const Shape &shape, std::uint32_t features, std::uint32_t weights, std::uint32_t out);

/// A product with its operands, and with its results to be checked.
class Product
{
public:
	explicit Product(const Device &device, Shape shape = {}, std::uint32_t seed = 1);

	Task task() const;
	void clear() const;
	/// Whether the result is what arithmetic says.
	void check() const;
	/// Whether the result has not been written since clear().
	void check_untouched() const;

	Shape shape;
	Buffer features, weights, out;
};

/// A product that takes long for the virtual device, a fraction of a second.
Lane slow_lane(const Product &product, unsigned tasks = 10);
inline constexpr Shape slow_shape{64, 256, 256};

struct Syncs {
	std::vector<drm_npu_sync> in, out;
};

/// JOB_SUBMIT; answers 0 or a negative errno. @seqno goes in and out as it is.
int submit(const Device &device, std::uint32_t context, const std::vector<std::uint32_t> &jobs,
	   const Syncs &syncs = {}, std::uint64_t *seqno = nullptr);

/// A syncobj; must not outlive its device.
class Syncobj
{
public:
	explicit Syncobj(const Device &device, bool signalled = false);
	~Syncobj();
	Syncobj(Syncobj &&other) noexcept : fd_(other.fd_), handle_(std::exchange(other.handle_, 0))
	{
	}
	Syncobj &operator=(Syncobj &&) = delete;
	Syncobj(const Syncobj &) = delete;
	Syncobj &operator=(const Syncobj &) = delete;

	std::uint32_t handle() const { return handle_; }
	drm_npu_sync sync(std::uint64_t point = 0) const { return {handle_, 0, point}; }

	bool has_fence() const;
	void signal(std::uint64_t point) const;
	/// Waits; answers 0, or -ETIME.
	int wait(unsigned ms, std::uint64_t point = 0) const;
	/// The fence as a sync_file.
	Fd export_file() const;
	void import_file(const Fd &file) const;

private:
	int fd_;
	std::uint32_t handle_ = 0;
};

/// Status of the fence of a sync_file: 0 active, 1 signalled, or negative errno.
int file_status(const Fd &file);
/// The same once it has signalled, or 0 after @ms milliseconds.
int final_status(const Fd &file, unsigned ms = 20000);
int final_status(const Syncobj &syncobj, unsigned ms = 20000);

/// A fence that signals when told to, or after 10 seconds. The stock module vgem
/// makes it; without it the subtest is skipped.
class Gate
{
public:
	explicit Gate(const Device &device);
	~Gate() { open(); }
	Gate(const Gate &) = delete;
	Gate &operator=(const Gate &) = delete;

	drm_npu_sync sync() const { return syncobj_.sync(); }
	/// Signals the fence; also after the device has gone.
	void open();

private:
	Fd vgem_;
	Syncobj syncobj_;
	std::uint32_t fence_ = 0;
};

/// Runs one job in @context and waits for it; answers the status of its fence.
int run(const Device &device, std::uint32_t context, std::uint32_t job);
/// Whether a product comes out right, in a new context.
void check_works(const Device &device);
