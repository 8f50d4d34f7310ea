/* SPDX-License-Identifier: MIT */
#include <cmath>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <iterator>

#include <nlohmann/json.hpp>

#include <llm/tokenizer.h>
#include <llm/transformer.h>
#include <npu/device.h>

#include "bench.h"
#include "tool.h"

namespace npu::bench
{

namespace
{

using llm::Token;

/// Results of one model: on the text, and of greedy generation.
struct Outcome {
	double perplexity = 0;
	/// Logits after each token of the text, in order.
	std::vector<std::vector<float>> logits;
	std::vector<Token> greedy;
	/// Device time of the text.
	std::uint64_t device_ns = 0;
};

double log_probability(std::span<const float> logits, Token token)
{
	const double most = *std::ranges::max_element(logits);
	double sum = 0;

	for (const float logit : logits)
		sum += std::exp(logit - most);
	return logits[token] - most - std::log(sum);
}

/// Evaluates the text in windows of half the context, each from an empty context.
Result<void> read_text(llm::Transformer &model, std::span<const Token> text, Outcome &outcome)
{
	const std::size_t window = std::max<std::size_t>(2, model.context() / 2);
	const std::size_t vocabulary = model.shape().vocabulary;
	double sum = 0;
	std::size_t count = 0;

	while (text.size() > 1) {
		const auto part = text.first(std::min(window, text.size()));

		text = text.subspan(part.size());
		model.restart();
		auto logits = model.forward(part, true);
		if (!logits)
			return forward(logits);
		for (std::size_t i = 0; i + 1 < part.size(); i++) {
			const auto row = logits->subspan(i * vocabulary, vocabulary);
			sum += log_probability(row, part[i + 1]);
			count++;
			outcome.logits.emplace_back(row.begin(), row.end());
		}
	}
	outcome.perplexity = std::exp(-sum / static_cast<double>(count));
	return {};
}

/// Generates greedily after the first tokens of @p text.
Result<void> go_on(llm::Transformer &model, std::span<const Token> text, std::uint32_t count,
		   Outcome &outcome)
{
	constexpr std::size_t begin = 8;
	std::vector<Token> next(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(
								     std::min(begin, text.size())));

	model.restart();
	while (outcome.greedy.size() < count && model.position() + next.size() <= model.context()) {
		auto logits = model.forward(next);
		if (!logits)
			return forward(logits);
		next = {static_cast<Token>(std::ranges::max_element(*logits) - logits->begin())};
		outcome.greedy.push_back(next.front());
	}
	return {};
}

Result<Outcome> evaluate(const llm::Gguf &gguf, std::unique_ptr<llm::Backend> backend,
			 std::span<const Token> text, std::uint32_t tokens)
{
	auto shape = llm::read_shape(gguf);
	if (!shape)
		return forward(shape);
	auto model = llm::Transformer::create(gguf, std::move(backend), shape->context, {});
	if (!model)
		return forward(model);

	Outcome outcome;
	if (auto done = read_text(*model, text, outcome); !done)
		return forward(done);
	auto statistics = model->backend().statistics();
	if (!statistics)
		return forward(statistics);
	outcome.device_ns = statistics->device_ns;
	if (auto done = go_on(*model, text, tokens, outcome); !done)
		return forward(done);
	return outcome;
}

struct Row {
	std::string model;
	std::string mode;
	double perplexity;
	double perplexity_f32;
	double max_logit_diff;
	std::size_t greedy_same;
	std::size_t greedy_tokens;
	std::uint64_t device_ns;
};

Row compare(const std::string &model, const std::string &mode, const Outcome &outcome,
	    const Outcome &reference)
{
	Row row{model, mode, outcome.perplexity,      reference.perplexity,
		0,     0,    reference.greedy.size(), outcome.device_ns};

	for (std::size_t i = 0; i < outcome.logits.size(); i++)
		for (std::size_t j = 0; j < outcome.logits[i].size(); j++)
			row.max_logit_diff = std::max<double>(
				row.max_logit_diff,
				std::abs(outcome.logits[i][j] - reference.logits[i][j]));
	while (row.greedy_same < reference.greedy.size() &&
	       outcome.greedy[row.greedy_same] == reference.greedy[row.greedy_same])
		row.greedy_same++;
	return row;
}

Result<std::vector<Token>> read_tokens(const llm::Gguf &gguf, const std::string &path,
				       std::uint32_t bytes)
{
	auto tokenizer = llm::Tokenizer::create(gguf);
	if (!tokenizer)
		return forward(tokenizer);
	std::ifstream file(path, std::ios::binary);
	if (!file)
		return fail(errno, "cannot open " + path);
	std::string text(std::istreambuf_iterator<char>(file), {});
	text.resize(std::min<std::size_t>(text.size(), bytes));
	auto tokens = tokenizer->encode(text);
	if (tokens.size() < 2)
		return fail(EINVAL, path + " has no text to measure with");
	return tokens;
}

Result<void> measure(const AccuracyOptions &options, std::size_t index, const Device &device,
		     std::vector<Row> &rows)
{
	const std::string &path = options.models[index];
	auto gguf = llm::Gguf::open(path);
	if (!gguf)
		return forward(gguf);
	auto tokens = read_tokens(*gguf, options.texts[index], options.bytes);
	if (!tokens)
		return forward(tokens);
	auto reference = evaluate(*gguf, llm::cpu_backend(), *tokens, options.tokens);
	if (!reference)
		return forward(reference);

	const std::string name = path.substr(path.find_last_of('/') + 1);
	for (const Precision precision : {Precision::int8, Precision::int8x2, Precision::fp16}) {
		auto backend = llm::npu_backend(device, precision);
		if (!backend)
			return forward(backend);
		auto outcome = evaluate(*gguf, std::move(*backend), *tokens, options.tokens);
		if (!outcome)
			return forward(outcome);
		rows.push_back(compare(name, std::string(precision_name(precision)), *outcome,
				       *reference));
	}
	return {};
}

void print(const std::vector<Row> &rows, bool modelled)
{
	std::cout << "| model | mode | perplexity | of float32 | loss | largest logit difference "
		     "| greedy tokens as float32 | "
		  << (modelled ? "modelled " : "")
		  << "device time |\n"
		     "|---|---|---|---|---|---|---|---|\n"
		  << std::fixed;
	for (const Row &row : rows)
		std::cout << "| " << row.model << " | " << row.mode << " | " << std::setprecision(4)
			  << row.perplexity << " | " << row.perplexity_f32 << " | "
			  << std::setprecision(3) << (row.perplexity / row.perplexity_f32 - 1) * 100
			  << " % | " << std::setprecision(6) << row.max_logit_diff << " | "
			  << row.greedy_same << " of " << row.greedy_tokens << " | "
			  << std::setprecision(1) << static_cast<double>(row.device_ns) / 1e6
			  << " ms |\n";
}

void print_json(const std::vector<Row> &rows, bool modelled)
{
	nlohmann::ordered_json json;

	json["virtual"] = modelled;
	json["rows"] = nlohmann::ordered_json::array();
	for (const Row &row : rows)
		json["rows"].push_back({{"model", row.model},
					{"mode", row.mode},
					{"perplexity", row.perplexity},
					{"perplexity_f32", row.perplexity_f32},
					{"max_logit_diff", row.max_logit_diff},
					{"greedy_same_tokens", row.greedy_same},
					{"greedy_tokens", row.greedy_tokens},
					{"device_us", static_cast<double>(row.device_ns) / 1e3}});
	std::cout << json.dump(2) << '\n';
}

} // namespace

int accuracy(const AccuracyOptions &options)
{
	constexpr auto name = "npu-bench accuracy";
	std::vector<Row> rows;

	if (options.models.size() != options.texts.size())
		return tool::report(name, Error{EINVAL, "as many --text as --model are needed"});
	auto device = Device::open(options.device);
	if (!device)
		return tool::report(name, device.error());
	for (std::size_t i = 0; i < options.models.size(); i++)
		if (auto done = measure(options, i, *device, rows); !done)
			return tool::report(name, done.error());
	if (options.json)
		print_json(rows, device->is_virtual());
	else
		print(rows, device->is_virtual());
	return 0;
}

} // namespace npu::bench
