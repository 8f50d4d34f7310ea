# SPDX-License-Identifier: MIT
"""Runs commands in sessions of their own, so that no process outlives its command."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

# Seconds between SIGTERM and SIGKILL.
GRACE = 15
# The sessions of the running commands.
running: set[int] = set()


@dataclass
class Result:
    """The outcome of a command."""

    status: int
    output: str
    seconds: float
    late: bool = False


def session_of(pid: str) -> int:
    """The session id of a process, or -1 if it has ended."""
    try:
        state, _, _, session, *_ = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (OSError, ValueError):
        return -1
    return -1 if state == "Z" else int(session)


def members(session: int) -> list[int]:
    """The process ids of a session."""
    return [int(pid) for pid in os.listdir("/proc") if pid.isdigit() and session_of(pid) == session]


def end_session(session: int) -> None:
    """Terminates the processes of a session, and kills those that do not react."""
    for signum, patience in ((signal.SIGTERM, GRACE), (signal.SIGKILL, 1)):
        for pid in members(session):
            try:
                os.kill(pid, signum)
            except ProcessLookupError:
                pass
        end = time.monotonic() + patience
        while members(session) and time.monotonic() < end:
            time.sleep(0.05)


def end_all() -> None:
    """Terminates all running commands."""
    for session in list(running):
        end_session(session)


def run(
    command: list[str | Path],
    cwd: Path,
    timeout: float | None = None,
    stop_at: re.Pattern[str] | None = None,
    env: dict[str, str] | None = None,
) -> Result:
    """Runs a command until it ends, times out, or prints a line that stop_at matches.

    All processes of its session have ended when this returns or raises.
    """
    start = time.monotonic()
    process = subprocess.Popen(
        [str(word) for word in command],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    running.add(process.pid)
    late = threading.Event()

    def expire() -> None:
        late.set()
        end_session(process.pid)

    watchdog = threading.Timer(timeout or 1e6, expire)
    watchdog.daemon = True
    watchdog.start()
    lines = []
    assert process.stdout
    try:
        for line in process.stdout:
            lines.append(line)
            if stop_at and stop_at.search(line):
                break
        else:
            process.wait()
    finally:
        watchdog.cancel()
        end_session(process.pid)
        process.wait()
        process.stdout.close()
        running.discard(process.pid)
    return Result(process.returncode, "".join(lines), time.monotonic() - start, late.is_set())
