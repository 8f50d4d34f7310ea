/* SPDX-License-Identifier: MIT */
/*
 * npu-llm: generates text with a language model whose matrices are on the NPU. An example of how to
 * use the engine.
 */
#include <cmath>
#include <cstdlib>
#include <iomanip>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

#include <llm/generation.h>
#include <llm/tokenizer.h>
#include <llm/transformer.h>
#include <npu/device.h>

#include "tool.h"

namespace
{

using npu::llm::Generation;

struct Options {
	std::string model;
	npu::llm::GenerationOptions generation;
	std::uint32_t context = 0;
	std::string device;
	std::string precision = "fp16";
	std::uint32_t threads = 1;
	std::string sram = "auto";
	npu::SchedClass sched_class = npu::SchedClass::throughput;
	std::uint32_t weight = npu::Context::default_weight;
	bool cpu = false;
	bool compare = false;
	bool json = false;
};

/// Draws a progress bar on terminals that support carriage returns.
void show_progress(double done)
{
	constexpr int width = 40;
	const char *terminal = std::getenv("TERM");

	if (!isatty(STDERR_FILENO) || !terminal || std::string_view(terminal) == "dumb")
		return;
	std::cerr << "\rloading [" << std::string(static_cast<std::size_t>(done * width), '#')
		  << std::string(static_cast<std::size_t>(width - std::floor(done * width)), ' ')
		  << "] " << static_cast<int>(done * 100) << " %" << (done >= 1 ? "\n" : "")
		  << std::flush;
}

/// Prefixes the message of an error with the name of the model's file.
template <typename T>
npu::Result<T> name_file(npu::Result<T> result, const Options &options)
{
	if (!result)
		result.error().message = options.model + ": " + result.error().message;
	return result;
}

npu::Result<npu::llm::Transformer> load(const npu::llm::Gguf &gguf, const Options &options,
					bool cpu)
{
	std::unique_ptr<npu::llm::Backend> backend;
	auto shape = name_file(npu::llm::read_shape(gguf), options);

	if (!shape)
		return npu::forward(shape);
	if (cpu) {
		backend = npu::llm::cpu_backend(options.threads);
	} else {
		auto precision = npu::precision_from(options.precision);
		if (!precision)
			return npu::forward(precision);
		auto device = npu::Device::open(options.device);
		if (!device)
			return npu::forward(device);
		auto sram = npu::SramUse::from(options.sram);
		if (!sram)
			return npu::forward(sram);
		auto made = npu::llm::npu_backend(*device, *precision,
						  {.threads = options.threads,
						   .sram = *sram,
						   .sched_class = options.sched_class,
						   .weight = options.weight});
		if (!made)
			return npu::forward(made);
		backend = std::move(*made);
	}
	return name_file(npu::llm::Transformer::create(gguf, std::move(backend),
						       options.context ? options.context
								       : shape->default_context(),
						       show_progress),
			 options);
}

/// Generate, and print the text as it comes unless @p quiet.
npu::Result<Generation> generate(npu::llm::Transformer &model, const npu::llm::Tokenizer &tokenizer,
				 const Options &options, bool quiet)
{
	if (quiet)
		return npu::llm::generate(model, tokenizer, options.generation);
	/* Check the prompt first, so that nothing is printed for an invalid one. */
	if (auto prompt = npu::llm::encode_prompt(model, tokenizer, options.generation.prompt);
	    !prompt)
		return npu::forward(prompt);
	std::cout << options.generation.prompt << std::flush;
	auto generation = npu::llm::generate(
		model, tokenizer, options.generation,
		[](std::string_view piece) { std::cout << piece << std::flush; });
	if (generation)
		std::cout << std::endl;
	return generation;
}

void print_summary(const Generation &generation)
{
	const npu::llm::BackendStatistics &statistics = generation.statistics;
	const auto steps = static_cast<double>(generation.tokens.size());

	std::cout << std::fixed << std::setprecision(1) << "\ntokens            "
		  << generation.tokens.size() << " after a prompt of " << generation.prompt_tokens
		  << "\nhost              " << steps / generation.seconds << " tokens/s\n";
	if (statistics.submits)
		std::cout << (statistics.is_virtual ? "modelled device   " : "device            ")
			  << static_cast<double>(statistics.device_ns) / 1e3 / steps
			  << " us a token, prompt included, in " << statistics.submits
			  << " submits\n";
	std::cout << "on the NPU        " << statistics.npu_macs
		  << " multiply-accumulates (weight matrices)\non the CPU        "
		  << statistics.cpu_macs << " (weight matrices) and " << generation.attention_macs
		  << " (attention)\n";
	if (statistics.submits)
		std::cout << "bytes moved       " << statistics.read_bytes << " read, "
			  << statistics.written_bytes << " written by the device\n";
}

/// Compare two greedy runs. \return whether the texts agree
bool compare(const Generation &npu, const Generation &cpu)
{
	const std::size_t steps = std::min(npu.tokens.size(), cpu.tokens.size());
	std::size_t same = 0;
	float most = 0;

	/* After the first difference the runs no longer have the same context. */
	while (same < steps && npu.tokens[same] == cpu.tokens[same])
		same++;
	for (std::size_t i = 0; i < std::min(same + 1, steps); i++)
		for (std::size_t j = 0; j < npu.logits[i].size(); j++)
			most = std::max(most, std::abs(npu.logits[i][j] - cpu.logits[i][j]));

	const bool agree = npu.tokens == cpu.tokens;
	std::cout << "\nNPU and CPU " << (agree ? "agree" : "DISAGREE") << ": " << same << " of "
		  << cpu.tokens.size() << " greedy tokens are the same, largest logit difference "
		  << std::defaultfloat << std::setprecision(3) << most << '\n';
	return agree;
}

int run(const Options &options)
{
	constexpr auto name = "npu-llm";

	auto gguf = npu::llm::Gguf::open(options.model);
	if (!gguf)
		return npu::tool::report(name, gguf.error());
	auto supported = name_file(npu::llm::check_support(*gguf), options);
	if (!supported)
		return npu::tool::report(name, supported.error());
	auto tokenizer = name_file(npu::llm::Tokenizer::create(*gguf), options);
	if (!tokenizer)
		return npu::tool::report(name, tokenizer.error());
	auto model = load(*gguf, options, options.cpu);
	if (!model)
		return npu::tool::report(name, model.error());
	auto generation = generate(*model, *tokenizer, options, options.json);
	if (!generation)
		return npu::tool::report(name, generation.error());
	if (options.json)
		std::cout << npu::llm::to_json(*generation) << '\n';
	else
		print_summary(*generation);
	if (!options.compare)
		return 0;

	auto reference = load(*gguf, options, true);
	if (!reference)
		return npu::tool::report(name, reference.error());
	std::cout << "\nThe same on the CPU alone, in float:\n";
	auto expected = generate(*reference, *tokenizer, options, false);
	if (!expected)
		return npu::tool::report(name, expected.error());
	print_summary(*expected);
	return compare(*generation, *expected) ? 0 : npu::tool::exit_failed;
}

} // namespace

