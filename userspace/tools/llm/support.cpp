/* SPDX-License-Identifier: MIT */
#include "llm/support.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <optional>
#include <sstream>
#include <string>

#include "llm/messages.h"

namespace npu::llm
{

namespace
{

constexpr std::array architectures{
	Architecture{"llama", false, false, false},
	Architecture{"qwen2", true, true, false},
	Architecture{"qwen3", true, false, true},
};

/// An accepted metadata key.
struct Rule {
	/// The key. A leading "%" stands for the architecture, a trailing "*" matches any suffix.
	std::string_view key;
	/// Values that change nothing or are implemented, separated by "|"; empty if all
	/// are.
	std::string_view values{}; // NOLINT(readability-redundant-member-init)
};

/// All metadata that npu-llm implements, or that does not affect the generated text. In the name
/// spaces of listed_spaces, other keys are errors; elsewhere they only cause a remark.
constexpr std::array rules{
	/* Used. */
	Rule{"%.attention.head_count"},
	Rule{"%.attention.head_count_kv"},
	Rule{"%.attention.key_length"},
	Rule{"%.attention.layer_norm_rms_epsilon"},
	Rule{"%.attention.value_length"},
	Rule{"%.block_count"},
	Rule{"%.context_length"},
	Rule{"%.embedding_length"},
	Rule{"%.feed_forward_length"},
	Rule{"%.rope.dimension_count"},
	Rule{"%.rope.freq_base"},
	Rule{"%.vocab_size"},
	Rule{"tokenizer.ggml.add_bos_token"},
	Rule{"tokenizer.ggml.add_space_prefix"},
	Rule{"tokenizer.ggml.bos_token_id"},
	Rule{"tokenizer.ggml.eom_token_id"},
	Rule{"tokenizer.ggml.eos_token_id"},
	Rule{"tokenizer.ggml.eot_token_id"},
	Rule{"tokenizer.ggml.merges"},
	Rule{"tokenizer.ggml.model"},
	Rule{"tokenizer.ggml.pre"},
	Rule{"tokenizer.ggml.scores"},
	Rule{"tokenizer.ggml.token_type"},
	Rule{"tokenizer.ggml.tokens"},
	Rule{"tokenizer.ggml.unknown_token_id"},
	/* Not implemented, but accepted with values that turn the feature off. */
	Rule{"%.attention.causal", "1"},
	Rule{"%.attention.sliding_window", "0"},
	Rule{"%.attn_logit_softcapping", "0"},
	Rule{"%.embedding_scale", "1"},
	Rule{"%.expert_count", "0"},
	Rule{"%.expert_used_count", "0"},
	Rule{"%.final_logit_softcapping", "0"},
	Rule{"%.logit_scale", "1"},
	Rule{"%.residual_scale", "1"},
	Rule{"%.rope.scale_linear", "1"},
	Rule{"%.rope.scaling.attn_factor", "1"},
	Rule{"%.rope.scaling.factor", "0|1"},
	Rule{"%.rope.scaling.type", "none|linear"},
	Rule{"general.quantization_version", "2"},
	Rule{"general.type", "model"},
	Rule{"split.count", "0|1"},
	Rule{"split.no", "0"},
	Rule{"tokenizer.ggml.add_eos_token", "0"},
	Rule{"tokenizer.ggml.add_sep_token", "0"},
	Rule{"tokenizer.ggml.remove_extra_whitespaces", "0"},
	/* Not needed: about the model, its training, chats and infilling. */
	Rule{"%.rope.scaling.finetuned"},
	Rule{"%.rope.scaling.original_context_length"},
	Rule{"%.tensor_data_layout"},
	Rule{"general.*"},
	Rule{"split.tensors.count"},
	Rule{"tokenizer.chat_template*"},
	Rule{"tokenizer.ggml.fim_*"},
	Rule{"tokenizer.ggml.mask_token_id"},
	Rule{"tokenizer.ggml.middle_token_id"},
	Rule{"tokenizer.ggml.padding_token_id"},
	Rule{"tokenizer.ggml.prefix_token_id"},
	Rule{"tokenizer.ggml.seperator_token_id"},
	Rule{"tokenizer.ggml.suffix_token_id"},
	Rule{"tokenizer.ggml.token_type_count"},
	Rule{"tokenizer.huggingface.json"},
};

/// Name spaces in which unknown keys are errors, in addition to the architecture's.
constexpr std::array<std::string_view, 4> listed_spaces{"adapter.", "general.", "split.",
							"tokenizer."};

/// A tensor that npu-llm reads.
struct TensorRule {
	/// The name, or its part after "blk.N.".
	std::string_view name;
	bool of_block;
	/// The architectures that have the tensor; nullptr for all.
	bool Architecture::*condition = nullptr;
};

constexpr std::array tensor_rules{
	TensorRule{"output.weight", false},
	TensorRule{"output_norm.weight", false},
	TensorRule{"rope_freqs.weight", false},
	TensorRule{"token_embd.weight", false},
	TensorRule{"attn_k.bias", true, &Architecture::has_biases},
	TensorRule{"attn_k.weight", true},
	TensorRule{"attn_k_norm.weight", true, &Architecture::has_head_norms},
	TensorRule{"attn_norm.weight", true},
	TensorRule{"attn_output.weight", true},
	TensorRule{"attn_q.bias", true, &Architecture::has_biases},
	TensorRule{"attn_q.weight", true},
	TensorRule{"attn_q_norm.weight", true, &Architecture::has_head_norms},
	TensorRule{"attn_v.bias", true, &Architecture::has_biases},
	TensorRule{"attn_v.weight", true},
	TensorRule{"ffn_down.weight", true},
	TensorRule{"ffn_gate.weight", true},
	TensorRule{"ffn_norm.weight", true},
	TensorRule{"ffn_up.weight", true},
};

/// Formats @p value as in Rule::values.
std::string to_text(const Gguf::Value &value)
{
	if (const auto *text = std::get_if<std::string>(&value))
		return *text;
	if (const auto *number = std::get_if<double>(&value)) {
		std::ostringstream out;
		out << *number;
		return out.str();
	}
	const auto *strings = std::get_if<Gguf::Strings>(&value);
	const auto size = strings ? strings->size() : std::get<Gguf::Numbers>(value).size();
	return "an array of " + std::to_string(size);
}

bool matches(std::string_view rule, std::string_view key, std::string_view architecture)
{
	if (rule.starts_with('%')) {
		if (!key.starts_with(architecture))
			return false;
		key.remove_prefix(architecture.size());
		rule.remove_prefix(1);
	}
	if (rule.ends_with('*'))
		return key.starts_with(rule.substr(0, rule.size() - 1));
	return key == rule;
}

bool accepts(std::string_view values, std::string_view value)
{
	while (!values.empty()) {
		const std::size_t end = std::min(values.find('|'), values.size());

		if (values.substr(0, end) == value)
			return true;
		values.remove_prefix(std::min(end + 1, values.size()));
	}
	return false;
}

/// Whether unknown keys in the name space of @p key are errors.
bool is_listed(std::string_view key, std::string_view architecture)
{
	return (key.starts_with(architecture) &&
		key.substr(architecture.size()).starts_with('.')) ||
	       std::ranges::any_of(listed_spaces,
				   [&](std::string_view space) { return key.starts_with(space); });
}

Result<void> check_value(const std::string &key, const Gguf::Value &value,
			 std::string_view architecture)
{
	const auto *rule = std::ranges::find_if(rules, [&](const Rule &candidate) {
		return matches(candidate.key, key, architecture);
	});

	if (rule == rules.end()) {
		if (!is_listed(key, architecture))
			return {};
		return fail(EINVAL, "metadata " + quoted(key) + " is " + quoted(to_text(value)) +
					    ", and npu-llm does not implement it; " + remedy);
	}
	if (rule->values.empty() || accepts(rule->values, to_text(value)))
		return {};
	std::string values(rule->values);
	if (const std::size_t bar = values.find('|'); bar != std::string::npos)
		values.replace(bar, 1, " or ");
	return fail(EINVAL, "metadata " + quoted(key) + " is " + quoted(to_text(value)) +
				    ", and npu-llm implements " + values + " only; " + remedy);
}

/// The part of @p name after "blk.N.", if N is below @p blocks.
std::optional<std::string_view> in_block(std::string_view name, double blocks)
{
	constexpr std::string_view prefix = "blk.";
	std::uint32_t number = 0;

	if (!name.starts_with(prefix))
		return {};
	name.remove_prefix(prefix.size());
	const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
	name.remove_prefix(static_cast<std::size_t>(end - name.data()));
	if (error != std::errc() || !name.starts_with('.') || !(number < blocks))
		return {};
	name.remove_prefix(1);
	return name;
}

bool is_known(std::string_view name, double blocks, const Architecture &architecture)
{
	const auto rest = in_block(name, blocks);

	return std::ranges::any_of(tensor_rules, [&](const TensorRule &rule) {
		return rule.of_block == rest.has_value() && rule.name == rest.value_or(name) &&
		       (!rule.condition || architecture.*rule.condition);
	});
}

} // namespace

Result<Architecture> architecture_of(const Gguf &gguf)
{
	auto name = gguf.string("general.architecture");

	if (!name)
		return forward(name);
	const auto *found = std::ranges::find(architectures, *name, &Architecture::name);
	if (found == architectures.end())
		return fail(EINVAL,
			    "metadata 'general.architecture' is " + quoted(*name) +
				    ", and npu-llm implements llama, qwen2 and qwen3 only; " +
				    remedy);
	return *found;
}

Result<void> check_support(const Gguf &gguf)
{
	auto architecture = architecture_of(gguf);

	if (!architecture)
		return forward(architecture);
	for (const auto &[key, value] : gguf.values())
		if (auto checked = check_value(key, value, architecture->name); !checked)
			return checked;
	auto blocks = gguf.number(std::string(architecture->name) + ".block_count");
	if (!blocks)
		return forward(blocks);
	for (const auto &[name, tensor] : gguf.tensors())
		if (!is_known(name, *blocks, *architecture))
			return fail(EINVAL, "tensor " + quoted(name) + " of " +
						    std::to_string(tensor.columns) + " x " +
						    std::to_string(tensor.rows) +
						    " elements is not part of a model of " +
						    std::string(architecture->name) +
						    " as npu-llm implements it; " + remedy);
	return {};
}

} // namespace npu::llm
