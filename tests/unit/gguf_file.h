/* SPDX-License-Identifier: MIT */
/*
 * Writes GGUF files for tests.
 */
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace npu::test
{

/// Writes the parts of a GGUF file, right or wrong.
class GgufWriter
{
public:
	template <typename T>
	GgufWriter &put(T value)
	{
		const auto *bytes = reinterpret_cast<const std::byte *>(&value);
		bytes_.insert(bytes_.end(), bytes, bytes + sizeof(value));
		return *this;
	}
	GgufWriter &text(const std::string &string)
	{
		put<std::uint64_t>(string.size());
		for (const char c : string)
			put(c);
		return *this;
	}
	GgufWriter &header(std::uint64_t tensors, std::uint64_t values)
	{
		return put<std::uint32_t>(0x46554747)
			.put<std::uint32_t>(3)
			.put(tensors)
			.put(values);
	}
	GgufWriter &tensor(const std::string &name, const std::vector<std::uint64_t> &dimensions,
			   std::uint32_t type, std::uint64_t offset)
	{
		text(name).put(static_cast<std::uint32_t>(dimensions.size()));
		for (const std::uint64_t dimension : dimensions)
			put(dimension);
		return put(type).put(offset);
	}
	GgufWriter &pad(std::size_t to)
	{
		bytes_.resize((bytes_.size() + to - 1) / to * to);
		return *this;
	}
	std::span<const std::byte> bytes() const { return bytes_; }

private:
	std::vector<std::byte> bytes_;
};

/// A file with metadata, and tensors of zeros.
struct GgufFile {
	using Strings = std::vector<std::string>;
	using Numbers = std::vector<float>;
	using Value = std::variant<std::uint32_t, float, bool, std::string, Strings, Numbers>;

	std::map<std::string, Value> values;
	std::map<std::string, std::vector<std::uint64_t>> tensors;

	/// The bytes of the file. Tensors are F32.
	std::vector<std::byte> bytes() const
	{
		GgufWriter writer;
		std::uint64_t offset = 0;

		writer.header(tensors.size(), values.size());
		for (const auto &[key, value] : values) {
			writer.text(key);
			std::visit([&](const auto &one) { put(writer, one); }, value);
		}
		for (const auto &[name, dimensions] : tensors) {
			std::uint64_t size = sizeof(float);

			for (const std::uint64_t dimension : dimensions)
				size *= dimension;
			writer.tensor(name, dimensions, 0, offset);
			offset += (size + 31) / 32 * 32;
		}
		writer.pad(32);
		std::vector<std::byte> result(writer.bytes().size() + offset);
		std::ranges::copy(writer.bytes(), result.begin());
		return result;
	}

private:
	static void put(GgufWriter &writer, std::uint32_t value)
	{
		writer.put<std::uint32_t>(4).put(value);
	}
	static void put(GgufWriter &writer, float value)
	{
		writer.put<std::uint32_t>(6).put(value);
	}
	static void put(GgufWriter &writer, bool value) { writer.put<std::uint32_t>(7).put(value); }
	static void put(GgufWriter &writer, const std::string &value)
	{
		writer.put<std::uint32_t>(8).text(value);
	}
	static void put(GgufWriter &writer, const Strings &values)
	{
		writer.put<std::uint32_t>(9).put<std::uint32_t>(8).put<std::uint64_t>(
			values.size());
		for (const std::string &value : values)
			writer.text(value);
	}
	static void put(GgufWriter &writer, const Numbers &values)
	{
		writer.put<std::uint32_t>(9).put<std::uint32_t>(6).put<std::uint64_t>(
			values.size());
		for (const float value : values)
			writer.put(value);
	}
};

} // namespace npu::test
