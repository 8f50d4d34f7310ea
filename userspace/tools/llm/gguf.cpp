/* SPDX-License-Identifier: MIT */
#include "llm/gguf.h"

#include <array>
#include <bit>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <limits>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <engine/numeric.h>

namespace npu::llm
{

namespace
{

static_assert(std::endian::native == std::endian::little, "GGUF is read in place");

constexpr std::uint32_t magic = 0x46554747;
constexpr std::uint32_t version = 3;
constexpr std::uint64_t default_alignment = 32;
/// Names and texts are short; arrays are vocabularies at most.
constexpr std::uint64_t max_string = 1U << 20U;
constexpr std::uint64_t max_elements = 1U << 22U;
constexpr std::uint64_t max_entries = 1U << 16U;
/// Tensors of up to this many elements; more is no model for this engine.
constexpr std::uint64_t max_tensor = std::uint64_t{1} << 34U;

/// Types of metadata values, as the format numbers them.
enum class ValueType : std::uint32_t {
	u8,
	i8,
	u16,
	i16,
	u32,
	i32,
	f32,
	boolean,
	string,
	array,
	u64,
	i64,
	f64,
};

/// How many elements of a type are stored together, in how many bytes.
struct Block {
	std::uint32_t elements;
	std::uint32_t bytes;
};

Result<Block> block_of(std::uint32_t type, const std::string &tensor)
{
	switch (static_cast<TensorType>(type)) {
	case TensorType::f32:
		return Block{1, 4};
	case TensorType::f16:
		return Block{1, 2};
	case TensorType::q4_0:
		return Block{32, 18};
	case TensorType::q8_0:
		return Block{32, 34};
	}
	return fail(EINVAL, "tensor '" + tensor + "' has type " + std::to_string(type) +
				    ", not F32, F16, Q4_0 or Q8_0");
}

/// Reads one thing after the other; after the first failure only zeros.
class Reader
{
public:
	explicit Reader(std::span<const std::byte> bytes) : bytes_(bytes) {}

	template <typename T>
	T read()
	{
		T value{};

		if (!take(sizeof(T)))
			return value;
		std::memcpy(&value, bytes_.data() + position_ - sizeof(T), sizeof(T));
		return value;
	}

	std::string read_string()
	{
		const auto size = read<std::uint64_t>();

		if (size > max_string || !take(size)) {
			failed_ = true;
			return {};
		}
		const auto *from = reinterpret_cast<const char *>(bytes_.data());
		return {from + position_ - size, size};
	}

	bool failed() const { return failed_; }
	void set_failed() { failed_ = true; }
	std::size_t position() const { return position_; }

private:
	bool take(std::uint64_t size)
	{
		if (failed_ || size > bytes_.size() - position_) {
			failed_ = true;
			return false;
		}
		position_ += size;
		return true;
	}

