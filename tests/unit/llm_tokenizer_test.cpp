/* SPDX-License-Identifier: MIT */
/*
 * Compares tokens with those of llama.cpp's llama-tokenize, from tests/models/reference.py.
 */
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include <llm/gguf.h>
#include <llm/tokenizer.h>

#include "gguf_file.h"

namespace npu::llm
{

namespace
{

using test::GgufFile;
using testing::HasSubstr;

constexpr const char *vocabulary_path = NPU_SOURCE_DIR "/tests/models/bpe.gguf";

nlohmann::json expected()
{
	std::ifstream file(NPU_SOURCE_DIR "/tests/models/tokens.json");

	return nlohmann::json::parse(file);
}

/// The stored vocabulary, as a file of pre-tokenizer @p pre.
GgufFile vocabulary(const std::string &pre)
{
	const auto gguf = Gguf::open(vocabulary_path);
	GgufFile file;

	EXPECT_TRUE(gguf);
	const Gguf::Numbers &types = **gguf->numbers("tokenizer.ggml.token_type");
	file.values = {{"tokenizer.ggml.model", std::string("gpt2")},
		       {"tokenizer.ggml.pre", pre},
		       {"tokenizer.ggml.tokens", **gguf->strings("tokenizer.ggml.tokens")},
		       {"tokenizer.ggml.merges", **gguf->strings("tokenizer.ggml.merges")},
		       {"tokenizer.ggml.token_type", GgufFile::Numbers(types.begin(), types.end())},
		       {"tokenizer.ggml.bos_token_id",
			static_cast<std::uint32_t>(*gguf->number("tokenizer.ggml.bos_token_id"))},
		       {"tokenizer.ggml.eos_token_id",
			static_cast<std::uint32_t>(*gguf->number("tokenizer.ggml.eos_token_id"))}};
	return file;
}

Result<Tokenizer> tokenizer_of(const GgufFile &file)
{
	const auto bytes = file.bytes();
	const auto gguf = Gguf::parse(bytes);

	EXPECT_TRUE(gguf);
	return Tokenizer::create(*gguf);
}

class Bpe : public testing::TestWithParam<const char *>
{
};

TEST_P(Bpe, TokensAreThoseOfLlamaCpp)
{
	const nlohmann::json all = expected();
	const auto &strings = all["strings"];
	const auto &tokens = all["tokens"][GetParam()];
	GgufFile file = vocabulary(GetParam());
	file.values["tokenizer.ggml.add_bos_token"] = false;
	const auto tokenizer = tokenizer_of(file);

	ASSERT_TRUE(tokenizer) << tokenizer.error().message;
	ASSERT_EQ(strings.size(), 200U);
	ASSERT_EQ(tokens.size(), strings.size());
	for (std::size_t i = 0; i < strings.size(); i++)
		EXPECT_EQ(tokenizer->encode(strings[i].get<std::string>()),
			  tokens[i].get<std::vector<Token>>())
			<< strings[i];
}

TEST_P(Bpe, TheBeginTokenIsThatOfLlamaCpp)
{
	GgufFile file = vocabulary(GetParam());
	const auto by_default = tokenizer_of(file);
	file.values["tokenizer.ggml.add_bos_token"] = true;
	const auto always = tokenizer_of(file);

	ASSERT_TRUE(by_default && always);
	EXPECT_EQ(by_default->encode("a").size(),
		  expected()["begin"][GetParam()].get<bool>() ? 2U : 1U);
	ASSERT_EQ(always->encode("a").size(), 2U);
	EXPECT_EQ(always->encode("a").front(),
		  std::get<std::uint32_t>(file.values["tokenizer.ggml.bos_token_id"]));
}

TEST_P(Bpe, TextComesBack)
{
	GgufFile file = vocabulary(GetParam());
	file.values["tokenizer.ggml.add_bos_token"] = false;
	const auto tokenizer = tokenizer_of(file);
	auto strings = expected()["strings"].get<std::vector<std::string>>();

	ASSERT_TRUE(tokenizer);
	strings.insert(strings.end(), {"", "\xff\xfe broken \xe2", "\xf0\x9f\x98", "\xc0\x80 a"});
	for (const std::string &string : strings) {
		std::string back;
		for (const Token token : tokenizer->encode(string))
			back += tokenizer->decode(token, back.empty());
		EXPECT_EQ(back, string);
	}
}

INSTANTIATE_TEST_SUITE_P(Pre, Bpe, testing::Values("gpt-2", "llama-bpe", "qwen2", "smollm"));

TEST(BpeFile, WhatIsMissingOrUnknownIsRefused)
{
	GgufFile file = vocabulary("qwen35");
	EXPECT_THAT(tokenizer_of(file).error().message,
		    HasSubstr("'tokenizer.ggml.pre' is 'qwen35', and npu-llm implements gpt-2, "
			      "llama-bpe, qwen2 and smollm only; use llama.cpp"));
	file.values["tokenizer.ggml.model"] = std::string("bert");
	EXPECT_THAT(tokenizer_of(file).error().message,
		    HasSubstr("'tokenizer.ggml.model' is 'bert'"));

	for (const std::string key : {"pre", "merges", "tokens", "token_type", "eos_token_id"}) {
		file = vocabulary("gpt-2");
		file.values.erase("tokenizer.ggml." + key);
		EXPECT_THAT(tokenizer_of(file).error().message,
			    HasSubstr("'tokenizer.ggml." + key + "' is missing"));
	}

	/* Token 0 is that of byte 33. */
	file = vocabulary("gpt-2");
	std::get<GgufFile::Strings>(file.values["tokenizer.ggml.tokens"])[0] = "none";
	EXPECT_THAT(tokenizer_of(file).error().message, HasSubstr("no token for byte"));
	file.values["tokenizer.ggml.unknown_token_id"] = 7U;
	const auto tokenizer = tokenizer_of(file);
	ASSERT_TRUE(tokenizer);
	EXPECT_THAT(tokenizer->encode("!"), testing::ElementsAre(7U));
}

TEST(BpeFile, TextsEndWithTheTokensThatTheFileNames)
{
	GgufFile file = vocabulary("qwen2");
	file.values["tokenizer.ggml.eot_token_id"] = 5U;
	file.values["tokenizer.ggml.eom_token_id"] = 6U;
	const auto tokenizer = tokenizer_of(file);

	ASSERT_TRUE(tokenizer);
	EXPECT_TRUE(tokenizer->is_end(5));
	EXPECT_TRUE(tokenizer->is_end(6));
	EXPECT_TRUE(tokenizer->is_end(
		std::get<std::uint32_t>(file.values["tokenizer.ggml.eos_token_id"])));
	EXPECT_FALSE(tokenizer->is_end(7));
	EXPECT_EQ(tokenizer->decode(static_cast<Token>(tokenizer->size())), "");
}

} // namespace

} // namespace npu::llm
