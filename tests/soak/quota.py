# SPDX-License-Identifier: MIT
"""A control group that holds processes to a part of a processor."""

import os
import pathlib
import signal
import subprocess
import time

PERIOD_US = 100_000


class Unavailable(Exception):
    """There is no such control group for this user on this host."""


def mounts():
    """Each mounted file system as (type, options of the super block, path)."""
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        before, after = line.split(" - ")
        kind, _, options = after.split(" ", 2)
        yield kind, options.split(","), pathlib.Path(before.split()[4])


class Group:
    """The control group. It goes when this process and all that it starts have ended."""

    def __init__(self, share):
        self.undo = []
        quota = int(share * PERIOD_US)
        for kind, options, mount in mounts():
            if kind == "cgroup" and "cpu" in options:
                files = {"cpu.cfs_period_us": str(PERIOD_US), "cpu.cfs_quota_us": str(quota)}
            elif kind == "cgroup2" and "cpu" in (mount / "cgroup.controllers").read_text().split():
                files = {"cpu.max": f"{quota} {PERIOD_US}"}
            else:
                continue
            self.path = mount / f"npu-soak-{os.getpid()}"
            try:
                self._make(mount, files)
            except OSError as error:
                self._remove()
                raise Unavailable(f"{error.filename or mount}: {error.strerror}") from error
            self._guard()
            return
        raise Unavailable("no mounted control groups with the controller 'cpu'")

    def _make(self, mount, files):
        control = mount / "cgroup.subtree_control"
        if "cpu.max" in files and "cpu" not in control.read_text().split():
            control.write_text("+cpu")
            self.undo.append(lambda: control.write_text("-cpu"))
        self.path.mkdir()
        self.undo.append(self.path.rmdir)
        for name, value in files.items():
            (self.path / name).write_text(value)

    def _remove(self):
        while self.undo:
            try:
                self.undo[-1]()
            except OSError:
                return False
            self.undo.pop()
        return True

    def _guard(self):
        """Start the process that removes the group, at the end of a pipe that what this
        process executes has open."""
        reader, writer = os.pipe()
        if os.fork():
            os.close(reader)
            os.set_inheritable(writer, True)
            return
        os.close(writer)
        os.setsid()
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        os.read(reader, 1)
        # Processes leave a group some time after they have ended.
        while not self._remove():
            time.sleep(0.05)
        os._exit(0)


def run_in(path, command, **options):
    """Run @command in the group at @path; returns its exit status."""
    return subprocess.run(
        ["sh", "-c", 'echo $$ >"$0/cgroup.procs" && exec "$@"', path, *command],
        check=False, **options).returncode
