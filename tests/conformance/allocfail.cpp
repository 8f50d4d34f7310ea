/* SPDX-License-Identifier: MIT */
/// Every allocation of every call fails in turn, as the kernel's
/// Documentation/fault-injection has it.
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>

#include <fcntl.h>
#include <sys/syscall.h>

#include "dmabuf.h"
#include "igt.h"
#include "leak.h"
#include "plug.h"
#include "program.h"

namespace
{

void write_text(const std::string &path, const std::string &text)
{
	Fd fd(open(path.c_str(), O_WRONLY | O_CLOEXEC));

	CHECK(fd.get() >= 0);
	CHECK_EQ(write(fd.get(), text.data(), text.size()), text.size());
}

std::string fail_nth()
{
	return "/proc/self/task/" + std::to_string(syscall(SYS_gettid)) + "/fail-nth";
}

/// Lets allocations of this thread fail, also those that may sleep.
void need_failures()
{
	const std::string slab = "/sys/kernel/debug/failslab/";

	need_root();
	if (access(fail_nth().c_str(), W_OK) || access((slab + "probability").c_str(), W_OK))
		igt::skip("needs a kernel with CONFIG_FAILSLAB, CONFIG_FAIL_PAGE_ALLOC and "
			  "CONFIG_FAULT_INJECTION_DEBUG_FS");
	write_text(slab + "ignore-gfp-wait", "N");
	write_text(slab + "verbose", "0");
	const std::string pages = "/sys/kernel/debug/fail_page_alloc/";
	if (!access((pages + "ignore-gfp-wait").c_str(), W_OK)) {
		write_text(pages + "ignore-gfp-wait", "N");
		write_text(pages + "verbose", "0");
	}
}

/// The @nth allocation of this thread's calls fails, while this lives.
class Failure
{
public:
	explicit Failure(unsigned nth) : fd_(open(fail_nth().c_str(), O_RDWR | O_CLOEXEC))
	{
		std::string text = std::to_string(nth);

		CHECK(fd_.get() >= 0);
		CHECK_EQ(write(fd_.get(), text.data(), text.size()), text.size());
	}
	~Failure()
	{
		if (write(fd_.get(), "0", 1) != 1)
			std::abort();
	}
	Failure(const Failure &) = delete;
	Failure &operator=(const Failure &) = delete;

	/* Whether it has failed, so that there may be another after it. */
	bool done() const
	{
		char text[16]{};

		CHECK(pread(fd_.get(), text, sizeof(text) - 1, 0) > 0);
		return text[0] == '0';
	}

private:
	Fd fd_;
};

/*
 * Makes @call, whose answer is 0 or a negative errno, with one allocation after
 * the other failing, until there is none left to fail. A call that fails says
 * ENOMEM and leaves nothing; @undo takes back what one that succeeds has done.
 */
template <typename Call, typename Undo>
void fail_each(const char *name, const Call &call_it, const Undo &undo)
{
	igt::Note note(name);

	for (unsigned nth = 1; nth < 1000; nth++) {
		igt::Note which("allocation " + std::to_string(nth));
		leak::Check leak;
		int result;
		bool failed;
		{
			Failure failure(nth);

			result = call_it();
			failed = failure.done();
		}
		if (!result)
			undo();
		else
			CHECK_ERR(result, ENOMEM);
		leak.done();
		/* The last of them must work, so this is no test of nothing. */
		if (!failed) {
			CHECK_OK(result);
			return;
		}
	}
	CHECK(false);
}

} // namespace

SUBTEST(allocfail_create)
{
	need_failures();
	Device device;
	Product product(device);
	drm_npu_bo_create buffer{};
	drm_npu_context_create context{};
	drm_npu_job_create job{};
	drm_rocket_create_bo bo{};
	std::vector<Lane> lanes{{product.task(), product.task()}};

	fail_each(
		"BO_CREATE",
		[&] {
			buffer = {};
			buffer.size = 65536;
			return call(device.fd(), DRM_IOCTL_NPU_BO_CREATE, &buffer);
		},
		[&] { CHECK_OK(close_handle(device.fd(), buffer.handle)); });
	fail_each(
		"CONTEXT_CREATE",
		[&] {
			context = {};
			return device.create(context);
		},
		[&] { CHECK_OK(device.destroy_context(context.context_id)); });
	fail_each(
		"JOB_CREATE", [&] { return create_job(device, lanes, job); },
		[&] { CHECK_OK(device.destroy_job(job.job_id)); });
	fail_each(
		"ROCKET_CREATE_BO",
		[&] {
			bo = {};
			bo.size = 65536;
			return call(device.fd(), DRM_IOCTL_ROCKET_CREATE_BO, &bo);
		},
		[&] { CHECK_OK(close_handle(device.fd(), bo.handle)); });
	check_works(device);
}

