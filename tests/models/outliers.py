#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Gives a model of the llama architecture activations with outliers.

Of each matrix product's input one channel in a hundred becomes 20 times
larger, and its weights 20 times smaller, so that the model computes what it
computed before. Large language models have such channels. Needs python3-gguf.
"""

import argparse
import shutil
import sys

import gguf

FACTOR = 20
EVERY = 100


def main():
    parser = argparse.ArgumentParser(
        description="Copies a model with outliers put in.",
        epilog="Example: tests/models/outliers.py kjv.gguf /tmp/outliers.gguf")
    parser.add_argument("model", help="GGUF file with F32 and F16 tensors")
    parser.add_argument("output", help="the GGUF file to write")
    args = parser.parse_args()

    shutil.copyfile(args.model, args.output)
    reader = gguf.GGUFReader(args.output, "r+")
    tensors = {tensor.name: tensor.data for tensor in reader.tensors}
    changed = 0
    for name, data in tensors.items():
        block, _, part = name.rpartition(".weight")[0].rpartition(".")
        if part == "attn_norm":
            readers = ("attn_q", "attn_k", "attn_v")
        elif part == "ffn_norm":
            readers = ("ffn_gate", "ffn_up")
        elif part == "ffn_up":
            readers = ("ffn_down",)
        else:
            continue
        # Norms have a weight for each channel, matrices a row.
        data[EVERY // 2::EVERY] *= FACTOR
        for reading in readers:
            tensors[f"{block}.{reading}.weight"][:, EVERY // 2::EVERY] /= FACTOR
        changed += 1
    if not changed:
        print(f"{args.model}: no tensor of a llama's block", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
