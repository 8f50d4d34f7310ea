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

#include "llm/messages.h"

namespace npu::llm
{

namespace
{

static_assert(std::endian::native == std::endian::little, "GGUF is read in place");

constexpr std::uint32_t magic = 0x46554747;
constexpr std::uint32_t version = 3;
constexpr std::uint64_t default_alignment = 32;
/// Limits for the length of names, texts and arrays. The largest arrays are vocabularies.
constexpr std::uint64_t max_string = 1U << 20U;
constexpr std::uint64_t max_elements = 1U << 22U;
constexpr std::uint64_t max_entries = 1U << 16U;
/// Limit of the elements of a tensor.
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

/// A sequential reader that returns zeros after the first failure.
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

	const std::string name = "tensor " + quoted(entry.tensor.name);
	const auto block = block_of(type);
	if (!block)
		return fail(EINVAL, name + " has type " + std::to_string(type) +
					    "; npu-llm reads " + readable_types + "; " + remedy);
	/* All dimensions fit 32 bits, so products of two do not overflow. */
	for (const std::uint64_t dimension : dimensions)
		if (!dimension || dimension > std::numeric_limits<std::uint32_t>::max())
			return fail(EINVAL, name + " has a dimension of " +
						    std::to_string(dimension) +
						    "; the limit is 1 to 4294967295");
	if (dimensions[2] != 1 || dimensions[3] != 1)
		return fail(EINVAL, name +
					    " has more than two dimensions; npu-llm reads vectors "
					    "and matrices; " +
					    remedy);
	if (dimensions[0] * dimensions[1] > max_tensor)
		return fail(EINVAL, name + " has " + std::to_string(dimensions[0] * dimensions[1]) +
					    " elements; the limit is " +
					    std::to_string(max_tensor));
	if (dimensions[0] % block->elements)
		return fail(EINVAL, name + " has rows of " + std::to_string(dimensions[0]) +
					    " elements, which are not whole blocks of " +
					    std::to_string(block->elements));
	entry.tensor.columns = static_cast<std::uint32_t>(dimensions[0]);
	entry.tensor.rows = static_cast<std::uint32_t>(dimensions[1]);
	entry.tensor.type = static_cast<TensorType>(type);
	entry.bytes = dimensions[0] * dimensions[1] / block->elements * block->bytes;
	return entry;
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
	if (reader.failed())
		return fail(EINVAL, "the header is cut short");
	for (const auto &[count, what] :
	     {std::pair{tensor_count, " tensors"}, {value_count, " entries of metadata"}})
		if (count > max_entries)
			return fail(EINVAL, "the header counts " + std::to_string(count) + what +
						    "; the limit is " +
						    std::to_string(max_entries));

	for (std::uint64_t i = 0; i < value_count; i++) {
		const std::string key = reader.read_string();
		Value value = read_value(reader);
		if (reader.failed())
			return fail(EINVAL, "metadata " + quoted(key) + " (entry " +
						    std::to_string(i) + ") is cut short or broken");
		if (!gguf.values_.emplace(key, std::move(value)).second)
			return fail(EINVAL, "metadata " + quoted(key) + " is there twice");
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
		/* This order of the checks cannot overflow. */
		if (start > bytes.size() || entry.offset > bytes.size() - start ||
		    entry.bytes > bytes.size() - start - entry.offset)
			return fail(EINVAL, "tensor " + quoted(entry.tensor.name) +
						    " reaches beyond the end of the file");
		entry.tensor.data = bytes.subspan(start + entry.offset, entry.bytes);
		const std::string name = entry.tensor.name;
		if (!gguf.tensors_.emplace(name, std::move(entry.tensor)).second)
			return fail(EINVAL, "tensor " + quoted(name) + " is there twice");
	}
	return gguf;
}

template <typename T>
Result<const T *> Gguf::value(const std::string &key, const char *type) const
{
	const auto found = values_.find(key);

	if (found == values_.end())
		return fail(EINVAL, "metadata " + quoted(key) + " is missing");
	const T *value = std::get_if<T>(&found->second);
	if (!value)
		return fail(EINVAL, "metadata " + quoted(key) + " is no " + type);
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
		return fail(EINVAL, "metadata " + quoted(key) + " is not a whole number from " +
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

	dequantise(tensor.type, tensor.data, floats);
	return floats;
}

void to_floats(const Tensor &tensor, std::uint32_t row, std::span<float> out)
{
	const std::size_t bytes = tensor.data.size() / tensor.rows;

	dequantise(tensor.type, tensor.data.subspan(row * bytes, bytes), out);
}

} // namespace npu::llm
