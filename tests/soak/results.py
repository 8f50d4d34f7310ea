# SPDX-License-Identifier: MIT
"""Results of single tests in the logs of suites, and how they differ between runs."""

import re

PASS, FAIL, SKIP, MISSING = "pass", "fail", "skip", "missing"

# Every way in which a suite tells how one test has ended. A pattern without a group
# 'result' has the result beside it.
WORDS = {"success": PASS, "pass": PASS, "passed": PASS, "ok": PASS, "fail": FAIL,
         "failed": FAIL, "not ok": FAIL, "skip": SKIP, "skipped": SKIP}
TESTS = (
    # npu-conformance and IGT: Subtest NAME: RESULT (0.010s)
    re.compile(r"Subtest (?P<name>\S+): (?P<result>SUCCESS|FAIL|SKIP) \("),
    # the scripts, and KUnit's as tests/kunit/run tells them
    re.compile(r"(?P<result>PASS|FAIL|SKIP|pass|skip):? (?P<name>.+)"),
    # GoogleTest: [       OK ] Suite.Name (3 ms)
    re.compile(r"\[ +(?P<result>OK|FAILED|SKIPPED) +\] (?P<name>[^\s,]+)"),
)
# KTAP: ok 1 name # SKIP
KTAP = re.compile(r" *(?P<result>ok|not ok) \d+ (?:- )?(?P<name>[^#]+)(?P<skip># SKIP)?")
# Tests of the same name are run as root and as user, say.
SECTION = re.compile(r"=== (\S+)$")
COUNTS = re.compile(r"(\d+ passed, \d+ failed, \d+ skipped)$")
# What differs between runs in the name of a test: times, counts of attempts.
NUMBERS = re.compile(r" \(exit status \d+\)$")


def line_result(line):
    """The name and the result in @line, or None."""
    for pattern in TESTS:
        found = pattern.match(line)
        if found:
            return found["name"], WORDS[found["result"].lower()]
    found = KTAP.match(line)
    if found:
        return found["name"], SKIP if found["skip"] else WORDS[found["result"]]
    return None


def parse(log):
    """A dictionary from each test in the text @log to its result.

    The last line of counts is the result of '(counts)', so that suites which do not
    tell of each test are compared as well. Of results of one name the worst counts.
    """
    order = (FAIL, SKIP, PASS)
    results, section = {}, ""
    for line in log.splitlines():
        found = SECTION.match(line)
        if found:
            section = f"{found[1]}: "
            continue
        found = COUNTS.match(line)
        if found:
            results["(counts)"] = found[1]
            continue
        found = line_result(line)
        if found is None:
            continue
        name, result = NUMBERS.sub("", found[0]).strip(), found[1]
        if line.startswith("Subtest "):
            name = section + name
        results[name] = min(results.get(name, PASS), result, key=order.index)
    return results


def compare(runs):
    """The rows of tests whose results differ, and those of tests that always fail.

    @runs has a dictionary from suite to log for each run.
    """
    parsed = [{suite: parse(log) for suite, log in run.items()} for run in runs]
    names = sorted({(suite, name) for run in parsed for suite in run for name in run[suite]})
    differing, failing = [], []
    for suite, name in names:
        results = [run.get(suite, {}).get(name, MISSING) for run in parsed]
        row = {"suite": suite, "subtest": name, "results": results}
        if len(set(results)) > 1:
            differing.append(row)
        elif results[0] == FAIL:
            failing.append(row)
    # The counts say more only where nothing else does.
    explained = {row["suite"] for row in differing if row["subtest"] != "(counts)"}
    differing = [row for row in differing
                 if row["subtest"] != "(counts)" or row["suite"] not in explained]
    return len(names), differing, failing
