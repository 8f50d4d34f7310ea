/* SPDX-License-Identifier: MIT */
/*
 * Packed weight matrices. The CPU uses GGUF's blocks in place; the NPU needs its own copy.
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

/// A weight matrix in ggml's format: n rows of k numbers.
struct Matrix {
	const std::byte *data = nullptr;
	ggml_type type = GGML_TYPE_F32;
	std::uint32_t k = 0;
	std::uint32_t n = 0;
	std::size_t row_bytes = 0;
	/// The tensor's name, for traces; only valid while the matrix is packed.
	const char *name = "";

	std::size_t bytes() const { return row_bytes * n; }
};

/// Rows of a matrix in one address space.
struct Piece {
	std::size_t space;
	std::uint32_t row;
	Linear layer;
};

/// A packed matrix: pieces in the order of their rows, which cover all rows; empty if packing has
/// failed.
struct Packed {
	Matrix matrix;
	std::vector<Piece> pieces;
	std::size_t bytes = 0;
};

/// The packed weights of all backends of the process, in as many address spaces of 4 GiB (open
/// files) as they need. Thread-safe.
class Weights
{
public:
	/// \retval ENODEV, EACCES and other errors of Device::open()
	static Result<std::unique_ptr<Weights>> create(const Options &options);

	/// Packed @p matrix, or nullptr if pack() was not called for it.
	std::shared_ptr<const Packed> find(const Matrix &matrix) const;

	/// Packs @p matrix with the help of @p workers. A failure is remembered, so that find()
	/// returns an empty matrix.
	/// \retval EINVAL a weight is not a finite number, or too large for fp16
	/// \retval ENOSPC the budget is used up
	/// \retval ENOMEM and other errors of the device
	Result<void> pack(const Matrix &matrix, Workers &workers);

	/// Drops the packed weights of @p bytes source bytes from @p begin on, which change or are
	/// freed.
	void forget(const void *begin, std::size_t bytes);
	/// Drops all packed weights.
	void clear();

	/// Size of @p matrix when packed.
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
