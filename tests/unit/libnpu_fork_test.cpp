/* SPDX-License-Identifier: MIT */
/*
 * What the destructors of inherited objects do in a child: nothing to its parent.
 */
#include <atomic>
#include <cerrno>
#include <new>

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libnpu_fixture.h"

namespace npu::test
{

namespace
{

/// Numbers that parent and child both see.
struct Shared {
	/// Calls of the device in the child.
	std::atomic<int> calls;
};

class ForkTest : public LibnpuTest
{
protected:
	void SetUp() override
	{
		LibnpuTest::SetUp();
		void *memory = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE,
				      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		ASSERT_NE(memory, MAP_FAILED);
		shared_ = new (memory) Shared{};
		const pid_t parent = ::getpid();
		for (const unsigned long request :
		     {DRM_IOCTL_GEM_CLOSE, DRM_IOCTL_NPU_CONTEXT_DESTROY, DRM_IOCTL_NPU_JOB_DESTROY,
		      DRM_IOCTL_SYNCOBJ_DESTROY, DRM_IOCTL_SYNCOBJ_CREATE, DRM_IOCTL_NPU_BO_SYNC})
			driver_->watch(request, [this, parent](void *) {
				if (::getpid() != parent)
					shared_->calls++;
			});
	}

	void TearDown() override { ::munmap(shared_, sizeof(Shared)); }

	Shared *shared_ = nullptr;
};

TEST_F(ForkTest, DestructorsOfAChildLeaveTheParentsObjectsAlone)
{
	auto queue = Context::create(device_);
	auto cached = Buffer::create(device_, 4096, {.cached = true});
	auto syncobj = Syncobj::create(device_);
	Job good = job();
	ASSERT_TRUE(queue && cached && syncobj);
	auto fence = queue->submit(good);
	auto access = cached->access(Buffer::Direction::read_write);
	ASSERT_TRUE(fence && access);
	cached->bytes()[0] = std::byte{1};

	const pid_t child = ::fork();
	ASSERT_NE(child, -1);
	if (!child) {
		const bool sees = cached->bytes()[0] == std::byte{1};

		{
			const Buffer::Access gone(std::move(*access));
			const Fence no_fence(std::exchange(*fence, {}));
			const Syncobj no_syncobj(std::exchange(*syncobj, {}));
			const Job no_job(std::move(good));
			const Context no_context(std::move(*queue));
			const Buffer no_buffer(std::move(*cached));
			const Buffer no_other(std::move(buffer_));
		}
		::_exit(sees ? 0 : 1);
	}
	int status = 0;
	ASSERT_EQ(::waitpid(child, &status, 0), child);
	EXPECT_EQ(status, 0) << "the child has the mapping";
	EXPECT_EQ(shared_->calls, 0);
	EXPECT_TRUE(fence->wait());
	EXPECT_TRUE(queue->submit(good));
	EXPECT_TRUE(cached->info());
	EXPECT_TRUE(access->end());
}

/* A lock that a thread of the parent holds during fork is never given back in the child. */
TEST_F(ForkTest, DestructorsOfAChildTakeNoLock)
{
	pid_t child = -1;

	driver_->watch(DRM_IOCTL_NPU_BO_CREATE, [&](void *) {
		/* The lock of the handles is held here. */
		child = ::fork();
		if (!child) {
			::alarm(60);
			{
				const Buffer gone(std::move(buffer_));
			}
			::_exit(0);
		}
	});
	ASSERT_TRUE(Buffer::create(device_, 4096));
	ASSERT_NE(child, -1);
	int status = 0;
	ASSERT_EQ(::waitpid(child, &status, 0), child);
	EXPECT_EQ(status, 0);
	EXPECT_EQ(shared_->calls, 0);
}

} // namespace

} // namespace npu::test
