/* SPDX-License-Identifier: MIT */
/// Objects that this program has created and not destroyed.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "../../conformance/device.h"
#include "random.h"

namespace fuzz
{

struct BufferObject {
	std::uint32_t id = 0;
	std::uint32_t address = 0;
	std::uint64_t size = 0;
	std::uint64_t offset = 0;
};

struct ContextObject {
	std::uint32_t id = 0;
	std::uint64_t seqno = 0;
	std::uint64_t page_offset = 0;
};

struct JobObject {
	std::uint32_t id = 0;
};

struct SyncobjObject {
	std::uint32_t id = 0;
	std::uint64_t point = 0;
};

/// The live objects of a kind, and ids of some destroyed ones. Thread-safe.
template <typename T>
class Pool
{
public:
	std::size_t size() const
	{
		std::scoped_lock lock(mutex_);

		return alive_.size();
	}
	void add(const T &object)
	{
		std::scoped_lock lock(mutex_);

		/* An import may return an existing handle. */
		std::erase_if(alive_, [&](const T &o) { return o.id == object.id; });
		alive_.push_back(object);
	}
	/// A random object, or one with id 0 if there is none.
	T any(Random &random) const
	{
		std::scoped_lock lock(mutex_);

		return alive_.empty() ? T{} : alive_[random.below(alive_.size())];
	}
	std::uint32_t freed(Random &random) const
	{
		std::scoped_lock lock(mutex_);

		return random.pick(freed_);
	}
	void remove(std::uint32_t id)
	{
		std::scoped_lock lock(mutex_);

		if (std::erase_if(alive_, [=](const T &o) { return o.id == id; }))
			freed_[next_freed_++ % freed_.size()] = id;
	}
	/// Calls @change with the object of @id, if there is one.
	template <typename F>
	void update(std::uint32_t id, F &&change)
	{
		std::scoped_lock lock(mutex_);

		for (T &object : alive_)
			if (object.id == id)
				change(object);
	}

private:
	mutable std::mutex mutex_;
	std::vector<T> alive_;
	std::array<std::uint32_t, 16> freed_{};
	std::size_t next_freed_ = 0;
};

/// A bounded set of values that drops the oldest one. Thread-safe.
template <typename T>
class Bag
{
public:
	explicit Bag(std::size_t capacity) : capacity_(capacity) {}

	void add(T value)
	{
		/*
		 * Destroyed after the lock is released, since its destructor may call the kernel.
		 */
		std::optional<T> oldest;
		std::scoped_lock lock(mutex_);

		if (values_.size() == capacity_) {
			oldest = std::move(values_.front());
			values_.erase(values_.begin());
		}
		values_.push_back(std::move(value));
	}
	std::optional<T> any(Random &random) const
	{
		std::scoped_lock lock(mutex_);

		if (values_.empty())
			return std::nullopt;
		return values_[random.below(values_.size())];
	}
	std::optional<T> take(Random &random)
	{
		std::scoped_lock lock(mutex_);

		if (values_.empty())
			return std::nullopt;
		auto it = values_.begin() + random.below(values_.size());
		T value = std::move(*it);
		values_.erase(it);
		return value;
	}
	void clear()
	{
		std::vector<T> all;
		std::scoped_lock lock(mutex_);

		all.swap(values_);
	}

private:
	mutable std::mutex mutex_;
	std::vector<T> values_;
	std::size_t capacity_;
};

/// Device addresses and handles of the buffers of a product.
struct Base {
	std::uint32_t features = 0, weights = 0, results = 0;
	std::uint32_t features_id = 0, weights_id = 0, results_id = 0;
	/// For streams of the rocket calls.
	std::uint32_t streams = 0, streams_id = 0;
	std::uint64_t streams_offset = 0;
};

/// A mapping of a buffer or of a completion page.
class Mapping
{
public:
	Mapping(void *data, std::size_t size, bool writable, bool page)
		: data_(data), size_(size), writable_(writable), page_(page)
	{
	}
	~Mapping();
	Mapping(const Mapping &) = delete;
	Mapping &operator=(const Mapping &) = delete;

	void *data() const { return data_; }
	std::size_t size() const { return size_; }
	bool writable() const { return writable_; }
	bool is_page() const { return page_; }

	/// Unmaps the first bytes, whose addresses may then be reused; 0 or a negative errno.
	int unmap_first(std::size_t size);

	/// The last sequence number that the completion page showed.
	std::mutex mutex;
	std::uint64_t completed = 0;

private:
	void *data_;
	std::size_t size_;
	bool writable_, page_;
};

/// An open device file, which is closed with its last reference.
struct File {
	/// Opens the device and creates the objects that programs need; their handles are stable.
	static std::shared_ptr<File> open(unsigned number);

	int fd() const { return device.fd(); }

	Device device;
	unsigned number = 0;
	Base base;
	std::shared_ptr<Mapping> streams;
	Pool<BufferObject> buffers;
	Pool<ContextObject> contexts;
	Pool<JobObject> jobs;
	Pool<SyncobjObject> syncobjs;

	explicit File(Fd fd) : device(std::move(fd)) {}
};

enum class FdKind : std::uint8_t { dma_buf, syncobj, sync_file, other };

struct SharedFd {
	std::shared_ptr<Fd> fd;
	FdKind kind = FdKind::other;
};

/// State that all threads share.
struct World {
	explicit World(std::size_t file_count) : files(file_count) {}

	std::shared_ptr<File> file(Random &random)
	{
		std::scoped_lock lock(mutex);

		return random.pick(files);
	}

	std::mutex mutex;
	std::vector<std::shared_ptr<File>> files;
	Bag<SharedFd> fds{24};
	Bag<std::shared_ptr<Mapping>> mappings{32};
};

} // namespace fuzz
