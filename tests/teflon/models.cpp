/* SPDX-License-Identifier: MIT */
/// Describes, joins and makes TFLite models for tests of Teflon.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tensorflow/lite/schema/schema_generated.h>

namespace
{

constexpr char usage[] =
	R"(Usage: teflon-models describe MODEL.tflite...
       teflon-models join OUT.tflite MODEL.tflite...
       teflon-models make DIR
       teflon-models vary CONV2D.tflite DIR

  describe  prints a JSON object a line: {"model", "operations", "convolutions", "macs"};
            multiply-accumulates are those of the convolutions
  join      makes one model that does what the models do one after the other. Each has
            one input and one output, which must be like the next one's input
  make      makes quantised models of single operations, and a small network of them,
            with weights of a fixed pattern
  vary      makes variations of Mesa's template of a convolution, as its own tests do it:
            of size, kernel, stride, padding and channels, with weights of a pattern

Exit status: 0 done, 1 failed, 2 wrong usage.

Example:
  teflon-models join mobilenet.tflite mb0.tflite mb1.tflite mb2.tflite
)";

using Bytes = std::vector<std::uint8_t>;
using Model = std::unique_ptr<tflite::ModelT>;

[[noreturn]] void fail(const std::string &what)
{
	throw std::runtime_error(what);
}

Model read(const std::string &path)
{
	std::ifstream file(path, std::ios::binary);
	const Bytes data{std::istreambuf_iterator<char>(file), {}};
	flatbuffers::Verifier verifier(data.data(), data.size());

	if (!file || !tflite::VerifyModelBuffer(verifier))
		fail(path + ": not a model");
	Model model = tflite::UnPackModel(data.data());
	if (model->subgraphs.size() != 1)
		fail(path + ": more than one graph");
	return model;
}

void write(const std::string &path, const tflite::ModelT &model)
{
	flatbuffers::FlatBufferBuilder builder;

	tflite::FinishModelBuffer(builder, tflite::Model::Pack(builder, &model));
	std::ofstream file(path, std::ios::binary);
	file.write(reinterpret_cast<const char *>(builder.GetBufferPointer()), builder.GetSize());
	if (!file.flush())
		fail(path + ": cannot be written");
}

tflite::BuiltinOperator code_of(const tflite::ModelT &model, const tflite::OperatorT &operation)
{
	const tflite::OperatorCodeT &code = *model.operator_codes.at(operation.opcode_index);

	/* Older files have the number in a field of a byte. */
	return std::max(code.builtin_code,
			static_cast<tflite::BuiltinOperator>(code.deprecated_builtin_code));
}

std::uint64_t elements(const tflite::TensorT &tensor)
{
	std::uint64_t count = 1;

	for (int size : tensor.shape)
		count *= static_cast<std::uint64_t>(size);
	return count;
}

void describe(const std::string &path)
{
	const Model model = read(path);
	const tflite::SubGraphT &graph = *model->subgraphs[0];
	unsigned convolutions = 0;
	std::uint64_t macs = 0;

	for (const auto &operation : graph.operators) {
		const tflite::BuiltinOperator code = code_of(*model, *operation);

		if (code != tflite::BuiltinOperator_CONV_2D &&
		    code != tflite::BuiltinOperator_DEPTHWISE_CONV_2D)
			continue;
		/* Output channels, height, width and input channels; 1 is first if depthwise. */
		const tflite::TensorT &weights = *graph.tensors.at(operation->inputs.at(1));
		const tflite::TensorT &out = *graph.tensors.at(operation->outputs.at(0));
		const auto channels = static_cast<std::uint64_t>(
			code == tflite::BuiltinOperator_CONV_2D ? weights.shape.at(0)
								: weights.shape.at(3));

		macs += elements(out) * elements(weights) / channels;
		convolutions++;
	}
	std::printf("{\"model\": \"%s\", \"operations\": %zu, \"convolutions\": %u, "
		    "\"macs\": %llu}\n",
		    std::filesystem::path(path).stem().c_str(), graph.operators.size(),
		    convolutions, static_cast<unsigned long long>(macs));
}

bool alike(const tflite::TensorT &a, const tflite::TensorT &b)
{
	return a.shape == b.shape && a.type == b.type && a.quantization && b.quantization &&
	       a.quantization->scale == b.quantization->scale &&
	       a.quantization->zero_point == b.quantization->zero_point;
}

