/* SPDX-License-Identifier: MIT */
/*
 * Products of some channels, products that are under way, and rotated layers, on a device
 * without a kernel or on that of NPU_TEST_DEVICE.
 */
#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <new>
#include <optional>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>

#include <engine/engine.h>

#include "any_device.h"
#include "fake_driver.h"
#include "random_floats.h"
#include "transfer.h"

namespace npu
{

namespace
{

/// Random numbers; one channel in a hundred is twenty times larger.
std::vector<float> with_outliers(std::size_t count, std::uint32_t k, unsigned int seed)
{
	auto values = test::random_floats(count, seed);

	for (std::size_t i = 0; i < count; i++)
		if (i % k % 100 == 7)
			values[i] *= 20;
	return values;
}

/// Root mean square error of @p y relative to W x in double.
double error(std::span<const float> y, std::span<const float> weights, std::span<const float> x,
	     std::uint32_t m, std::uint32_t n, std::uint32_t k)
{
	double difference = 0;
	double size = 0;

	for (std::size_t row = 0; row < m; row++)
		for (std::size_t i = 0; i < n; i++) {
			double exact = 0;

			for (std::size_t j = 0; j < k; j++)
				exact += static_cast<double>(weights[i * k + j]) *
					 static_cast<double>(x[row * k + j]);
			difference += std::pow(static_cast<double>(y[row * n + i]) - exact, 2);
			size += exact * exact;
		}
	return std::sqrt(difference / size);
}

class EnginePartsTest : public testing::Test
{
protected:
	void SetUp() override
	{
		auto device = test::any_device();
		ASSERT_TRUE(device) << device.error().message;
		device_ = *device;
	}

	Linear layer(std::span<const float> weights, std::uint32_t n, std::uint32_t k,
		     const Linear::Options &options = {})
	{
		auto made = Linear::pack(
			device_,
			[&](std::uint32_t row, std::span<float> out) {
				std::ranges::copy(weights.subspan(std::size_t{row} * k, k),
						  out.begin());
			},
			n, k, options);
		EXPECT_TRUE(made) << made.error().message;
		return std::move(*made);
	}

