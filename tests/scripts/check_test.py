# SPDX-License-Identifier: MIT
"""scripts/check: memos, counts, builds that fail, and what is left when it is killed."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TABLE = '''
import dataclasses


@dataclasses.dataclass(frozen=True)
class Build:
    name: str
    command: str
    needs: tuple = ()


@dataclasses.dataclass(frozen=True)
class Suite:
    name: str
    proves: str
    command: str
    seconds: int
    needs: tuple = ()
    sources: tuple = ()
    built: tuple = ()
    versions: tuple = ()
    long: bool = False
    one_test: bool = False


BUILDS = {"tool": Build("tool", "mkdir -p $BUILD && cp source $BUILD/tool")}
SUITES = {suite.name: suite for suite in (
    Suite("good", "", "echo run >>runs; cat $BUILD/tool; echo 3 passed, 0 failed, 1 skipped", 1,
          ("tool",), ("folder/",), ("tool",)),
    Suite("bad", "", "echo FAIL: left; seq 100; echo 1 passed, 2 failed, 0 skipped; exit 1", 1, (),
          ("folder/",)),
    Suite("mute", "", "true", 1),
    Suite("status", "", "echo 1 passed, 0 failed, 0 skipped; exit 1", 1),
    Suite("one", "", "true", 1, one_test=True),
    Suite("hangs", "", "sleep 1000 & echo $! >pid; wait", 1),
)}
'''


class CheckTest(unittest.TestCase):
    def setUp(self):
        self.tree = pathlib.Path(tempfile.mkdtemp(prefix="check-test."))
        self.addCleanup(shutil.rmtree, self.tree)
        (self.tree / "scripts").mkdir()
        (self.tree / "tests" / "lib").mkdir(parents=True)
        shutil.copy(ROOT / "scripts" / "check", self.tree / "scripts")
        shutil.copy(ROOT / "tests" / "lib" / "supervise", self.tree / "tests" / "lib")
        (self.tree / "scripts" / "suites.py").write_text(TABLE)
        (self.tree / "folder").mkdir()
        (self.tree / "folder" / "file").write_text("1")
        (self.tree / "source").write_text("1\n")
        subprocess.run(["git", "init", "-q"], cwd=self.tree, check=True)
        self.environment = {key: value for key, value in os.environ.items()
                            if key not in ("BUILD", "FRESH", "JOBS")}

    def command(self, *suites):
        return [sys.executable, self.tree / "scripts" / "check", *suites]

    def check(self, *suites, **variables):
        return subprocess.run(self.command(*suites), env=self.environment | variables, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)

    def runs(self):
        return len((self.tree / "runs").read_text().split())

    def times(self):
        return json.loads((self.tree / "build" / "check" / "times.json").read_text())

    def test_counts(self):
        done = self.check("good", "bad", "mute", "status", "one")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stdout.splitlines()[-1], "6 passed, 4 failed, 1 skipped")
        rows = {row["suite"]: row for row in self.times()["rows"]}
        self.assertEqual(rows["mute"]["failed"], 1)
        self.assertEqual(rows["status"]["failed"], 1)
        self.assertEqual(rows["one"]["passed"], 1)
        self.assertIn("slowest:", done.stdout)

    def test_failures_are_named_at_the_end(self):
        end = self.check("bad", "good", "status").stdout.splitlines()[-6:]
        self.assertIn("failed in bad: FAIL: left", end)
        self.assertIn("failed in status: 1 passed, 0 failed, 0 skipped", end)

    def test_unchanged(self):
        self.assertIn("good               3 passed", self.check("good").stdout)
        again = self.check("good")
        self.assertEqual(again.returncode, 0)
        self.assertIn("(unchanged)", again.stdout)
        self.assertEqual(again.stdout.splitlines()[-1], "3 passed, 0 failed, 1 skipped")
        self.assertFalse(self.times()["rows"][0]["ran"])
        self.assertEqual(self.runs(), 1)

    def test_changed_source(self):
        self.check("good")
        (self.tree / "folder" / "new").write_text("2")
        self.assertNotIn("unchanged", self.check("good").stdout)
        (self.tree / "folder" / "new").write_text("3")
        self.assertNotIn("unchanged", self.check("good").stdout)
        self.assertEqual(self.runs(), 3)

    def test_changed_build(self):
        self.check("good")
        (self.tree / "source").write_text("2\n")
        self.assertNotIn("unchanged", self.check("good").stdout)
        self.assertEqual(self.runs(), 2)

    def test_fresh(self):
        self.check("good")
        self.assertNotIn("unchanged", self.check("good", FRESH="1").stdout)
        self.assertEqual(self.runs(), 2)

    def test_failure_is_not_remembered(self):
        for _ in range(2):
            done = self.check("bad")
            self.assertEqual(done.stdout.splitlines()[-1], "1 passed, 2 failed, 0 skipped")

    def test_build_fails(self):
        (self.tree / "source").unlink()
        done = self.check("good")
        self.assertEqual(done.returncode, 1)
        self.assertIn("not run: tool failed", done.stdout)
        self.assertEqual(done.stdout.splitlines()[-1], "0 passed, 1 failed, 0 skipped")

    def test_wrong_usage(self):
        done = self.check("nonsense")
        self.assertEqual(done.returncode, 2)
        self.assertIn("no suite 'nonsense'", done.stderr)

    def start_hanging(self):
        # Its output is not read: whoever holds on to it must not hold up this test.
        check = subprocess.Popen(self.command("hangs"), env=self.environment,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.wait(lambda: (self.tree / "pid").is_file() and (self.tree / "pid").read_text())
        return check, int((self.tree / "pid").read_text())

    def wait(self, condition):
        """Wait for what comes sooner or later; the limit only catches what hangs."""
        end = time.monotonic() + 120
        while not condition():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.02)

    @staticmethod
    def gone(pid):
        """Whether the process has ended; its new parent may be slow to notice."""
        try:
            return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
        except OSError:
            return True

    def test_interrupted(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            check, pid = self.start_hanging()
            check.send_signal(number)
            self.assertEqual(check.wait(), 128 + number)
            self.assertTrue(self.gone(pid))
            (self.tree / "pid").unlink()

    def test_killed(self):
        check, pid = self.start_hanging()
        check.kill()
        check.wait()
        self.wait(lambda: self.gone(pid))

    def test_one_at_a_time(self):
        check, _ = self.start_hanging()
        done = self.check("good")
        self.assertIn("another check runs", done.stderr)
        self.assertEqual(done.returncode, 1)
        check.terminate()
        check.wait()


class TableTest(unittest.TestCase):
    def test_read_me_names_all_suites(self):
        sys.path.insert(0, str(ROOT / "scripts"))
        import suites  # pylint: disable=import-outside-toplevel

        text = (ROOT / "tests" / "README.md").read_text()
        rows = {name for row in re.findall(r"^\| ([a-z0-9, -]+) \| `", text, re.M)
                for name in row.split(", ")}
        self.assertEqual(rows, set(suites.SUITES))

    def test_inputs_exist(self):
        sys.path.insert(0, str(ROOT / "scripts"))
        import suites  # pylint: disable=import-outside-toplevel

        for suite in suites.SUITES.values():
            for source in suite.sources:
                self.assertTrue((ROOT / source).exists(), f"{suite.name}: {source}")
            self.assertLessEqual(set(suite.needs), set(suites.BUILDS))


if __name__ == "__main__":
    unittest.main()