/// Adds what @part does to the end of @whole.
void append(tflite::ModelT &whole, tflite::ModelT &part, const std::string &name)
{
	tflite::SubGraphT &to = *whole.subgraphs[0], &from = *part.subgraphs[0];
	const auto buffers = static_cast<std::uint32_t>(whole.buffers.size());
	const auto codes = static_cast<std::uint32_t>(whole.operator_codes.size());
	std::vector<int> place;

	if (from.inputs.size() != 1 || from.outputs.size() != 1)
		fail(name + ": not one input and one output");
	for (std::size_t i = 0; i < from.tensors.size(); i++) {
		if (static_cast<int>(i) == from.inputs[0]) {
			if (!alike(*to.tensors.at(to.outputs.at(0)), *from.tensors[i]))
				fail(name + ": its input is not like the output before it");
			place.push_back(to.outputs[0]);
			continue;
		}
		place.push_back(static_cast<int>(to.tensors.size()));
		from.tensors[i]->buffer += buffers;
		to.tensors.push_back(std::move(from.tensors[i]));
	}
	for (auto &operation : from.operators) {
		operation->opcode_index += codes;
		/* -1 stands for an optional input that is not there. */
		for (int &tensor : operation->inputs)
			tensor = tensor < 0 ? tensor : place.at(tensor);
		for (int &tensor : operation->outputs)
			tensor = place.at(tensor);
		to.operators.push_back(std::move(operation));
	}
	to.outputs = {place.at(from.outputs[0])};
	std::move(part.buffers.begin(), part.buffers.end(), std::back_inserter(whole.buffers));
	std::move(part.operator_codes.begin(), part.operator_codes.end(),
		  std::back_inserter(whole.operator_codes));
}

void join(const std::string &out, std::span<char *> paths)
{
	Model whole = read(paths[0]);

	for (const char *path : paths.subspan(1))
		append(*whole, *read(path), path);
	/* They may name tensors of the first model. */
	whole->signature_defs.clear();
	whole->metadata.clear();
	write(out, *whole);
}

/// The tensors of a model that is being made.
class Maker
{
public:
	Maker()
	{
		model_->version = 3;
		model_->subgraphs.push_back(std::make_unique<tflite::SubGraphT>());
		/* The first buffer is that of all tensors without data. */
		model_->buffers.push_back(std::make_unique<tflite::BufferT>());
	}

	int tensor(std::vector<int> shape, float scale, int zero, tflite::TensorType type,
		   Bytes data = {})
	{
		auto tensor = std::make_unique<tflite::TensorT>();

		tensor->shape = std::move(shape);
		tensor->type = type;
		tensor->name = "tensor" + std::to_string(graph().tensors.size());
		tensor->quantization = std::make_unique<tflite::QuantizationParametersT>();
		tensor->quantization->scale = {scale};
		tensor->quantization->zero_point = {zero};
		if (!data.empty()) {
			tensor->buffer = static_cast<std::uint32_t>(model_->buffers.size());
			model_->buffers.push_back(std::make_unique<tflite::BufferT>());
			model_->buffers.back()->data = std::move(data);
		}
		graph().tensors.push_back(std::move(tensor));
		return static_cast<int>(graph().tensors.size() - 1);
	}

	template <class Options>
	void operation(tflite::BuiltinOperator builtin, std::vector<int> inputs, int out,
		       Options options)
	{
		auto code = std::make_unique<tflite::OperatorCodeT>();
		auto operation = std::make_unique<tflite::OperatorT>();

		code->builtin_code = builtin;
		code->deprecated_builtin_code = static_cast<std::int8_t>(builtin);
		code->version = 1;
		operation->opcode_index = static_cast<std::uint32_t>(model_->operator_codes.size());
		operation->inputs = std::move(inputs);
		operation->outputs = {out};
		operation->builtin_options.Set(std::move(options));
		model_->operator_codes.push_back(std::move(code));
		graph().operators.push_back(std::move(operation));
	}

