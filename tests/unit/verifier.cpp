/* SPDX-License-Identifier: MIT */
#include "verifier.h"

#include <cerrno>
#include <utility>

extern "C" {
#include <core/include/npu_isa.h>

extern const struct npu_isa_ops npu_isa_rknn;
extern const struct npu_isa_chip rknn_rk3588;
}

namespace npu::test
{

namespace
{

/// The kernel's u64 is another type of the same size.
std::vector<u64> kernel_words(std::span<const std::uint64_t> commands)
{
	return {commands.begin(), commands.end()};
}

int use(void *data, u64 address, u64 /*size*/, bool write)
{
	return (*static_cast<Verifier::Use *>(data))(address, write);
}

} // namespace

Verifier::Verifier(Use use, const npu_isa_chip *chip)
	: use_(std::move(use)), state_(npu_isa_rknn.state_size())
{
	npu_isa_rknn.begin(state_.data(), chip ? chip : &rknn_rk3588);
}

std::optional<Fault> Verifier::verify(std::span<const std::uint64_t> commands, std::uint32_t enable)
{
	const std::vector<u64> words = kernel_words(commands);
	npu_isa_stream stream{};
	npu_isa_fault fault{};

	stream.commands = words.data();
	stream.count = static_cast<std::uint32_t>(words.size());
	stream.enable = enable;
	stream.use = use;
	stream.data = &use_;
	const int code = npu_isa_rknn.verify(state_.data(), &stream, &fault);
	if (!code)
		return {};
	if (code != -EINVAL)
		return Fault{0, static_cast<std::uint32_t>(code)};
	return Fault{fault.command, fault.reason, fault.reg};
}

std::vector<std::uint64_t> Verifier::emit() const
{
	std::vector<u64> words(npu_isa_rknn.max_stream_commands);

	words.resize(npu_isa_rknn.emit(state_.data(), words.data()));
	return {words.begin(), words.end()};
}

bool Verifier::continues() const
{
	npu_isa_task task{};

	npu_isa_rknn.describe(state_.data(), &task);
	return task.continues;
}

std::uint32_t Verifier::stream_words(std::uint32_t count)
{
	return npu_isa_rknn.stream_words(count);
}

std::optional<Verifier::Split> Verifier::split(std::span<const std::uint64_t> commands)
{
	const std::vector<u64> words = kernel_words(commands);
	Split split;

	if (npu_isa_rknn.split(words.data(), static_cast<std::uint32_t>(words.size()), &split.body,
			       &split.enable))
		return {};
	return split;
}

std::vector<std::uint64_t> Verifier::link(std::span<const std::uint64_t> commands,
					  std::uint32_t enable, std::uint64_t next,
					  std::uint32_t next_words)
{
	std::vector<u64> words = kernel_words(commands);
	const std::uint32_t count = stream_words(static_cast<std::uint32_t>(words.size()));

	words.resize(count);
	npu_isa_rknn.link(words.data(), count, enable, next, next_words);
	return {words.begin(), words.end()};
}

} // namespace npu::test