SUBTEST(allocfail_submit)
{
	need_failures();
	Device device;
	Gate gate(device);
	Product product(device);
	std::uint32_t context = device.context();
	std::uint32_t job = create_job(device, {{product.task()}});
	Syncobj in(device), timeline(device);
	Fd dma_buf = export_buffer(device.fd(), product.features.handle());
	std::uint64_t point = 1, submitted = 0;

	in.import_file(gate.export_file());
	for (unsigned nth = 1;; nth++) {
		igt::Note note("allocation " + std::to_string(nth));
		Syncobj out(device);
		std::uint64_t seqno = poison;
		int result;
		bool failed;

		CHECK(nth < 1000);
		{
			Failure failure(nth);

			result = submit(device, context, {job, job},
					{{in.sync()}, {out.sync(), timeline.sync(point)}}, &seqno);
			failed = failure.done();
		}
		if (result) {
			CHECK_ERR(result, ENOMEM);
			CHECK_EQ(seqno, poison);
			CHECK(!out.has_fence());
			CHECK_EQ(device.state(context).submitted_seqno, submitted);
		} else {
			submitted += 2;
			point++;
			CHECK_EQ(seqno, submitted);
			CHECK(out.has_fence());
		}
		if (!failed) {
			CHECK_OK(result);
			break;
		}
	}
	gate.open();
	CHECK_EQ(wait_ended(device, context, submitted).error, 0);
	product.check();
}

SUBTEST(allocfail_share)
{
	need_failures();
	Device device, other;
	Buffer buffer(other, 65536);
	Fd dma_buf;
	std::uint32_t handle = 0;

	fail_each(
		"PRIME_HANDLE_TO_FD",
		[&] {
			return export_buffer(other.fd(), buffer.handle(), DRM_CLOEXEC | DRM_RDWR,
					     dma_buf);
		},
		[&] { dma_buf.reset(); });
	dma_buf = export_buffer(other.fd(), buffer.handle());
	fail_each(
		"PRIME_FD_TO_HANDLE",
		[&] { return import_buffer(device.fd(), dma_buf.get(), handle); },
		[&] { CHECK_OK(close_handle(device.fd(), handle)); });
	CHECK_OK(wait_buffer(other, buffer.handle(), never));
}

/* Calls that wait, look or end something must not depend on memory at all. */
SUBTEST(allocfail_rest)
{
	need_failures();
	Device device;
	Gate gate(device);
	Product product(device);
	std::uint32_t context = device.context(), doomed = device.context();
	std::uint32_t job = create_job(device, {{product.task()}});
	Fd dma_buf = export_buffer(device.fd(), product.out.handle());

	CHECK_OK(submit(device, context, {job, job}, {{gate.sync()}, {}}));
	auto nothing = [] {
	};
	fail_each(
		"QUERY",
		[&] {
			drm_npu_query_context record{};
			return device.query(DRM_NPU_QUERY_CONTEXT, context, &record,
					    sizeof(record));
		},
		nothing);
	fail_each(
		"JOB_WAIT",
		[&] {
			drm_npu_job_wait args{};
			return wait_job(device, context, 1, now_ns() + ms_to_ns(2), args);
		},
		nothing);
	fail_each(
		"BO_WAIT",
		[&] {
			int result =
				wait_buffer(device, product.out.handle(), now_ns() + ms_to_ns(2));
			return result == -ETIMEDOUT ? 0 : result;
		},
		nothing);
	fail_each("JOB_CANCEL", [&] { return cancel(device, context, 2, 2); }, nothing);
	fail_each(
		"CONTEXT_DESTROY", [&] { return device.destroy_context(doomed); },
		[&] { doomed = device.context(); });
	gate.open();
	CHECK_EQ(wait_ended(device, context, 1).error, 0);
	CHECK_EQ(wait_ended(device, context, 2).error, ECANCELED);
	CHECK_OK(device.destroy_context(doomed));
}

SUBTEST(allocfail_open)
{
	need_failures();
	Device keeps_it_awake;

	fail_each(
		"open()",
		[] {
			Fd fd(open("/dev/accel/accel0", O_RDWR | O_CLOEXEC));
			return fd.get() < 0 ? -errno : 0;
		},
		[] {});
	check_works(keeps_it_awake);
}

/* Each step of probing fails once; in the end it is probed, and works. */
SUBTEST(allocfail_probe)
{
	need_plug();
	need_failures();
	Unplugged unplugged;

	for (unsigned nth = 1;; nth++) {
		igt::Note note("allocation " + std::to_string(nth));
		int result;
		bool failed;

		CHECK(nth < 5000);
		{
			Failure failure(nth);

			result = write_driver("bind");
			failed = failure.done();
		}
		if (!result) {
			/* Some failures are survived; the device must then be whole. */
			Device device;
			check_works(device);
			if (!failed)
				break;
			device.close();
			CHECK_OK(write_driver("unbind"));
			continue;
		}
		CHECK(failed);
		CHECK_EQ(result, -ENOMEM);
	}
	unplugged.rebound();
}