	/// A convolution of @in, k by k, with padding so that stride 1 keeps the size.
	int convolution(int in, int k, int stride, int channels, bool depthwise = false)
	{
		const std::vector<int> shape = graph().tensors[in]->shape;
		const float scale = graph().tensors[in]->quantization->scale[0];
		const int inner = depthwise ? 1 : shape[3];
		const auto outer = static_cast<std::size_t>(depthwise ? shape[3] : channels);
		const std::size_t taps = static_cast<std::size_t>(k) * k * inner;
		/* Of evenly spread inputs and weights, three deviations fill the range. */
		const float weight = 1.0F / 128;
		const float spread = std::sqrt(static_cast<float>(taps)) * scale * 128 / 3;
		const int height = (shape[1] + stride - 1) / stride;
		const int width = (shape[2] + stride - 1) / stride;
		const std::vector<int> form = depthwise ? std::vector{1, k, k, shape[3]}
							: std::vector{channels, k, k, inner};
		const int weights =
			tensor(form, weight, 128, tflite::TensorType_UINT8, pattern(outer * taps));
		const int bias = tensor({static_cast<int>(outer)}, scale * weight, 0,
					tflite::TensorType_INT32, biases(outer));
		const int out = tensor({1, height, width, static_cast<int>(outer)},
				       3 * spread / 128, 128, tflite::TensorType_UINT8);

		if (depthwise) {
			tflite::DepthwiseConv2DOptionsT options;

			options.stride_w = options.stride_h = stride;
			options.depth_multiplier = 1;
			operation(tflite::BuiltinOperator_DEPTHWISE_CONV_2D, {in, weights, bias},
				  out, options);
		} else {
			tflite::Conv2DOptionsT options;

			options.stride_w = options.stride_h = stride;
			operation(tflite::BuiltinOperator_CONV_2D, {in, weights, bias}, out,
				  options);
		}
		return out;
	}

	/// The sum of two tensors, which may be twice as large.
	int sum(int a, int b)
	{
		const tflite::TensorT &like = *graph().tensors[a];
		const int out = tensor(like.shape, 2 * like.quantization->scale[0], 128,
				       tflite::TensorType_UINT8);

		operation(tflite::BuiltinOperator_ADD, {a, b}, out, tflite::AddOptionsT{});
		return out;
	}

	int input(std::vector<int> shape)
	{
		graph().inputs = {
			tensor(std::move(shape), 1.0F / 128, 128, tflite::TensorType_UINT8)};
		return graph().inputs[0];
	}

	void save(const std::string &path, int out)
	{
		graph().outputs = {out};
		write(path, *model_);
	}

private:
	tflite::SubGraphT &graph() { return *model_->subgraphs[0]; }

	std::uint32_t next()
	{
		/* The generator of ISO C's example of rand(). */
		state_ = state_ * 1103515245 + 12345;
		return state_ >> 16;
	}
	Bytes pattern(std::size_t size)
	{
		Bytes data(size);

		for (std::uint8_t &byte : data)
			byte = static_cast<std::uint8_t>(next());
		return data;
	}
	/// 32 bit numbers of either sign, up to 4095.
	Bytes biases(std::size_t count)
	{
		Bytes data;

		for (std::size_t i = 0; i < count; i++) {
			const std::uint32_t number = (next() & 0x1fff) - 4096;

			for (int shift = 0; shift < 32; shift += 8)
				data.push_back(static_cast<std::uint8_t>(number >> shift));
		}
		return data;
	}

	Model model_ = std::make_unique<tflite::ModelT>();
	std::uint32_t state_ = 1;
};

void make(const std::string &dir)
{
	const auto single = [&](const char *name, std::vector<int> shape, auto... how) {
		Maker maker;
		const int in = maker.input(std::move(shape));

		maker.save(dir + "/" + name + ".tflite", maker.convolution(in, how...));
	};

	single("made-image", {1, 32, 32, 3}, 3, 2, 16);
	single("made-pointwise", {1, 20, 20, 48}, 1, 1, 64);
	single("made-window", {1, 16, 16, 32}, 3, 1, 32);
	/* Mesa has the device load 8 of 16 columns. */
	single("made-narrow", {1, 8, 8, 1}, 3, 1, 32);
	single("made-depthwise", {1, 18, 18, 64}, 3, 1, 0, true);

	/*
	 * Not of a window: Mesa 26.2 pads an input whose product is added to something as if
	 * its zero point were 0.
	 */
	Maker residual;
	const int trunk = residual.convolution(residual.input({1, 16, 16, 32}), 1, 1, 32);
	residual.save(dir + "/made-residual.tflite",
		      residual.sum(residual.convolution(trunk, 1, 1, 32), trunk));

	Maker maker;
	int layer = maker.input({1, 64, 64, 3});

	layer = maker.convolution(layer, 3, 2, 32);
	layer = maker.convolution(layer, 3, 1, 0, true);
	layer = maker.convolution(layer, 1, 1, 64);
	layer = maker.convolution(layer, 3, 2, 0, true);
	layer = maker.convolution(layer, 1, 1, 96);
	maker.save(dir + "/made-network.tflite", layer);
}

struct Variation {
	int size, kernel, stride, in, out;
	tflite::Padding padding;
};

