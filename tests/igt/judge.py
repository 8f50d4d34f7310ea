#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Plans a run of IGT's tests and judges its results, for tests/igt/run.

A list has lines 'pass TEST@SUBTEST' or 'pass TEST', for what must pass, and
'other GLOB REASON', for tests or subtests that do not apply to the device.
"""

import argparse
import fnmatch
import json
import re
import sys
from pathlib import Path


def read_list(path):
    """Returns the names that must pass and the globs of what does not apply."""
    passing, others = set(), []
    for number, line in enumerate(Path(path).read_text().splitlines(), 1):
        words = line.split(maxsplit=2)
        if not words or words[0].startswith("#"):
            continue
        if words[0] == "pass" and len(words) == 2:
            passing.add(words[1])
        elif words[0] == "other" and len(words) == 3:
            others.append(words[1])
        else:
            sys.exit(f"{path}:{number}: neither 'pass TEST' nor 'other GLOB REASON'")
    return passing, others


def matches(name, globs):
    return any(fnmatch.fnmatchcase(name, glob) for glob in globs)


def read_results(path):
    """Returns the result of each test in a results.json of igt_runner."""
    try:
        tests = json.loads(Path(path).read_text())["tests"]
    except (OSError, ValueError, KeyError) as error:
        sys.exit(f"{path}: no results: {error}")
    return {name.removeprefix("igt@"): test for name, test in tests.items()}


def read_plain(path):
    """Returns the results in the output of npu-conformance, in igt_runner's words."""
    words = {"SUCCESS": "pass", "SKIP": "skip", "FAIL": "fail"}
    found = re.findall(r"^Subtest (\S+): (\w+) \(", Path(path).read_text(), re.M)
    return {name: words[result] for name, result in found}


def tell(failures, passed, skipped=0):
    for failure in failures:
        print(f"FAIL: {failure}")
    print(f"{passed} passed, {len(failures)} failed, {skipped} skipped")
    return 1 if failures else 0


def show(test):
    """Prints what a test said that did not pass."""
    for stream in ("err", "dmesg"):
        for line in test.get(stream, "").splitlines()[-12:]:
            print(f"  {stream}: {line}")


def programs(args):
    """Prints the programs that have something to pass."""
    passing, _ = read_list(args.list)
    print("\n".join(sorted({name.split("@")[0] for name in passing})))
    return 0


def chosen(args):
    """Prints which subtests igt_runner is to run, listed or not."""
    _, others = read_list(args.list)
    for name in Path(args.subtests).read_text().split():
        if not matches(name, others):
            print(f"igt@{name}")
    return 0


def complete(args):
    """Is each of IGT's tests in the list, and each of the list in IGT?"""
    passing, others = read_list(args.list)
    ran = {name.split("@")[0] for name in passing}
    tests = Path(args.tests).read_text().split()
    tests = set(tests) - {"TESTLIST", "END"}
    subtests = set(Path(args.subtests).read_text().split())

    failures = [f"{test}: in no line of the list" for test in sorted(tests - ran)
                if not matches(test, others)]
    failures += [f"{glob}: does not apply, and is not in IGT either" for glob in others
                 if not fnmatch.filter(tests | subtests, glob)]
    failures += [f"{name}: not in the list" for name in sorted(subtests - passing)
                 if not matches(name, others)]
    failures += [f"{name}: must pass, but is not in IGT" for name in sorted(passing - subtests)]
    print(f"{len(tests)} tests in IGT, {len(ran)} of them apply, with {len(passing)} subtests")
    return tell(failures, 0 if failures else 1)


def igt(args):
    """Did everything pass that must?"""
    passing, _ = read_list(args.list)
    results = {}
    for path in args.results:
        results |= read_results(path)

    failures = []
    for name in sorted(passing | results.keys()):
        result = results.get(name, {}).get("result", "did not run")
        if result != "pass" or name not in passing:
            failures.append(f"{name}: {result}" + ("" if name in passing else ", not in the list"))
            show(results.get(name, {}))
    return tell(failures, len(passing | results.keys()) - len(failures))


def equal(args):
    """Does igt_runner see the results that a program tells itself?"""
    plain = read_plain(args.plain)
    runner = {name.split("@")[-1]: test for name, test in read_results(args.results).items()}
    # What is tested makes the driver complain in the kernel's log.
    words = {"dmesg-warn": "pass", "dmesg-fail": "fail"}
    seen = {name: words.get(test["result"], test["result"]) for name, test in runner.items()}

    names = plain.keys() | seen.keys()
    failures = [f"{name}: {plain.get(name, 'did not run')}, with igt_runner "
                f"{seen.get(name, 'did not run')}"
                for name in sorted(names) if plain.get(name) != seen.get(name)]
    passed = len(names) - len(failures)
    for wanted in args.want:
        name, _, result = wanted.partition("=")
        if seen.get(name) != result:
            failures.append(f"{name}: {seen.get(name, 'did not run')} instead of {result}")
    if not plain:
        failures.append("nothing ran")
    count = {result: list(seen.values()).count(result) for result in ("pass", "fail", "skip")}
    print(f"igt_runner sees {count['pass']} pass, {count['fail']} fail, "
          f"{count['skip']} skip")
    return tell(failures, passed)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Exit status: 0 nothing failed, 1 something did, 2 wrong usage.\n\n"
               "Example:\n  tests/igt/judge.py igt tests/igt/list results.json")
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("programs", help=programs.__doc__)
    command.add_argument("list")
    command.set_defaults(run=programs)
    command = commands.add_parser("chosen", help=chosen.__doc__)
    command.add_argument("list")
    command.add_argument("subtests", help="what the programs have, TEST@SUBTEST a line")
    command.set_defaults(run=chosen)
    command = commands.add_parser("complete", help=complete.__doc__)
    command.add_argument("list")
    command.add_argument("tests", help="IGT's test-list.txt")
    command.add_argument("subtests", help="what the programs have, TEST@SUBTEST a line")
    command.set_defaults(run=complete)
    command = commands.add_parser("igt", help=igt.__doc__)
    command.add_argument("list")
    command.add_argument("results", nargs="+", help="results.json of each machine")
    command.set_defaults(run=igt)
    command = commands.add_parser("equal", help=equal.__doc__)
    command.add_argument("plain", help="output of the program")
    command.add_argument("results", help="results.json")
    command.add_argument("want", nargs="*", help="SUBTEST=RESULT that must be there")
    command.set_defaults(run=equal)
    args = parser.parse_args()
    return args.run(args)


if __name__ == "__main__":
    sys.exit(main())
