/* SPDX-License-Identifier: MIT */
/*
 * Reader of GGUF files, version 3. Validates all input.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include <npu/error.h>

#include "llm/quants.h"

namespace npu::llm
{

/// A matrix or vector in a file.
struct Tensor {
	std::string name;
	/// Elements of a row.
	std::uint32_t columns = 0;
	std::uint32_t rows = 0;
	TensorType type = TensorType::f32;
	/// The elements as they are in the file.
	std::span<const std::byte> data;
};

/// A GGUF file in memory; movable, not copyable.
class Gguf
{
public:
	using Numbers = std::vector<double>;
	using Strings = std::vector<std::string>;
	/// Numbers and booleans are double, exact up to 2^53.
	using Value = std::variant<double, std::string, Numbers, Strings>;

	/// Map and read the file @p path.
	/// \retval ENOENT, EACCES and others from opening it
	/// \retval EINVAL not a GGUF file that can be read; the message says where
	static Result<Gguf> open(const std::string &path);

	/// Read from memory, which must outlive the result.
	static Result<Gguf> parse(std::span<const std::byte> bytes);

	/// The value of @p key.
	/// \retval EINVAL missing, or of another type
	Result<double> number(const std::string &key) const;
	Result<std::string> string(const std::string &key) const;
	Result<const Numbers *> numbers(const std::string &key) const;
	Result<const Strings *> strings(const std::string &key) const;

	/// A whole number from @p least to @p most.
	Result<std::uint32_t> integer(const std::string &key, std::uint32_t least,
				      std::uint32_t most) const;

	bool has(const std::string &key) const { return values_.contains(key); }
	bool has_tensor(const std::string &name) const { return tensors_.contains(name); }

	/// All metadata by key, and all tensors by name.
	const std::map<std::string, Value> &values() const { return values_; }
	const std::map<std::string, Tensor> &tensors() const { return tensors_; }

	/// The tensor @p name, which must have that shape.
	/// \retval EINVAL missing, or of another shape
	Result<const Tensor *> tensor(const std::string &name, std::uint32_t rows,
				      std::uint32_t columns) const;

	/// Bytes of all tensors.
	std::size_t tensor_bytes() const;

private:
	template <typename T>
	Result<const T *> value(const std::string &key, const char *type) const;

	std::shared_ptr<const std::byte> mapping_;
	std::map<std::string, Value> values_;
	std::map<std::string, Tensor> tensors_;
};

/// All elements of @p tensor, row after row.
std::vector<float> to_floats(const Tensor &tensor);

/// The elements of row @p row of @p tensor.
/// \pre row is below tensor.rows, out has tensor.columns elements
void to_floats(const Tensor &tensor, std::uint32_t row, std::span<float> out);

} // namespace npu::llm
