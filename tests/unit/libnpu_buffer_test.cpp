/* SPDX-License-Identifier: MIT */
/*
 * Buffers of libnpu on a device without a kernel.
 */
#include <cerrno>
#include <chrono>

#include <fcntl.h>
#include <linux/dma-buf.h>

#include "libnpu_fixture.h"

namespace npu::test
{

namespace
{

using namespace std::chrono_literals;

class BufferTest : public LibnpuTest
{
};

TEST_F(BufferTest, ReadOnlyIsAskedForAndReported)
{
	auto plain = Buffer::create(device_, 100);
	auto read_only = Buffer::create(device_, 100, {.read_only = true});
	ASSERT_TRUE(plain && read_only);

	auto info = plain->info();
	ASSERT_TRUE(info);
	EXPECT_FALSE(info->read_only || info->shared || info->cached);
	EXPECT_EQ(info->size, plain->size());
	EXPECT_EQ(info->address, plain->address());
	info = read_only->info();
	ASSERT_TRUE(info);
	EXPECT_TRUE(info->read_only);
	/* For the device, that is: somebody must fill it. */
	EXPECT_EQ(read_only->bytes().size(), 4096U);
}

TEST_F(BufferTest, WaitsForAllOrForWrites)
{
	Context queue = context();
	drm_npu_bo_wait seen{};

	driver_->watch(DRM_IOCTL_NPU_BO_WAIT,
		       [&](void *argument) { seen = *static_cast<drm_npu_bo_wait *>(argument); });
	ASSERT_TRUE(buffer_.wait());
	EXPECT_EQ(seen.handle, buffer_.handle());
	EXPECT_EQ(seen.flags, 0U);
	EXPECT_EQ(seen.timeout_ns, INT64_MAX);

	driver_->hold();
	ASSERT_TRUE(queue.submit(job()));
	EXPECT_TRUE(buffer_.wait(Deadline::immediately()).timed_out());
	const Deadline deadline = Deadline::in(1ms);
	const auto waited = buffer_.wait(deadline, Buffer::Use::write);
	EXPECT_TRUE(waited.timed_out());
	expect_error(waited, ETIME, "4096 bytes");
	EXPECT_EQ(seen.flags, DRM_NPU_BO_WAIT_WRITES);
	EXPECT_EQ(seen.timeout_ns, deadline.monotonic_ns());
	driver_->resume();
	EXPECT_TRUE(buffer_.wait(Deadline::immediately()));
	driver_->fail(DRM_IOCTL_NPU_BO_WAIT, ENODEV);
	EXPECT_TRUE(buffer_.wait().failed());
}

TEST_F(BufferTest, IsHandedOver)
{
	auto cached = Buffer::create(device_, 8192, {.cached = true});
	drm_npu_bo_sync seen{};

	ASSERT_TRUE(cached);
	auto info = cached->info();
	ASSERT_TRUE(info);
	EXPECT_TRUE(info->cached);
	driver_->watch(DRM_IOCTL_NPU_BO_SYNC,
		       [&](void *argument) { seen = *static_cast<drm_npu_bo_sync *>(argument); });
	ASSERT_TRUE(cached->sync_for_cpu(64, 128));
	EXPECT_EQ(seen.handle, cached->handle());
	EXPECT_EQ(seen.direction, DRM_NPU_SYNC_FOR_CPU);
	EXPECT_EQ(seen.offset, 64U);
	EXPECT_EQ(seen.length, 128U);
	EXPECT_EQ(seen.pad, 0U);
	ASSERT_TRUE(cached->sync_for_device(0, 8192));
	EXPECT_EQ(seen.direction, DRM_NPU_SYNC_FOR_DEVICE);
	EXPECT_EQ(seen.length, 8192U);
	expect_error(cached->sync_for_device(4096, 4097), EINVAL, "4097 bytes");
}

TEST_F(BufferTest, SaysWhereItIsToBe)
{
	drm_npu_bo_residency seen{};

	driver_->watch(DRM_IOCTL_NPU_BO_RESIDENCY, [&](void *argument) {
		seen = *static_cast<drm_npu_bo_residency *>(argument);
	});
	expect_error(buffer_.set_residency(Buffer::Residency::pin), EOPNOTSUPP, "4096 bytes");
	driver_->add_sram(65536, 1, 1, 1);
	ASSERT_TRUE(buffer_.set_residency(Buffer::Residency::prefer, 7));
	EXPECT_EQ(seen.handle, buffer_.handle());
	EXPECT_EQ(seen.residency, DRM_NPU_RESIDENCY_PREFER);
	EXPECT_EQ(seen.region, chip_region);
	EXPECT_EQ(seen.priority, 7U);
	EXPECT_EQ(seen.pad, 0U);
	EXPECT_EQ(buffer_.info()->region, chip_region);
	ASSERT_TRUE(buffer_.set_residency(Buffer::Residency::none));
	EXPECT_EQ(seen.residency, DRM_NPU_RESIDENCY_NONE);
}

TEST_F(BufferTest, ForeignMemoryIsMappedThroughItsDmaBuf)
{
	const std::size_t before = driver_->objects();
	const UniqueFd dma_buf(driver_->foreign_dma_buf(8192));
	{
		auto buffer = Buffer::import(device_, dma_buf.get());

		ASSERT_TRUE(buffer) << buffer.error().message;
		EXPECT_EQ(buffer->size(), 8192U);
		EXPECT_NE(buffer->address(), 0U);
		EXPECT_TRUE(buffer->info()->shared);
		EXPECT_EQ(buffer->bytes().data(), driver_->foreign_bytes(dma_buf.get()).data());
	}
	EXPECT_EQ(driver_->objects(), before);
	/* It was the caller's before and still is. */
	EXPECT_NE(::fcntl(dma_buf.get(), F_GETFD), -1);
}

TEST_F(BufferTest, ForeignMemoryThatCannotBeMappedIsStillTheDevices)
{
	const UniqueFd dma_buf(driver_->foreign_dma_buf(4096));

	driver_->fail_map(EACCES);
	auto buffer = Buffer::import(device_, dma_buf.get());
	ASSERT_TRUE(buffer);
	EXPECT_TRUE(buffer->bytes().empty());
	EXPECT_EQ(buffer->size(), 4096U);
}

TEST_F(BufferTest, ExportsAreTheCallersToClose)
{
	int number = -1;
	{
		auto dma_buf = buffer_.export_dma_buf();

		ASSERT_TRUE(dma_buf) << dma_buf.error().message;
		number = dma_buf->get();
		EXPECT_EQ(::fcntl(number, F_GETFD), FD_CLOEXEC);
		EXPECT_TRUE(buffer_.info()->shared);
	}
	EXPECT_EQ(::fcntl(number, F_GETFD), -1);

	std::uint32_t flags = 0;
	driver_->watch(DRM_IOCTL_PRIME_HANDLE_TO_FD, [&](void *argument) {
		flags = static_cast<drm_prime_handle *>(argument)->flags;
	});
	driver_->fail(DRM_IOCTL_PRIME_HANDLE_TO_FD, EMFILE);
	expect_error(buffer_.export_dma_buf(), EMFILE, "cannot export");
	EXPECT_EQ(flags, std::uint32_t{O_CLOEXEC | O_RDWR});
}

/* The kernel gives a file one handle for a buffer, and closes it at once. */
TEST_F(BufferTest, ImportingTwiceClosesOnce)
{
	const std::size_t before = driver_->objects();
	const UniqueFd dma_buf(driver_->foreign_dma_buf(4096));
	auto exported = buffer_.export_dma_buf();
	ASSERT_TRUE(exported);
	{
		auto first = Buffer::import(device_, dma_buf.get());
		ASSERT_TRUE(first);
		{
			auto second = Buffer::import(device_, dma_buf.get());
			ASSERT_TRUE(second);
			EXPECT_EQ(second->handle(), first->handle());
		}
		EXPECT_TRUE(first->info());
		{
			auto own = Buffer::import(device_, exported->get());
			ASSERT_TRUE(own);
			EXPECT_EQ(own->handle(), buffer_.handle());
			EXPECT_EQ(own->bytes().data(), buffer_.bytes().data());
		}
		EXPECT_TRUE(buffer_.info());
	}
	EXPECT_EQ(driver_->objects(), before);
}

TEST_F(BufferTest, ImportsThatFailSayWhyAndLeaveNothing)
{
	const std::size_t before = driver_->objects();

	expect_error(Buffer::import(device_, 0), EINVAL, "is it a dma-buf");
	driver_->fail(DRM_IOCTL_PRIME_FD_TO_HANDLE, EBADF);
	expect_error(Buffer::import(device_, -1), EBADF, "no open file descriptor");
	driver_->fail(DRM_IOCTL_PRIME_FD_TO_HANDLE, 0);

	const UniqueFd dma_buf(driver_->foreign_dma_buf(4096));
	driver_->fail(DRM_IOCTL_NPU_QUERY, ENODEV);
	expect_error(Buffer::import(device_, dma_buf.get()), ENODEV, "cannot query the buffer");
	EXPECT_EQ(driver_->objects(), before);
	driver_->fail(DRM_IOCTL_NPU_QUERY, 0);
	EXPECT_TRUE(Buffer::import(device_, dma_buf.get()));
}

/// The ranges that were handed over, and their directions, in order.
struct Handed {
	std::uint32_t direction;
	std::uint64_t offset;
	std::uint64_t length;
	auto operator<=>(const Handed &) const = default;
};

class AccessTest : public LibnpuTest
{
protected:
	void SetUp() override
	{
		LibnpuTest::SetUp();
		auto cached = Buffer::create(device_, 8192, {.cached = true});
		ASSERT_TRUE(cached);
		cached_ = std::move(*cached);
		driver_->watch(DRM_IOCTL_NPU_BO_SYNC, [this](void *argument) {
			const auto &args = *static_cast<drm_npu_bo_sync *>(argument);

			handed_.push_back({args.direction, args.offset, args.length});
		});
		driver_->watch(DMA_BUF_IOCTL_SYNC, [this](void *argument) {
			flags_.push_back(static_cast<dma_buf_sync *>(argument)->flags);
		});
	}

