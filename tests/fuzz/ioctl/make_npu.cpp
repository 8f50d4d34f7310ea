/* SPDX-License-Identifier: MIT */
/// The ioctls of npu_accel.h.
#include "thread.h"

#include <cerrno>
#include <cstring>

#include <npu_accel.h>

namespace fuzz
{

namespace
{

/// Limit of objects; more would only use up memory.
constexpr std::size_t max_objects = 16;
constexpr std::uint64_t max_size = 4 << 20;
/// Buffers are allocated page by page, and the test of n failures repeats the allocations n times.
constexpr std::uint64_t max_failing_size = 16 << 12;
/// More memory than any machine has, which fails immediately.
constexpr std::uint64_t huge_size = 1ull << 40;

} // namespace

void Thread::query()
{
	auto &args = argument<drm_npu_query>();
	std::uint32_t type = random_.below(10);
	std::uint32_t index = 0;
	std::uint32_t size = random_.chance(15) ? 0 : random_.below(300);
	drm_npu_query_context record{};

	if (type == DRM_NPU_QUERY_CORE)
		index = random_.below(3);
	else if (type == DRM_NPU_QUERY_CONTEXT)
		index = id(&File::contexts, file_->contexts.any(random_).id);
	else if (type == DRM_NPU_QUERY_BUFFER)
		index = some_buffer();
	else if (type == DRM_NPU_QUERY_DATA_TYPE)
		index = random_.below(10);
	else if (type == DRM_NPU_QUERY_REGISTER)
		index = random_.below(0x10000);
	args.type = u32(type);
	args.index = u32(index);
	args.size = u32(size);
	args.pad = zero();
	Block output = arena_.output(args.size, edge());
	args.data = pointer(output, true);
	size = args.size;
	if (ioctl(Id::query))
		return;
	expect(!size || args.size <= size, "QUERY tells of more bytes than were asked for");
	/* With a size of 0, QUERY returns the size and writes nothing. */
	if (mutated_ || type != DRM_NPU_QUERY_CONTEXT || !size || args.size != sizeof(record))
		return;
	std::memcpy(&record, output.data, sizeof(record));
	check_context(record);
}

/* Invariants that hold even if other threads use the context. */
void Thread::check_context(const drm_npu_query_context &record)
{
	expect(record.completed_seqno <= record.submitted_seqno, "a context is done with too much");
	expect(record.sched_class <= DRM_NPU_CLASS_BACKGROUND, "a context has an unknown class");
	expect(record.granted_class == record.sched_class ||
		       (record.sched_class == DRM_NPU_CLASS_LATENCY &&
			record.granted_class == DRM_NPU_CLASS_THROUGHPUT),
	       "a context has a class that it was not given");
	expect(record.weight && record.weight <= DRM_NPU_WEIGHT_MAX, "a context has a bad weight");
	expect(record.granted_weight && record.granted_weight <= record.weight,
	       "a context is granted more weight than it was given");
	expect(record.missed_deadlines <= record.completed_seqno,
	       "a context has missed more deadlines than it has had jobs");
	expect(!record.pad, "a context tells of padding");
}

std::uint32_t Thread::some_class()
{
	return u32(random_.chance(40) ? 0 : random_.below(3));
}

std::uint32_t Thread::some_weight()
{
	return u32(random_.chance(40) ? 0 : 1 + random_.below(DRM_NPU_WEIGHT_MAX));
}

std::uint32_t Thread::some_cost()
{
	return u32(random_.chance(60) ? 0 : random_.below(10'000'000));
}

std::uint64_t Thread::size_wanted()
{
	const std::uint64_t most = fail_ ? max_failing_size : max_size;
	std::uint64_t size =
		u64(random_.chance(85) ? 1 + random_.below(65536) : 1 + random_.below(max_size));

	return size <= most || size >= huge_size ? size : size % most;
}

void Thread::bo_create()
{
	if (file_->buffers.size() >= max_objects)
		return gem_close();
	auto &args = argument<drm_npu_bo_create>();
	std::uint64_t size = size_wanted();

	args.size = size;
	args.flags = flags((random_.chance(20) ? DRM_NPU_BO_READ_ONLY : 0) |
				   (random_.chance(10) ? DRM_NPU_BO_PIN : 0) |
				   (random_.chance(30) ? DRM_NPU_BO_CACHED : 0),
			   DRM_NPU_BO_READ_ONLY | DRM_NPU_BO_PIN | DRM_NPU_BO_CACHED);
	args.region = u32(random_.chance(70) ? 0 : 1);
	args.handle = poison;
	args.pad = zero();
	args.address = args.mmap_offset = poison;
	if (ioctl(Id::bo_create))
		return;
	expect(args.handle && args.handle != poison, "BO_CREATE gives no handle");
	expect(args.size >= size && args.size % 4096 == 0 && args.size - size < 4096,
	       "BO_CREATE gives another size");
	expect(args.address >= 4096 && args.address % 4096 == 0 &&
		       args.address + args.size <= 1ull << 32,
	       "BO_CREATE gives a bad address");
	file_->buffers.add({args.handle, static_cast<std::uint32_t>(args.address), args.size,
			    args.mmap_offset});
}

void Thread::context_create()
{
	if (file_->contexts.size() >= max_objects)
		return context_destroy();
	auto &args = argument<drm_npu_context_create>();

	args.flags = zero();
	args.core_mask = u32(random_.chance(70) ? 0 : 1 + random_.below(7));
	args.max_queued = u32(random_.chance(60) ? 0 : 1 + random_.below(256));
	args.context_id = poison;
	args.sched_class = some_class();
	args.weight = some_weight();
	args.page_offset = poison;
	if (ioctl(Id::context_create))
		return;
	expect(args.context_id && args.context_id != poison, "CONTEXT_CREATE gives no id");
	expect(args.page_offset % 4096 == 0, "CONTEXT_CREATE gives no offset");
	file_->contexts.add({args.context_id, 0, args.page_offset});
}

void Thread::context_set()
{
	auto &args = argument<drm_npu_context_set>();

	args.context_id = id(&File::contexts, file_->contexts.any(random_).id);
	args.flags =
		flags(1 + random_.below(3), DRM_NPU_CONTEXT_SET_CLASS | DRM_NPU_CONTEXT_SET_WEIGHT);
	args.sched_class = args.flags & DRM_NPU_CONTEXT_SET_CLASS ? some_class() : zero();
	args.weight = args.flags & DRM_NPU_CONTEXT_SET_WEIGHT ? some_weight() : zero();
	ioctl(Id::context_set);
}

void Thread::context_destroy()
{
	auto &args = argument<drm_npu_context_destroy>();
	std::uint32_t context = id(&File::contexts, file_->contexts.any(random_).id);

	args.context_id = context;
	args.pad = zero();
	if (!ioctl(Id::context_destroy))
		file_->contexts.remove(context);
}

Stream Thread::stream()
{
	std::uint32_t how = random_.below(100);
	Stream result = how < 92   ? valid_stream(file_->base)
			: how < 95 ? hanging_stream(file_->base)
				   : faulting_stream(file_->base);

	while (mutate() && random_.chance(80))
		fuzz::mutate(result, random_, *file_);
	return result;
}

Block Thread::tasks(std::uint32_t count, std::uint32_t stride)
{
	std::vector<drm_npu_task> raw;

	for (std::uint32_t i = 0; i < count; i++) {
		Stream words = stream();
		drm_npu_task &task = raw.emplace_back();

		task = {};
		task.commands =
			pointer(array(std::span<const std::uint64_t>(words), sizeof(words[0])));
		task.command_count = u32(static_cast<std::uint32_t>(words.size()));
		task.enable = u32(0x0d);
		task.flags = zero();
		task.cost_ns = some_cost();
	}
	return array(std::span<const drm_npu_task>(raw), stride);
}

void Thread::job_create()
{
	if (file_->jobs.size() >= max_objects)
		return job_destroy();
	auto &args = argument<drm_npu_job_create>();
	std::vector<drm_npu_lane> lanes(random_.chance(70) ? 1 : 1 + random_.below(3));

	for (drm_npu_lane &lane : lanes) {
		std::uint32_t count = random_.chance(70) ? 1 : 1 + random_.below(3);

		lane.task_stride = stride(sizeof(drm_npu_task));
		lane.tasks = pointer(tasks(count, std::min(lane.task_stride, 4096u)));
		lane.task_count = u32(count);
	}
	args.lane_stride = stride(sizeof(drm_npu_lane));
	args.lanes = pointer(
		array(std::span<const drm_npu_lane>(lanes), std::min(args.lane_stride, 4096u)));
	args.lane_count = u32(static_cast<std::uint32_t>(lanes.size()));
	args.flags = zero();
	args.region = u32(random_.below(2));
	if (random_.chance(20)) {
		std::vector<char> label(1 + random_.below(100), 'x');

		/* Most labels are terminated, and some contain invalid characters. */
		label.back() = random_.chance(90) ? '\0' : 'x';
		label.front() = random_.chance(90) ? label.front() : '\n';
		/* The kernel may read past the end, where nothing is mapped. */
		if (label.back())
			mutated_ = true;
		args.label = pointer(array(std::span<const char>(label), 1));
	}
	args.job_id = args.fault_lane = args.fault_task = poison;
	args.fault_command = args.fault_reason = poison;
	int result = ioctl(Id::job_create);
	if (result == -EINVAL) {
		expect(args.fault_reason <= DRM_NPU_FAULT_UNCUT,
		       "JOB_CREATE gives no reason for EINVAL");
	} else if (!result) {
		expect(args.job_id && args.job_id != poison, "JOB_CREATE gives no id");
		file_->jobs.add({args.job_id});
	}
}

void Thread::job_destroy()
{
	auto &args = argument<drm_npu_job_destroy>();
	std::uint32_t job = id(&File::jobs, file_->jobs.any(random_).id);

	args.job_id = job;
	args.pad = zero();
	if (!ioctl(Id::job_destroy))
		file_->jobs.remove(job);
}

Block Thread::syncs(std::uint32_t count, std::uint32_t stride, bool out)
{
	std::vector<drm_npu_sync> raw;

	for (std::uint32_t i = 0; i < count; i++) {
		SyncobjObject object = file_->syncobjs.any(random_);

		/* Mostly increasing points. */
		if (object.point || random_.chance(20))
			object.point += out;
		if (out && object.point)
			file_->syncobjs.update(object.id, [](SyncobjObject &o) { o.point++; });
		raw.push_back({id(&File::syncobjs, object.id), zero(), u64(object.point)});
	}
	return array(std::span<const drm_npu_sync>(raw), stride);
}

void Thread::job_submit()
{
	auto &args = argument<drm_npu_job_submit>();
	ContextObject context = file_->contexts.any(random_);
	std::vector<drm_npu_submit_job> jobs(random_.chance(60)   ? 1
					     : random_.chance(90) ? 1 + random_.below(8)
								  : 200 + random_.below(60));
	std::uint32_t in = random_.chance(70) ? 0 : random_.below(3);
	std::uint32_t out = random_.chance(40) ? 0 : random_.below(3);

	for (drm_npu_submit_job &job : jobs)
		job = {id(&File::jobs, file_->jobs.any(random_).id), zero()};
	args.context_id = id(&File::contexts, context.id);
	args.flags = zero();
	args.job_stride = stride(sizeof(drm_npu_submit_job));
	args.jobs = pointer(
		array(std::span<const drm_npu_submit_job>(jobs), std::min(args.job_stride, 4096u)));
	args.job_count = u32(static_cast<std::uint32_t>(jobs.size()));
	args.sync_stride = stride(sizeof(drm_npu_sync));
	args.in_syncs = pointer(syncs(in, std::min(args.sync_stride, 4096u), false));
	args.out_syncs = pointer(syncs(out, std::min(args.sync_stride, 4096u), true));
	args.in_sync_count = u32(in);
	args.out_sync_count = u32(out);
	args.pad = zero();
	args.seqno = poison;
	args.deadline_ns = random_.chance(60) ? 0 : static_cast<std::uint64_t>(until());
	std::uint32_t used = args.context_id;
	if (ioctl(Id::job_submit))
		return;
	/* Other threads submit to the same context, so that only a lower limit is known. */
	expect(args.seqno >= jobs.size() || mutated_,
	       "JOB_SUBMIT gives a number that is too small");
	file_->contexts.update(used, [&](ContextObject &c) {
		c.seqno = std::max<std::uint64_t>(c.seqno, args.seqno);
	});
}

void Thread::job_wait()
{
	auto &args = argument<drm_npu_job_wait>();
	ContextObject context = file_->contexts.any(random_);

	args.context_id = id(&File::contexts, context.id);
	args.flags = zero();
	args.seqno = u64(context.seqno - std::min<std::uint64_t>(context.seqno, random_.below(8)));
	args.timeout_ns = until();
	args.state = args.error = poison;
	args.queued_ns = args.started_ns = args.ended_ns = args.device_ns = poison;
	args.fault_flags = args.fault_lane = args.fault_task = args.fault_task_count = poison;
	args.fault_address = poison;
	if (ioctl(Id::job_wait))
		return;
	expect(args.state <= DRM_NPU_JOB_ENDED, "JOB_WAIT gives no state");
	expect(args.error < 134, "JOB_WAIT gives no errno");
	expect(args.queued_ns && args.queued_ns != poison, "JOB_WAIT does not tell when");
	if (args.state == DRM_NPU_JOB_ENDED)
		expect(args.ended_ns >= args.started_ns && args.ended_ns >= args.queued_ns,
		       "JOB_WAIT gives times that run backwards");
	else
		expect(!args.error && !args.ended_ns,
		       "JOB_WAIT gives the end of a job that goes on");
	if (args.fault_flags)
		expect(args.error && args.fault_task_count &&
			       args.fault_flags <=
				       (DRM_NPU_JOB_FAULT_TASK | DRM_NPU_JOB_FAULT_ADDRESS),
		       "JOB_WAIT gives no tasks that went wrong");
	else
		expect(!args.fault_lane && !args.fault_task && !args.fault_task_count &&
			       !args.fault_address,
		       "JOB_WAIT tells where a job that did not go wrong did");
}

void Thread::job_cancel()
{
	auto &args = argument<drm_npu_job_cancel>();
	ContextObject context = file_->contexts.any(random_);

	args.context_id = id(&File::contexts, context.id);
	args.flags = zero();
	args.last_seqno = u64(context.seqno);
	args.first_seqno =
		u64(context.seqno - std::min<std::uint64_t>(context.seqno, random_.below(4)));
	/* Number 0 is no job. */
	if (!args.first_seqno && context.seqno && !mutated_)
		args.first_seqno = 1;
	args.cancelled = poison;
	args.pad = zero();
	if (!ioctl(Id::job_cancel))
		expect(args.cancelled <= args.last_seqno - args.first_seqno + 1,
		       "JOB_CANCEL cancels more jobs than it is told to");
}

std::uint32_t Thread::some_buffer()
{
	const Base &base = file_->base;

	return id(&File::buffers,
		  random_.chance(50) ? random_.pick(std::array{base.features_id, base.weights_id,
							       base.results_id, base.streams_id})
				     : file_->buffers.any(random_).id);
}

void Thread::bo_wait()
{
	auto &args = argument<drm_npu_bo_wait>();

	args.handle = some_buffer();
	args.flags = flags(random_.below(2), DRM_NPU_BO_WAIT_WRITES);
	args.timeout_ns = until();
	ioctl(Id::bo_wait);
}

void Thread::bo_residency()
{
	auto &args = argument<drm_npu_bo_residency>();

	args.handle = some_buffer();
	args.residency = u32(random_.below(3));
	args.region = u32(1);
	args.priority = u32(random_.below(4));
	args.pad = zero();
	ioctl(Id::bo_residency);
}

void Thread::bo_sync()
{
	auto &args = argument<drm_npu_bo_sync>();

	args.handle = some_buffer();
	args.direction = u32(random_.below(2));
	args.offset = u64(random_.chance(50) ? 0 : random_.below(8192));
	args.length = u64(1 + random_.below(4096));
	args.pad = zero();
	ioctl(Id::bo_sync);
}

/* A buffer of another file or driver, of which only the handle is known. */
void Thread::add_buffer(std::uint32_t handle)
{
	drm_npu_query_buffer record{};

	if (!file_->device.query(DRM_NPU_QUERY_BUFFER, handle, &record, sizeof(record)))
		file_->buffers.add({handle, static_cast<std::uint32_t>(record.address), record.size,
				    record.mmap_offset});
}

} // namespace fuzz
