#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Convert a llama2.c model (.bin, "export v0") and tokenizer to GGUF.

Python 3 standard library only.  All tensors are written as F32.  llama2.c
rotates interleaved pairs (2i, 2i + 1), as llama.cpp's 'llama' architecture
does, so that the matrices are copied as they are.
"""

import argparse
import array
import os
import struct
import sys

import gguf_writer as gguf

HEADER = struct.Struct("<7i")
BYTE_FIRST, BYTE_LAST = 3, 258
LIMIT = 1 << 24


class InputError(Exception):
    """The input files cannot be converted."""


class Reader:
    """Reads little-endian values from a file held in memory."""

    def __init__(self, path):
        self.path, self.pos = path, 0
        with open(path, "rb") as file:
            self.data = file.read()

    def take(self, size, what):
        """Return the next size bytes."""
        left = len(self.data) - self.pos
        if size > left:
            raise InputError(f"{self.path}: truncated: {what} needs {size} "
                             f"bytes, {left} left")
        self.pos += size
        return self.data[self.pos - size:self.pos]

    def floats(self, count, what):
        """Return the next count floats."""
        values = array.array("f", self.take(4 * count, what))
        if sys.byteorder == "big":
            values.byteswap()
        return values

    def finish(self):
        """Complain about anything left over."""
        left = len(self.data) - self.pos
        if left:
            raise InputError(f"{self.path}: {left} unexpected bytes at the "
                             "end")


def read_model(path):
    """Return (hyper-parameters, {GGUF name: (dims, values)})."""
    reader = Reader(path)
    dim, ff, layers, heads, kv_heads, vocab, context = HEADER.unpack(
        reader.take(HEADER.size, "the header"))
    tied, vocab = vocab > 0, abs(vocab)
    numbers = (dim, ff, layers, heads, kv_heads, vocab, context)
    if (not all(0 < n < LIMIT for n in numbers) or dim % heads
            or heads % kv_heads or dim // heads % 2 or vocab <= BYTE_LAST):
        raise InputError(f"{path}: not a llama2.c v0 file (header "
                         f"{numbers})")
    head_dim = dim // heads
    kv_dim = kv_heads * head_dim
    hp = {"dim": dim, "ff": ff, "layers": layers, "heads": heads,
          "kv_heads": kv_heads, "vocab": vocab, "context": context,
          "head_dim": head_dim, "eps": 1e-5, "rope_base": 10000.0}
    # The order of the file: each kind of tensor for all layers in turn.
    kinds = (("attn_norm", (dim,)), ("attn_q", (dim, dim)),
             ("attn_k", (dim, kv_dim)), ("attn_v", (dim, kv_dim)),
             ("attn_output", (dim, dim)), ("ffn_norm", (dim,)),
             ("ffn_gate", (dim, ff)), ("ffn_down", (ff, dim)),
             ("ffn_up", (dim, ff)))
    tensors = {}

    def read(name, dims):
        count = dims[0] if len(dims) == 1 else dims[0] * dims[1]
        tensors[name] = (dims, reader.floats(count, name))

    read("token_embd.weight", (dim, vocab))
    for kind, dims in kinds:
        for layer in range(layers):
            read(f"blk.{layer}.{kind}.weight", dims)
    read("output_norm.weight", (dim,))
    # Tables of cosines and sines, which are computed anew by everybody.
    reader.floats(context * head_dim, "the RoPE part")
    if not tied:
        read("output.weight", (dim, vocab))
    reader.finish()
    return hp, tensors


def read_tokenizer(path, vocab):
    """Return (tokens, scores, types) in the form GGUF wants."""
    reader = Reader(path)
    reader.take(4, "the header")
    tokens, scores, types = [], [], []
    for i in range(vocab):
        score, length = struct.unpack("<fi", reader.take(8, f"token {i}"))
        if length < 0:
            raise InputError(f"{path}: token {i} has length {length}")
        try:
            text = reader.take(length, f"token {i}").decode("utf-8")
        except UnicodeDecodeError:
            raise InputError(f"{path}: token {i} is not UTF-8") from None
        kind = gguf.TOKEN_NORMAL
        if i < BYTE_FIRST:
            text = ("<unk>", "<s>", "</s>")[i]
            kind = gguf.TOKEN_CONTROL if i else gguf.TOKEN_UNKNOWN
        elif i <= BYTE_LAST:
            if text != f"<0x{i - BYTE_FIRST:02X}>":
                raise InputError(f"{path}: token {i} is {text!r}, not a "
                                 "byte token")
            kind = gguf.TOKEN_BYTE
        tokens.append(text.replace(" ", "\u2581"))
        scores.append(score)
        types.append(kind)
    reader.finish()
    return tokens, scores, types


def main():
    """Parse the command line and convert."""
    parser = argparse.ArgumentParser(
        description="Convert a llama2.c model (.bin, export v0) and its "
        "tokenizer to GGUF with F32 tensors.",
        epilog="example: ./convert_llama2c.py stories260K.bin tok512.bin "
        "stories260K.gguf")
    parser.add_argument("model", help="model, for instance stories260K.bin")
    parser.add_argument("tokenizer", help="tokenizer, for instance "
                        "tok512.bin")
    parser.add_argument("output", help="GGUF file to write")
    parser.add_argument("--name", help="general.name (default: name of the "
                        "model file)")
    parser.add_argument("--license", default="mit", help="general.license "
                        "(default %(default)s)")
    args = parser.parse_args()
    name = args.name or os.path.splitext(os.path.basename(args.model))[0]
    try:
        hp, tensors = read_model(args.model)
        tokenizer = read_tokenizer(args.tokenizer, hp["vocab"])
        out = gguf.Writer()
        gguf.add_llama(out, name, args.license, hp, file_type=0)
        gguf.add_tokenizer(out, *tokenizer)
        for tensor, (dims, values) in tensors.items():
            out.add_tensor(tensor, dims, gguf.GGML_F32, values)
        size = out.write(args.output)
    except (InputError, OSError) as err:
        sys.exit(f"convert_llama2c.py: error: {err}")
    print(f"wrote {args.output}, {size} bytes")


if __name__ == "__main__":
    main()