	static constexpr std::uint32_t cpu = DRM_NPU_SYNC_FOR_CPU;
	static constexpr std::uint32_t device = DRM_NPU_SYNC_FOR_DEVICE;
	Buffer cached_;
	std::vector<Handed> handed_;
	/// Of DMA_BUF_IOCTL_SYNC.
	std::vector<std::uint64_t> flags_;
};

TEST_F(AccessTest, HandsOverWhatTheDirectionNeeds)
{
	using Direction = Buffer::Direction;
	const std::pair<Direction, std::vector<Handed>> cases[] = {
		{Direction::read, {{cpu, 64, 128}}},
		{Direction::write, {{device, 64, 128}}},
		{Direction::read_write, {{cpu, 64, 128}, {device, 64, 128}}},
	};

	for (const auto &[direction, expected] : cases) {
		handed_.clear();
		{
			auto access = cached_.access(direction, 64, 128);

			ASSERT_TRUE(access) << access.error().message;
			EXPECT_EQ(access->bytes().data(), cached_.bytes().data() + 64);
			EXPECT_EQ(access->as<std::uint32_t>(4, 31).size(), 31U);
			EXPECT_TRUE(access->as<std::uint32_t>(4, 32).empty()) << "beyond the range";
			EXPECT_TRUE(access->as<std::uint32_t>(2, 1).empty()) << "not aligned";
			EXPECT_TRUE(access->as<std::uint32_t>(0, SIZE_MAX / 2).empty());
		}
		EXPECT_EQ(handed_, expected);
	}
	/* The rest of a line that is not overwritten as a whole must be the device's. */
	handed_.clear();
	ASSERT_TRUE(cached_.access(Direction::write, 64, 100));
	EXPECT_EQ(handed_, (std::vector<Handed>{{cpu, 64, 100}, {device, 64, 100}}));
}

TEST_F(AccessTest, EndsOnceAndMoves)
{
	auto access = cached_.access(Buffer::Direction::write);
	ASSERT_TRUE(access);
	Buffer::Access moved(std::move(*access));

	EXPECT_EQ(moved.bytes().size(), 8192U);
	ASSERT_TRUE(moved.end());
	EXPECT_TRUE(moved.bytes().empty());
	EXPECT_EQ(handed_.size(), 1U);
	ASSERT_TRUE(moved.end());
	EXPECT_EQ(handed_.size(), 1U);

	auto other = cached_.access(Buffer::Direction::write);
	ASSERT_TRUE(other);
	driver_->fail(DRM_IOCTL_NPU_BO_SYNC, ENODEV);
	expect_error(other->end(), ENODEV, "8192 bytes");
	expect_error(cached_.access(Buffer::Direction::read), ENODEV, "8192 bytes");
}

TEST_F(AccessTest, RangesAreChecked)
{
	const std::pair<std::size_t, std::size_t> ranges[] = {
		{0, 0}, {8192, 1}, {8191, 2}, {1, SIZE_MAX}, {SIZE_MAX, 1}};

	for (const auto &[offset, length] : ranges) {
		expect_error(cached_.access(Buffer::Direction::read, offset, length), EINVAL,
			     "do not lie within 8192");
		expect_error(cached_.view(offset, length), EINVAL, "do not lie within 8192");
		expect_error(cached_.sync_for_cpu(offset, length), EINVAL, "8192 bytes");
	}
	EXPECT_TRUE(handed_.empty());
}

TEST_F(AccessTest, ForeignMemoryIsHandedOverThroughItsDmaBuf)
{
	const UniqueFd dma_buf(driver_->foreign_dma_buf(8192));
	auto buffer = Buffer::import(device_, dma_buf.get());

	ASSERT_TRUE(buffer);
	ASSERT_TRUE(buffer->access(Buffer::Direction::read, 64, 64));
	ASSERT_TRUE(buffer->access(Buffer::Direction::write));
	ASSERT_TRUE(buffer->access(Buffer::Direction::read_write));
	EXPECT_EQ(flags_, (std::vector<std::uint64_t>{
				  DMA_BUF_SYNC_READ | DMA_BUF_SYNC_START,
				  DMA_BUF_SYNC_READ | DMA_BUF_SYNC_END,
				  DMA_BUF_SYNC_WRITE | DMA_BUF_SYNC_START,
				  DMA_BUF_SYNC_WRITE | DMA_BUF_SYNC_END,
				  DMA_BUF_SYNC_RW | DMA_BUF_SYNC_START,
				  DMA_BUF_SYNC_RW | DMA_BUF_SYNC_END,
			  }));
	EXPECT_TRUE(handed_.empty());
	driver_->fail(DMA_BUF_IOCTL_SYNC, EIO);
	expect_error(buffer->access(Buffer::Direction::read), EIO, "imported");
}

TEST_F(AccessTest, MemoryThatTheCpuCannotReachIsRefused)
{
	const UniqueFd dma_buf(driver_->foreign_dma_buf(4096));

	driver_->fail_map(EACCES);
	auto buffer = Buffer::import(device_, dma_buf.get());
	ASSERT_TRUE(buffer);
	expect_error(buffer->access(Buffer::Direction::read), EACCES, "does not let the CPU");
	EXPECT_TRUE(flags_.empty());
}

TEST_F(AccessTest, ViewsArePartsThatKeepTheBuffer)
{
	const std::size_t before = driver_->objects();
	BufferView part;
	{
		auto whole = Buffer::create(device_, 8192);
		ASSERT_TRUE(whole);
		auto view = whole->view(4096, 1024);
		ASSERT_TRUE(view);
		auto inner = view->view(256, 512);
		ASSERT_TRUE(inner);
		expect_error(view->view(256, 1000), EINVAL, "within 1024");
		part = *inner;
		EXPECT_EQ(part.address(), whole->address() + 4096 + 256);
		EXPECT_EQ(part.handle(), whole->handle());
		EXPECT_EQ(part.offset(), 4096U + 256U);
		EXPECT_EQ(part.bytes().data(), whole->bytes().data() + 4096 + 256);
	}
	EXPECT_EQ(part.size(), 512U);
	part.as<std::uint8_t>(0, 512)[511] = 1;
	{
		auto access = part.access(Buffer::Direction::read_write);
		ASSERT_TRUE(access);
		part = BufferView();
		EXPECT_EQ(handed_.back(), (Handed{cpu, 4096 + 256, 512}));
		EXPECT_GT(driver_->objects(), before) << "the access keeps the memory";
	}
	EXPECT_EQ(handed_.back(), (Handed{device, 4096 + 256, 512}));
	EXPECT_EQ(driver_->objects(), before);
}

TEST_F(BufferTest, ImportsMayStandForAPart)
{
	const UniqueFd dma_buf(driver_->foreign_dma_buf(8192));
	auto whole = Buffer::import(device_, dma_buf.get());
	auto part = Buffer::import(device_, dma_buf.get(), {.offset = 100, .size = 1000});
	auto rest = Buffer::import(device_, dma_buf.get(), {.offset = 8000});

	ASSERT_TRUE(whole && part && rest);
	EXPECT_EQ(part->address(), whole->address() + 100);
	EXPECT_EQ(part->size(), 1000U);
	EXPECT_EQ(part->bytes().data(), whole->bytes().data() + 100);
	EXPECT_EQ(rest->size(), 192U);
	const std::size_t before = driver_->objects();
	expect_error(Buffer::import(device_, dma_buf.get(), {.offset = 8192}), EINVAL, "within");
	expect_error(Buffer::import(device_, dma_buf.get(), {.offset = 1, .size = 8192}), EINVAL,
		     "within");
	expect_error(Buffer::import(device_, dma_buf.get(), {.offset = 1, .size = 0}), EINVAL,
		     "within");
	EXPECT_EQ(driver_->objects(), before);
}

TEST_F(BufferTest, ImportsHaveFencesOfOthersAndForOthers)
{
	const UniqueFd dma_buf(driver_->foreign_dma_buf(4096));
	const auto camera = std::make_shared<FakeFence>();
	const UniqueFd file(driver_->syncs().create_file(camera));
	auto fence = Fence::import(device_, file.get());
	ASSERT_TRUE(fence) << fence.error().message;
	auto buffer = Buffer::import(device_, dma_buf.get(), {.acquire = &*fence});
	ASSERT_TRUE(buffer) << buffer.error().message;
	ASSERT_EQ(driver_->acquired().size(), 1U);
	EXPECT_EQ(driver_->acquired().front(), camera);
	ASSERT_TRUE(buffer->acquire(*fence));
	EXPECT_EQ(driver_->acquired().size(), 2U);

	std::uint32_t flags = 0;
	driver_->watch(DMA_BUF_IOCTL_EXPORT_SYNC_FILE, [&](void *argument) {
		flags = static_cast<dma_buf_export_sync_file *>(argument)->flags;
	});
	auto release = buffer->release_fence();
	ASSERT_TRUE(release) << release.error().message;
	EXPECT_EQ(flags, std::uint32_t{DMA_BUF_SYNC_WRITE});
	EXPECT_TRUE(release->wait(Deadline::immediately()));
	ASSERT_TRUE(buffer->release_fence(Buffer::Use::write));
	EXPECT_EQ(flags, std::uint32_t{DMA_BUF_SYNC_READ});

	expect_error(buffer_.acquire(*fence), EOPNOTSUPP, "imported");
	expect_error(buffer_.release_fence(), EOPNOTSUPP, "imported");
	expect_error(buffer->acquire(Fence()), EINVAL, "no fence");
	driver_->fail(DMA_BUF_IOCTL_IMPORT_SYNC_FILE, ENOTTY);
	expect_error(Buffer::import(device_, dma_buf.get(), {.acquire = &*fence}), ENOTTY, "fence");
}

TEST_F(BufferTest, ResidencyIsAskedForFromTheStart)
{
	drm_npu_bo_create seen{};

	driver_->watch(DRM_IOCTL_NPU_BO_CREATE,
		       [&](void *argument) { seen = *static_cast<drm_npu_bo_create *>(argument); });
	ASSERT_TRUE(Buffer::create(device_, 4096, {.residency = Residency::prefer}));
	EXPECT_EQ(seen.region, chip_region);
	EXPECT_EQ(seen.flags, 0U);
	ASSERT_TRUE(Buffer::create(device_, 4096, {.residency = Residency::pin, .region = 2}));
	EXPECT_EQ(seen.region, 2U);
	EXPECT_EQ(seen.flags, std::uint32_t{DRM_NPU_BO_PIN});
	ASSERT_TRUE(Buffer::create(device_, 4096));
	EXPECT_EQ(seen.region, 0U);
}

TEST_F(BufferTest, SharedBuffersStayInSystemMemory)
{
	driver_->add_sram(65536, 1, 1, 1);
	ASSERT_TRUE(buffer_.set_residency(Residency::prefer));
	ASSERT_TRUE(buffer_.export_dma_buf());
	EXPECT_EQ(buffer_.info()->region, 0U);
	expect_error(buffer_.set_residency(Residency::prefer), EBUSY, "imported or exported");
}

TEST_F(BufferTest, NoBufferAnswersEveryCall)
{
	const Buffer none;
	const BufferView part;

	EXPECT_EQ(none.size(), 0U);
	EXPECT_EQ(none.handle(), 0U);
	EXPECT_TRUE(none.bytes().empty());
	EXPECT_TRUE(none.as<int>(0, 1).empty());
	EXPECT_EQ(none.info().error().code, ENODEV);
	EXPECT_EQ(none.wait().error().code, ENODEV);
	EXPECT_EQ(none.view(0, 1).error().code, ENODEV);
	EXPECT_EQ(none.access(Buffer::Direction::read).error().code, ENODEV);
	EXPECT_EQ(none.export_dma_buf().error().code, ENODEV);
	EXPECT_EQ(none.set_residency(Residency::pin).error().code, ENODEV);
	EXPECT_EQ(none.sync_for_cpu(0, 1).error().code, ENODEV);
	EXPECT_EQ(part.view(0, 1).error().code, ENODEV);
	EXPECT_EQ(part.access(Buffer::Direction::read).error().code, ENODEV);
	EXPECT_TRUE(part.bytes().empty());
	EXPECT_EQ(Buffer::create(Device(), 1).error().code, ENODEV);
}

} // namespace

} // namespace npu::test
