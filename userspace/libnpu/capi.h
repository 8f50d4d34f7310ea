/* SPDX-License-Identifier: MIT */
/*
 * Helpers of the C interface: errors, versioned structures and objects.
 */
#pragma once

#include <cerrno>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>

#include "npu/deadline.h"
#include "npu/error.h"
#include "npu/npu.h"
#include "npu/status.h"
#include "npu/wait.h"

namespace npu::capi
{

/// The message of the last call of this thread, empty if it had no error.
class LastError
{
public:
	static LastError &of_thread() noexcept;

	void clear() noexcept
	{
		fixed_ = nullptr;
		text_.clear();
	}
	/// @return the negative errno
	int set(Error error) noexcept
	{
		text_ = std::move(error.message);
		return -error.code;
	}
	/// The same without memory.
	int set_fixed(int code, const char *text) noexcept
	{
		fixed_ = text;
		return -code;
	}
	const char *message() const noexcept { return fixed_ ? fixed_ : text_.c_str(); }

private:
	std::string text_;
	const char *fixed_ = nullptr;
};

inline int failed(Error error) noexcept
{
	return LastError::of_thread().set(std::move(error));
}

/// Records an error that has no C++ Error. @return the negative errno
inline int refused(int code, const char *what)
{
	return failed(fail(code, what).error());
}

/// Runs the body of a C function. Clears the last message and catches all exceptions.
template <std::invocable Call>
int guarded(const Call &call) noexcept
{
	LastError &last = LastError::of_thread();

	last.clear();
	try {
		return call();
	} catch (const std::bad_alloc &) {
		return last.set_fixed(ENOMEM, "memory is exhausted");
	} catch (const std::length_error &) {
		return last.set_fixed(E2BIG, "a number of elements is too large");
	} catch (...) {
		return last.set_fixed(EIO, "an unknown C++ exception in libnpu, which is a bug");
	}
}

/// As above, for functions whose @p objects must not be NULL.
template <typename Call, typename... Objects>
int guarded(const Call &call, const Objects *...objects) noexcept
{
	return guarded([&] {
		if ((!objects || ...))
			return refused(EINVAL, "an argument is NULL");
		return call();
	});
}

/// Stores the value of @p result as a new @p Object, or records its error.
template <typename Object, typename T>
int hand_out(Result<T> result, Object **object)
{
	if (!result)
		return failed(std::move(result.error()));
	*object = std::make_unique<Object>(std::move(*result)).release();
	return 0;
}

/// Stores the value of @p result, unless @p to is NULL, or records its error.
template <typename T, typename From>
int store(Result<From> result, T *to)
{
	if (!result)
		return failed(std::move(result.error()));
	if (to)
		*to = std::move(*result);
	return 0;
}

/// Stores a file descriptor, or records the error of @p result.
int store_fd(auto result, int *fd)
{
	if (!result)
		return failed(std::move(result.error()));
	*fd = result->release();
	return 0;
}

inline int done(Result<void> result)
{
	return result ? 0 : failed(std::move(result.error()));
}

/// Limit for the size of a structure of a later version.
constexpr std::size_t most_bytes = 4096;

/// Copies the caller's structure; NULL selects the defaults. Fails if fields that this version does
/// not know are not zero.
template <typename T>
Result<T> take(const T *from)
{
	T value{};

	value.size = sizeof(T);
	if (!from)
		return value;
	const std::size_t size = from->size;
	if (size < sizeof(T))
		return fail(EINVAL, "the size of a structure is " + std::to_string(size) +
					    ", less than version 1.0 has");
	const auto *bytes = reinterpret_cast<const std::byte *>(from);
	if (size > most_bytes)
		return fail(E2BIG,
			    "the size of a structure is " + std::to_string(size) + ", above 4096");
	for (const std::byte more : std::span(bytes, size).subspan(sizeof(T)))
		if (more != std::byte{0})
			return fail(E2BIG, "a structure has fields that this version of the "
					   "library does not know");
	std::memcpy(&value, bytes, sizeof(T));
	value.size = sizeof(T);
	return value;
}

/// An array of structures; each element must have the size that the first one states.
template <typename T>
class Elements
{
public:
	Elements(const T *first, std::size_t count)
		: first_(reinterpret_cast<const std::byte *>(first)), count_(count),
		  size_(count ? first->size : 0)
	{
	}

	std::size_t count() const { return count_; }
	Result<T> operator[](std::size_t index) const
	{
		const T *element = reinterpret_cast<const T *>(first_ + index * size_);

		if (size_ < sizeof(T) || element->size != size_)
			return fail(EINVAL, "the elements of an array do not have the size of the "
					    "first, or less than version 1.0 has");
		return take(element);
	}

private:
	const std::byte *first_;
	std::size_t count_;
	std::size_t size_;
};

/// Whether the caller's structure is large enough for a @p T.
template <typename T>
Result<void> check_room(const T *to)
{
	if (to->size < sizeof(T))
		return fail(EINVAL, "the size of a structure is " + std::to_string(to->size) +
					    ", less than version 1.0 has");
	if (to->size > most_bytes)
		return fail(E2BIG, "the size of a structure is " + std::to_string(to->size) +
					   ", above 4096");
	return {};
}

/// Fills the caller's structure and stores the size that this version knows.
/// @pre check_room()
template <typename T>
void give(T value, T *to)
{
	std::memset(to, 0, to->size);
	value.size = sizeof(T);
	std::memcpy(to, &value, sizeof(T));
}

/// As give(), with check_room().
template <typename T>
int give_checked(const T &value, T *to)
{
	if (auto room = check_room(to); !room)
		return failed(std::move(room.error()));
	give(value, to);
	return 0;
}

npu_job_status status_of(const JobStatus &status);

/// The return value of a wait.
template <typename T>
int outcome(WaitResult<T> waited)
{
	if (waited.ended())
		return NPU_ENDED;
	const int code = failed(std::move(waited.error()));
	return waited.timed_out() ? NPU_TIMED_OUT : code;
}

/// Runs @p wait. Stores the status of the job, unless @p status is NULL.
template <typename Wait>
int wait_for_job(const Wait &wait, npu_job_status *status)
{
	if (status)
		if (auto room = check_room(status); !room)
			return failed(std::move(room.error()));
	WaitResult<JobStatus> waited = wait();
	if (status)
		give(waited.has_value() ? status_of(*waited) : npu_job_status{}, status);
	return outcome(std::move(waited));
}

inline Deadline deadline_of(std::int64_t ns)
{
	return Deadline::at_ns(ns);
}

} // namespace npu::capi
