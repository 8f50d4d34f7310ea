/* SPDX-License-Identifier: MIT */
/*
 * The packed form of weight matrices. The CPU computes with GGUF's blocks where they are;
 * the NPU has a form of its own beside them.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include <ggml.h>

#include <engine/linear.h>
#include <engine/workers.h>
#include <npu/device.h>
#include <npu/error.h>

#include "options.h"

namespace npu::ggml
{

/// Rows of weights as ggml keeps them: n rows of k numbers of a type.
struct Matrix {
	const std::byte *data = nullptr;
	ggml_type type = GGML_TYPE_F32;
	std::uint32_t k = 0;
	std::uint32_t n = 0;
	std::size_t row_bytes = 0;
	/// For traces, while it is packed; the tensor's.
	const char *name = "";

	std::size_t bytes() const { return row_bytes * n; }
};

/// Rows of a matrix in one address space.
struct Piece {
	std::size_t space;
	std::uint32_t row;
	Linear layer;
};

/// A packed matrix: pieces in order of their rows, which together are all rows; none if it
/// could not be packed.
struct Packed {
	Matrix matrix;
	std::vector<Piece> pieces;
	std::size_t bytes = 0;
};

/// All that is packed, for all backends of the process. An open file has an address space
/// of 4 GiB, so that large models have several. For several threads.
class Weights
{
public:
	/// \retval ENODEV, EACCES and others: what Device::open() says
	static Result<std::unique_ptr<Weights>> create(const Options &options);

	/// Packed @p matrix, or nullptr if pack() was not called for it.
	std::shared_ptr<const Packed> find(const Matrix &matrix) const;

	/// Pack @p matrix with the help of @p workers. If it fails, nothing is kept but that
	/// it did, so that find() knows the matrix.
	/// \retval EINVAL a weight is not a finite number, or too large for fp16
	/// \retval ENOSPC the budget is used up
	/// \retval ENOMEM and others: what the device says
	Result<void> pack(const Matrix &matrix, Workers &workers);

	/// Forget what is packed of @p bytes bytes from @p begin on, which change or go away.
	void forget(const void *begin, std::size_t bytes);
	/// Forget all that is packed.
	void clear();

	/// Bytes that packing @p matrix takes.
	std::size_t packed_bytes(const Matrix &matrix) const;
	std::size_t bytes() const;
	const Options &options() const { return options_; }
	Device device(std::size_t space) const;
	std::size_t spaces() const;

private:
	struct Space {
		Device device;
		std::size_t used = 0;
	};

	explicit Weights(const Options &options) : options_(options) {}
	Result<Packed> pack_pieces(const Matrix &matrix, Workers &workers);
	Result<std::size_t> space_for(std::size_t bytes);
	void release(const Packed &packed);

	Options options_;
	std::size_t budget_ = 0;
	mutable std::mutex mutex_;
	std::vector<Space> spaces_;
	std::size_t used_ = 0;
	std::map<const std::byte *, std::shared_ptr<const Packed>> packed_;
};

} // namespace npu::ggml
