#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Train a small llama-architecture model on the King James text.

The text comes from the program `bible` (Debian: bible-kjv, bible-kjv-text).
Training needs python3-torch and python3-sentencepiece; --print-heldback
needs neither.  The result is written as a GGUF file with F16 matrices.
"""

import argparse
import io
import math
import os
import random
import re
import subprocess
import sys
import time

import gguf_writer as gguf

HP = {"vocab": 512, "dim": 192, "layers": 4, "heads": 6, "kv_heads": 3,
      "head_dim": 32, "ff": 512, "context": 256, "eps": 1e-5,
      "rope_base": 10000.0}
BOS = 1
CHAPTERS = 1189
# A chapter is held back when its ordinal, counted from 1 at Genesis 1 over
# the whole book, is a multiple of this: Genesis 20, Genesis 40, Exodus 10...
HELD_BACK_EVERY = 20
VERSE = re.compile(r"([1-3]?[A-Za-z]+)(\d+):(\d+) (.*)")


def fail(message):
    """Print a one-line error and leave with exit code 1."""
    sys.exit(f"train.py: error: {message}")


def read_chapters():
    """Return the text as a list of chapters, each a list of verses."""
    command = ["bible", "-f", "gen1:1-rev22:21"]
    try:
        run = subprocess.run(command, stdout=subprocess.PIPE,
                             stdin=subprocess.DEVNULL, check=True)
    except (OSError, subprocess.CalledProcessError) as err:
        fail(f"cannot run `{' '.join(command)}` ({err}); "
             "install bible-kjv and bible-kjv-text")
    chapters, last = [], None
    for line in run.stdout.decode("utf-8").splitlines():
        match = VERSE.fullmatch(line.strip())
        if not match:
            fail(f"unexpected line from `bible`: {line[:60]!r}")
        book, chapter, _, text = match.groups()
        if (book, chapter) != last:
            chapters.append([])
            last = (book, chapter)
        chapters[-1].append(" ".join(text.split()))
    if len(chapters) != CHAPTERS:
        fail(f"`bible` printed {len(chapters)} chapters, not {CHAPTERS}")
    return chapters


def split_chapters(chapters):
    """Return (training chapters, held-back chapters)."""
    train = [c for i, c in enumerate(chapters, 1) if i % HELD_BACK_EVERY]
    held = [c for i, c in enumerate(chapters, 1) if not i % HELD_BACK_EVERY]
    return train, held


def join_text(chapters):
    """One running paragraph a chapter, paragraphs ended by a newline."""
    return "".join(" ".join(verses) + "\n" for verses in chapters)


def train_tokenizer(verses):
    """Train SentencePiece BPE with byte fallback; return the processor.

    The identity normalisation without white-space removal is what a
    'llama' GGUF tokenizer does: a space is put in front of the text, and
    every space becomes U+2581.
    """
    import sentencepiece as spm
    model = io.BytesIO()
    spm.SentencePieceTrainer.train(
        sentence_iterator=iter(verses), model_writer=model,
        model_type="bpe", vocab_size=HP["vocab"], byte_fallback=True,
        character_coverage=1.0, normalization_rule_name="identity",
        remove_extra_whitespaces=False, add_dummy_prefix=True,
        split_digits=True, unk_id=0, bos_id=1, eos_id=2, pad_id=-1,
        num_threads=1, minloglevel=2)
    return spm.SentencePieceProcessor(model_proto=model.getvalue())


def init_weights(seed):
    """Return the parameters under the names they have in the GGUF file.

    Matrices are (output features, input features), as in torch.  The
    output matrix is tied to token_embd.weight.
    """
    import torch
    torch.manual_seed(seed)
    dim, ff = HP["dim"], HP["ff"]
    q_dim = HP["heads"] * HP["head_dim"]
    kv_dim = HP["kv_heads"] * HP["head_dim"]
    shapes = {"token_embd.weight": (HP["vocab"], dim)}
    for i in range(HP["layers"]):
        blk = f"blk.{i}."
        shapes.update({
            blk + "attn_norm.weight": (dim,),
            blk + "attn_q.weight": (q_dim, dim),
            blk + "attn_k.weight": (kv_dim, dim),
            blk + "attn_v.weight": (kv_dim, dim),
            blk + "attn_output.weight": (dim, q_dim),
            blk + "ffn_norm.weight": (dim,),
            blk + "ffn_gate.weight": (ff, dim),
            blk + "ffn_up.weight": (ff, dim),
            blk + "ffn_down.weight": (dim, ff)})
    shapes["output_norm.weight"] = (dim,)
    weights = {}
    for name, shape in shapes.items():
        if len(shape) == 1:
            weights[name] = torch.ones(shape)
            continue
        std = 0.04
        if "attn_output" in name or "ffn_down" in name:
            std /= math.sqrt(2 * HP["layers"])
        weights[name] = torch.randn(shape) * std
    return weights


def rope_tables(length):
    """Return cos and sin, shape (length, 1, head_dim / 2)."""
    import torch
    half = HP["head_dim"] // 2
    freq = HP["rope_base"] ** (-torch.arange(half).double() / half)
    angle = torch.arange(length).double()[:, None] * freq
    return angle.cos().float()[:, None], angle.sin().float()[:, None]


def rope(x, cos, sin):
    """Rotate x (batch, time, heads, head_dim).

    Interleaved convention (llama.cpp's "NORM" rope, the one of its 'llama'
    architecture): the pairs are (2i, 2i + 1) inside each head.  Training
    with it means that the exported matrices need no permutation.
    """
    import torch
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even * cos - odd * sin,
                        even * sin + odd * cos), -1).flatten(-2)


def rms_norm(x, weight):
    """RMSNorm over the last dimension."""
    return x * (x.square().mean(-1, True) + HP["eps"]).rsqrt() * weight


def forward(w, ids, tables):
    """Return the logits for ids (batch, time)."""
    import torch
    from torch.nn.functional import linear, silu
    batch, time_ = ids.shape
    head_dim, kv_heads = HP["head_dim"], HP["kv_heads"]
    group = HP["heads"] // kv_heads
    cos, sin = tables[0][:time_], tables[1][:time_]
    mask = torch.full((time_, time_), float("-inf")).triu(1)
    x = w["token_embd.weight"][ids]
    for i in range(HP["layers"]):
        blk = f"blk.{i}."
        h = rms_norm(x, w[blk + "attn_norm.weight"])
        q = linear(h, w[blk + "attn_q.weight"])
        k = linear(h, w[blk + "attn_k.weight"])
        v = linear(h, w[blk + "attn_v.weight"])
        q = rope(q.view(batch, time_, -1, head_dim), cos, sin)
        k = rope(k.view(batch, time_, -1, head_dim), cos, sin)
        v = v.view(batch, time_, kv_heads, head_dim).transpose(1, 2)
        # query head h uses key/value head h // group
        q = (q / math.sqrt(head_dim)).transpose(1, 2)
        q = q.reshape(batch, kv_heads, group * time_, head_dim)
        scores = q @ k.permute(0, 2, 3, 1)
        scores = scores.view(batch, kv_heads, group, time_, time_) + mask
        probs = scores.softmax(-1)
        att = probs.view(batch, kv_heads, group * time_, time_) @ v
        att = att.view(batch, HP["heads"], time_, head_dim)
        att = att.transpose(1, 2).reshape(batch, time_, -1)
        x = x + linear(att, w[blk + "attn_output.weight"])
        h = rms_norm(x, w[blk + "ffn_norm.weight"])
        gate = silu(linear(h, w[blk + "ffn_gate.weight"]))
        up = linear(h, w[blk + "ffn_up.weight"])
        x = x + linear(gate * up, w[blk + "ffn_down.weight"])
    return linear(rms_norm(x, w["output_norm.weight"]),
                  w["token_embd.weight"])


def loss_of(w, inputs, targets, tables, reduction="mean"):
    """Cross entropy in nats of the targets given the inputs."""
    from torch.nn.functional import cross_entropy
    logits = forward(w, inputs, tables)
    return cross_entropy(logits.flatten(0, 1), targets.flatten(),
                         reduction=reduction)


def evaluate(w, tokens, tables, windows=None):
    """Return (sum of nats, number of tokens) over disjoint windows.

    Each window is BOS and up to context - 1 tokens as input, and predicts
    context tokens, so that every token is predicted exactly once.
    """
    import torch
    size = HP["context"]
    starts = range(0, len(tokens), size)
    if windows:
        starts = starts[::max(1, len(starts) // windows)]
    nats = count = 0
    with torch.no_grad():
        for start in starts:
            target = torch.tensor([tokens[start:start + size]])
            ids = torch.cat((torch.tensor([[BOS]]), target[:, :-1]), 1)
            nats += loss_of(w, ids, target, tables, "sum").item()
            count += target.numel()
    return nats, count


def generate(w, prompt, count, tables, temperature, seed):
    """Continue the token list prompt; temperature 0 is greedy."""
    import torch
    rng = torch.Generator().manual_seed(seed)
    ids = list(prompt)
    with torch.no_grad():
        for _ in range(count):
            logits = forward(w, torch.tensor([ids]), tables)[0, -1]
            if temperature == 0:
                ids.append(int(logits.argmax()))
            else:
                probs = (logits / temperature).softmax(-1)
                ids.append(int(torch.multinomial(probs, 1, generator=rng)))
    return ids


def save(path, w, sp):
    """Write the GGUF file; return its size in bytes."""
    out = gguf.Writer()
    gguf.add_llama(out, "kjv", "mit", HP, file_type=1)
    tokens, scores, types = [], [], []
    for i in range(HP["vocab"]):
        tokens.append(sp.id_to_piece(i))
        scores.append(sp.get_score(i))
        types.append(gguf.TOKEN_UNKNOWN if sp.is_unknown(i) else
                     gguf.TOKEN_CONTROL if sp.is_control(i) else
                     gguf.TOKEN_BYTE if sp.is_byte(i) else
                     gguf.TOKEN_NORMAL)
    gguf.add_tokenizer(out, tokens, scores, types)
    for name, tensor in w.items():
        kind = gguf.GGML_F32 if tensor.dim() == 1 else gguf.GGML_F16
        out.add_tensor(name, tuple(reversed(tensor.shape)), kind,
                       tensor.flatten().tolist())
    return out.write(path)


def train(args):
    """Train, print the losses and samples, write the file."""
    try:
        import torch
        train_text, held = split_chapters(read_chapters())
        sp = train_tokenizer([v for c in train_text for v in c])
    except ImportError as err:
        fail(f"{err}; install python3-torch and python3-sentencepiece")
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    held_text = join_text(held)
    # The text is encoded as one string, the way an inference program would.
    tokens = sp.encode(join_text(train_text))
    held_tokens = sp.encode(held_text)
    size, rng = HP["context"], random.Random(args.seed)
    # Windows begin at a sentence ("." before a new word), or anywhere.
    stop = {sp.piece_to_id("."), sp.piece_to_id("?")}
    sentences = [i for i in range(1, len(tokens) - size)
                 if tokens[i - 1] in stop
                 and sp.id_to_piece(tokens[i]).startswith("\u2581")]
    print(f"{len(tokens)} training tokens, {len(sentences)} sentences; "
          f"held back {len(held)} chapters, {len(held_text)} bytes, "
          f"{len(held_tokens)} tokens", flush=True)

    w = init_weights(args.seed)
    params = sum(t.numel() for t in w.values())
    for tensor in w.values():
        tensor.requires_grad_(True)
    matrices = [t for t in w.values() if t.dim() > 1]
    norms = [t for t in w.values() if t.dim() == 1]
    optim = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": args.decay},
         {"params": norms, "weight_decay": 0.0}],
        lr=args.lr, betas=(0.9, 0.98))
    tables = rope_tables(size)
    print(f"{params} parameters", flush=True)

    begin, step, average = time.monotonic(), 0, None
    while True:
        elapsed = (time.monotonic() - begin) / 60
        done = (elapsed / args.minutes if args.minutes
                else step / args.steps)
        if done >= 1:
            break
        rate = args.lr * min(1, (step + 1) / args.warmup) * (
            0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done)))
        for group in optim.param_groups:
            group["lr"] = rate
        rows = []
        for _ in range(args.batch):
            start = (rng.choice(sentences) if rng.random() < 0.6
                     else rng.randrange(len(tokens) - size))
            rows.append(tokens[start:start + size])
        target = torch.tensor(rows)
        ids = torch.cat((torch.full((args.batch, 1), BOS),
                         target[:, :-1]), 1)
        loss = loss_of(w, ids, target, tables)
        optim.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(w.values(), 1.0)
        optim.step()
        step += 1
        average = (loss.item() if average is None
                   else 0.98 * average + 0.02 * loss.item())
        if step % args.log_every == 0:
            text = ""
            if step % (5 * args.log_every) == 0:
                nats, count = evaluate(w, held_tokens, tables, 40)
                text = f" validation {nats / count:.4f}"
            print(f"step {step} {elapsed:.1f} min lr {rate:.2e} "
                  f"train {average:.4f}{text}", flush=True)

    minutes = (time.monotonic() - begin) / 60
    print(f"trained {step} steps in {minutes:.1f} min; "
          f"train loss (running mean) {average:.4f} nats/token")
    w = {n: t.detach() for n, t in w.items()}
    rounded = {n: t.half().float() if t.dim() > 1 else t
               for n, t in w.items()}
    for label, weights in (("f32", w), ("f16", rounded)):
        nats, count = evaluate(weights, held_tokens, tables)
        print(f"validation, {label} weights: {nats / count:.4f} nats/token, "
              f"{nats / len(held_text.encode()):.4f} nats/byte")
    length = save(args.output, rounded, sp)
    print(f"wrote {args.output}, {length} bytes")
    for temperature in (0, 0.7):
        for prompt in ("", "And it came to pass"):
            ids = [BOS] + (sp.encode(prompt) if prompt else [])
            ids = generate(rounded, ids, 120, tables, temperature, args.seed)
            print(f"[temperature {temperature}, prompt {prompt!r}] "
                  f"{sp.decode(ids[1:])}")


def main():
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description="Train a small llama model on the King James text and "
        "write it as GGUF.",
        epilog="example: OMP_NUM_THREADS=1 ./train.py --seed 1 --steps 6000 "
        "--output kjv.gguf")
    parser.add_argument("--output", default="kjv.gguf", metavar="FILE",
                        help="file to write (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=6000,
                        help="optimiser steps (default %(default)s)")
    parser.add_argument("--minutes", type=float,
                        help="stop after this time instead of after --steps "
                        "(then the result depends on the machine's speed)")
    parser.add_argument("--batch", type=int, default=8,
                        help="windows a step (default %(default)s)")
    parser.add_argument("--lr", type=float, default=2e-3,
                        help="peak learning rate (default %(default)s)")
    parser.add_argument("--decay", type=float, default=0.1,
                        help="weight decay (default %(default)s)")
    parser.add_argument("--warmup", type=int, default=100,
                        help="warm-up steps (default %(default)s)")
    parser.add_argument("--log-every", type=int, default=50,
                        help="steps between progress lines "
                        "(default %(default)s)")
    parser.add_argument("--print-heldback", type=int, metavar="N",
                        help="print the first N bytes of the held-back text "
                        "(0: all of it) and exit; trains nothing")
    args = parser.parse_args()
    if args.print_heldback is not None:
        if args.print_heldback < 0:
            fail("--print-heldback must not be negative")
        _, held = split_chapters(read_chapters())
        data = join_text(held).encode("utf-8")
        sys.stdout.buffer.write(data[:args.print_heldback or None])
        return
    if min(args.steps, args.batch, args.warmup, args.log_every) < 1:
        fail("--steps, --batch, --warmup and --log-every must be positive")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    train(args)


if __name__ == "__main__":
    main()
