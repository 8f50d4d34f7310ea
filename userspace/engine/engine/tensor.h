/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Tensors in memory that the NPU sees.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <variant>

#include <npu/buffer.h>
#include <npu/device.h>
#include <npu/error.h>
#include <rknn/matmul.h>
#include <rknn/tensor.h>

#pragma GCC visibility push(default)
namespace npu
{

/// Types of elements.
enum class Element : std::uint8_t {
	/// Integers of 8 bits, two's complement; std::int8_t.
	int8,
	/// IEEE 754 binary16, in a std::uint16_t; see engine/numeric.h.
	fp16,
	/// Integers of 32 bits; std::int32_t.
	int32,
	/// IEEE 754 binary32; float.
	fp32,
};

/// Bytes of an element: 1, 2 or 4.
std::size_t element_bytes(Element element);

/// How the elements of a tensor lie in the NPU's memory. A value. An application sees them
/// in their plain order, which pack() and unpack() convert.
class TensorLayout
{
public:
	/// A feature map. Plain: rows of pixels, all channels of a pixel side by side (NHWC).
	/// @retval EINVAL a size is 0
	/// @retval EOPNOTSUPP it exceeds the device's address space of 4 GiB
	static Result<TensorLayout> map(rknn::Type type, const rknn::Shape &shape);

	/// The left factor of a product of matrices. Plain: @p m rows of @p k elements.
	/// @retval EINVAL a size is 0
	/// @retval EOPNOTSUPP it exceeds the device's address space of 4 GiB
	static Result<TensorLayout> rows(rknn::Type type, std::uint32_t m, std::uint32_t k);

	/// The product of rows() of k elements and a matrix of k times @p n. Plain: @p m
	/// rows of @p n elements, int32 of int8 and fp32 of fp16.
	/// @retval EINVAL a size is 0
	/// @retval EOPNOTSUPP it exceeds the device's address space of 4 GiB
	static Result<TensorLayout> products(rknn::Type type, std::uint32_t m, std::uint32_t k,
					     std::uint32_t n);

	/// Type of the elements; of products int32 or fp32.
	Element element() const;
	/// Elements in the plain order.
	std::size_t elements() const;
	/// Bytes of the elements in the plain order.
	std::size_t plain_bytes() const { return elements() * element_bytes(element()); }
	/// Bytes in the NPU's memory, with padding.
	std::size_t bytes() const;
	/// Bytes of those that operations read; a map of few channels has padding behind.
	std::size_t read_bytes() const;

	/// Write @p plain to @p out in the NPU's order. Padding becomes 0.
	/// @retval EINVAL a span has not plain_bytes() or bytes()
	/// @retval EOPNOTSUPP it is a product, which only the NPU writes
	Result<void> pack(std::span<const std::byte> plain, std::span<std::byte> out) const;
	/// The reverse.
	/// @retval EINVAL a span has not bytes() or plain_bytes()
	/// @retval EOPNOTSUPP it is a left factor, which only the NPU reads
	Result<void> unpack(std::span<const std::byte> in, std::span<std::byte> plain) const;

	/// Same kind, type and sizes.
	bool operator==(const TensorLayout &) const = default;

private:
	struct Rows {
		rknn::Type type;
		std::uint32_t m;
		std::uint32_t k;
		bool operator==(const Rows &) const = default;
	};
	struct Products {
		rknn::Type type;
		std::uint32_t m;
		std::uint32_t k;
		std::uint32_t n;
		rknn::WeightLayout weights() const { return {type, k, n}; }
		bool operator==(const Products &) const = default;
	};
	using Kind = std::variant<rknn::Layout, Rows, Products>;

	TensorLayout(const Kind &kind) : kind_(kind) {}

	Kind kind_;
};

/// A tensor in the NPU's memory. A value: copies share the memory.
///
/// Neither write() nor read() waits for jobs: read what a plan has written after it has
/// ended, and do not write what it still reads.
class Tensor
{
public:
	/// A tensor in a buffer of its own, filled with zeros.
	/// @retval ENOMEM, ENOSPC, E2BIG as Buffer::create()
	static Result<Tensor> create(const Device &device, const TensorLayout &layout);

	/// A tensor in memory that is there already, an imported dma-buf for example: what
	/// lies there has to be in the NPU's order. One in memory of fewer than
	/// TensorLayout::bytes() can be the input of operations only.
	/// @retval EINVAL @p memory is smaller than TensorLayout::read_bytes(), or does not
	/// begin at a multiple of 16
	static Result<Tensor> over(const BufferView &memory, const TensorLayout &layout);

	/// Write all elements, in the plain order.
	/// @retval EINVAL @p values has another number or size of elements
	/// @retval EOPNOTSUPP, EACCES as TensorLayout::pack() and Buffer::access()
	template <typename T>
	Result<void> write(std::span<const T> values) const
	{
		return write_bytes(std::as_bytes(values), sizeof(T));
	}
	/// Read all elements, in the plain order.
	/// @retval EINVAL @p values has another number or size of elements
	/// @retval EOPNOTSUPP, EACCES as TensorLayout::unpack() and Buffer::access()
	template <typename T>
	Result<void> read(std::span<T> values) const
	{
		return read_bytes(std::as_writable_bytes(values), sizeof(T));
	}

	/// How its elements lie in memory().
	const TensorLayout &layout() const { return layout_; }
	/// The memory of the tensor, which it keeps alive.
	const BufferView &memory() const { return memory_; }
	/// Address that command streams use.
	std::uint32_t address() const { return memory_.address(); }

private:
	Tensor(const TensorLayout &layout, BufferView memory)
		: layout_(layout), memory_(std::move(memory))
	{
	}
	Result<void> check(std::size_t bytes, std::size_t element) const;
	Result<void> write_bytes(std::span<const std::byte> values, std::size_t element) const;
	Result<void> read_bytes(std::span<std::byte> values, std::size_t element) const;

	TensorLayout layout_;
	BufferView memory_;
};

} // namespace npu
#pragma GCC visibility pop
