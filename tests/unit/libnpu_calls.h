/* SPDX-License-Identifier: MIT */
/*
 * All calls of libnpu that reach the kernel, for tests that make each of them fail.
 */
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <capi_objects.h>

#include "fake_driver.h"

namespace npu::test
{

/// The error of @p outcome; code 0 if there is none.
template <typename Outcome>
Error error_of(Outcome outcome)
{
	if (outcome)
		return {};
	return std::move(outcome.error());
}

/// A call of the C++ interface, which frees what it creates.
struct Call {
	std::string name;
	/// Words that its error message must contain.
	std::string subject;
	std::function<Error()> run;
	/// The call may succeed although one of its system calls failed.
	bool lenient = false;
};

/// A call of the C interface; @c name is the function.
struct CCall {
	std::string name;
	std::string subject;
	std::function<int()> run;
};

/// Objects of each kind, and the calls on them, which may be made any number of times.
class Calls
{
public:
	/// @p driver serves @p device and has on-chip memory.
	Calls(const Device &device, FakeDriver &driver);

	std::vector<Call> cpp();
	std::vector<CCall> c();

private:
	void add_device(std::vector<Call> &calls);
	void add_buffers(std::vector<Call> &calls);
	void add_contexts(std::vector<Call> &calls);
	void add_syncs(std::vector<Call> &calls);
	void add_device(std::vector<CCall> &calls);
	void add_buffers(std::vector<CCall> &calls);
	void add_contexts(std::vector<CCall> &calls);
	void add_syncs(std::vector<CCall> &calls);

	npu_device device_;
	/// A dma-buf and a sync_file of another device, and an exported syncobj.
	UniqueFd dma_buf_;
	UniqueFd sync_file_;
	UniqueFd syncobj_file_;
	npu_buffer buffer_;
	npu_buffer imported_;
	/// Neither imported nor exported.
	npu_buffer plain_;
	npu_context context_;
	npu_job job_;
	npu_page page_;
	npu_fence fence_;
	npu_fence batch_;
	npu_fence foreign_;
	npu_syncobj syncobj_;
	std::vector<Lane> lanes_;
	/// Begun by the constructor, so that the first call only has to end them.
	std::optional<Buffer::Access> access_;
	std::unique_ptr<npu_access> c_access_;
};

} // namespace npu::test
