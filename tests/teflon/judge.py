#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Judges what tests/teflon/run has found, model by model."""

import argparse
import json
import pathlib
import sys

ME = "tests/teflon/judge.py"
EPILOG = f"""LOGS has 'models', what teflon-models says of each, and for each kernel a folder
with 'rows' and 'beside' of teflon-compare, 'texts', 'log', 'failed' and 'status'.

exit status: 0 none failed, 1 some failed, 2 wrong usage

example:
  {ME} --out build/bench/teflon.json build/teflon trixie-backports
"""
LOADED = "Teflon delegate: loaded rocket driver"
# An operation's outputs: this share may be further from the processor's than 1, none further
# than 2. Requantisation rounds otherwise on the NPU than in TFLite.
SHARE, FURTHEST = 0.001, 2
# Models that may have no result.
KNOWN = {"add": "Mesa 26.2 crashes on an addition without a convolution, and expects that its "
                "tests of single additions fail on silicon"}
# The class of the picture: a uniform.
CLASSES = {"mobilenet_v1_1.0_224_joined": 653}


def arguments():
    parser = argparse.ArgumentParser(
        prog=ME, description="Judges what tests/teflon/run has found, model by model, and writes "
        "it to a file of JSON.", epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, required=True, metavar="FILE")
    parser.add_argument("--skipped", metavar="WHY", help="the models of others are not there")
    parser.add_argument("logs", type=pathlib.Path, metavar="LOGS")
    parser.add_argument("kernels", nargs="+", metavar="KERNEL")
    return parser.parse_args()


def lines(path):
    """The JSON objects of a file, one a line."""
    try:
        return [json.loads(line) for line in path.read_text().splitlines() if line]
    except FileNotFoundError:
        return []


def text(path):
    """What is in a file, or nothing."""
    try:
        return path.read_text(errors="replace")
    except FileNotFoundError:
        return ""


def objections(model, row):
    """What is wrong with a model's result."""
    name = model["model"]
    # Everything that the delegate can take, and nothing computed twice.
    if row["jobs"] != model["convolutions"]:
        yield f"{row['jobs']} jobs for {model['convolutions']} convolutions"
    if row["macs"] < model["macs"]:
        yield f"{row['macs']} multiply-accumulates of {model['macs']}"
    if row["failed"]:
        yield f"{row['failed']} jobs failed"
    if model["operations"] == 1:
        if row["share_over_1"] > SHARE or row["max_diff"] > FURTHEST:
            yield (f"{100 * row['share_over_1']:.3f} % are off by more than 1, "
                   f"one by {row['max_diff']}")
    first, fifth = row["cpu_first"][0], row["cpu_first"][-1]
    # Many classes share the lowest of the five scores.
    if model["operations"] > 1 and (
            row["npu_first"][0][0] != first[0] or
            any(score < fifth[1] for _, score in row["npu_first"])):
        yield f"classes and scores {row['npu_first']}, of the processor {row['cpu_first']}"
    if first[0] != CLASSES.get(name, first[0]):
        yield f"class {first[0]} instead of {CLASSES[name]}"


def machine(logs, kernel):
    """What is wrong with a whole machine."""
    status = text(logs / kernel / "status").strip()
    if status != "0":
        yield f"the machine ended with {status or 'nothing'}, see {logs / kernel}.log"
    if LOADED not in text(logs / kernel / "log"):
        yield f"Mesa did not say '{LOADED}'"
    for line in text(logs / kernel / "failed").splitlines():
        if pathlib.Path(line.split()[-1]).stem not in KNOWN:
            yield "teflon-compare ended with " + line


def beside(logs, kernel, alone):
    """What models give beside a language model that they do not give alone, and that one."""
    rows = lines(logs / kernel / "beside")
    texts = text(logs / kernel / "texts").split()
    if not rows:
        yield "no model has run"
    for row in rows:
        for key in ("jobs", "macs", "failed", "max_diff", "share_over_1", "npu_first"):
            own = alone.get(row["model"], {}).get(key)
            if row[key] != own:
                yield f"{row['model']}: {key} is {row[key]}, alone {own}"
    if not texts or set(texts) != {"same"}:
        yield f"of {len(texts)} texts {texts.count('other')} differ from that written alone"


def main():
    options = arguments()
    models = lines(options.logs / "models")
    passed = failed = 0
    rows, skips = [], [options.skipped] if options.skipped else []

    def judge(what, wrong):
        nonlocal passed, failed
        wrong = list(wrong)
        passed += not wrong
        failed += bool(wrong)
        print(f"{'FAIL' if wrong else 'PASS'}: {what}{': ' if wrong else ''}{'; '.join(wrong)}")

    for kernel in options.kernels:
        found = {row["model"]: row for row in lines(options.logs / kernel / "rows")}
        judge(f"{kernel}: the machine", machine(options.logs, kernel))
        judge(f"{kernel}: results beside npu-llm, and its text", beside(options.logs, kernel, found))
        for model in models:
            row = found.get(model["model"])
            if row is None and model["model"] in KNOWN:
                skips.append(f"{kernel}: {model['model']}: {KNOWN[model['model']]}")
            elif row is None:
                judge(f"{kernel}: {model['model']}", ["there is no result"])
            if row is None:
                continue
            judge(f"{kernel}: {model['model']}: {row['macs'] / 1e6:.1f} M multiply-accumulates in "
                  f"{row['device_us'] / 1000:.2f} ms, differs by {row['max_diff']}",
                  objections(model, row))
            rows.append({"kernel": kernel, "model": model["model"],
                         "operations": model["operations"], "jobs": row["jobs"],
                         "tasks": row["tasks"], "macs": row["macs"],
                         "max_diff": row["max_diff"], "share_over_1": row["share_over_1"],
                         "device_us": row["device_us"], "class": row["npu_first"][0][0]})
    options.out.write_text(json.dumps({"rows": rows}, indent=1) + "\n")
    for why in skips:
        print(f"skipped: {why}")
    print(f"{passed} passed, {failed} failed, {len(skips)} skipped")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
