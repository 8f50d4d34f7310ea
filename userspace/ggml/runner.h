/* SPDX-License-Identifier: MIT */
/*
 * Executes graphs: splits matrix products between the NPU and the CPU, and leaves all other nodes
 * to ggml's CPU backend.
 */
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <tuple>
#include <vector>

#include <ggml-backend.h>
#include <ggml.h>
#include <sys/types.h>

#include <engine/engine.h>
#include <engine/share.h>

#include "products.h"
#include "report.h"
#include "weights.h"

namespace npu::ggml
{

/// The implementation of a ggml backend; not thread-safe.
class Runner
{
public:
	/// Takes ownership of the CPU backend @p cpu.
	Runner(std::shared_ptr<Weights> weights, ggml_backend_t cpu);
	/// Prints the report.
	~Runner();
	Runner(const Runner &) = delete;
	Runner &operator=(const Runner &) = delete;

	/// Computes @p graph and waits for its end.
	ggml_status compute(ggml_cgraph *graph);

	/// Sets the CPU's threads. Engines keep the number that the first graph had.
	void set_threads(int threads);
	ggml_backend_t cpu() const { return cpu_; }

private:
	struct FreeContext {
		void operator()(ggml_context *context) const { ggml_free(context); }
	};

	/// A product of the current group.
	struct Member {
		ggml_tensor *node;
		Product product;
		std::shared_ptr<const Packed> packed;
		/// First row of the NPU.
		std::uint32_t first = 0;
	};
	/// Products of the same x, submitted together in each address space.
	struct Group {
		std::vector<Member> members;
		/// Members whose node has been reached.
		std::size_t done = 0;
		std::uint32_t m = 0;
		/// Rows of x in a submit; fewer than m only if the group has one member.
		std::uint32_t chunk = 0;
		bool submitted = false;
		/// Chooses the cut, and the cut of the first member.
		RowShare *share = nullptr;
		std::uint32_t cut = 0;
		std::chrono::duration<double> cpu{};
		std::uint64_t device_ns = 0;
	};
	/// The row of x that uses a matrix of a MUL_MAT_ID node.
	struct Slot {
		std::uint32_t token;
		std::uint32_t number;
	};
	/// k, rows of the first matrix, and the batch size, rounded up to a power of two.
	using Shape = std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>;

	ggml_status compute_nodes(ggml_cgraph *graph);
	bool usable();
	void pack_missing(ggml_cgraph *graph);
	void pack(const Matrix &matrix);
	void forget_written(ggml_cgraph *graph);
	ggml_status flush();
	void reserve_scratch(int nodes);
	ggml_status delegate(ggml_tensor *node);

	bool is_member(const ggml_tensor *node) const;
	void gather(ggml_cgraph *graph, int index);
	ggml_status start_group(ggml_cgraph *graph, int index);
	ggml_status next_member();
	ggml_status cpu_rows(Member &member);
	Result<void> submit(std::uint32_t begin, std::uint32_t rows);
	Result<void> wait();
	Result<void> fetch(const Member &member, std::uint32_t begin, std::uint32_t rows);
	Result<void> finish(const Member &member);
	void end_group();
	std::optional<ggml_status> experts(ggml_tensor *node);
	Result<void> expert_rows(const Experts &experts, const Packed &packed,
				 std::span<const Slot> slots);

	Result<Engine *> engine(std::size_t space);
	ggml_status failed(const Error &error);

	std::shared_ptr<Weights> weights_;
	ggml_backend_t cpu_;
	std::uint32_t threads_ = 4;
	/// The process that opened the device. Its children must not use the device.
	pid_t process_;
	bool device_failed_ = false;
	std::vector<std::unique_ptr<Engine>> engines_;
	std::map<Shape, RowShare> shares_;
	Group group_;
	/// Operands of the current group in each address space.
	std::vector<std::vector<Operand>> operands_;

	std::unique_ptr<ggml_context, FreeContext> scratch_;
	std::unique_ptr<ggml_context, FreeContext> parts_;
	ggml_cgraph *pending_ = nullptr;
	ggml_cgraph *single_ = nullptr;
	int scratch_nodes_ = 0;
	std::vector<float> expert_x_;
	std::vector<float> expert_y_;
	std::vector<std::vector<Slot>> expert_slots_;
	Report report_;
};

} // namespace npu::ggml
