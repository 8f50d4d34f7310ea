/* SPDX-License-Identifier: MIT */
/// Runs TFLite models with TFLite's own kernels and with Teflon, Mesa's delegate for NPUs,
/// one after the other in one process, and tells how much the outputs differ and what the
/// device did. Both libraries are the distribution's, unmodified.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <tensorflow/lite/c/c_api.h>
#include <tensorflow/lite/delegates/external/external_delegate.h>

namespace
{

constexpr char usage[] =
	R"(Usage: teflon-compare [OPTION]... MODEL.tflite...

Runs each MODEL with TFLite's kernels for the processor and with the delegate, and
prints one JSON object a line:
  {"model", "jobs", "tasks", "macs", "failed", "device_us", "elements", "max_diff",
   "share_over_1", "cpu_first", "npu_first"}
with what the device has done, by its file's counters, and the first five classes of
either, each with the score that the processor's kernels give it. The input is the picture if it fits, else what the processor's kernels
made of the model before, if that fits, else bytes of a fixed pattern.

  --delegate FILE  the delegate's library [/usr/lib/teflon/libteflon.so]
  --picture FILE   a BMP file with 24 bits a pixel
  --repeat N       run the delegate's N times; all outputs have to be the same [1]
  -h, --help       this

Exit status: 0 all ran, 1 one did not, 2 wrong usage.

Example:
  teflon-compare --picture grace_hopper.bmp mobilenet_v1.tflite
)";

template <auto Delete>
struct Deleter {
	template <class T>
	void operator()(T *object) const
	{
		Delete(object);
	}
};
using Model = std::unique_ptr<TfLiteModel, Deleter<TfLiteModelDelete>>;
using Options = std::unique_ptr<TfLiteInterpreterOptions, Deleter<TfLiteInterpreterOptionsDelete>>;
using Interpreter = std::unique_ptr<TfLiteInterpreter, Deleter<TfLiteInterpreterDelete>>;
using Delegate = std::unique_ptr<TfLiteDelegate, Deleter<TfLiteExternalDelegateDelete>>;

using Bytes = std::vector<std::uint8_t>;

[[noreturn]] void fail(const std::string &what)
{
	throw std::runtime_error(what);
}

void check(TfLiteStatus status, const char *what)
{
	if (status != kTfLiteOk)
		fail(std::string(what) + " failed");
}

/// Rows of red, green and blue bytes, from the top.
struct Picture {
	int width = 0, height = 0;
	Bytes pixels;

	[[nodiscard]] std::uint8_t at(int x, int y, int channel) const
	{
		return pixels[(static_cast<std::size_t>(y) * width + x) * 3 + channel];
	}
	/// Between the nearest four pixels, as TensorFlow's example label_image does it.
	[[nodiscard]] Bytes resized(int to_width, int to_height) const
	{
		Bytes out;

		for (int y = 0; y < to_height; y++)
			for (int x = 0; x < to_width; x++)
				for (int channel = 0; channel < 3; channel++)
					out.push_back(
						between(static_cast<float>(x) * width / to_width,
							static_cast<float>(y) * height / to_height,
							channel));
		return out;
	}

private:
	[[nodiscard]] std::uint8_t between(float x, float y, int channel) const
	{
		const int left = static_cast<int>(x), top = static_cast<int>(y);
		const int right = std::min(left + 1, width - 1);
		const int bottom = std::min(top + 1, height - 1);
		const float dx = x - left, dy = y - top;
		const float above =
			at(left, top, channel) * (1 - dx) + at(right, top, channel) * dx;
		const float below =
			at(left, bottom, channel) * (1 - dx) + at(right, bottom, channel) * dx;

		return static_cast<std::uint8_t>(std::lround(above * (1 - dy) + below * dy));
	}
};

Picture read_bmp(const std::string &path)
{
	std::ifstream file(path, std::ios::binary);
	const Bytes data{std::istreambuf_iterator<char>(file), {}};
	const auto number = [&](std::size_t at) {
		std::int32_t value = 0;

		std::memcpy(&value, &data.at(at + 3) - 3, sizeof(value));
		return value;
	};
	Picture picture;

	if (!file || data.size() < 54 || data[0] != 'B' || data[1] != 'M' ||
	    (number(28) & 0xffff) != 24 || number(30))
		fail(path + " is no BMP file with 24 bits a pixel");
	picture.width = number(18);
	picture.height = std::abs(number(22));
	const std::size_t pitch = (static_cast<std::size_t>(picture.width) * 3 + 3) / 4 * 4;
	for (int row = 0; row < picture.height; row++) {
		/* The lowest row is the first, unless the height is negative. */
		const int from = number(22) > 0 ? picture.height - 1 - row : row;
		const std::size_t start = number(10) + from * pitch;

		for (int x = 0; x < picture.width; x++)
			for (int channel = 2; channel >= 0; channel--)
				picture.pixels.push_back(data.at(start + x * 3 + channel));
	}
	return picture;
}

