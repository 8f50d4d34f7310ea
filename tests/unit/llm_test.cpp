/* SPDX-License-Identifier: MIT */
/*
 * Files, tokens and text of npu-llm, on the CPU and on a device without kernel, or
 * that of NPU_TEST_DEVICE.
 */
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <sstream>
#include <utility>

#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include <llm/generation.h>
#include <llm/gguf.h>
#include <llm/sampler.h>
#include <llm/tokenizer.h>
#include <llm/transformer.h>

#include "any_device.h"
#include "fake_driver.h"
#include "gguf_file.h"

namespace npu::llm
{

namespace
{

using testing::ElementsAre;
using testing::HasSubstr;
using Writer = test::GgufWriter;

/// The model of the demo; other machines may have it elsewhere.
std::string find_model()
{
	const char *path = std::getenv("NPU_TEST_MODEL");
	return path ? path : NPU_SOURCE_DIR "/tests/models/kjv.gguf";
}

const std::string model_path = find_model();

std::string error_of(const Writer &writer)
{
	const auto gguf = Gguf::parse(writer.bytes());
	return gguf ? "no error" : gguf.error().message;
}

TEST(Gguf, ReadsEveryTypeOfTensor)
{
	Writer writer;
	writer.header(4, 1).text("x").put<std::uint32_t>(6).put(1.5F);
	writer.tensor("a", {2, 2}, 0, 0).tensor("b", {2}, 1, 32);
	writer.tensor("c", {32}, 8, 64).tensor("d", {32}, 2, 128).pad(32);
	writer.put(1.0F).put(2.0F).put(3.0F).put(4.0F).pad(32);
	/* fp16 of 1 and -2. */
	writer.put<std::uint16_t>(0x3c00).put<std::uint16_t>(0xc000).pad(32);
	/* Q8_0: scale 0.5, then -16 to 15. */
	writer.put<std::uint16_t>(0x3800);
	for (int i = 0; i < 32; i++)
		writer.put(static_cast<std::int8_t>(i - 16));
	writer.pad(32);
	/* Q4_0: scale 2; element i is in the low half, 16 + i in the high one. */
	writer.put<std::uint16_t>(0x4000);
	for (int i = 0; i < 16; i++)
		writer.put(static_cast<std::uint8_t>(i | (15 - i) << 4));

	const auto gguf = Gguf::parse(writer.bytes());
	ASSERT_TRUE(gguf) << gguf.error().message;
	EXPECT_EQ(*gguf->number("x"), 1.5);
	EXPECT_THAT(to_floats(**gguf->tensor("a", 2, 2)), ElementsAre(1, 2, 3, 4));
	EXPECT_THAT(to_floats(**gguf->tensor("b", 1, 2)), ElementsAre(1, -2));
	const auto q8 = to_floats(**gguf->tensor("c", 1, 32));
	const auto q4 = to_floats(**gguf->tensor("d", 1, 32));
	for (std::size_t i = 0; i < 16; i++) {
		EXPECT_EQ(q8[i], (static_cast<float>(i) - 16) * 0.5F);
		EXPECT_EQ(q4[i], (static_cast<float>(i) - 8) * 2);
		EXPECT_EQ(q4[16 + i], (7 - static_cast<float>(i)) * 2);
	}
	EXPECT_THAT(gguf->tensor("a", 4, 1).error().message, HasSubstr("2 x 2, not 1 x 4"));
	EXPECT_THAT(gguf->tensor("e", 1, 1).error().message, HasSubstr("'e' is missing"));
	EXPECT_THAT(gguf->string("x").error().message, HasSubstr("'x' is no string"));
	EXPECT_THAT(gguf->integer("x", 0, 9).error().message, HasSubstr("whole number"));
}

TEST(Gguf, NamesWhatIsWrong)
{
	EXPECT_THAT(error_of(Writer().put<std::uint32_t>(1)), HasSubstr("not a GGUF file"));
	EXPECT_THAT(error_of(Writer().put<std::uint32_t>(0x46554747).put<std::uint32_t>(2)),
		    HasSubstr("version 2"));
	EXPECT_THAT(error_of(Writer().put<std::uint32_t>(0x46554747).put<std::uint32_t>(3)),
		    HasSubstr("the header is cut short"));
	EXPECT_THAT(error_of(Writer().header(1ULL << 60U, 0)),
		    HasSubstr("counts 1152921504606846976 tensors; the limit is 65536"));
	EXPECT_THAT(error_of(Writer().header(0, 65537)),
		    HasSubstr("counts 65537 entries of metadata; the limit is 65536"));
	EXPECT_THAT(error_of(Writer().header(0, 1).text("key").put<std::uint32_t>(99)),
		    HasSubstr("'key'"));
	EXPECT_THAT(error_of(Writer().header(1, 0).tensor("t", {4}, 77, 0)),
		    HasSubstr("'t' has type 77; npu-llm reads F32, F16, BF16, Q4_0, Q4_1, Q5_0, "
			      "Q5_1, Q8_0 and Q2_K to Q6_K; use llama.cpp"));
	EXPECT_THAT(error_of(Writer().header(1, 0).tensor("t", {4}, 0, 0).pad(32)),
		    HasSubstr("'t' reaches beyond"));
	EXPECT_THAT(error_of(Writer().header(1, 0).tensor("t", {4}, 0, ~0ULL - 7).pad(32)),
		    HasSubstr("'t' reaches beyond"));
	EXPECT_THAT(error_of(Writer().header(1, 0).tensor("t", {0}, 0, 0)),
		    HasSubstr("dimension of 0"));
	EXPECT_THAT(error_of(Writer().header(1, 0).tensor("t", {1U << 31U, 1U << 31U}, 0, 0)),
		    HasSubstr("'t' has 4611686018427387904 elements; the limit is 17179869184"));
	EXPECT_THAT(error_of(Writer().header(1, 0).tensor("t", {33}, 8, 0)),
		    HasSubstr("'t' has rows of 33 elements, which are not whole blocks of 32"));
	EXPECT_THAT(error_of(Writer().header(1, 0).tensor("t", {32, 2, 3}, 0, 0)),
		    HasSubstr("'t' has more than two dimensions"));
	EXPECT_THAT(error_of(Writer().header(2, 0)
				     .tensor("t", {1}, 0, 0)
				     .tensor("t", {1}, 0, 0)
				     .pad(32)
				     .put(1.0F)),
		    HasSubstr("tensor 't' is there twice"));
	EXPECT_THAT(error_of(Writer().header(0, 2)
				     .text("k")
				     .put<std::uint32_t>(4)
				     .put<std::uint32_t>(1)
				     .text("k")
				     .put<std::uint32_t>(4)
				     .put<std::uint32_t>(1)),
		    HasSubstr("metadata 'k' is there twice"));
	/* A message is one line, whatever characters a name contains. */
	EXPECT_THAT(
		error_of(Writer().header(1, 0).tensor("a\nb" + std::string(200, 'c'), {4}, 77, 0)),
		HasSubstr("'a?b" + std::string(77, 'c') + "...' has type"));
	EXPECT_THAT(Gguf::open("/nonexistent").error().message, HasSubstr("/nonexistent"));
	EXPECT_EQ(Gguf::open("/nonexistent").error().code, ENOENT);
	EXPECT_EQ(Gguf::open("/").error().code, EINVAL);
}

TEST(Gguf, EveryTruncationIsAnError)
{
	std::ifstream file(model_path, std::ios::binary);
	const std::string bytes(std::istreambuf_iterator<char>(file), {});
	ASSERT_GT(bytes.size(), 100000U);
	const auto all = std::as_bytes(std::span(bytes));

	ASSERT_TRUE(Gguf::parse(all));
	for (std::size_t size = 0; size < all.size(); size += size < 30000 ? 7 : 4099) {
		/* A copy, so that sanitizers detect reads beyond it. */
		const std::vector<std::byte> cut(all.begin(),
						 all.begin() + static_cast<std::ptrdiff_t>(size));
		const auto gguf = Gguf::parse(cut);
		ASSERT_FALSE(gguf) << size;
		EXPECT_FALSE(gguf.error().message.empty());
	}
}

/* Expected values are from python3-gguf, see tests/models/reference.py. */
TEST(Quants, ElementsAreThoseOfPython3Gguf)
{
	const auto gguf = Gguf::open(NPU_SOURCE_DIR "/tests/models/quants.gguf");
	ASSERT_TRUE(gguf) << gguf.error().message;

	for (const std::string type : {"bf16", "q4_0", "q4_1", "q5_0", "q5_1", "q8_0", "q2_k",
				       "q3_k", "q4_k", "q5_k", "q6_k"}) {
		const auto tensor = gguf->tensor(type, 2, 256);
		const auto elements = gguf->tensor(type + ".elements", 2, 256);
		ASSERT_TRUE(tensor && elements) << type;
		const auto expected = to_floats(**elements);
		const auto floats = to_floats(**tensor);
		std::vector<float> row(256);

		ASSERT_EQ((*elements)->type, TensorType::f32);
		ASSERT_NE((*tensor)->type, TensorType::f32);
		for (std::size_t i = 0; i < floats.size(); i++)
			ASSERT_NEAR(floats[i], expected[i], 1e-6F * (1 + std::abs(expected[i])))
				<< type << " " << i;
		to_floats(**tensor, 1, row);
		EXPECT_TRUE(std::equal(row.begin(), row.end(), floats.begin() + 256)) << type;
	}
}

TEST(Tokenizer, TextComesBack)
{
	const auto gguf = Gguf::open(model_path);
	ASSERT_TRUE(gguf);
	const auto tokenizer = Tokenizer::create(*gguf);
	ASSERT_TRUE(tokenizer) << tokenizer.error().message;

	for (const std::string text :
	     {"In the beginning God created the heaven and the earth.", "", " two  blanks ",
	      "line\nline", "Zo\xc3\xab \xe2\x82\xac \xf0\x9f\x98\x80", "\xff\xfe broken \xe2",
	      "<s>"}) {
		const std::vector<Token> tokens = tokenizer->encode(text);
		std::string back;
		/* After the begin token. */
		for (std::size_t i = 1; i < tokens.size(); i++)
			back += tokenizer->decode(tokens[i], i == 1);
		EXPECT_EQ(back, text);
	}
	/* Words of the training text are few tokens. */
	EXPECT_LE(tokenizer->encode("And the LORD said unto Moses").size(), 12U);
}

TEST(Sampler, KeepsToTopKAndTopP)
{
	const std::array<float, 5> logits{0, 3, 2.9F, -1, 1};

	EXPECT_EQ(Sampler({}).sample(logits), 1U);
	Sampler two({.temperature = 1, .top_k = 2, .top_p = 1, .seed = 7});
	Sampler most({.temperature = 1, .top_k = 0, .top_p = 0.4F, .seed = 7});
	std::array<int, 5> seen{};
	for (int i = 0; i < 2000; i++) {
		seen[two.sample(logits)]++;
		EXPECT_EQ(most.sample(logits), 1U);
	}
	EXPECT_EQ(seen[0] + seen[3] + seen[4], 0);
	/* e^0.1 to 1. */
	EXPECT_NEAR(static_cast<double>(seen[1]) / seen[2], 1.105, 0.15);
}

/*
 * Weights that overflow lead to NaN logits. Such tokens are never chosen, and the order must still
 * be strict weak.
 */
TEST(Sampler, NumbersGoBeforeWhatIsNone)
{
	constexpr float nan = std::numeric_limits<float>::quiet_NaN();
	constexpr float infinity = std::numeric_limits<float>::infinity();
	std::vector<float> logits(100, nan);
	Sampler greedy({});
	Sampler warm({.temperature = 1, .top_k = 0, .top_p = 1, .seed = 7});

	logits[37] = -5;
	logits[38] = -6;
	EXPECT_EQ(greedy.sample(logits), 37U);
	for (int i = 0; i < 100; i++)
		EXPECT_THAT(warm.sample(logits), testing::AnyOf(37U, 38U));
	logits[90] = infinity;
	EXPECT_EQ(greedy.sample(logits), 90U);
	EXPECT_EQ(warm.sample(logits), 90U);
	EXPECT_LT(warm.sample(std::vector<float>(100, nan)), 100U);
}

/* The token count may cut a character, or a model may generate invalid UTF-8. */
TEST(Generation, JsonIsValidWhateverTheTextIs)
{
	Generation generation;

	generation.text = "a \"b\" \xe2\x82\xac \xe2\x82";
	generation.tokens = {1, 2, 3};
	generation.prompt_tokens = 4;
	generation.statistics.npu_macs = 5;
	const auto json = nlohmann::json::parse(to_json(generation), nullptr, false);
	ASSERT_TRUE(json.is_object());
	EXPECT_EQ(json["text"], "a \"b\" \xe2\x82\xac \xef\xbf\xbd");
	EXPECT_EQ(json["tokens"], 3);
	EXPECT_EQ(json["prompt_tokens"], 4);
	EXPECT_EQ(json["npu_macs"], 5);
}

TEST(Generation, APromptBeyondTheContextIsAnError)
{
	const auto gguf = Gguf::open(model_path);
	ASSERT_TRUE(gguf);
	const auto tokenizer = Tokenizer::create(*gguf);
	ASSERT_TRUE(tokenizer);
	auto model = Transformer::create(*gguf, cpu_backend(), 12, {});
	ASSERT_TRUE(model);
	std::string told;

	const auto generation =
		generate(*model, *tokenizer,
			 {.prompt = "And it came to pass in those days, that there went out"},
			 [&](std::string_view piece) { told += piece; });
	ASSERT_FALSE(generation);
	EXPECT_EQ(generation.error().code, EINVAL);
	EXPECT_THAT(generation.error().message,
		    testing::MatchesRegex("the prompt has [0-9]+ tokens, and the context room for "
					  "12 of the model's 256 positions.*--context.*"));
	EXPECT_EQ(told, "");
	EXPECT_EQ(model->position(), 0U);
}

TEST(Generation, EndsWithTheCountAndWithTheContext)
{
	const auto gguf = Gguf::open(model_path);
	ASSERT_TRUE(gguf);
	const auto tokenizer = Tokenizer::create(*gguf);
	ASSERT_TRUE(tokenizer);
	auto model = Transformer::create(*gguf, cpu_backend(), 12, {});
	ASSERT_TRUE(model);
	std::string told;

	const auto three =
		generate(*model, *tokenizer, {.prompt = "And it", .count = 3, .keep_logits = true},
			 [&](std::string_view piece) { told += piece; });
	ASSERT_TRUE(three) << three.error().message;
	EXPECT_EQ(three->tokens.size(), 3U);
	EXPECT_EQ(three->logits.size(), 3U);
	EXPECT_EQ(three->text, told);
	model->restart();
	const auto all = generate(*model, *tokenizer, {.prompt = "And it", .count = 1000});
	ASSERT_TRUE(all) << all.error().message;
	EXPECT_EQ(all->prompt_tokens + all->tokens.size(), 13U);
	EXPECT_TRUE(all->logits.empty());
	EXPECT_THAT(all->text, testing::StartsWith(told));
}

/// The first @p count greedy tokens after @p prompt, as text.
std::string greedy(Transformer &model, const Tokenizer &tokenizer, const std::string &prompt,
		   std::size_t count)
{
	std::vector<Token> next = tokenizer.encode(prompt);
	std::string text;

	for (std::size_t i = 0; i < count; i++) {
		const auto logits = model.forward(next);
		EXPECT_TRUE(logits) << logits.error().message;
		next = {Sampler({}).sample(*logits)};
		text += tokenizer.decode(next.front(), i == 0 && prompt.empty());
	}
	return text;
}

TEST(Transformer, TheNpuWritesTheTextOfTheCpu)
{
	const auto gguf = Gguf::open(model_path);
	ASSERT_TRUE(gguf);
	const auto tokenizer = Tokenizer::create(*gguf);
	auto device = test::any_device();
	ASSERT_TRUE(tokenizer && device);
	auto npu = npu_backend(*device, Precision::fp16);
	ASSERT_TRUE(npu);
	auto on_npu = Transformer::create(*gguf, std::move(*npu), 128, {});
	auto on_cpu = Transformer::create(*gguf, cpu_backend(), 128, {});
	ASSERT_TRUE(on_npu && on_cpu);

	const std::string text = greedy(*on_cpu, *tokenizer, "And it came to pass", 48);
	EXPECT_EQ(greedy(*on_npu, *tokenizer, "And it came to pass", 48), text);
	/* From an independent implementation in another language. */
	EXPECT_THAT(text, testing::StartsWith(", when the children of Israel heard that the king "
					      "had said, What is this"));
	EXPECT_EQ(on_npu->backend().statistics()->cpu_macs, 0U);
	EXPECT_EQ(on_npu->backend().statistics()->npu_macs,
		  on_cpu->backend().statistics()->cpu_macs);
}

TEST(Transformer, TokensTogetherAreTokensOneByOne)
{
	const auto gguf = Gguf::open(model_path);
	ASSERT_TRUE(gguf);
	auto model = Transformer::create(*gguf, cpu_backend(), 200, {});
	ASSERT_TRUE(model);
	std::vector<Token> tokens;
	for (Token i = 0; i < 150; i++)
		tokens.push_back(259 + i * 7 % 250);

	const auto together = model->forward(tokens, true);
	ASSERT_TRUE(together);
	const std::vector<float> all(together->begin(), together->end());
	model->restart();
	for (std::size_t i = 0; i < tokens.size(); i++) {
		const auto one = model->forward({&tokens[i], 1});
		ASSERT_TRUE(one);
		for (std::size_t j = 0; j < one->size(); j++)
			ASSERT_NEAR((*one)[j], all[i * one->size() + j], 1e-3);
	}
	EXPECT_FALSE(model->forward({}));
	const std::vector<Token> unknown{100000};
	EXPECT_THAT(model->forward(unknown).error().message, HasSubstr("vocabulary"));
	tokens.resize(51);
	EXPECT_THAT(model->forward(tokens).error().message, HasSubstr("position 150"));
}

TEST(Transformer, ADeviceThatGoesAwayIsAnError)
{
	const auto gguf = Gguf::open(model_path);
	ASSERT_TRUE(gguf);
	auto driver = std::make_shared<test::FakeDriver>();
	auto device = Device::create(driver);
	ASSERT_TRUE(device);
	auto npu = npu_backend(*device, Precision::int8);
	ASSERT_TRUE(npu);
	auto model = Transformer::create(*gguf, std::move(*npu), 16, {});
	ASSERT_TRUE(model);
	const std::vector<Token> tokens{1, 300};
	ASSERT_TRUE(model->forward(tokens));
	driver->fail(DRM_IOCTL_NPU_JOB_SUBMIT, ENODEV);
	EXPECT_EQ(model->forward(tokens).error().code, ENODEV);
}

/// Deletes a file at the end of the scope.
class TemporaryFile
{
public:
	TemporaryFile() { close(mkstemp(path_.data())); }
	~TemporaryFile() { std::filesystem::remove(path_); }
	TemporaryFile(const TemporaryFile &) = delete;
	TemporaryFile &operator=(const TemporaryFile &) = delete;
	const std::string &path() const { return path_; }

private:
	std::string path_ = testing::TempDir() + "npu-llm-test.XXXXXX";
};

/// The output and the wait status of a shell command.
std::pair<std::string, int> output_of(const std::string &command)
{
	std::array<char, 256> part{};
	std::string text;
	FILE *pipe = popen(command.c_str(), "r");

	if (!pipe)
		return {{}, -1};
	while (const std::size_t count = fread(part.data(), 1, part.size(), pipe))
		text.append(part.data(), count);
	return {text, pclose(pipe)};
}

/// The @p count most likely tokens after @p token, in order.
std::vector<Token> greedy_tokens(Transformer &model, Token token, std::size_t count)
{
	std::vector<Token> tokens;

	while (tokens.size() < count) {
		const auto logits = model.forward({&token, 1});
		EXPECT_TRUE(logits) << logits.error().message;
		token = Sampler({}).sample(*logits);
		tokens.push_back(token);
	}
	return tokens;
}

/*
 * F32 matrices, sizes that do not fill a vector, and grouped heads: models unlike the demo's,
 * compared with another implementation.
 */
class Tiny : public testing::TestWithParam<const char *>
{
};

TEST_P(Tiny, TokensAreThoseOfTheReference)
{
	constexpr std::size_t count = 24;
	const TemporaryFile file;
	const std::string &path = file.path();
	const auto [text, status] =
		output_of("python3 " NPU_SOURCE_DIR "/tests/models/tiny.py --dim 36 --ff 43 "
			  "--layers 2 --heads 6 --kv-heads 2 --bytes 32 --greedy 24 " +
			  std::string(GetParam()) + " " + path);
	ASSERT_EQ(status, 0) << text;
	const std::size_t at = text.find("greedy:");
	ASSERT_NE(at, text.npos) << text;
	std::istringstream words(text.substr(at + 7));
	const std::vector<Token> expected(std::istream_iterator<Token>(words), {});
	ASSERT_EQ(expected.size(), count);

	const auto gguf = Gguf::open(path);
	ASSERT_TRUE(gguf) << gguf.error().message;
	auto device = test::any_device();
	ASSERT_TRUE(device);
	auto npu = npu_backend(*device, Precision::fp16);
	ASSERT_TRUE(npu);
	auto on_npu = Transformer::create(*gguf, std::move(*npu), 64, {});
	auto on_cpu = Transformer::create(*gguf, cpu_backend(), 64, {});
	ASSERT_TRUE(on_npu && on_cpu);
	EXPECT_EQ(greedy_tokens(*on_cpu, 1, count), expected);
	EXPECT_EQ(greedy_tokens(*on_npu, 1, count), expected);
}

INSTANTIATE_TEST_SUITE_P(Models, Tiny,
			 testing::Values("--architecture llama --seed 10",
					 "--architecture llama --seed 12 --head-dim 10 --factors",
					 "--architecture qwen2 --seed 18",
					 "--architecture qwen3 --seed 23 --head-dim 8"));

/* The attention of a head and token does not depend on the thread that computes it. */
TEST(Transformer, ThreadsChangeNothing)
{
	const auto gguf = Gguf::open(model_path);
	ASSERT_TRUE(gguf);
	auto one = Transformer::create(*gguf, cpu_backend(), 200, {});
	auto three = Transformer::create(*gguf, cpu_backend(3), 200, {});
	ASSERT_TRUE(one && three);
	std::vector<Token> tokens;
	for (Token i = 0; i < 150; i++)
		tokens.push_back(259 + i * 7 % 250);

	const auto expected = one->forward(tokens, true);
	const auto logits = three->forward(tokens, true);
	ASSERT_TRUE(expected && logits);
	EXPECT_TRUE(std::ranges::equal(*expected, *logits));
	EXPECT_EQ(one->attention_macs(), three->attention_macs());
}

TEST(Stories, ContinuesAsPublished)
{
	const TemporaryFile converted;
	const std::string command =
		NPU_SOURCE_DIR "/tests/models/stories " + converted.path() + " 2>/dev/null";
	constexpr int missing = 77;

	const int status = std::system(command.c_str());
	if (WIFEXITED(status) && WEXITSTATUS(status) == missing)
		GTEST_SKIP() << "NPU_MODELS names no directory with stories260K.bin and "
				"tok512.bin (karpathy/tinyllamas)";
	ASSERT_EQ(status, 0);
	const auto gguf = Gguf::open(converted.path());
	ASSERT_TRUE(gguf) << gguf.error().message;
	const auto tokenizer = Tokenizer::create(*gguf);
	auto device = test::any_device();
	ASSERT_TRUE(tokenizer && device);
	auto npu = npu_backend(*device, Precision::fp16);
	ASSERT_TRUE(npu);
	auto model = Transformer::create(*gguf, std::move(*npu), 64, {});
	ASSERT_TRUE(model) << model.error().message;
	EXPECT_THAT(greedy(*model, *tokenizer, "", 40),
		    testing::StartsWith("Once upon a time, there was a little girl named Lily. She "
					"loved to play outside in the park"));
}

} // namespace

} // namespace npu::llm
