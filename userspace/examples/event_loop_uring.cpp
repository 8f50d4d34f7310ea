/* SPDX-License-Identifier: MIT */
/*
 * The NPU in an event loop around io_uring: the fence of a product completes a poll request of the
 * ring, like all other requests of the application.
 *
 * Usage: npu-example-io-uring
 *
 * Prints a line for each of three products. Exit status: 0 done, 1 it failed.
 */
#include <cerrno>

#include <liburing.h>
#include <poll.h>

#include "products.h"

namespace
{

using npu::fail;

/// Owner of an io_uring.
class Ring
{
public:
	Ring() : error_(-io_uring_queue_init(entries, &ring_, 0)) {}
	~Ring()
	{
		if (!error_)
			io_uring_queue_exit(&ring_);
	}
	Ring(const Ring &) = delete;
	Ring &operator=(const Ring &) = delete;

	/// A positive errno if there is no ring.
	int error() const { return error_; }

	/// Submits a poll request for @p fd.
	void poll(int fd)
	{
		io_uring_sqe *entry = io_uring_get_sqe(&ring_);

		io_uring_prep_poll_add(entry, fd, POLLIN);
		io_uring_submit(&ring_);
	}

	/// Waits for a completion. @return its result, or a negative errno
	int next()
	{
		io_uring_cqe *done = nullptr;
		int ret = 0;

		do
			ret = io_uring_wait_cqe(&ring_, &done);
		while (ret == -EINTR);
		if (ret)
			return ret;
		ret = done->res;
		io_uring_cqe_seen(&ring_, done);
		return ret;
	}

private:
	static constexpr unsigned entries = 8;

	io_uring ring_{};
	int error_;
};

npu::Result<void> run()
{
	Ring ring;
	if (ring.error())
		return fail(ring.error(), "cannot set up an io_uring");
	auto products = example::Products::create();
	if (!products)
		return forward(products);
	for (int left = 3; left; left--) {
		auto end = products->start();
		if (!end)
			return forward(end);
		ring.poll(end->get());
		if (const int events = ring.next(); events < 0)
			return fail(-events, "cannot poll for the end of a product");
		if (auto finished = products->finish(); !finished)
			return finished;
	}
	return {};
}

} // namespace

int main()
{
	return example::report("npu-example-io-uring", run());
}