/// Counters that the driver has in fdinfo, by name; of all clients of this process.
using Counters = std::map<std::string, std::uint64_t>;

Counters counters()
{
	std::map<std::string, Counters> clients;
	Counters sum;

	for (const auto &entry : std::filesystem::directory_iterator("/proc/self/fd")) {
		std::error_code gone;
		const std::string target = std::filesystem::read_symlink(entry, gone);
		std::string key, client;
		Counters found;

		if (!target.starts_with("/dev/accel/") && !target.starts_with("/dev/dri/"))
			continue;
		std::ifstream file("/proc/self/fdinfo/" + entry.path().filename().string());
		for (std::string line; std::getline(file, line);) {
			const std::size_t colon = line.find(':');
			const std::string name = line.substr(0, colon);

			if (name == "drm-client-id")
				client = line.substr(colon + 1);
			else if (name == "npu-jobs" || name == "npu-tasks" || name == "npu-macs" ||
				 name == "npu-compat-failed" || name == "drm-engine-npu")
				found[name] = std::stoull(line.substr(colon + 1));
		}
		/* Copies of a descriptor are one client. */
		clients[client] = found;
	}
	for (const auto &[client, found] : clients)
		for (const auto &[name, value] : found)
			sum[name] += value;
	return sum;
}

class Network
{
public:
	Network(const TfLiteModel *model, TfLiteDelegate *delegate)
		: options_(TfLiteInterpreterOptionsCreate())
	{
		if (delegate)
			TfLiteInterpreterOptionsAddDelegate(options_.get(), delegate);
		interpreter_.reset(TfLiteInterpreterCreate(model, options_.get()));
		if (!interpreter_)
			fail("no interpreter");
		check(TfLiteInterpreterAllocateTensors(interpreter_.get()), "AllocateTensors");
	}

	[[nodiscard]] std::vector<TfLiteTensor *> inputs() const
	{
		std::vector<TfLiteTensor *> all;

		for (int i = 0; i < TfLiteInterpreterGetInputTensorCount(interpreter_.get()); i++)
			all.push_back(TfLiteInterpreterGetInputTensor(interpreter_.get(), i));
		return all;
	}

	Bytes run(std::span<const Bytes> inputs)
	{
		const std::vector<TfLiteTensor *> tensors = this->inputs();
		Bytes out;

		for (std::size_t i = 0; i < tensors.size(); i++)
			check(TfLiteTensorCopyFromBuffer(tensors[i], inputs[i].data(),
							 inputs[i].size()),
			      "CopyFromBuffer");
		check(TfLiteInterpreterInvoke(interpreter_.get()), "Invoke");
		for (int i = 0; i < TfLiteInterpreterGetOutputTensorCount(interpreter_.get());
		     i++) {
			const TfLiteTensor *tensor =
				TfLiteInterpreterGetOutputTensor(interpreter_.get(), i);
			const auto *data = static_cast<std::uint8_t *>(TfLiteTensorData(tensor));

			signed_ = TfLiteTensorType(tensor) == kTfLiteInt8;
			if (!signed_ && TfLiteTensorType(tensor) != kTfLiteUInt8)
				fail("an output is neither int8 nor uint8");
			out.insert(out.end(), data, data + TfLiteTensorByteSize(tensor));
		}
		return out;
	}
	/// Are the numbers of the output signed?
	[[nodiscard]] bool is_signed() const { return signed_; }

private:
	Options options_;
	Interpreter interpreter_;
	bool signed_ = false;
};

Bytes input_for(const TfLiteTensor *tensor, const std::optional<Picture> &picture,
		const Bytes &before)
{
	const std::size_t size = TfLiteTensorByteSize(tensor);
	const bool image =
		TfLiteTensorNumDims(tensor) == 4 && TfLiteTensorDim(tensor, 3) == 3 && picture;
	Bytes pattern(size);
	std::uint32_t state = 1;

	if (image)
		return picture->resized(TfLiteTensorDim(tensor, 2), TfLiteTensorDim(tensor, 1));
	if (before.size() == size)
		return before;
	for (std::uint8_t &byte : pattern) {
		/* The generator of ISO C's example of rand(). */
		state = state * 1103515245 + 12345;
		byte = static_cast<std::uint8_t>(state >> 16);
	}
	return pattern;
}

int value(std::uint8_t byte, bool is_signed)
{
	return is_signed ? static_cast<std::int8_t>(byte) : byte;
}

/// The places of the five greatest scores; of equal ones the first comes first.
std::vector<std::size_t> first_five(const Bytes &scores, bool is_signed)
{
	std::vector<std::size_t> order(scores.size());

	std::iota(order.begin(), order.end(), 0);
	std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
		return value(scores[a], is_signed) > value(scores[b], is_signed);
	});
	order.resize(std::min<std::size_t>(5, order.size()));
	return order;
}

