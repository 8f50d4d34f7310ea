#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Makes little models of the llama architecture with random weights.

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


def tensors(hp):
    """(name, dims, is matrix) of each tensor; dims in GGUF order."""
    dim, ff, kv = hp["dim"], hp["ff"], hp["head_dim"] * hp["kv_heads"]
    yield "token_embd.weight", (dim, hp["vocab"]), True
    for i in range(hp["layers"]):
        yield f"blk.{i}.attn_norm.weight", (dim,), False
        yield f"blk.{i}.attn_q.weight", (dim, dim), True
        yield f"blk.{i}.attn_k.weight", (dim, kv), True
        yield f"blk.{i}.attn_v.weight", (dim, kv), True
        yield f"blk.{i}.attn_output.weight", (dim, dim), True
        yield f"blk.{i}.ffn_norm.weight", (dim,), False
        yield f"blk.{i}.ffn_gate.weight", (dim, ff), True
        yield f"blk.{i}.ffn_up.weight", (dim, ff), True
        yield f"blk.{i}.ffn_down.weight", (ff, dim), True
    yield "output_norm.weight", (dim,), False
    if not hp["tied"]:
        yield "output.weight", (dim, hp["vocab"]), True


def weights(name, dims, matrix, seed):
    """Norms about 1; matrices that keep the size of what they multiply.

    Without a name, tensors of one size are the same.
    """
    rng = random.Random(f"{seed} {dims if name is None else name}")
    if not matrix:
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

    def rotated(self, x, position):
        size = self.hp["head_dim"]
        out = []
        for i in range(0, len(x), 2):
            angle = position * self.hp["rope_base"] ** (-(i % size) / size)
            c, s = math.cos(angle), math.sin(angle)
            out += [x[i] * c - x[i + 1] * s, x[i] * s + x[i + 1] * c]
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
            q = self.rotated(self.multiply(block + "attn_q.weight", h), position)
            self.keys[i].append(self.rotated(
                self.multiply(block + "attn_k.weight", h), position))
            self.rows[i].append(self.multiply(block + "attn_v.weight", h))
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
    parser.add_argument("--dim", type=int, default=8, help="width [8]")
    parser.add_argument("--ff", type=int, default=12,
                        help="width of the feed-forward part [12]")
    parser.add_argument("--layers", type=int, default=1, help="blocks [1]")
    parser.add_argument("--heads", type=int, default=2, help="heads [2]")
    parser.add_argument("--kv-heads", type=int, default=1,
                        help="heads of keys and values [1]")
    parser.add_argument("--bytes", type=int, default=256,
                        help="tokens that are bytes, 255 and below [256]")
    parser.add_argument("--f16", action="store_true",
                        help="matrices are F16 instead of F32")
    parser.add_argument("--tied", action="store_true",
                        help="the output matrix is the embedding")
    parser.add_argument("--share", action="store_true",
                        help="tensors of one size are one, for a small file")
    parser.add_argument("--greedy", type=int, metavar="N", default=0,
                        help="print the N most likely tokens after <s>, too")
    parser.add_argument("--seed", type=int, default=1, help="of the weights [1]")
    args = parser.parse_args()

    tokens, scores, types = tokenizer(
        args.bytes, ["\u2581", "\u2581A", "nd", "\u2581it"])
    hp = {"dim": args.dim, "ff": args.ff, "layers": args.layers,
          "heads": args.heads, "kv_heads": args.kv_heads,
          "head_dim": args.dim // args.heads, "context": 64,
          "vocab": len(tokens), "eps": 1e-5, "rope_base": 10000.0,
          "tied": args.tied}
    writer = gguf.Writer()
    gguf.add_llama(writer, "tiny", "MIT", hp, 1 if args.f16 else 0)
    gguf.add_tokenizer(writer, tokens, scores, types)
    everything = {}
    for name, dims, matrix in tensors(hp):
        kind = gguf.GGML_F16 if args.f16 and matrix else gguf.GGML_F32
        values = weights(None if args.share else name, dims, matrix, args.seed)
        writer.add_tensor(name, dims, kind, values)
        everything[name] = values
    print(f"{args.output}: {writer.write(args.output, args.share)} bytes")
    if args.greedy:
        tokens, margin = Reference(hp, everything).greedy(1, args.greedy)
        print("greedy:", *tokens)
        print(f"margin: {margin:.4f}")


if __name__ == "__main__":
    main()
