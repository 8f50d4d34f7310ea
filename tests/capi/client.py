#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Drives the C interface of libnpu.so.1 as another language does: dlopen and no header."""

from __future__ import annotations

import ctypes
import errno
import os
import select
import sys
import unittest
from ctypes import POINTER, byref, c_char, c_int, c_int32, c_int64, c_size_t, c_uint32, c_uint64, \
    c_void_p

NEVER = 2**63 - 1
IMMEDIATELY = 1
ENDED, TIMED_OUT = 0, 1
READ, WRITE = 0, 1
SIZE = 32
FEATURES, WEIGHTS, RESULTS = 0x1070, 0x1110, 0x4020
ENABLE = 0xd


class Sized(ctypes.Structure):
    """A structure whose first member is its size."""

    def __init__(self, **values):
        super().__init__(size=ctypes.sizeof(self), **values)


class DeviceInfo(Sized):
    _fields_ = [("size", c_size_t), ("name", c_char * 32), ("isa", c_uint32),
                ("core_count", c_uint32), ("region_count", c_uint32),
                ("data_type_count", c_uint32), ("flags", c_uint32), ("reserved", c_uint32),
                ("hw_version", c_uint64)]


class Later(Sized):
    """DeviceInfo as a later version may have it."""

    _fields_ = DeviceInfo._fields_ + [("more", c_uint64)]


class BufferOptions(Sized):
    _fields_ = [("size", c_size_t), ("flags", c_uint32), ("residency", c_uint32),
                ("region", c_uint32), ("reserved", c_uint32)]


class JobOptions(Sized):
    _fields_ = [("size", c_size_t), ("flags", c_uint32), ("reserved", c_uint32),
                ("label", ctypes.c_char_p)]


class Task(Sized):
    _fields_ = [("size", c_size_t), ("commands", POINTER(c_uint64)), ("command_count", c_size_t),
                ("enable", c_uint32), ("cost_ns", c_uint32)]


class Lane(Sized):
    _fields_ = [("size", c_size_t), ("tasks", POINTER(Task)), ("task_count", c_size_t)]


class JobStatus(Sized):
    _fields_ = [("size", c_size_t), ("known", c_uint32), ("ended", c_uint32), ("error", c_int32),
                ("fault_task_count", c_uint32), ("fault_lane", c_uint32),
                ("fault_task", c_uint32), ("has_fault_address", c_uint32),
                ("core_mask", c_uint32), ("fault_address", c_uint64), ("queued_ns", c_uint64),
                ("started_ns", c_uint64), ("ended_ns", c_uint64), ("device_ns", c_uint64),
                ("macs", c_uint64), ("read_bytes", c_uint64), ("written_bytes", c_uint64),
                ("sram_bytes", c_uint64), ("start_ns", c_uint64), ("memory_stall_ns", c_uint64),
                ("sram_stall_ns", c_uint64)]


class Sync(Sized):
    _fields_ = [("size", c_size_t), ("kind", c_uint32), ("fd", c_int32), ("syncobj", c_void_p),
                ("point", c_uint64), ("fence", c_void_p)]


class SubmitOptions(Sized):
    _fields_ = [("size", c_size_t), ("deadline_ns", c_int64), ("in_syncs", POINTER(Sync)),
                ("in_count", c_size_t), ("out_syncs", POINTER(Sync)), ("out_count", c_size_t)]


def load(path: str) -> ctypes.CDLL:
    npu = ctypes.CDLL(path)
    handle, out = c_void_p, POINTER(c_void_p)
    signatures = {
        "npu_device_open": (ctypes.c_char_p, out),
        "npu_device_get_info": (handle, c_void_p),
        "npu_buffer_create": (handle, c_size_t, c_void_p, out),
        "npu_buffer_access": (handle, c_uint32, c_size_t, c_size_t, out),
        "npu_access_end": (handle,),
        "npu_job_create": (handle, c_void_p, c_size_t, c_void_p, out),
        "npu_context_create": (handle, c_void_p, out),
        "npu_context_submit": (handle, out, c_size_t, c_void_p, POINTER(c_uint64), out),
        "npu_context_wait": (handle, c_uint64, c_int64, c_void_p),
        "npu_fence_fd": (handle, POINTER(c_int)),
        "npu_fence_import": (handle, c_int, out),
        "npu_fence_wait": (handle, c_int64, c_void_p),
        "npu_syncobj_create": (handle, c_int, out),
        "npu_syncobj_signal": (handle, c_uint64),
    }
    for name, types in signatures.items():
        getattr(npu, name).argtypes = types
    for name in ("device", "buffer", "job", "context", "fence", "syncobj"):
        getattr(npu, f"npu_{name}_free").argtypes = (handle,)
        getattr(npu, f"npu_{name}_free").restype = None
    npu.npu_error_message.restype = npu.npu_version.restype = ctypes.c_char_p
    npu.npu_buffer_address.argtypes = npu.npu_access_data.argtypes = (handle,)
    npu.npu_buffer_address.restype = c_uint64
    npu.npu_access_data.restype = c_void_p
    return npu