/// As lists of a class and what the processor's kernels gave it.
std::string listed(const std::vector<std::size_t> &classes, const Bytes &scores, bool is_signed)
{
	std::string text;

	for (std::size_t place : classes)
		text += (text.empty() ? "[" : ", [") + std::to_string(place) + ", " +
			std::to_string(value(scores[place], is_signed)) + "]";
	return "[" + text + "]";
}

void report(const std::string &path, const Counters &before, const Counters &after,
	    const Bytes &cpu, const Bytes &npu, bool is_signed)
{
	const auto delta = [&](const char *name) {
		const auto from = before.find(name), to = after.find(name);

		return (to == after.end() ? 0 : to->second) -
		       (from == before.end() ? 0 : from->second);
	};
	std::size_t over = 0;
	int most = 0;

	for (std::size_t i = 0; i < cpu.size(); i++) {
		const int difference =
			std::abs(value(cpu[i], is_signed) - value(npu[i], is_signed));

		most = std::max(most, difference);
		over += difference > 1;
	}
	std::printf("{\"model\": \"%s\", \"jobs\": %llu, \"tasks\": %llu, \"macs\": %llu, "
		    "\"failed\": %llu, \"device_us\": %.1f, \"elements\": %zu, \"max_diff\": %d, "
		    "\"share_over_1\": %.6f, \"cpu_first\": %s, \"npu_first\": %s}\n",
		    std::filesystem::path(path).stem().c_str(),
		    static_cast<unsigned long long>(delta("npu-jobs")),
		    static_cast<unsigned long long>(delta("npu-tasks")),
		    static_cast<unsigned long long>(delta("npu-macs")),
		    static_cast<unsigned long long>(delta("npu-compat-failed")),
		    static_cast<double>(delta("drm-engine-npu")) / 1000, cpu.size(), most,
		    static_cast<double>(over) / static_cast<double>(cpu.size()),
		    listed(first_five(cpu, is_signed), cpu, is_signed).c_str(),
		    listed(first_five(npu, is_signed), cpu, is_signed).c_str());
	std::fflush(stdout);
}

struct Arguments {
	std::string delegate = "/usr/lib/teflon/libteflon.so";
	std::optional<Picture> picture;
	int repeat = 1;
	std::vector<std::string> models;
};

/// Returns what the processor's kernels gave.
Bytes compare(const std::string &path, const Arguments &arguments, const Bytes &before)
{
	const Model model(TfLiteModelCreateFromFile(path.c_str()));
	if (!model)
		fail("not a model");
	const TfLiteExternalDelegateOptions options =
		TfLiteExternalDelegateOptionsDefault(arguments.delegate.c_str());
	const Delegate delegate(TfLiteExternalDelegateCreate(&options));
	if (!delegate)
		fail("no delegate");
	Network cpu(model.get(), nullptr);
	Network npu(model.get(), delegate.get());
	std::vector<Bytes> inputs;

	for (const TfLiteTensor *tensor : cpu.inputs())
		inputs.push_back(input_for(tensor, arguments.picture, before));
	const Bytes expected = cpu.run(inputs);
	const Counters start = counters();
	const Bytes got = npu.run(inputs);
	const Counters end = counters();
	report(path, start, end, expected, got, cpu.is_signed());
	for (int i = 1; i < arguments.repeat; i++)
		if (npu.run(inputs) != got)
			fail("the delegate's output differs between two runs");
	return expected;
}

Arguments parse(std::span<char *> words)
{
	Arguments arguments;

	for (std::size_t i = 1; i < words.size(); i++) {
		const std::string_view word = words[i];
		const auto next = [&]() -> std::string {
			if (i + 1 == words.size())
				throw std::invalid_argument(std::string(word) + " needs a value");
			return words[++i];
		};

		if (word == "--delegate")
			arguments.delegate = next();
		else if (word == "--picture")
			arguments.picture = read_bmp(next());
		else if (word == "--repeat")
			arguments.repeat = std::stoi(next());
		else if (word.starts_with("-"))
			throw std::invalid_argument("unknown option '" + std::string(word) + "'");
		else
			arguments.models.emplace_back(word);
	}
	if (arguments.models.empty())
		throw std::invalid_argument("no model");
	return arguments;
}

/// All models, even if one fails.
int run(const Arguments &arguments)
{
	Bytes before;
	int status = 0;

	for (const std::string &path : arguments.models) {
		try {
			before = compare(path, arguments, before);
		} catch (const std::exception &e) {
			std::fprintf(stderr, "teflon-compare: %s: %s\n", path.c_str(), e.what());
			before.clear();
			status = 1;
		}
	}
	return status;
}

} // namespace

int main(int argc, char **argv)
{
	if (argc > 1 && (!std::strcmp(argv[1], "--help") || !std::strcmp(argv[1], "-h"))) {
		std::fputs(usage, stdout);
		return 0;
	}
	try {
		return run(parse({argv, static_cast<std::size_t>(argc)}));
	} catch (const std::exception &e) {
		std::fprintf(stderr, "teflon-compare: %s, see --help\n", e.what());
		return 2;
	}
}
