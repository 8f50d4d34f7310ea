/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <string_view>

#include "system_memory.h"

namespace npu::ggml
{

namespace
{

/// Sets @p option from the environment variable @p name, if it is set. @p parse returns nullopt for
/// values that @p allowed does not describe.
template <typename T, typename Parse>
Result<void> read(const char *name, const char *allowed, T &option, const Parse &parse)
{
	const char *text = std::getenv(name);

	if (!text || !*text)
		return {};
	auto value = parse(std::string_view(text));
	if (!value)
		return std::unexpected(
			Error{EINVAL, std::string(name) + "='" + text + "' is not " + allowed});
	option = std::move(*value);
	return {};
}

/// As bytes_from(), limited to most_space.
std::optional<std::size_t> space_from(std::string_view text)
{
	return bytes_from(text).and_then([](std::size_t bytes) {
		return bytes && bytes <= Options::most_space ? std::optional(bytes) : std::nullopt;
	});
}

/// A percentage, or an empty share for "auto".
std::optional<std::optional<std::uint32_t>> share_from(std::string_view text)
{
	std::uint32_t share = 0;

	if (text == "auto")
		return std::optional<std::uint32_t>{};
	const auto [end, error] = std::from_chars(text.begin(), text.end(), share);
	if (error != std::errc{} || end != text.end() || share > 100)
		return {};
	return share;
}

} // namespace

Result<Options> Options::from_environment()
{
	Options options;

	Result<void> results[] = {
		read("GGML_NPU_DEVICE", "a device", options.device,
		     [](auto text) { return std::optional(std::string(text)); }),
		read("GGML_NPU_PRECISION", "int8, int8x2 or fp16", options.precision,
		     [](auto text) { return precision_from(text); }),
		read("GGML_NPU_SHARE", "auto or a percentage of 0 to 100", options.share,
		     share_from),
		read("GGML_NPU_BUDGET", "a number of bytes, with K, M or G", options.budget,
		     bytes_from),
		read("GGML_NPU_SPACE", "a number of bytes up to 3G, with K, M or G", options.space,
		     space_from),
		read("GGML_NPU_ERROR", "cpu or fail", options.fall_back,
		     [](auto text) {
			     return text == "cpu" || text == "fail" ? std::optional(text == "cpu")
								    : std::nullopt;
		     }),
		read("GGML_NPU_LOG", "text, json or off", options.log,
		     [](auto text) {
			     return text == "text"   ? std::optional(Log::text)
				    : text == "json" ? std::optional(Log::json)
				    : text == "off"  ? std::optional(Log::off)
						     : std::nullopt;
		     }),
	};
	for (Result<void> &result : results)
		if (!result)
			return forward(result);
	return options;
}

} // namespace npu::ggml
