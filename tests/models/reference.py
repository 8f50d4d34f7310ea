#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Makes what npu-llm's reading of files is compared with.

Needs python3-gguf and llama-tokenize, which Debian has in forky and sid. Writes to
tests/models: bpe.gguf, a vocabulary of byte-level BPE; tokens.json, the tokens of
strings with that vocabulary by llama-tokenize for each pre-tokenizer; quants.gguf,
random blocks of each type and their elements by python3-gguf.
"""

import argparse
import collections
import json
import os
import re
import subprocess
import tempfile

import gguf
import numpy

import strings

HERE = os.path.dirname(os.path.abspath(__file__))
PRE = ("gpt-2", "llama-bpe", "qwen2", "smollm")
MERGES = 500
# Words that are tokens although no merges lead to them.
WHOLE = ["wonderfully", "\u0120wonderfully"]
USER = ["<tool>", "<tool_call>"]
CONTROL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
TYPES = ("BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K",
         "Q6_K")
ROWS, COLUMNS = 2, 256
# Where the fp16 numbers of a block are.
HALVES = {"Q4_0": (0,), "Q4_1": (0, 2), "Q5_0": (0,), "Q5_1": (0, 2), "Q8_0": (0,),
          "Q2_K": (80, 82), "Q3_K": (108,), "Q4_K": (0, 2), "Q5_K": (0, 2), "Q6_K": (208,)}


def byte_characters():
    """The character that stands for each byte."""
    printed = [*range(0x21, 0x7f), *range(0xa1, 0xad), *range(0xae, 0x100)]
    others = [b for b in range(256) if b not in printed]
    return {**{b: chr(b) for b in printed},
            **{b: chr(256 + i) for i, b in enumerate(others)}}


def train(text):
    """Merges of byte-level BPE, the most frequent pair first."""
    characters = byte_characters()
    counts = collections.Counter(re.findall(r" ?[^\W\d_]+| ?\d+| ?[^\s\w]+|\s+", text))
    words = {tuple(characters[b] for b in word.encode()): n for word, n in counts.items()}
    merges = []
    while len(merges) < MERGES:
        pairs = collections.Counter()
        for word, n in words.items():
            for pair in zip(word, word[1:]):
                pairs[pair] += n
        if not pairs:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        merged = {}
        for word, n in words.items():
            parts, i = [], 0
            while i < len(word):
                if word[i:i + 2] == best:
                    parts.append(word[i] + word[i + 1])
                    i += 2
                else:
                    parts.append(word[i])
                    i += 1
            merged[tuple(parts)] = merged.get(tuple(parts), 0) + n
        words = merged
    return merges


def vocabulary():
    """(tokens, types, merges)."""
    with open(os.path.join(HERE, "stories.txt"), encoding="utf-8") as file:
        text = file.read()
    chosen = [string for string in strings.CHOSEN if WHOLE[0] not in string]
    merges = train(text + "\n".join(chosen))
    normal = [*byte_characters().values(), *dict.fromkeys(a + b for a, b in merges), *WHOLE]
    tokens = normal + USER + CONTROL
    types = ([gguf.TokenType.NORMAL] * len(normal) + [gguf.TokenType.USER_DEFINED] * len(USER)
             + [gguf.TokenType.CONTROL] * len(CONTROL))
    return tokens, types, [f"{a} {b}" for a, b in merges]


def write_vocabulary(path, pre, parts):
    """A GGUF file with a vocabulary and nothing else."""
    tokens, types, merges = parts
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_merges(merges)
    writer.add_bos_token_id(tokens.index("<|endoftext|>"))
    writer.add_eos_token_id(tokens.index("<|im_end|>"))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()


def tokens_of(path, text, begin):
    """What llama-tokenize makes of a text."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(text.encode())
        file.flush()
        run = subprocess.run(
            ["llama-tokenize", "-m", path, "-f", file.name, "--ids", "--no-escape",
             "--no-parse-special", *([] if begin else ["--no-bos"]), "--log-disable"],
            stdout=subprocess.PIPE, check=True)
    return json.loads(run.stdout.decode().strip().splitlines()[-1])


def write_quants(path):
    """Random blocks of each type, and their elements."""
    rng = numpy.random.default_rng(5)
    writer = gguf.GGUFWriter(path, "quants")
    for name in TYPES:
        kind = gguf.GGMLQuantizationType[name]
        elements, size = gguf.GGML_QUANT_SIZES[kind]
        if name == "BF16":
            floats = rng.normal(size=(ROWS, COLUMNS)).astype(numpy.float32)
            blocks = gguf.quants.quantize(floats, kind)
        else:
            blocks = rng.integers(0, 256, (ROWS * COLUMNS // elements, size), numpy.uint8)
            for at in HALVES[name]:
                scales = rng.uniform(-0.1, 0.1, (len(blocks), 1)).astype(numpy.float16)
                blocks[:, at:at + 2] = scales.view(numpy.uint8)
            blocks = blocks.reshape(ROWS, -1)
        writer.add_tensor(name.lower(), blocks, raw_dtype=kind)
        writer.add_tensor(name.lower() + ".elements",
                          gguf.quants.dequantize(blocks, kind).astype(numpy.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main():
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: tests/models/reference.py tests/models")
    parser.add_argument("output", help="directory to write to")
    args = parser.parse_args()

    parts = vocabulary()
    texts = strings.strings()
    result = {"licence": "SPDX-License-Identifier: MIT", "strings": texts, "tokens": {}, "begin": {}}
    write_quants(os.path.join(args.output, "quants.gguf"))
    for pre in PRE:
        path = os.path.join(args.output, "bpe.gguf")
        write_vocabulary(path, pre, parts)
        result["tokens"][pre] = [tokens_of(path, text, False) for text in texts]
        # Whether a begin token comes first by default.
        result["begin"][pre] = tokens_of(path, "a", True) != tokens_of(path, "a", False)
    with open(os.path.join(args.output, "tokens.json"), "w", encoding="utf-8") as file:
        lines = json.dumps(result, ensure_ascii=True, separators=(",", ":"))
        file.write(lines.replace('],[', '],\n['))
        file.write("\n")


if __name__ == "__main__":
    main()