	std::span<const std::byte> bytes_;
	std::size_t position_ = 0;
	bool failed_ = false;
};

double read_number(Reader &reader, ValueType type)
{
	switch (type) {
	case ValueType::u8:
		return reader.read<std::uint8_t>();
	case ValueType::i8:
		return reader.read<std::int8_t>();
	case ValueType::u16:
		return reader.read<std::uint16_t>();
	case ValueType::i16:
		return reader.read<std::int16_t>();
	case ValueType::u32:
		return reader.read<std::uint32_t>();
	case ValueType::i32:
		return reader.read<std::int32_t>();
	case ValueType::f32:
		return static_cast<double>(reader.read<float>());
	case ValueType::boolean:
		return reader.read<std::uint8_t>() ? 1 : 0;
	case ValueType::u64:
		return static_cast<double>(reader.read<std::uint64_t>());
	case ValueType::i64:
		return static_cast<double>(reader.read<std::int64_t>());
	case ValueType::f64:
		return reader.read<double>();
	case ValueType::string:
	case ValueType::array:
		break;
	}
	reader.set_failed();
	return 0;
}

Gguf::Value read_array(Reader &reader)
{
	const auto type = static_cast<ValueType>(reader.read<std::uint32_t>());
	const auto count = reader.read<std::uint64_t>();

	if (count > max_elements)
		reader.set_failed();
	if (type == ValueType::string) {
		Gguf::Strings strings;
		for (std::uint64_t i = 0; i < count && !reader.failed(); i++)
			strings.push_back(reader.read_string());
		return strings;
	}
	Gguf::Numbers numbers;
	for (std::uint64_t i = 0; i < count && !reader.failed(); i++)
		numbers.push_back(read_number(reader, type));
	return numbers;
}

Gguf::Value read_value(Reader &reader)
{
	const auto type = static_cast<ValueType>(reader.read<std::uint32_t>());

	if (type == ValueType::string)
		return reader.read_string();
	if (type == ValueType::array)
		return read_array(reader);
	return read_number(reader, type);
}

/// A tensor's entry, and where its data is, relative to the start of all data.
struct Entry {
	Tensor tensor;
	std::uint64_t offset = 0;
	std::uint64_t bytes = 0;
};

Result<Entry> read_entry(Reader &reader)
{
	std::array<std::uint64_t, 4> dimensions{1, 1, 1, 1};
	Entry entry;

	entry.tensor.name = reader.read_string();
	const auto count = reader.read<std::uint32_t>();
	if (!count || count > dimensions.size())
		reader.set_failed();
	for (std::uint32_t i = 0; i < count && !reader.failed(); i++)
		dimensions[i] = reader.read<std::uint64_t>();
	const auto type = reader.read<std::uint32_t>();
	entry.offset = reader.read<std::uint64_t>();
	if (reader.failed())
		return fail(EINVAL, "the list of tensors is cut short or broken, at byte " +
					    std::to_string(reader.position()));

	auto block = block_of(type, entry.tensor.name);
	if (!block)
		return forward(block);
	/* All dimensions fit 32 bits, so products of two do not overflow. */
	for (const std::uint64_t dimension : dimensions)
		if (!dimension || dimension > std::numeric_limits<std::uint32_t>::max())
			return fail(EINVAL, "tensor '" + entry.tensor.name +
						    "' has a dimension of " +
						    std::to_string(dimension));
	if (dimensions[2] != 1 || dimensions[3] != 1 ||
	    dimensions[0] * dimensions[1] > max_tensor || dimensions[0] % block->elements)
		return fail(EINVAL, "tensor '" + entry.tensor.name + "' has a shape of " +
					    std::to_string(dimensions[0]) + " x " +
					    std::to_string(dimensions[1]) +
					    " and more that cannot be read");
	entry.tensor.columns = static_cast<std::uint32_t>(dimensions[0]);
	entry.tensor.rows = static_cast<std::uint32_t>(dimensions[1]);
	entry.tensor.type = static_cast<TensorType>(type);
	entry.bytes = dimensions[0] * dimensions[1] / block->elements * block->bytes;
	return entry;
}

void unpack_q8_0(std::span<const std::byte> block, std::span<float> out)
{
	std::uint16_t bits = 0;
	float scale = 0;

	std::memcpy(&bits, block.data(), sizeof(bits));
	from_fp16({&bits, 1}, {&scale, 1});
	for (std::size_t i = 0; i < out.size(); i++)
		out[i] = scale * static_cast<float>(static_cast<std::int8_t>(block[2 + i]));
}

void unpack_q4_0(std::span<const std::byte> block, std::span<float> out)
{
	const std::size_t half = out.size() / 2;
	std::uint16_t bits = 0;
	float scale = 0;

	std::memcpy(&bits, block.data(), sizeof(bits));
	from_fp16({&bits, 1}, {&scale, 1});
	for (std::size_t i = 0; i < half; i++) {
		const auto byte = std::to_integer<int>(block[2 + i]);

		out[i] = scale * static_cast<float>((byte & 0xf) - 8);
		out[half + i] = scale * static_cast<float>((byte >> 4) - 8);
	}
}

} // namespace

Result<Gguf> Gguf::open(const std::string &path)
{
	const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
	struct stat status{};

	if (fd < 0)
		return fail(errno, "cannot open " + path);
	if (::fstat(fd, &status) || !S_ISREG(status.st_mode) || !status.st_size) {
		::close(fd);
		return fail(EINVAL, path + " is no file with contents");
	}
	const auto size = static_cast<std::size_t>(status.st_size);
	void *address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
	const int error = errno;
	::close(fd);
	if (address == MAP_FAILED)
		return fail(error, "cannot map " + path);

	const auto *bytes = static_cast<const std::byte *>(address);
	std::shared_ptr<const std::byte> mapping(bytes, [size](const std::byte *from) {
		::munmap(const_cast<std::byte *>(from), size);
	});
	auto gguf = parse({bytes, size});
	if (!gguf) {
		gguf.error().message = path + ": " + gguf.error().message;
		return gguf;
	}
	gguf->mapping_ = std::move(mapping);
	return gguf;
}

Result<Gguf> Gguf::parse(std::span<const std::byte> bytes)
{
	Reader reader(bytes);
	Gguf gguf;

	if (reader.read<std::uint32_t>() != magic)
		return fail(EINVAL, "not a GGUF file (no magic number)");
	if (const auto found = reader.read<std::uint32_t>(); found != version)
		return fail(EINVAL, "GGUF version " + std::to_string(found) + ", not 3");
	const auto tensor_count = reader.read<std::uint64_t>();
	const auto value_count = reader.read<std::uint64_t>();
	if (reader.failed() || tensor_count > max_entries || value_count > max_entries)
		return fail(EINVAL, "the header is cut short or counts too many entries");

	for (std::uint64_t i = 0; i < value_count; i++) {
		const std::string key = reader.read_string();
		Value value = read_value(reader);
		if (reader.failed())
			return fail(EINVAL, "metadata '" + key + "' is cut short or broken");
		gguf.values_.insert_or_assign(key, std::move(value));
	}

	std::vector<Entry> entries;
	for (std::uint64_t i = 0; i < tensor_count; i++) {
		auto entry = read_entry(reader);
		if (!entry)
			return forward(entry);
		entries.push_back(std::move(*entry));
	}

	std::uint64_t alignment = default_alignment;
	if (gguf.has("general.alignment")) {
		auto given = gguf.integer("general.alignment", 1, 1U << 20U);
		if (!given)
			return forward(given);
		alignment = *given;
	}
	const std::uint64_t start = (reader.position() + alignment - 1) / alignment * alignment;
	for (Entry &entry : entries) {
		/* In this order nothing wraps around. */
		if (start > bytes.size() || entry.offset > bytes.size() - start ||
		    entry.bytes > bytes.size() - start - entry.offset)
			return fail(EINVAL, "tensor '" + entry.tensor.name +
						    "' reaches beyond the end of the file");
		entry.tensor.data = bytes.subspan(start + entry.offset, entry.bytes);
		const std::string name = entry.tensor.name;
		gguf.tensors_.insert_or_assign(name, std::move(entry.tensor));
	}
	return gguf;
}

template <typename T>
Result<const T *> Gguf::value(const std::string &key, const char *type) const
{
	const auto found = values_.find(key);

	if (found == values_.end())
		return fail(EINVAL, "metadata '" + key + "' is missing");
	const T *value = std::get_if<T>(&found->second);
	if (!value)
		return fail(EINVAL, "metadata '" + key + "' is no " + type);
	return value;
}

Result<double> Gguf::number(const std::string &key) const
{
	auto found = value<double>(key, "number");

	if (!found)
		return forward(found);
	return **found;
}

Result<std::string> Gguf::string(const std::string &key) const
{
	auto found = value<std::string>(key, "string");

	if (!found)
		return forward(found);
	return **found;
}

Result<const Gguf::Numbers *> Gguf::numbers(const std::string &key) const
{
	return value<Numbers>(key, "array of numbers");
}

Result<const Gguf::Strings *> Gguf::strings(const std::string &key) const
{
	return value<Strings>(key, "array of strings");
}

Result<std::uint32_t> Gguf::integer(const std::string &key, std::uint32_t least,
				    std::uint32_t most) const
{
	auto found = number(key);

	if (!found)
		return forward(found);
	if (!(*found >= least && *found <= most) || std::trunc(*found) != *found)
		return fail(EINVAL, "metadata '" + key + "' is not a whole number from " +
					    std::to_string(least) + " to " + std::to_string(most));
	return static_cast<std::uint32_t>(*found);
}

Result<const Tensor *> Gguf::tensor(const std::string &name, std::uint32_t rows,
				    std::uint32_t columns) const
{
	const auto found = tensors_.find(name);

	if (found == tensors_.end())
		return fail(EINVAL, "tensor '" + name + "' is missing");
	const Tensor &tensor = found->second;
	if (tensor.rows != rows || tensor.columns != columns)
		return fail(EINVAL, "tensor '" + name + "' is " + std::to_string(tensor.columns) +
					    " x " + std::to_string(tensor.rows) + ", not " +
					    std::to_string(columns) + " x " + std::to_string(rows));
	return &tensor;
}

std::size_t Gguf::tensor_bytes() const
{
	std::size_t bytes = 0;

	for (const auto &[name, tensor] : tensors_)
		bytes += tensor.data.size();
	return bytes;
}

std::vector<float> to_floats(const Tensor &tensor)
{
	std::vector<float> floats(std::size_t{tensor.rows} * tensor.columns);
	const std::span<float> out(floats);

	switch (tensor.type) {
	case TensorType::f32:
		std::memcpy(floats.data(), tensor.data.data(), tensor.data.size());
		break;
	case TensorType::f16: {
		/* Copied, since the file may not align them. */
		std::vector<std::uint16_t> halves(floats.size());
		std::memcpy(halves.data(), tensor.data.data(), tensor.data.size());
		from_fp16(halves, out);
		break;
	}
	case TensorType::q4_0:
		for (std::size_t i = 0; i < floats.size() / 32; i++)
			unpack_q4_0(tensor.data.subspan(i * 18, 18), out.subspan(i * 32, 32));
		break;
	case TensorType::q8_0:
		for (std::size_t i = 0; i < floats.size() / 32; i++)
			unpack_q8_0(tensor.data.subspan(i * 34, 34), out.subspan(i * 32, 32));
		break;
	}
	return floats;
}

} // namespace npu::llm