class Interface(unittest.TestCase):
    npu: ctypes.CDLL

    def setUp(self):
        self.device = self.make("device_open", None)

    def make(self, call: str, *args) -> c_void_p:
        """The object that @call hands out, freed at the end."""
        made = c_void_p()
        self.assertEqual(getattr(self.npu, f"npu_{call}")(*args, byref(made)), 0, self.message())
        kind = "fence" if call == "context_submit" else call.split("_", maxsplit=1)[0]
        self.addCleanup(getattr(self.npu, f"npu_{kind}_free"), made)
        return made

    def message(self) -> str:
        return self.npu.npu_error_message().decode()

    def access(self, buffer, direction: int, length: int, body):
        """What @body makes of the first @length bytes of @buffer."""
        access = c_void_p()
        self.assertEqual(
            self.npu.npu_buffer_access(buffer, direction, 0, length, byref(access)), 0,
            self.message())
        result = body(self.npu.npu_access_data(access))
        self.assertEqual(self.npu.npu_access_end(access), 0, self.message())
        return result

    def buffer(self, value: int, count: int) -> c_void_p:
        """A cached buffer that begins with @count bytes of @value."""
        options = BufferOptions(flags=2)
        buffer = self.make("buffer_create", self.device, 4096, byref(options))
        self.access(buffer, WRITE, count, lambda data: ctypes.memset(data, value, count))
        return buffer

    def product(self, at: dict[int, int]) -> c_void_p:
        """A job that multiplies what is at the addresses @at."""
        words = []
        with open(os.path.join(os.path.dirname(__file__), "product.txt"),
                  encoding="ascii") as lines:
            for line in list(lines)[2:]:
                word = int(line, 16)
                words.append(word | at.get(word & 0xffff, 0) << 16)
        commands = (c_uint64 * len(words))(*words)
        task = Task(commands=commands, command_count=len(words), enable=ENABLE)
        lane = Lane(tasks=ctypes.pointer(task), task_count=1)
        options = JobOptions(label=b"product")
        return self.make("job_create", self.device, byref(lane), 1, byref(options))

    def address(self, buffer) -> int:
        return self.npu.npu_buffer_address(buffer)

    def test_version_is_that_of_the_library(self):
        self.assertRegex(self.npu.npu_version().decode(), r"^1\.\d+\.\d+$")

    def test_a_product_is_computed_waited_for_and_polled(self):
        features, weights = self.buffer(1, SIZE), self.buffer(1, SIZE * SIZE)
        results = self.buffer(0, SIZE * 4)
        job = self.product({FEATURES: self.address(features), WEIGHTS: self.address(weights),
                            RESULTS: self.address(results)})
        context = self.make("context_create", self.device, None)
        gate = self.make("syncobj_create", self.device, 0)
        # A point that has a fence, so that it may be waited for, and has signalled.
        self.assertEqual(self.npu.npu_syncobj_signal(gate, 3), 0, self.message())
        sync = Sync(kind=1, syncobj=gate, point=3)
        options = SubmitOptions(deadline_ns=NEVER, in_syncs=ctypes.pointer(sync), in_count=1)
        jobs = (c_void_p * 1)(job)
        seqno = c_uint64()
        fence = self.make("context_submit", context, jobs, 1, byref(options), byref(seqno))
        self.assertEqual(seqno.value, 1)

        fd = c_int(-1)
        self.assertEqual(self.npu.npu_fence_fd(fence, byref(fd)), 0, self.message())
        poll = select.poll()
        poll.register(fd.value, select.POLLIN)
        self.assertEqual(poll.poll(), [(fd.value, select.POLLIN)])
        imported = self.make("fence_import", self.device, fd.value)
        os.close(fd.value)
        self.assertEqual(self.npu.npu_fence_wait(imported, NEVER, None), ENDED, self.message())
        status = JobStatus()
        self.assertEqual(self.npu.npu_fence_wait(fence, IMMEDIATELY, byref(status)), ENDED)
        self.assertTrue(status.known and status.ended)
        self.assertEqual(status.error, 0)
        self.assertGreater(status.device_ns, 0)
        self.assertEqual(status.macs, SIZE * SIZE)
        self.assertIn(status.core_mask, (1, 2, 4))
        self.assertGreaterEqual(status.read_bytes, SIZE * SIZE)
        again = JobStatus()
        self.assertEqual(self.npu.npu_context_wait(context, 1, NEVER, byref(again)), ENDED)
        self.assertEqual(again.ended_ns, status.ended_ns)
        sums = self.access(results, READ, SIZE * 4,
                           lambda data: list((c_int32 * SIZE).from_address(data)))
        self.assertEqual(sums, [SIZE] * SIZE)

    def test_a_refused_stream_is_explained_and_no_message_stays(self):
        commands = (c_uint64 * 1)(0x0201000000011008)
        task = Task(commands=commands, command_count=1, enable=ENABLE)
        lane = Lane(tasks=ctypes.pointer(task), task_count=1)
        job = c_void_p()
        self.assertEqual(
            self.npu.npu_job_create(self.device, byref(lane), 1, None, byref(job)), -errno.EINVAL)
        self.assertIn("command 0 is refused", self.message())
        info = DeviceInfo()
        self.assertEqual(self.npu.npu_device_get_info(self.device, byref(info)), 0)
        self.assertEqual(self.message(), "")
        self.assertEqual(info.core_count, 3)

    def test_sizes_that_are_too_small_or_too_large(self):
        info = DeviceInfo()
        for size, code in ((0, errno.EINVAL), (ctypes.sizeof(info) - 1, errno.EINVAL),
                           (2**64 - 1, errno.E2BIG)):
            info.size = size
            self.assertEqual(self.npu.npu_device_get_info(self.device, byref(info)), -code)
            self.assertIn("size", self.message())
        later = Later(more=9)
        self.assertEqual(self.npu.npu_device_get_info(self.device, byref(later)), 0)
        self.assertEqual((later.size, later.more), (ctypes.sizeof(info), 0))
        options = BufferOptions()
        options.size -= 1
        buffer = c_void_p()
        self.assertEqual(self.npu.npu_buffer_create(self.device, 1, byref(options), byref(buffer)),
                         -errno.EINVAL)

    def test_counts_and_handles_that_are_wrong(self):
        task = Task(commands=(c_uint64 * 1)(0), command_count=2**61)
        lane = Lane(tasks=ctypes.pointer(task), task_count=1)
        job, buffer = c_void_p(), c_void_p()
        self.assertEqual(
            self.npu.npu_job_create(self.device, byref(lane), 1, None, byref(job)), -errno.E2BIG)
        self.assertEqual(self.npu.npu_buffer_create(None, 1, None, byref(buffer)), -errno.EINVAL)
        self.assertEqual(self.npu.npu_buffer_create(self.device, 0, None, byref(buffer)),
                         -errno.EINVAL)
        self.assertEqual(self.npu.npu_device_open(b"/dev/null", byref(buffer)), -errno.ENODEV)
        self.assertIn("/dev/null", self.message())
        context = self.make("context_create", self.device, None)
        self.assertEqual(self.npu.npu_context_wait(context, 1, NEVER, None), -errno.ENOENT)


def main() -> int:
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print("Usage: tests/capi/client.py LIBRARY\n\nExit status: 0 all passed, 1 some failed, "
              "2 wrong usage.\n\nExample:\n  tests/capi/client.py build/user/userspace/libnpu.so.1",
              file=sys.stderr)
        return 0 if sys.argv[1:] in (["-h"], ["--help"]) else 2
    Interface.npu = load(sys.argv[1])
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(Interface)
    done = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(suite)
    failed = len(done.failures) + len(done.errors)
    print(f"{done.testsRun - failed} passed, {failed} failed, {len(done.skipped)} skipped")
    return 1 if failed or not done.testsRun else 0


if __name__ == "__main__":
    sys.exit(main())