int main(int argc, char **argv)
{
	CLI::App app(
		"Generates text with a GGUF model of the architectures llama, qwen2 or qwen3;\n"
		"weight matrices are multiplied by the NPU. Files that npu-llm does not\n"
		"implement in full are refused; llama.cpp runs them, see docs/llama.md.",
		"npu-llm");
	Options options;

	app.add_option("model", options.model,
		       "GGUF file (" + std::string(npu::llm::readable_types) + ")")
		->required();
	app.add_option("-p,--prompt", options.generation.prompt, "text to continue");
	app.add_option("-n,--tokens", options.generation.count, "tokens to generate at most")
		->check(CLI::Range(1, 1000000))
		->capture_default_str();
	app.add_option("-c,--context", options.context,
		       "positions to make room for [the model's, at most 4096]")
		->check(CLI::Range(1, 1 << 24));
	app.add_option("--precision", options.precision, "int8, int8x2 or fp16")
		->check(CLI::IsMember({"int8", "int8x2", "fp16"}))
		->capture_default_str();
	app.add_option("--threads", options.threads, "threads for the CPU's part of the work")
		->check(CLI::Range(1, 256))
		->capture_default_str();
	app.add_option("--sram", options.sram,
		       "what is preferred in on-chip memory: auto, what gains by it; off; or\n"
		       "whatever fits into so many bytes")
		->capture_default_str();
	std::string sched_class = "throughput";
	app.add_option("--class", sched_class,
		       "what matters: latency, to have each token soon beside other clients;\n"
		       "throughput; or background, to take what others leave")
		->check(CLI::IsMember({"latency", "throughput", "background"}))
		->capture_default_str();
	app.add_option("--weight", options.weight,
		       "share beside other clients of the class; above 100 takes CAP_SYS_NICE")
		->check(CLI::Range(std::uint32_t{1}, npu::Context::max_weight))
		->capture_default_str();
	app.add_option("-t,--temperature", options.generation.sampler.temperature, "0 is greedy")
		->check(CLI::Range(0.0, 100.0))
		->capture_default_str();
	app.add_option("--top-k", options.generation.sampler.top_k,
		       "choose among that many; 0 means all")
		->capture_default_str();
	app.add_option("--top-p", options.generation.sampler.top_p,
		       "choose among this much probability")
		->check(CLI::Range(0.0, 1.0))
		->capture_default_str();
	app.add_option("--seed", options.generation.sampler.seed, "of the random choice")
		->capture_default_str();
	app.add_option("--device", options.device, "device file [the first NPU found]");
	app.add_flag("--cpu", options.cpu, "multiply on the CPU in float, the reference");
	app.add_flag("--compare", options.compare,
		     "then run on the CPU as well and fail unless the greedy texts agree")
		->excludes("--cpu");
	app.add_flag("--json", options.json, "print a JSON summary instead of the text")
		->excludes("--compare");
	app.footer("Example: npu-llm model.gguf -p 'In the beginning' -n 64\n\n"
		   "Exit status: 0 done, 1 it failed or texts differ, 2 wrong usage,\n"
		   "3 no device or no access.");

	return npu::tool::run(app, argc, argv, [&] {
		if (options.compare) {
			options.generation.sampler.temperature = 0;
			options.generation.keep_logits = true;
		}
		if (sched_class == "latency")
			options.sched_class = npu::SchedClass::latency;
		else if (sched_class == "background")
			options.sched_class = npu::SchedClass::background;
		return run(options);
	});
}