	Device device_;
};

/* Some channels equal those of the whole product bit by bit; others in y are not written. */
TEST_F(EnginePartsTest, SomeChannelsAreThoseOfTheWhole)
{
	constexpr std::uint32_t n = 203;
	constexpr std::uint32_t k = 4200;
	constexpr std::uint32_t m = 5;
	constexpr std::size_t stride = n + 9;
	const auto weights = test::random_floats(std::size_t{n} * k, 1);
	const auto x = test::random_floats(std::size_t{m} * k, 2);
	auto engine = Engine::create(device_);
	ASSERT_TRUE(engine);

	for (const Precision precision : {Precision::int8, Precision::int8x2, Precision::fp16}) {
		const Linear whole = layer(weights, n, k, {.precision = precision});
		const Linear other = layer(std::span(weights).first(std::size_t{64} * k), 64, k,
					   {.precision = precision});
		std::vector<float> all(std::size_t{m} * n);
		const Linear *const layers[] = {&whole};
		const std::span<float> results[] = {all};
		ASSERT_TRUE(engine->multiply(layers, m, x, results));

		for (const std::uint32_t first : {32U, 96U, 192U}) {
			std::vector<float> some(m * stride, -1.0F);
			std::vector<float> more(std::size_t{m} * 64, -1.0F);
			const Operand operands[] = {{&other, 32}, {&whole, first}};
			ASSERT_TRUE(engine->start(operands, m, {x, k}));
			ASSERT_TRUE(engine->wait());
			ASSERT_TRUE(engine->fetch(1, {some, stride}));
			ASSERT_TRUE(engine->fetch(0, {more, 64}));
			for (std::size_t row = 0; row < m; row++)
				for (std::size_t i = 0; i < stride; i++)
					ASSERT_EQ(some[row * stride + i],
						  i < first || i >= n ? -1.0F : all[row * n + i])
						<< first << ' ' << row << ' ' << i;
			for (std::size_t i = 0; i < more.size(); i++)
				ASSERT_EQ(more[i], i % 64 < 32 ? -1.0F : all[i / 64 * n + i % 64]);
		}
	}
}

TEST_F(EnginePartsTest, CallsOutOfOrderAreRefused)
{
	const auto weights = test::random_floats(std::size_t{64} * 64, 3);
	const auto x = test::random_floats(64, 4);
	const Linear whole = layer(weights, 64, 64);
	auto engine = Engine::create(device_);
	ASSERT_TRUE(engine);
	std::vector<float> y(64);
	const Operand operand[] = {{&whole, 0}};

	EXPECT_EQ(engine->wait().error().code, EINVAL);
	EXPECT_EQ(engine->fetch(0, {y, 64}).error().code, EINVAL);
	for (const std::uint32_t bad : {31U, 64U, 96U}) {
		const Operand refused[] = {{&whole, bad}};
		EXPECT_EQ(engine->start(refused, 1, {x, 64}).error().code, EINVAL) << bad;
	}
	EXPECT_EQ(engine->start(operand, 2, {x, 64}).error().code, EINVAL);
	EXPECT_EQ(engine->start(operand, 1, {x, 63}).error().code, EINVAL);
	ASSERT_TRUE(engine->start(operand, 1, {x, 64}));
	EXPECT_EQ(engine->fetch(0, {y, 64}).error().code, EINVAL);
	EXPECT_EQ(engine->start(operand, 1, {x, 64}).error().code, EBUSY);
	ASSERT_TRUE(engine->wait());
	EXPECT_EQ(engine->fetch(1, {y, 64}).error().code, EINVAL);
	EXPECT_EQ(engine->fetch(0, {y, 63}).error().code, EINVAL);
	EXPECT_TRUE(engine->fetch(0, {y, 64}));
}

/* A layer at the address of a destroyed one gets its own job. */
TEST_F(EnginePartsTest, LayersAreKnownByNumber)
{
	const auto x = test::random_floats(64, 5);
	auto engine = Engine::create(device_);
	ASSERT_TRUE(engine);
	std::optional<Linear> place;

	for (const unsigned int seed : {6U, 7U, 8U}) {
		const auto weights = test::random_floats(std::size_t{96} * 64, seed);
		std::vector<float> y(96);
		const std::span<float> results[] = {y};

		place.emplace(layer(weights, 96, 64));
		const Linear *const layers[] = {&*place};
		ASSERT_TRUE(engine->multiply(layers, 1, x, results));
		EXPECT_LT(error(y, weights, x, 1, 96, 64), 0.05) << seed;
	}
}

TEST_F(EnginePartsTest, TheOldestJobMakesRoom)
{
	if (test::on_real_device())
		GTEST_SKIP() << "not for a real device";
	auto driver = std::make_shared<test::FakeDriver>();
	device_ = *Device::create(driver);
	int made = 0;
	driver->watch(DRM_IOCTL_NPU_JOB_CREATE, [&](void *) { made++; });
	const auto weights = test::random_floats(std::size_t{32} * 32, 9);
	const Linear whole = layer(weights, 32, 32);
	const Linear *const layers[] = {&whole};
	auto engine = Engine::create(device_, {.max_jobs = 2});
	ASSERT_TRUE(engine);
	const auto run = [&](std::uint32_t m) {
		const auto x = test::random_floats(std::size_t{m} * 32, m);
		std::vector<float> y(std::size_t{m} * 32);
		const std::span<float> results[] = {y};

		ASSERT_TRUE(engine->multiply(layers, m, x, results));
		EXPECT_LT(error(y, weights, x, m, 32, 32), 0.05);
	};

	run(1);
	run(2);
	run(1);
	EXPECT_EQ(made, 2);
	/* Evicts the job for two rows. */
	run(3);
	run(1);
	EXPECT_EQ(made, 3);
	run(2);
	EXPECT_EQ(made, 4);
	EXPECT_EQ(Engine::create(device_, {.max_jobs = 0}).error().code, EINVAL);
}

TEST_F(EnginePartsTest, EnginesInTwoThreadsWriteWhatEachWritesAlone)
{
	constexpr std::uint32_t n = 70;
	constexpr std::uint32_t k = 300;
	const auto weights = test::random_floats(std::size_t{n} * k, 10);
	const Linear shared = layer(weights, n, k, {.rotate = false});
	const auto run = [&](unsigned int seed) {
		auto engine = Engine::create(device_, {.threads = 2});
		const Linear *const layers[] = {&shared};
		std::vector<float> all;

		for (std::uint32_t m = 1; engine && m < 20; m++) {
			const auto x = test::random_floats(std::size_t{m} * k, seed + m);
			std::vector<float> y(std::size_t{m} * n);
			const std::span<float> results[] = {y};

			EXPECT_TRUE(engine->multiply(layers, m, x, results));
			all.insert(all.end(), y.begin(), y.end());
		}
		return all;
	};
	const auto alone_a = run(100);
	const auto alone_b = run(200);
	std::vector<float> a;
	std::vector<float> b;
	std::thread thread([&] { a = run(100); });
	b = run(200);
	thread.join();

	EXPECT_EQ(a, alone_a);
	EXPECT_EQ(b, alone_b);
	EXPECT_NE(a, b);
}

/* Outliers cost plain int8 most of its precision, and a rotated layer almost none. */
TEST_F(EnginePartsTest, RotationSavesInt8FromOutliers)
{
	constexpr std::uint32_t m = 4;
	constexpr std::uint32_t n = 64;

	for (const std::uint32_t k : {512U, 768U, 288U}) {
		const auto weights = test::random_floats(std::size_t{n} * k, k);
		const auto x = with_outliers(std::size_t{m} * k, k, k + 1);
		auto engine = Engine::create(device_);
		ASSERT_TRUE(engine);
		const auto loss = [&](bool rotate) {
			const Linear whole = layer(weights, n, k, {.rotate = rotate});
			const Linear *const layers[] = {&whole};
			std::vector<float> y(std::size_t{m} * n);
			const std::span<float> results[] = {y};

			EXPECT_TRUE(engine->multiply(layers, m, x, results));
			return error(y, weights, x, m, n, k);
		};

		EXPECT_LT(loss(true), 0.02) << k;
		EXPECT_LT(loss(true), loss(false)) << k;
	}
}

/* 127 divided by such a number is infinite. */
TEST_F(EnginePartsTest, NextToNothingIsZero)
{
	constexpr std::uint32_t n = 32;
	constexpr std::uint32_t k = 64;
	constexpr float least = std::numeric_limits<float>::denorm_min();
	auto engine = Engine::create(device_);
	ASSERT_TRUE(engine);

	for (const Precision precision : {Precision::int8, Precision::int8x2})
		for (const bool of_weights : {false, true}) {
			std::vector<float> weights(std::size_t{n} * k, 1.0F);
			std::vector<float> x(k, 1.0F);
			(of_weights ? weights : x).assign(of_weights ? n * k : k, 0.0F);
			(of_weights ? weights : x)[3] = least;
			const Linear whole = layer(weights, n, k, {.precision = precision});
			const Linear *const layers[] = {&whole};
			std::vector<float> y(n, 1.0F);
			const std::span<float> results[] = {y};

			ASSERT_TRUE(engine->multiply(layers, 1, x, results));
			EXPECT_THAT(y, testing::Each(testing::FloatNear(0, 1e-30F)));
		}
}

TEST_F(EnginePartsTest, RotatedAndOtherLayersDoNotMix)
{
	const auto weights = test::random_floats(std::size_t{32} * 64, 11);
	const auto x = test::random_floats(64, 12);
	const Linear plain = layer(weights, 32, 64);
	const Linear rotated = layer(weights, 32, 64, {.rotate = true});
	auto engine = Engine::create(device_);
	ASSERT_TRUE(engine);
	const Operand mixed[] = {{&plain, 0}, {&rotated, 0}};

	EXPECT_EQ(engine->start(mixed, 1, {x, 64}).error().code, EINVAL);
}

/* Rotation preserves dot products, and spreads outliers and the mean. */
TEST(Rotation, KeepsProducts)
{
	for (const std::uint32_t k : {1U, 3U, 6U, 8U, 96U, 288U, 1536U, 8960U}) {
		const std::uint32_t block = rotation_block(k);
		const auto a = test::random_floats(k, 1);
		const auto b = test::random_floats(k, 2);
		auto turned_a = a;
		auto turned_b = b;
		double plain = 0;
		double turned = 0;

		EXPECT_EQ(k % block, 0U);
		EXPECT_LE(block, 256U);
		EXPECT_TRUE(block == 256 || k % (2 * block));
		rotate(turned_a, turned_a, block);
		rotate(turned_b, turned_b, block);
		for (std::size_t i = 0; i < k; i++) {
			plain += static_cast<double>(a[i]) * static_cast<double>(b[i]);
			turned +=
				static_cast<double>(turned_a[i]) * static_cast<double>(turned_b[i]);
		}
		EXPECT_NEAR(plain, turned / block, 1e-3) << k;
		EXPECT_EQ(rotation_length(k), std::sqrt(static_cast<float>(block)));
		if (block < 32)
			continue;
		std::vector<float> one(k);
		std::vector<float> mean(k, 1.0F);
		one[k / 2] = 1.0F;
		rotate(one, one, block);
		rotate(mean, mean, block);
		EXPECT_EQ(row_range(one).most, 1);
		EXPECT_LT(row_range(mean).most, 0.75F * static_cast<float>(block)) << k;
	}
}

TEST(WorkersTest, CoverEachNumberOnce)
{
	for (const std::uint32_t threads : {1U, 2U, 5U}) {
		Workers workers(threads);

		EXPECT_EQ(workers.threads(), threads);
		for (const std::uint32_t count : {0U, 1U, 2U, 7U, 1000U})
			for (const std::uint32_t least : {1U, 3U, 2000U}) {
				std::vector<std::atomic<int>> calls(count);
				std::atomic<std::uint32_t> ranges = 0;

				workers.run(count, least,
					    [&](std::uint32_t first, std::uint32_t last) {
						    ranges++;
						    EXPECT_TRUE(last - first >= least ||
								count < 2 * least);
						    for (std::uint32_t i = first; i < last; i++)
							    calls[i]++;
					    });
				for (const auto &called : calls)
					EXPECT_EQ(called, 1);
				EXPECT_LE(ranges, threads);
			}
	}
}

/* An exception in a helper must not terminate the process, and one in the caller must not
 * leave run() while helpers still use the body. */
TEST(WorkersTest, ExceptionsReachTheCallerAfterAllCallsHaveEnded)
{
	constexpr std::uint32_t threads = 4;
	Workers workers(threads);

	for (std::uint32_t bad = 0; bad < threads; bad++) {
		std::atomic<std::uint32_t> begun = 0;
		std::atomic<std::uint32_t> ended = 0;

		EXPECT_THROW(workers.run(threads, 1,
					 [&](std::uint32_t first, std::uint32_t /*last*/) {
						 begun++;
						 if (first == bad)
							 throw std::bad_alloc();
						 while (begun < threads)
							 std::this_thread::yield();
						 ended++;
					 }),
			     std::bad_alloc);
		EXPECT_EQ(ended, threads - 1);
	}
	std::atomic<std::uint32_t> calls = 0;
	EXPECT_THROW(workers.run(threads, 1,
				 [&](std::uint32_t /*first*/, std::uint32_t /*last*/) {
					 calls++;
					 throw std::bad_alloc();
				 }),
		     std::bad_alloc);
	EXPECT_EQ(calls, threads);
	workers.run(threads, 1, [&](std::uint32_t /*first*/, std::uint32_t /*last*/) { calls++; });
	EXPECT_EQ(calls, 2 * threads);
}

TEST(WorkersTest, ThreadsThatDoNotStartAreAnErrorOfTheEngine)
{
	auto device = Device::create(std::make_shared<test::FakeDriver>());
	pthread_attr_t before, huge;
	ASSERT_TRUE(device);
	ASSERT_EQ(::pthread_getattr_default_np(&before), 0);
	ASSERT_EQ(::pthread_attr_init(&huge), 0);
	/* No address space has room for such a stack. */
	ASSERT_EQ(::pthread_attr_setstacksize(&huge, std::size_t{1} << 60U), 0);
	ASSERT_EQ(::pthread_setattr_default_np(&huge), 0);
	const auto engine = Engine::create(*device, {.threads = 3});
	EXPECT_EQ(::pthread_setattr_default_np(&before), 0);
	::pthread_attr_destroy(&before);
	::pthread_attr_destroy(&huge);
	ASSERT_FALSE(engine);
	EXPECT_EQ(engine.error().code, EAGAIN);
	EXPECT_THAT(engine.error().message, testing::HasSubstr("3 threads"));
	EXPECT_TRUE(Engine::create(*device, {.threads = 3}));
}

} // namespace

} // namespace npu
