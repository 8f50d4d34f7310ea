#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Makes a GGUF file with the shape of a large model and weights of zero.

The weights are a hole in the file, which takes next to no room on a disk. The
matrices are Q4_K, as most are in files called Q4_K_M.
"""

import argparse
import sys

import gguf_writer as gguf
import tiny

SHAPES = {
    "llama-2-7b": {"dim": 4096, "layers": 32, "ff": 11008, "heads": 32,
                   "kv_heads": 32, "vocab": 32000, "context": 4096,
                   "rope_base": 10000.0},
    "llama-3-8b": {"dim": 4096, "layers": 32, "ff": 14336, "heads": 32,
                   "kv_heads": 8, "vocab": 128256, "context": 8192,
                   "rope_base": 500000.0},
}


def main():
    parser = argparse.ArgumentParser(
        description="Writes a model of zeros as a sparse GGUF file.",
        epilog="Example: tests/models/zeros.py llama-3-8b /tmp/zeros.gguf")
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("output", help="the GGUF file")
    parser.add_argument("--layers", type=int, help="another number of layers")
    args = parser.parse_args()

    hp = dict(SHAPES[args.shape], head_dim=128, eps=1e-5, tied=False,
              architecture="llama", factors=False)
    if args.layers:
        hp["layers"] = args.layers
    writer = gguf.Writer()
    gguf.add_llama(writer, "zeros of the shape of " + args.shape, "MIT", hp, 15)
    words = [f"w{i}" for i in range(hp["vocab"] - 259)]
    gguf.add_tokenizer(writer, *tiny.tokenizer(256, words))
    multiplied = 0
    for name, dims, kind in tiny.tensors(hp):
        matrix = kind == "matrix"
        writer.add_zeros(name, dims,
                         gguf.GGML_Q4_K if matrix else gguf.GGML_F32)
        if matrix and name != "token_embd.weight":
            multiplied += dims[0] * dims[1]
    size = writer.write(args.output)
    print(f"{args.output}: {size} bytes, {multiplied} weights in products")
    return 0


if __name__ == "__main__":
    sys.exit(main())
