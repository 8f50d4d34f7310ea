/* SPDX-License-Identifier: MIT */
/// Syncobjs, sync_files and fences that signal when told to.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "device.h"
#include "patience.h"
#include "vgem.h"

/// A syncobj; must not outlive its device.
class Syncobj
{
public:
	explicit Syncobj(const Device &device, bool signalled = false);
	~Syncobj();
	Syncobj(Syncobj &&other) noexcept : fd_(other.fd_), handle_(std::exchange(other.handle_, 0))
	{
	}
	Syncobj &operator=(Syncobj &&) = delete;
	Syncobj(const Syncobj &) = delete;
	Syncobj &operator=(const Syncobj &) = delete;

	std::uint32_t handle() const { return handle_; }
	drm_npu_sync sync(std::uint64_t point = 0) const { return {handle_, 0, point}; }

	bool has_fence() const;
	void signal(std::uint64_t point) const;
	/// Waits; answers 0, or -ETIME. @flags are those of SYNCOBJ_WAIT.
	int wait(unsigned ms, std::uint64_t point = 0, std::uint32_t flags = 0) const;
	/// The newest point of a timeline that has signalled.
	std::uint64_t value() const;
	/// The fence as a sync_file.
	Fd export_file() const;
	void import_file(const Fd &file) const;
	/// Takes the fence of a point of another syncobj.
	void transfer(const Syncobj &from, std::uint64_t point) const;

private:
	int export_file(Fd &file) const;

	int fd_;
	std::uint32_t handle_ = 0;
};

/// Status of the fence of a sync_file: 0 active, 1 signalled, or negative errno.
int file_status(const Fd &file);
/// The same once it has signalled, or 0 after @ms milliseconds.
int final_status(const Fd &file, unsigned ms = patience::ms());
int final_status(const Syncobj &syncobj, unsigned ms = patience::ms());

/// Fences that SW_SYNC signals; root's alone, and not in every kernel.
class SoftTimeline
{
public:
	/// Null where there is none.
	static std::unique_ptr<SoftTimeline> open();

	/// A sync_file that signals at @value.
	Fd fence(std::uint32_t value) const;
	void advance(std::uint32_t by) const;

private:
	explicit SoftTimeline(Fd fd) : fd_(std::move(fd)) {}

	Fd fd_;
};

/// A fence that signals when told to, or in any case after 10 seconds. It is
/// made by the stock module vgem, or by SW_SYNC; without them the subtest is
/// skipped.
class Gate
{
public:
	explicit Gate(const Device &device);
	~Gate() { open(); }
	Gate(const Gate &) = delete;
	Gate &operator=(const Gate &) = delete;

	drm_npu_sync sync() const { return syncobj_.sync(); }
	/// The fence as a sync_file.
	Fd export_file() const { return syncobj_.export_file(); }
	/// Signals the fence; also after the device has gone.
	void open();

private:
	std::unique_ptr<VgemBuffer> vgem_;
	std::unique_ptr<SoftTimeline> soft_;
	Syncobj syncobj_;
	std::uint32_t fence_ = 0;
	bool open_ = false;
};
