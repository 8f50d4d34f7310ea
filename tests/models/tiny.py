#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Makes little models of llama, qwen2 or qwen3 with random weights.

With --greedy it also tells what such a model says, computed here, in double
precision, with nothing of what it is meant to test.
"""

import argparse
import math
import random

import gguf_writer as gguf


def tokenizer(count, words):
    """Special tokens, the last bytes, and words; as (tokens, scores, types)."""
    tokens = ["<unk>", "<s>", "</s>"]
    types = [gguf.TOKEN_UNKNOWN, gguf.TOKEN_CONTROL, gguf.TOKEN_CONTROL]
    tokens += [f"<0x{byte:02X}>" for byte in range(256 - count, 256)]
    types += [gguf.TOKEN_BYTE] * count
    tokens += words
    types += [gguf.TOKEN_NORMAL] * len(words)
    scores = [0.0] * (3 + count) + [-float(i) for i in range(len(words))]
    return tokens, scores, types


def bpe():
    """A few tokens of byte-level BPE; as (tokens, types, merges)."""
    tokens = ["<unk>", "<s>", "</s>", "A", "n", "d", "i", "t", "\u0120", "nd", "\u0120i",
              "\u0120it", "<user>"]
    types = ([gguf.TOKEN_CONTROL] * 3 + [gguf.TOKEN_NORMAL] * (len(tokens) - 4)
             + [gguf.TOKEN_USER])
    return tokens, types, ["n d", "\u0120 i", "\u0120i t"]


# Number of a type, elements and bytes of its blocks.
TYPES = ((0, 1, 4), (1, 1, 2), (2, 32, 18), (3, 32, 20), (6, 32, 22), (7, 32, 24),
         (8, 32, 34), (10, 256, 84), (11, 256, 110), (12, 256, 144), (13, 256, 176),
         (14, 256, 210), (30, 1, 2))


def write_types(path, seed):
    """A block of each type, and no model."""
    writer = gguf.Writer()
    rng = random.Random(seed)
    for kind, elements, size in TYPES:
        writer.add_blocks(f"t{kind}", elements, kind, rng.randbytes(size))
    print(f"{path}: {writer.write(path)} bytes")


def tensors(hp):
    """(name, dims, kind) of each tensor; dims in GGUF order."""
    dim, ff, size = hp["dim"], hp["ff"], hp["head_dim"]
    q, kv = size * hp["heads"], size * hp["kv_heads"]
    yield "token_embd.weight", (dim, hp["vocab"]), "matrix"
    if hp["factors"]:
        yield "rope_freqs.weight", (size // 2,), "factors"
    for i in range(hp["layers"]):
        yield f"blk.{i}.attn_norm.weight", (dim,), "norm"
        yield f"blk.{i}.attn_q.weight", (dim, q), "matrix"
        yield f"blk.{i}.attn_k.weight", (dim, kv), "matrix"
        yield f"blk.{i}.attn_v.weight", (dim, kv), "matrix"
        if hp["architecture"] == "qwen2":
            yield f"blk.{i}.attn_q.bias", (q,), "bias"
            yield f"blk.{i}.attn_k.bias", (kv,), "bias"
            yield f"blk.{i}.attn_v.bias", (kv,), "bias"
        if hp["architecture"] == "qwen3":
            yield f"blk.{i}.attn_q_norm.weight", (size,), "norm"
            yield f"blk.{i}.attn_k_norm.weight", (size,), "norm"
        yield f"blk.{i}.attn_output.weight", (q, dim), "matrix"
        yield f"blk.{i}.ffn_norm.weight", (dim,), "norm"
        yield f"blk.{i}.ffn_gate.weight", (dim, ff), "matrix"
        yield f"blk.{i}.ffn_up.weight", (dim, ff), "matrix"
        yield f"blk.{i}.ffn_down.weight", (ff, dim), "matrix"
    yield "output_norm.weight", (dim,), "norm"
    if not hp["tied"]:
        yield "output.weight", (dim, hp["vocab"]), "matrix"


def weights(name, dims, kind, seed):
    """Norms about 1; matrices that keep the size of what they multiply.

    Without a name, tensors of one size are the same.
    """
    rng = random.Random(f"{seed} {dims if name is None else name}")
    if kind == "factors":
        return [1.0 + 3.0 * i / dims[0] for i in range(dims[0])]
    if kind == "bias":
        return [rng.uniform(-0.5, 0.5) for _ in range(dims[0])]
    if kind == "norm":
        return [rng.uniform(0.8, 1.2) for _ in range(dims[0])]
    scale = 1.0 if name == "token_embd.weight" else (3.0 / dims[0]) ** 0.5
    return [rng.uniform(-scale, scale) for _ in range(dims[0] * dims[1])]


class Reference:
    """A decoder for one token after the other."""

    def __init__(self, hp, values):
        self.hp = hp
        self.values = values
        self.keys = [[] for _ in range(hp["layers"])]
        self.rows = [[] for _ in range(hp["layers"])]

    def multiply(self, name, x):
        matrix = self.values[name]
        return [sum(a * b for a, b in zip(matrix[i:i + len(x)], x))
                for i in range(0, len(matrix), len(x))]

    def norm(self, name, x):
        mean = sum(a * a for a in x) / len(x)
        factor = 1 / math.sqrt(mean + self.hp["eps"])
        return [a * factor * w for a, w in zip(x, self.values[name])]

    def projected(self, block, name, x):
        """Queries, keys or values, with what the architecture adds to them."""
        size = self.hp["head_dim"]
        out = self.multiply(f"{block}attn_{name}.weight", x)
        bias, norm = f"{block}attn_{name}.bias", f"{block}attn_{name}_norm.weight"
        if bias in self.values:
            out = [a + b for a, b in zip(out, self.values[bias])]
        if norm in self.values:
            heads = [out[i:i + size] for i in range(0, len(out), size)]
            out = [a for head in heads for a in self.norm(norm, head)]
        return out

    def rotated(self, x, position):
        size, half = self.hp["head_dim"], self.hp["head_dim"] // 2
        factors = self.values.get("rope_freqs.weight", [1.0] * half)
        llama = self.hp["architecture"] == "llama"
        out = list(x)
        for head in range(0, len(x), size):
            for i in range(half):
                a, b = (2 * i, 2 * i + 1) if llama else (i, half + i)
                a, b = head + a, head + b
                angle = (position * self.hp["rope_base"] ** (-2 * i / size)
                         / factors[i])
                c, s = math.cos(angle), math.sin(angle)
                out[a] = x[a] * c - x[b] * s
                out[b] = x[a] * s + x[b] * c
        return out

    def attend(self, layer, q):
        size = self.hp["head_dim"]
        group = self.hp["heads"] // self.hp["kv_heads"]
        out = []
        for head in range(self.hp["heads"]):
            at = head // group * size
            part = q[head * size:(head + 1) * size]
            scores = [sum(a * b for a, b in zip(part, key[at:at + size]))
                      / math.sqrt(size) for key in self.keys[layer]]
            powers = [math.exp(score - max(scores)) for score in scores]
            for i in range(at, at + size):
                out.append(sum(p * row[i] for p, row in
                               zip(powers, self.rows[layer])) / sum(powers))
        return out

    def forward(self, token):
        """The logits after the token."""
        dim, position = self.hp["dim"], len(self.keys[0])
        x = self.values["token_embd.weight"][token * dim:(token + 1) * dim]
        for i in range(self.hp["layers"]):
            block = f"blk.{i}."
            h = self.norm(block + "attn_norm.weight", x)
            q = self.rotated(self.projected(block, "q", h), position)
            self.keys[i].append(self.rotated(
                self.projected(block, "k", h), position))
            self.rows[i].append(self.projected(block, "v", h))
            x = [a + b for a, b in zip(x, self.multiply(
                block + "attn_output.weight", self.attend(i, q)))]
            h = self.norm(block + "ffn_norm.weight", x)
            gate = self.multiply(block + "ffn_gate.weight", h)
            up = self.multiply(block + "ffn_up.weight", h)
            h = [g / (1 + math.exp(-g)) * u for g, u in zip(gate, up)]
            x = [a + b for a, b in zip(x, self.multiply(
                block + "ffn_down.weight", h))]
        head = "token_embd.weight" if self.hp["tied"] else "output.weight"
        return self.multiply(head, self.norm("output_norm.weight", x))

    def greedy(self, token, count):
        """The next tokens, and by how much the closest choice was won."""
        tokens, margin = [], math.inf
        for _ in range(count):
            logits = self.forward(token)
            best, second = sorted(logits, reverse=True)[:2]
            margin = min(margin, best - second)
            token = logits.index(best)
            tokens.append(token)
        return tokens, margin


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, epilog="example: ./tiny.py --dim 8 tiny.gguf")
    parser.add_argument("output", help="GGUF file to write")
    parser.add_argument("--architecture", default="llama",
                        choices=("llama", "qwen2", "qwen3"))
    parser.add_argument("--dim", type=int, default=8, help="width [8]")
    parser.add_argument("--ff", type=int, default=12,
                        help="width of the feed-forward part [12]")
    parser.add_argument("--layers", type=int, default=1, help="blocks [1]")
    parser.add_argument("--heads", type=int, default=2, help="heads [2]")
    parser.add_argument("--kv-heads", type=int, default=1,
                        help="heads of keys and values [1]")
    parser.add_argument("--head-dim", type=int,
                        help="elements of a head [width / heads]")
    parser.add_argument("--factors", action="store_true",
                        help="frequencies of positions are divided by factors")
    parser.add_argument("--bytes", type=int, default=256,
                        help="tokens that are bytes, 255 and below [256]")
    parser.add_argument("--bpe", metavar="PRE",
                        help="tokens of byte-level BPE with this pre-tokenizer")
    parser.add_argument("--f16", action="store_true",
                        help="matrices are F16 instead of F32")
    parser.add_argument("--tied", action="store_true",
                        help="the output matrix is the embedding")
    parser.add_argument("--share", action="store_true",
                        help="tensors of one size are one, for a small file")
    parser.add_argument("--greedy", type=int, metavar="N", default=0,
                        help="print the N most likely tokens after <s>, too")
    parser.add_argument("--types", action="store_true",
                        help="a block of each type instead of a model")
    parser.add_argument("--seed", type=int, default=1, help="of the weights [1]")
    args = parser.parse_args()
    if args.types:
        write_types(args.output, args.seed)
        return

    if args.bpe:
        tokens, types, merges = bpe()
    else:
        tokens, scores, types = tokenizer(
            args.bytes, ["\u2581", "\u2581A", "nd", "\u2581it"])
    hp = {"dim": args.dim, "ff": args.ff, "layers": args.layers,
          "heads": args.heads, "kv_heads": args.kv_heads,
          "head_dim": args.head_dim or args.dim // args.heads, "context": 64,
          "architecture": args.architecture, "factors": args.factors,
          "vocab": len(tokens), "eps": 1e-5, "rope_base": 10000.0,
          "tied": args.tied}
    writer = gguf.Writer()
    gguf.add_llama(writer, "tiny", "MIT", hp, 1 if args.f16 else 0,
                   args.architecture)
    if args.bpe:
        gguf.add_bpe(writer, args.bpe, tokens, types, merges)
    else:
        gguf.add_tokenizer(writer, tokens, scores, types)
    everything = {}
    for name, dims, kind in tensors(hp):
        stored = (gguf.GGML_F16 if args.f16 and kind == "matrix"
                  else gguf.GGML_F32)
        values = weights(None if args.share else name, dims, kind, args.seed)
        writer.add_tensor(name, dims, stored, values)
        everything[name] = values
    print(f"{args.output}: {writer.write(args.output, args.share)} bytes")
    if args.greedy:
        tokens, margin = Reference(hp, everything).greedy(1, args.greedy)
        print("greedy:", *tokens)
        print(f"margin: {margin:.4f}")


if __name__ == "__main__":
    main()