/// Mesa's template with other shapes, and weights and biases of a pattern.
void vary_one(const std::string &original, const std::string &path, const Variation &how,
	      std::mt19937 &random)
{
	const Model model = read(original);
	tflite::SubGraphT &graph = *model->subgraphs[0];
	tflite::OperatorT &operation = *graph.operators.at(0);
	const auto tensor = [&](int index) -> tflite::TensorT & {
		return *graph.tensors.at(index);
	};
	const auto shape = [&](int index, std::vector<int> sizes) {
		tensor(index).shape_signature.clear();
		tensor(index).shape = std::move(sizes);
		return elements(tensor(index));
	};
	const auto bytes = [&](int index) -> Bytes & {
		return model->buffers.at(tensor(index).buffer)->data;
	};
	const int size = how.padding == tflite::Padding_SAME
				 ? (how.size + how.stride - 1) / how.stride
				 : (how.size - how.kernel) / how.stride + 1;
	tflite::Conv2DOptionsT *options = operation.builtin_options.AsConv2DOptions();

	if (!options || operation.inputs.size() != 3)
		fail(original + ": not one convolution with a bias");
	options->stride_w = options->stride_h = how.stride;
	options->padding = how.padding;
	shape(operation.inputs[0], {1, how.size, how.size, how.in});
	bytes(operation.inputs[1])
		.resize(shape(operation.inputs[1], {how.out, how.kernel, how.kernel, how.in}));
	for (std::uint8_t &byte : bytes(operation.inputs[1]))
		byte = static_cast<std::uint8_t>(random());
	bytes(operation.inputs[2]).clear();
	shape(operation.inputs[2], {how.out});
	for (int i = 0; i < how.out; i++) {
		const auto number = static_cast<std::uint32_t>(random() % 20001) - 10000;

		for (int shift = 0; shift < 32; shift += 8)
			bytes(operation.inputs[2])
				.push_back(static_cast<std::uint8_t>(number >> shift));
	}
	shape(operation.outputs[0], {1, size, size, how.out});
	write(path, *model);
}

void vary(const std::string &original, const std::string &dir)
{
	constexpr int count = 60;
	std::mt19937 random(11);
	const auto one_of = [&](std::initializer_list<int> numbers) {
		return numbers.begin()[random() % numbers.size()];
	};

	for (int made = 0; made < count;) {
		const Variation how{one_of({3, 5, 8, 20, 80}),
				    one_of({1, 3, 5}),
				    one_of({1, 2}),
				    one_of({1, 32, 120, 128, 160, 256}),
				    one_of({1, 32, 120, 128, 160, 256, 480}),
				    one_of({0, 1}) ? tflite::Padding_SAME : tflite::Padding_VALID};

		/*
		 * Mesa 26.2 aborts if few rows fit on the chip, and takes the rows of one channel
		 * for longer than it writes them if one channel comes out.
		 */
		if (how.size < how.kernel || (how.in == 1 && how.out == 1) ||
		    (how.size == 80 && how.kernel == 5 && how.in > 32))
			continue;
		vary_one(original,
			 dir + "/vary-" + std::to_string(how.size) + "-" +
				 std::to_string(how.kernel) + "-" + std::to_string(how.stride) +
				 "-" + std::to_string(how.in) + "-" + std::to_string(how.out) +
				 (how.padding == tflite::Padding_SAME ? "-same" : "-valid") +
				 ".tflite",
			 how, random);
		made++;
	}
}

int run(std::span<char *> words)
{
	const std::string_view command = words.size() > 2 ? words[1] : "";

	if (words.size() > 1 &&
	    (words[1] == std::string_view("--help") || words[1] == std::string_view("-h"))) {
		std::fputs(usage, stdout);
		return 0;
	}
	if (command == "describe")
		for (const char *path : words.subspan(2))
			describe(path);
	else if (command == "join" && words.size() > 3)
		join(words[2], words.subspan(3));
	else if (command == "make" && words.size() == 3)
		make(words[2]);
	else if (command == "vary" && words.size() == 4)
		vary(words[2], words[3]);
	else
		throw std::invalid_argument("wrong usage");
	return 0;
}

} // namespace

int main(int argc, char **argv)
{
	try {
		return run({argv, static_cast<std::size_t>(argc)});
	} catch (const std::invalid_argument &e) {
		std::fprintf(stderr, "teflon-models: %s, see --help\n", e.what());
		return 2;
	} catch (const std::exception &e) {
		std::fprintf(stderr, "teflon-models: %s\n", e.what());
		return 1;
	}
}
