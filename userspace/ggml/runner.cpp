/* SPDX-License-Identifier: MIT */
#include "runner.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cmath>

#include <rknn/matmul.h>
#include <unistd.h>

namespace npu::ggml
{

namespace
{

/// Limit of the results of a submit in bytes.
constexpr std::size_t most_result_bytes = std::size_t{128} << 20;
/// Limit of the products in a submit.
constexpr std::size_t most_members = 8;
/// Number of nodes to search for products of the same x.
constexpr int look_ahead = 64;
/// Granularity of cuts: a multiple of the kernel groups of int8 and of fp16.
constexpr std::uint32_t share_step = 32;
/// Cost of a submit in seconds, besides device time; rocket takes 27 to 53 us a job on an RK3588
/// (rockchip-npu-notes).
constexpr double submit_seconds = 40e-6;

bool is_empty(const ggml_tensor &node)
{
	return node.op == GGML_OP_NONE || node.op == GGML_OP_RESHAPE || node.op == GGML_OP_VIEW ||
	       node.op == GGML_OP_PERMUTE || node.op == GGML_OP_TRANSPOSE;
}

/// Whether @p weights belong to the model. Only the experts of a model are packed in advance; those
/// of other tensors are packed on first use.
bool is_constant(const ggml_tensor &weights)
{
	return weights.buffer &&
	       ggml_backend_buffer_get_usage(weights.buffer) == GGML_BACKEND_BUFFER_USAGE_WEIGHTS;
}

/// Bytes of results for a row of x.
std::size_t result_bytes(const Packed &packed)
{
	std::size_t bytes = 0;

	for (const Piece &piece : packed.pieces)
		bytes += rknn::result_bytes(piece.layer.layout(),
					    rows_per_row(piece.layer.precision()));
	return bytes;
}

/// Number of the @p m rows of x whose results, @p bytes each, fit one submit.
std::uint32_t rows_at_a_time(std::size_t bytes, std::uint32_t m)
{
	const std::size_t rows = std::max<std::size_t>(most_result_bytes / bytes / 4 * 4, 4);

	return static_cast<std::uint32_t>(std::min<std::size_t>(rows, m));
}

} // namespace

Runner::Runner(std::shared_ptr<Weights> weights, ggml_backend_t cpu)
	: weights_(std::move(weights)), cpu_(cpu), process_(getpid())
{
}

Runner::~Runner()
{
	if (process_ == getpid()) {
		report_.packed_bytes = weights_->bytes();
		report_.spaces = weights_->spaces();
		report_.modelled = weights_->device(0).is_virtual();
		for (const auto &engine : engines_)
			if (auto done = engine ? engine->statistics() : fail(ENODEV, "no engine")) {
				report_.submits += done->submits;
				report_.device_ns += done->device_ns;
				report_.device_bytes += done->read_bytes + done->written_bytes;
			}
		guarded(0, [&] {
			const Options::Log log = weights_->options().log;
			if (log != Options::Log::off && report_.npu_macs + report_.cpu_macs)
				say(write_report(report_, log));
			return 0;
		});
	}
	/* After fork() the device's objects belong to the parent: do not close them. */
	for (auto &engine : engines_)
		if (process_ != getpid())
			static_cast<void>(engine.release());
	ggml_backend_free(cpu_);
}

void Runner::set_threads(int threads)
{
	threads_ = static_cast<std::uint32_t>(std::max(threads, 1));
}

/// Whether this process may use the NPU.
bool Runner::usable()
{
	return !device_failed_ && process_ == getpid() && weights_->options().share != 0U;
}

/// Handles the error of a product. The CPU computes products whose activations cannot be quantised
/// (EINVAL). Any other error is printed once and disables the NPU or, with GGML_NPU_ERROR=fail,
/// fails the computation.
ggml_status Runner::failed(const Error &error)
{
	const bool fall_back = weights_->options().fall_back;

	if (error.code == EINVAL)
		return GGML_STATUS_SUCCESS;
	if (!device_failed_)
		say(error.message + (fall_back ? "; going on without the NPU"
					       : "; ending, as GGML_NPU_ERROR=fail asks"));
	device_failed_ = true;
	return fall_back ? GGML_STATUS_SUCCESS : GGML_STATUS_FAILED;
}

Result<Engine *> Runner::engine(std::size_t space)
{
	engines_.resize(std::max(engines_.size(), space + 1));
	if (!engines_[space]) {
		auto made = Engine::create(weights_->device(space), {.threads = threads_});
		if (!made)
			return forward(made);
		engines_[space] = std::make_unique<Engine>(std::move(*made));
	}
	return engines_[space].get();
}

void Runner::reserve_scratch(int nodes)
{
	constexpr int least = 2048;
	constexpr std::size_t part_tensors = 8;

	if (scratch_ && nodes <= scratch_nodes_)
		return;
	scratch_nodes_ = std::max(nodes, least);
	const auto size = static_cast<std::size_t>(scratch_nodes_);
	scratch_.reset(ggml_init(
		{ggml_graph_overhead_custom(size, false) + ggml_graph_overhead_custom(1, false),
		 nullptr, true}));
	pending_ = ggml_new_graph_custom(scratch_.get(), size, false);
	single_ = ggml_new_graph_custom(scratch_.get(), 1, false);
	if (!parts_)
		parts_.reset(ggml_init({part_tensors * ggml_tensor_overhead(), nullptr, true}));
}

/// Computes the nodes deferred to the CPU.
ggml_status Runner::flush()
{
	if (!ggml_graph_n_nodes(pending_))
		return GGML_STATUS_SUCCESS;
	const ggml_status status = ggml_backend_graph_compute(cpu_, pending_);
	ggml_graph_clear(pending_);
	return status;
}

ggml_status Runner::delegate(ggml_tensor *node)
{
	ggml_graph_clear(single_);
	ggml_graph_add_node(single_, node);
	return ggml_backend_graph_compute(cpu_, single_);
}

/// Drops packed weights that nodes of @p graph overwrite.
void Runner::forget_written(ggml_cgraph *graph)
{
	for (int i = 0; i < ggml_graph_n_nodes(graph); i++) {
		const ggml_tensor *node = ggml_graph_node(graph, i);

		if (node->view_src && !is_empty(*node) && node->view_src->data)
			weights_->forget(node->view_src->data, ggml_nbytes(node->view_src));
	}
}

void Runner::pack(const Matrix &matrix)
{
	Result<void> packed = fail(ENOMEM, "memory is exhausted");

	try {
		auto first = engine(0);
		if (!first) {
			failed(first.error());
			return;
		}
		packed = weights_->pack(matrix, (*first)->workers());
	} catch (const std::bad_alloc &) {
	}
	if (packed || packed.error().code == EINVAL || packed.error().code == ENOSPC)
		return;
	/* Out of memory: release the packed weights. */
	weights_->clear();
	failed(packed.error());
}

/// Packs the weights of @p graph that are not packed yet.
void Runner::pack_missing(ggml_cgraph *graph)
{
	std::vector<Matrix> missing;
	std::uint64_t bytes = 0;
	std::uint64_t done = 0;

	for (int i = 0; i < ggml_graph_n_nodes(graph); i++) {
		const ggml_tensor &node = *ggml_graph_node(graph, i);

		if (const auto product = product_of(node)) {
			if (!weights_->find(product->weights))
				missing.push_back(product->weights);
		} else if (const auto experts = experts_of(node);
			   experts && is_constant(*node.src[0])) {
			for (std::uint32_t j = 0; j < experts->count; j++)
				if (!weights_->find(experts->expert(j)))
					missing.push_back(experts->expert(j));
		}
	}
	for (const Matrix &matrix : missing)
		bytes += matrix.bytes();
	for (const Matrix &matrix : missing) {
		if (usable())
			pack(matrix);
		done += matrix.bytes();
		show_progress("packing weights", done, bytes);
	}
}

ggml_status Runner::compute(ggml_cgraph *graph)
{
	if (!usable()) {
		for (int i = 0; i < ggml_graph_n_nodes(graph); i++)
			if (const auto product = product_of(*ggml_graph_node(graph, i))) {
				const Matrix &weights = product->weights;

				report_.cpu_macs +=
					std::uint64_t{product->m} * weights.n * weights.k;
				report_.cpu_rows += weights.n;
			}
		return ggml_backend_graph_compute(cpu_, graph);
	}
	reserve_scratch(ggml_graph_n_nodes(graph));
	forget_written(graph);
	pack_missing(graph);
	if (device_failed_ && !weights_->options().fall_back)
		return GGML_STATUS_FAILED;
	ggml_status status = GGML_STATUS_ALLOC_FAILED;
	try {
		status = compute_nodes(graph);
	} catch (const std::bad_alloc &) {
		/* Some nodes have overwritten others, so this graph cannot be computed again. */
		failed(fail(ENOMEM, "memory is exhausted during a computation").error());
	}
	group_ = {};
	ggml_graph_clear(pending_);
	return status;
}

ggml_status Runner::compute_nodes(ggml_cgraph *graph)
{
	for (int i = 0; i < ggml_graph_n_nodes(graph); i++) {
		ggml_tensor *node = ggml_graph_node(graph, i);
		ggml_status status = GGML_STATUS_SUCCESS;

		if (is_empty(*node))
			continue;
		if (is_member(node)) {
			status = next_member();
		} else if (node->op == GGML_OP_MUL_MAT) {
			status = start_group(graph, i);
		} else if (auto done =
				   node->op == GGML_OP_MUL_MAT_ID ? experts(node) : std::nullopt) {
			status = *done;
		} else {
			ggml_graph_add_node(pending_, node);
		}
		if (status != GGML_STATUS_SUCCESS)
			return status;
	}
	return flush();
}

/// Whether @p node is the next member of the current group.
bool Runner::is_member(const ggml_tensor *node) const
{
	return group_.done < group_.members.size() && group_.members[group_.done].node == node;
}

/// Groups node @p index of @p graph with the products of the same x that follow before any other
/// product. Compares tensors, not addresses, since memory is reused.
void Runner::gather(ggml_cgraph *graph, int index)
{
	const int end = std::min(ggml_graph_n_nodes(graph), index + look_ahead);
	std::size_t bytes = 0;

	group_ = {};
	for (int i = index; i < end && group_.members.size() < most_members; i++) {
		ggml_tensor *node = ggml_graph_node(graph, i);
		auto product = product_of(*node);
		std::shared_ptr<const Packed> packed;

		if (node->op == GGML_OP_MUL_MAT_ID)
			return;
		if (!product)
			continue;
		packed = weights_->find(product->weights);
		if (!packed || packed->pieces.empty())
			continue;
		bytes += result_bytes(*packed);
		if (group_.members.empty()) {
			group_.m = product->m;
			group_.chunk = rows_at_a_time(bytes, product->m);
		} else if (node->src[1] != group_.members.front().node->src[1] ||
			   bytes * group_.m > most_result_bytes) {
			return;
		}
		group_.members.push_back({node, *product, std::move(packed), 0});
		if (group_.chunk < group_.m)
			return;
	}
}

/// Starts a group at MUL_MAT node @p index; submits it if it is for the NPU.
ggml_status Runner::start_group(ggml_cgraph *graph, int index)
{
	ggml_tensor *node = ggml_graph_node(graph, index);

	if (usable())
		gather(graph, index);
	if (!is_member(node)) {
		group_ = {};
		report_.declined += product_of(*node) ? 1U : 0U;
		ggml_graph_add_node(pending_, node);
		return GGML_STATUS_SUCCESS;
	}
	if (const ggml_status status = flush(); status != GGML_STATUS_SUCCESS)
		return status;

	const Matrix &first = group_.members.front().product.weights;
	double part = 0;
	if (const auto fixed = weights_->options().share) {
		part = 1 - *fixed / 100.0;
	} else {
		const Shape shape{first.k, first.n, std::bit_ceil(group_.m)};
		group_.share = &shares_.try_emplace(shape, first.n, share_step, submit_seconds)
					.first->second;
		group_.cut = group_.share->split();
		part = static_cast<double>(group_.cut) / first.n;
	}
	for (Member &member : group_.members) {
		const std::uint32_t n = member.product.weights.n;
		const double steps = std::round(part * n / share_step);

		member.first = part < 1 ? static_cast<std::uint32_t>(steps) * share_step : n;
	}

	auto submitted = submit(0, group_.chunk);
	if (!submitted) {
		if (const auto status = failed(submitted.error()); status != GGML_STATUS_SUCCESS)
			return status;
		for (Member &member : group_.members)
			member.first = member.product.weights.n;
	}
	return next_member();
}

/// Submits the NPU's rows of all members for rows @p begin to @p begin + @p rows of x.
Result<void> Runner::submit(std::uint32_t begin, std::uint32_t rows)
{
	const Product &product = group_.members.front().product;
	const float *x = product.x + begin * product.x_stride;
	const Rows<const float> from{{x, (rows - 1) * product.x_stride + product.weights.k},
				     product.x_stride};

	operands_.assign(weights_->spaces(), {});
	group_.submitted = false;
	for (const Member &member : group_.members)
		for (const Piece &piece : member.packed->pieces)
			if (member.first < piece.row + piece.layer.n())
				operands_[piece.space].push_back(
					{&piece.layer,
					 member.first > piece.row ? member.first - piece.row : 0});
	for (std::size_t space = 0; space < operands_.size(); space++) {
		if (operands_[space].empty())
			continue;
		auto engine = this->engine(space);
		if (!engine)
			return forward(engine);
		if (auto started = (*engine)->start(operands_[space], rows, from); !started)
			return started;
		group_.submitted = true;
	}
	return {};
}

/// Waits for the last submit.
Result<void> Runner::wait()
{
	const auto begin = std::chrono::steady_clock::now();
	std::uint64_t longest = 0;

	if (!group_.submitted)
		return {};
	group_.submitted = false;
	for (std::size_t space = 0; space < operands_.size(); space++) {
		if (operands_[space].empty())
			continue;
		auto waited = engines_[space]->wait();
		if (!waited)
			return forward(waited);
		longest = std::max(longest, waited->job.device_ns);
	}
	group_.device_ns += longest;
	report_.wait_ns += static_cast<std::uint64_t>(
		std::chrono::nanoseconds(std::chrono::steady_clock::now() - begin).count());
	return {};
}

/// Copies the results of rows @p begin to @p begin + @p rows of @p member.
Result<void> Runner::fetch(const Member &member, std::uint32_t begin, std::uint32_t rows)
{
	const Product &product = member.product;

	for (const Piece &piece : member.packed->pieces) {
		if (member.first >= piece.row + piece.layer.n())
			continue;
		const auto &operands = operands_[piece.space];
		const auto found = std::ranges::find(operands, &piece.layer, &Operand::layer);
		float *y = product.dst + begin * product.dst_stride + piece.row;
		const Rows<float> to{{y, (rows - 1) * product.dst_stride + piece.layer.n()},
				     product.dst_stride};

		if (auto fetched = engines_[piece.space]->fetch(
			    static_cast<std::size_t>(found - operands.begin()), to);
		    !fetched)
			return fetched;
	}
	return {};
}

/// Computes the CPU's rows of @p member.
ggml_status Runner::cpu_rows(Member &member)
{
	if (!member.first)
		return GGML_STATUS_SUCCESS;
	if (member.first >= member.product.weights.n)
		return delegate(member.node);

	ggml_context *context = parts_.get();
	ggml_tensor *weights = member.node->src[0];
	ggml_reset(context);
	ggml_tensor *rows =
		ggml_view_2d(context, weights, weights->ne[0], member.first, weights->nb[1], 0);
	rows->buffer = weights->buffer;
	ggml_tensor *part = ggml_mul_mat(context, rows, member.node->src[1]);
	part->data = member.node->data;
	part->buffer = member.node->buffer;
	/* ggml skips nodes whose flags do not mark them as needed. */
	part->flags = member.node->flags;
	std::ranges::copy(member.node->nb, part->nb);
	return delegate(part);
}

/// Collects the NPU's rows of @p member and submits the chunks after the first.
Result<void> Runner::finish(const Member &member)
{
	if (member.first >= member.product.weights.n)
		return {};
	for (std::uint32_t begin = 0; begin < group_.m; begin += group_.chunk) {
		const std::uint32_t rows = std::min(group_.chunk, group_.m - begin);

		if (begin)
			if (auto submitted = submit(begin, rows); !submitted)
				return submitted;
		if (auto waited = wait(); !waited)
			return waited;
		if (auto fetched = fetch(member, begin, rows); !fetched)
			return fetched;
	}
	return {};
}

ggml_status Runner::next_member()
{
	/* Its results may overwrite sources of deferred nodes. */
	if (const ggml_status status = flush(); status != GGML_STATUS_SUCCESS)
		return status;
	Member &member = group_.members[group_.done++];
	const auto begin = std::chrono::steady_clock::now();
	if (const ggml_status status = cpu_rows(member); status != GGML_STATUS_SUCCESS)
		return status;
	group_.cpu += std::chrono::steady_clock::now() - begin;

	if (device_failed_ && member.first < member.product.weights.n) {
		member.first = member.product.weights.n;
		return cpu_rows(member);
	}
	if (auto finished = finish(member); !finished) {
		if (const auto status = failed(finished.error()); status != GGML_STATUS_SUCCESS)
			return status;
		member.first = member.product.weights.n;
		return cpu_rows(member);
	}
	const std::uint32_t n = member.product.weights.n;
	const std::uint32_t first = std::min(member.first, n);
	const std::uint64_t macs = std::uint64_t{group_.m} * member.product.weights.k;
	report_.cpu_macs += macs * first;
	report_.npu_macs += macs * (n - first);
	report_.cpu_rows += first;
	report_.npu_rows += n - first;
	if (group_.done == group_.members.size())
		end_group();
	return GGML_STATUS_SUCCESS;
}

/// Passes the times of the group to the row share.
void Runner::end_group()
{
	if (group_.share && !device_failed_)
		group_.share->learn(group_.cut, group_.cpu.count(),
				    static_cast<double>(group_.device_ns) / 1e9);
	group_ = {};
}

/// Computes @p node, a MUL_MAT_ID, if all matrices that it uses are packed.
std::optional<ggml_status> Runner::experts(ggml_tensor *node)
{
	const auto experts = experts_of(*node);
	std::vector<std::shared_ptr<const Packed>> packed;

	if (!experts || !usable())
		return {};
	/* The ids of the matrices may be deferred to the CPU, too. */
	if (const ggml_status status = flush(); status != GGML_STATUS_SUCCESS)
		return status;
	expert_slots_.assign(experts->count, {});
	for (std::uint32_t token = 0; token < experts->tokens; token++)
		for (std::uint32_t slot = 0; slot < experts->used; slot++) {
			const std::int32_t id = experts->id(token, slot);

			if (id < 0 || static_cast<std::uint32_t>(id) >= experts->count)
				return delegate(node);
			expert_slots_[static_cast<std::size_t>(id)].push_back({token, slot});
		}
	packed.resize(experts->count);
	for (std::uint32_t i = 0; i < experts->count; i++) {
		if (expert_slots_[i].empty())
			continue;
		packed[i] = weights_->find(experts->expert(i));
		if (!packed[i]) {
			pack(experts->expert(i));
			packed[i] = weights_->find(experts->expert(i));
		}
		if (!packed[i] || packed[i]->pieces.empty()) {
			report_.declined++;
			return delegate(node);
		}
	}
	for (std::uint32_t i = 0; i < experts->count; i++) {
		if (expert_slots_[i].empty())
			continue;
		if (auto done = expert_rows(*experts, *packed[i], expert_slots_[i]); !done) {
			if (const auto status = failed(done.error()); status != GGML_STATUS_SUCCESS)
				return status;
			return delegate(node);
		}
	}
	return GGML_STATUS_SUCCESS;
}

/// Multiplies all rows of x that use one matrix.
Result<void> Runner::expert_rows(const Experts &experts, const Packed &packed,
				 std::span<const Slot> slots)
{
	const std::uint32_t k = packed.matrix.k;
	const std::uint32_t n = packed.matrix.n;
	const auto m = static_cast<std::uint32_t>(slots.size());
	Member member{nullptr, {}, {}, 0};

	expert_x_.resize(std::size_t{m} * k);
	expert_y_.resize(std::size_t{m} * n);
	for (std::size_t i = 0; i < m; i++)
		std::copy_n(experts.x(slots[i].token, slots[i].number), k,
			    expert_x_.begin() + static_cast<std::ptrdiff_t>(i * k));
	/* Without ownership: the caller holds the reference. */
	member.packed = std::shared_ptr<const Packed>(std::shared_ptr<const Packed>(), &packed);
	member.product = {packed.matrix, expert_x_.data(), expert_y_.data(), m, k, n};
	group_ = {};
	group_.members.push_back(member);
	group_.m = m;
	group_.chunk = rows_at_a_time(result_bytes(packed), m);
	if (auto submitted = submit(0, group_.chunk); !submitted)
		return submitted;
	if (auto finished = finish(member); !finished)
		return finished;
	group_ = {};
	for (std::size_t i = 0; i < m; i++)
		std::copy_n(expert_y_.begin() + static_cast<std::ptrdiff_t>(i * n), n,
			    experts.dst(slots[i].token, slots[i].number));
	report_.npu_macs += std::uint64_t{m} * n * k;
	report_.npu_rows += n;
	return {};
}

} // namespace npu::ggml
