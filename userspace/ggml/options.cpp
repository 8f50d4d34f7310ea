/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <limits>
#include <string_view>

namespace npu::ggml
{

namespace
{

/// The variable @p name; empty if it is not set.
std::string_view variable(const char *name)
{
	const char *value = std::getenv(name);

	return value ? value : "";
}

Error refuse(const char *name, std::string_view value, const char *allowed)
{
	return {EINVAL, std::string(name) + "='" + std::string(value) + "' is not " + allowed};
}

/// A whole number with K, M or G.
std::optional<std::size_t> bytes_from(std::string_view text)
{
	constexpr std::string_view units = "KMG";
	std::size_t value = 0;
	unsigned int shift = 0;

	const auto [end, error] = std::from_chars(text.begin(), text.end(), value);
	if (error != std::errc{} || end == text.begin())
		return {};
	if (end != text.end()) {
		const auto unit = units.find(*end);
		if (unit == std::string_view::npos || end + 1 != text.end())
			return {};
		shift = 10 * (static_cast<unsigned int>(unit) + 1);
	}
	if (value > std::numeric_limits<std::size_t>::max() >> shift)
		return {};
	return value << shift;
}

} // namespace

Result<Options> Options::from_environment()
{
	Options options;

	options.device = variable("GGML_NPU_DEVICE");
	if (const auto text = variable("GGML_NPU_PRECISION"); !text.empty()) {
		auto precision = precision_from(text);
		if (!precision)
			return std::unexpected(
				refuse("GGML_NPU_PRECISION", text, "int8, int8x2 or fp16"));
		options.precision = *precision;
	}
	if (const auto text = variable("GGML_NPU_SHARE"); !text.empty() && text != "auto") {
		std::uint32_t share = 0;
		const auto [end, error] = std::from_chars(text.begin(), text.end(), share);
		if (error != std::errc{} || end != text.end() || share > 100)
			return std::unexpected(
				refuse("GGML_NPU_SHARE", text, "auto or a percentage of 0 to 100"));
		options.share = share;
	}
	if (const auto text = variable("GGML_NPU_BUDGET"); !text.empty()) {
		options.budget = bytes_from(text);
		if (!options.budget)
			return std::unexpected(refuse("GGML_NPU_BUDGET", text,
						      "a number of bytes, with K, M or G"));
	}
	if (const auto text = variable("GGML_NPU_ERROR"); !text.empty()) {
		if (text != "cpu" && text != "fail")
			return std::unexpected(refuse("GGML_NPU_ERROR", text, "cpu or fail"));
		options.fall_back = text == "cpu";
	}
	if (const auto text = variable("GGML_NPU_LOG"); text == "json")
		options.log = Log::json;
	else if (text == "off")
		options.log = Log::off;
	else if (!text.empty() && text != "text")
		return std::unexpected(refuse("GGML_NPU_LOG", text, "text, json or off"));
	return options;
}

} // namespace npu::ggml
