#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks the traces and reports of npu-trace."""

import json
import sys

USAGE = """Usage: tests/trace/check.py (empty | trace) TRACE
       tests/trace/check.py report TRACE REPORT

Checks a trace of npu-trace: of a program without jobs, or of npu-llm; or a report in
JSON against its trace.

Exit status: 0 all is right, 1 something is not, 2 wrong usage.

Example:
  tests/trace/check.py trace npu-trace.json
"""

CORES = 1


def check(condition, what):
    if not condition:
        sys.exit(f"check.py: {what}")


def events_of(path):
    with open(path, encoding="utf-8") as file:
        return [event for event in json.load(file)["traceEvents"] if event["ph"] != "M"]


def check_order(events):
    """Times of a track do not go back; what begins ends, and on a core one at a time."""
    last, busy_until, open_jobs = {}, {}, {}
    for event in events:
        track = event["pid"], event["tid"]
        check(event["ts"] >= last.get(track, 0), f"{event} is earlier than the one before")
        last[track] = event["ts"]
        if event["ph"] == "X":
            # In microseconds, rounded to nanoseconds.
            check(event["ts"] > busy_until.get(track, 0) - 1e-3,
                  f"{event} begins before the end of the one before")
            check(event["dur"] >= 0, f"{event} ends before it begins")
            busy_until[track] = event["ts"] + event["dur"]
        elif event["ph"] == "b":
            check(event["id"] not in open_jobs, f"{event} begins twice")
            open_jobs[event["id"]] = event
        else:
            check(event["ph"] == "e", f"{event} is of no known kind")
            check(open_jobs.pop(event["id"], {"name": None})["name"] == event["name"],
                  f"{event} has no beginning")
    check(not open_jobs, f"without an end: {open_jobs}")


def slices(events):
    return [event["args"] for event in events if event["ph"] == "X" and event["pid"] == CORES]


def jobs(events):
    return [dict(event["args"], context=event["tid"]) for event in events
            if event["ph"] == "b" and "label" in event["args"]]


def check_work(events):
    """The slices are those of the jobs, with names and numbers."""
    check(jobs(events) and slices(events), "no job or no slice")
    check({event["tid"] for event in events if event["pid"] == CORES} <= {1, 2, 3},
          "more than three cores")
    check(any("blk.0." in job["label"] for job in jobs(events)), "no layer has its name")
    for job in jobs(events):
        parts = [part for part in slices(events)
                 if (part["context"], part["seqno"]) == (job["context"], job["seqno"])]
        check(job["error"] == 0 and job["macs"] > 0, f"{job} failed or did nothing")
        check(sum(part["tasks"] for part in parts) == job["tasks"],
              f"{job} has other tasks than its slices")
    for part in slices(events):
        check(part["device_ns"] > 0 and part["read_bytes"] > 0, f"{part} took nothing")
        check(part["start_ns"] + part["memory_stall_ns"] + part["sram_stall_ns"]
              <= part["device_ns"], f"{part} waited for longer than it took")


def check_report(events, path):
    with open(path, encoding="utf-8") as file:
        layers = json.load(file)
    check([layer["label"] for layer in layers] ==
          [layer["label"] for layer in sorted(layers, key=lambda layer: -layer["device_ns"])],
          "the layers are not in order")
    for key, parts in (("device_ns", slices(events)), ("read_bytes", slices(events)),
                       ("macs", jobs(events)), ("tasks", jobs(events))):
        check(sum(layer[key] for layer in layers) == sum(part[key] for part in parts),
              f"{key} of the report is not that of the trace")
    check(sum(layer["jobs"] for layer in layers) == len(jobs(events)), "some jobs are missing")


def main():
    arguments = sys.argv[1:]
    if arguments[:1] in (["-h"], ["--help"]):
        print(USAGE, end="")
        return 0
    if len(arguments) != (3 if arguments[:1] == ["report"] else 2):
        print(USAGE, end="", file=sys.stderr)
        return 2
    events = events_of(arguments[1])
    check_order(events)
    if arguments[0] == "empty":
        check(not events, "there is something")
    elif arguments[0] == "report":
        check_report(events, arguments[2])
    else:
        check_work(events)
    return 0


if __name__ == "__main__":
    sys.exit(main())
