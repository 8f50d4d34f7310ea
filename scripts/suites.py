# SPDX-License-Identifier: MIT
"""What scripts/check runs: builds, then suites, with what each of them depends on."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Build:
    """Something that suites need to have been built."""

    name: str
    command: str
    needs: tuple = ()


@dataclasses.dataclass(frozen=True)
class Suite:
    """A suite of tests.

    @seconds is what it takes on two idle processors; longer ones start earlier.
    @sources are files of the tree, or folders with a trailing slash; @built are
    patterns below the build folder; @versions are commands whose output counts. A
    suite without any of these has no memo and always runs. @one_test suites have
    no line of counts, their exit status is the result.
    """

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


USER = "build-user"
MODULES = "build-modules"
DEBUG = "build-modules-debug"
SMP = "build-modules-smp"
BOARD = "build-modules-board"

BUILDS = {step.name: step for step in (
    Build(USER, "scripts/user ON all"),
    Build(MODULES, "scripts/modules"),
    Build(DEBUG, "scripts/modules --uml debug"),
    Build(SMP, "scripts/modules --uml smp"),
    Build(BOARD, "scripts/modules --uml board"),
)}

# Files that the machines depend on.
UML = ("tests/uml/", "tests/lib/", "tests/vm/load-modules", "tests/vm/settle", "scripts/modules")
VM = ("tests/vm/", "tests/lib/", "scripts/modules")
KERNEL = ("driver/", "include/", "Kbuild")
STOCK = ("tests/vm/kernel path",)
ON_STOCK = ("modules/npu.ko", "modules/npu_virt.ko")
ON_DEBUG = ("modules-uml-debug/npu.ko", "modules-uml-debug/npu_virt.ko")
ON_SMP = ("modules-uml-smp/npu.ko", "modules-uml-smp/npu_virt.ko")
ON_BOARD = ("modules-uml-board/npu.ko", "modules-uml-board/npu_board.ko",
            "modules-uml-board/npu_rk3588.ko")
CONFORMANCE = ("user/bin/npu-conformance",)
PROGRAMS = ("user/bin/npu-info", "user/bin/npu-llm")
UNIT = ("scripts/unit", "scripts/user", "tests/unit/", "tests/bench/", "tests/models/", "tests/shim/",
        "tests/kunit/", "userspace/", "CMakeLists.txt", "tests/CMakeLists.txt") + KERNEL


def uml_kernel(flavour):
    return (f"tests/uml/kernel path {flavour}",)


SUITES = {suite.name: suite for suite in (
    Suite("lint-kernel", "the kernel code keeps the kernel's style and its layers; sparse, W=1, kernel-doc",
          "scripts/lint checkpatch modules layers kernel-doc uapi", 60, (MODULES,),
          KERNEL + ("scripts/", "tests/kunit/", "tests/board/"), (), STOCK),
    Suite("lint-cpp", "clang-format and clang-tidy find nothing",
          "scripts/lint clang-format clang-tidy", 480, (USER,)),
    Suite("lint-text", "shell scripts and licence lines are right",
          "scripts/lint shellcheck spdx", 20),
    Suite("lint-docs", "the references of the uAPI and of the libraries render, the picture is current",
          "scripts/lint picture uapi-reference cpp-reference", 15),
    Suite("lint-abi", "the shared libraries export what version 1.0 promises",
          "scripts/lint abi", 60, (), ("userspace/", "include/", "scripts/", "CMakeLists.txt"),
          (), ("c++ --version", "abidiff --version")),
    Suite("unit", "model, verifier, generator, engine and libnpu, without a device",
          "scripts/unit", 30, (USER,), UNIT),
    Suite("unit-address", "the same with AddressSanitizer and UndefinedBehaviorSanitizer",
          "scripts/unit --address", 200, (), UNIT + ("scripts/sanitize",)),
    Suite("unit-thread", "those that have threads, with ThreadSanitizer",
          "scripts/unit --thread", 120, (), UNIT + ("scripts/sanitize",)),
    Suite("conformance-uml", "each ioctl, with lockdep and KASAN",
          'tests/conformance/run --machine uml --build "$BUILD/user" --log "$SUITE_LOG"', 180,
          (USER, DEBUG), UML + ("tests/conformance/run",), CONFORMANCE + ON_DEBUG,
          uml_kernel("debug")),
    Suite("conformance-vm", "each ioctl on Debian's stock kernel, and from 32 bit clients",
          'tests/conformance/run --machine vm --build "$BUILD/user" --log "$SUITE_LOG"', 190,
          (USER, MODULES), VM + ("tests/conformance/run",),
          CONFORMANCE + ("user/bin/npu-conformance-m32",) + ON_STOCK, STOCK),
    Suite("conformance-dmem", "control groups limit on-chip memory",
          'tests/conformance/run --machine uml --flavour smp --build "$BUILD/user"'
          " --subtest 'sram-group-*'", 20,
          (USER, SMP), UML + ("tests/conformance/run",), CONFORMANCE + ON_SMP,
          uml_kernel("smp")),
    Suite("kunit", "the driver's parts, inside the kernel",
          "tests/kunit/run", 60, (DEBUG,), UML + KERNEL + ("tests/kunit/",), (),
          uml_kernel("debug")),
    Suite("igt", "tests of the IGT GPU tools on our device node",
          'tests/igt/run --build "$BUILD/user"', 50, (USER, DEBUG), UML + ("tests/igt/",),
          CONFORMANCE + ON_DEBUG + ("user/tests/igt/igt-fixture",), uml_kernel("debug")),
    Suite("board-ioctl", "each ioctl through the driver of the hardware, on a model of its registers",
          'tests/board/run --part conformance --build "$BUILD/user"'
          ' --modules "$BUILD/modules-uml-board" --log "$SUITE_LOG"', 80,
          (USER, BOARD), UML + ("tests/board/", "tests/conformance/", "dts/"),
          CONFORMANCE + ON_BOARD, uml_kernel("board")),
    Suite("board-soc", "clock, power, faults, suspend and mainline's driver on that model",
          'tests/board/run --but conformance --build "$BUILD/user"'
          ' --modules "$BUILD/modules-uml-board" --log "$SUITE_LOG"', 90,
          (USER, BOARD), UML + ("tests/board/", "tests/models/", "dts/"),
          ("user/bin/npu-board-test", "user/bin/engine-test", "user/bin/llm-test") + CONFORMANCE
          + PROGRAMS + ON_BOARD, uml_kernel("board")),
    Suite("fuzz-ioctl", "stored sequences of calls, from several threads",
          'tests/fuzz/ioctl-run --replay --no-walk --build "$BUILD/user" --log "$SUITE_LOG"', 60,
          (USER, SMP), UML + ("tests/vm/leaks", "tests/fuzz/ioctl-run", "tests/fuzz/corpus/"), ("user/bin/npu-ioctl-fuzz",) + ON_SMP,
          uml_kernel("smp")),
    Suite("fuzz-leaks", "calls, and failing allocations in each, leave no memory behind",
          'tests/fuzz/ioctl-run --kmemleak --cpus 1 --seconds 15 --seed 1 --build "$BUILD/user"'
          ' --log "$SUITE_LOG"', 150, (USER, DEBUG), UML + ("tests/vm/leaks", "tests/fuzz/ioctl-run",),
          ("user/bin/npu-ioctl-fuzz",) + ON_DEBUG, uml_kernel("debug")),
    Suite("fuzz-gguf", "a stored corpus of model files, with sanitizers",
          "tests/fuzz/gguf-run --replay", 30, (),
          ("tests/fuzz/", "tests/models/", "userspace/", "scripts/sanitize")),
    Suite("fuzz-stream", "stored command streams: what the verifier accepts harms nobody",
          "tests/fuzz/stream-run --replay", 30, (),
          ("scripts/sanitize", "tests/fuzz/", "tests/unit/", "tests/kunit/", "tests/shim/", "userspace/", "driver/",
           "include/")),
    Suite("demo", "a language model writes the text of the CPU, on the stock kernel",
          "tests/vm/demo", 25, (USER, MODULES), VM + ("tests/models/",), PROGRAMS + ON_STOCK,
          STOCK, one_test=True),
    Suite("capi", "the C interface through dlopen, from Python",
          "tests/capi/run", 15, (USER, DEBUG), UML + ("tests/capi/",),
          ("user/userspace/libnpu.so.1",) + ON_DEBUG, uml_kernel("debug")),
    Suite("tools", "tools with bad input and bad luck",
          "tests/tools/run", 25, (USER, MODULES), VM + ("tests/tools/", "tests/models/"),
          PROGRAMS + ("user/bin/npu-bench", "user/bin/npu-example-udmabuf", "user/bin/npu-example-poll",
                      "user/bin/npu-example-io-uring", "user/bin/npu-example-c", "user/bin/npu-example-camera",
                      "user/bin/npu-example-classes", "user/bin/npu-example-mlp", "../tests/capi/product.txt") + ON_STOCK, STOCK),
    Suite("top", "npu-top on a terminal: keys, sizes, other users, a device that goes away",
          "tests/top/run", 40, (USER, DEBUG), UML + ("tests/top/", "tests/models/"),
          PROGRAMS + ("user/bin/npu-bench", "user/bin/npu-top") + ON_DEBUG, uml_kernel("debug")),
    Suite("trace", "npu-trace records a program: cores, jobs, layers",
          "tests/trace/run", 40, (USER, DEBUG), UML + ("tests/trace/", "tests/models/"),
          PROGRAMS + ("user/bin/npu-trace",) + ON_DEBUG, uml_kernel("debug")),
    Suite("install", "make install is complete, and uninstall leaves nothing",
          "tests/install/run", 30, (USER, MODULES),
          VM + ("tests/install/", "tests/docs/", "README.md", "docs/", "scripts/", "userspace/",
                "CMakeLists.txt", "include/"),
          PROGRAMS + ON_STOCK, STOCK),
    Suite("accuracy", "each precision is as accurate as docs/performance.md says",
          "tests/bench/accuracy-check", 60, (USER, DEBUG), UML + ("tests/bench/", "tests/models/"),
          ("user/bin/npu-bench",) + ON_DEBUG, uml_kernel("debug")),
    Suite("teflon", "Debian's unmodified Mesa and TensorFlow Lite on arm64, five models",
          "tests/teflon/run --few", 60, (), VM + KERNEL + ("tests/teflon/", "tests/arm64/",
          "userspace/system/"), (), ("tests/arm64/stock path trixie-backports",
          "tests/teflon/system")),
    Suite("llama", "Debian's unmodified llama.cpp computes on the NPU as on the processor, few shapes",
          "tests/llama/run --few", 150, (), UML + KERNEL + ("tests/llama/", "tests/models/",
          "userspace/", "CMakeLists.txt", "scripts/user"), (),
          uml_kernel("plain") + ("tests/llama/system",)),
    Suite("deb", "Debian packages can be built, lintian accepts them, they hold what they should",
          "tests/deb/run --few", 120, (), KERNEL + ("debian/", "dkms.conf", "dts/", "scripts/",
          "tests/deb/", "tests/lib/", "userspace/", "CMakeLists.txt"), (),
          ("tests/deb/system trixie",)),
    Suite("dkms", "DKMS builds the modules",
          "tests/dkms/run", 30, (MODULES,), KERNEL + ("dkms.conf", "tests/dkms/run"), (), STOCK),
    Suite("dts", "the overlays fit the device trees of Debian's kernels",
          "tests/dts/run", 90, (), ("dts/", "tests/dts/", "tests/lib/", "scripts/dts"), (),
          ("for suite in trixie trixie-backports sid; do tests/dts/kernel path $suite; done",)),
    Suite("docs", "what the pages for people name is there, and their examples compile",
          "tests/docs/run", 25, (USER,)),
    Suite("scripts", "the scripts that run the tests count, remember and clear up",
          "tests/scripts/run", 60, (),
          ("scripts/", "tests/scripts/", "tests/mutants/", "tests/soak/", "tests/lib/",
           "tests/README.md")),
    Suite("leftovers", "a run that is interrupted or killed leaves nothing behind",
          "tests/leftovers/run", 40, (), UML + VM + ("tests/leftovers/",), (),
          STOCK + uml_kernel("debug")),
    Suite("uml", "the User-mode Linux machine notices what it should",
          "tests/uml/selftest", 60, (), UML, (), uml_kernel("debug")),
    Suite("vm", "the emulated machine notices what it should",
          "tests/vm/selftest", 50, (), VM, (), STOCK),
    Suite("fuzz-ioctl-long", "random calls for ten minutes",
          'tests/fuzz/ioctl-run --seconds 600 --build "$BUILD/user" --log "$SUITE_LOG"', 900,
          (USER, SMP), long=True),
    Suite("fuzz-stream-long", "random command streams for ten minutes",
          "FUZZ_SECONDS=600 tests/fuzz/stream-run", 620, long=True),
    Suite("fuzz-gguf-long", "random model files for ten minutes",
          "FUZZ_SECONDS=600 tests/fuzz/gguf-run", 620, long=True),
    Suite("conformance-m32", "each ioctl from 32 bit clients",
          'tests/conformance/run --machine vm --m32-all --build "$BUILD/user" --log "$SUITE_LOG"',
          600, (USER, MODULES), long=True),
    Suite("board-user", "each ioctl on the board without privileges",
          'tests/board/run --part user --build "$BUILD/user"'
          ' --modules "$BUILD/modules-uml-board" --log "$SUITE_LOG"', 200, (USER, BOARD), long=True),
    Suite("dkms-matrix", "DKMS builds the modules for each kernel of Debian, arm64 too",
          "tests/dkms/matrix", 900, long=True),
    Suite("deb-long", "Debian packages of trixie, sid and arm64, and their lives in clean systems",
          "tests/deb/run", 1200, long=True),
    Suite("arm64", "modules and user space on arm64", "tests/arm64/run", 1800, long=True),
    Suite("teflon-long", "Mesa and TensorFlow Lite, all models, two kernels",
          "tests/teflon/run", 200, long=True),
    Suite("llama-long", "llama.cpp, all shapes and architectures",
          "tests/llama/run", 1800, long=True),
    Suite("newcomer", "demo and check on fresh roots of Debian 12, 13 and the newest",
          "tests/newcomer/run", 7200, long=True),
)}
