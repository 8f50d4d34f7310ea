# SPDX-License-Identifier: MIT
# Entry points for people. The kernel's build system reads Kbuild instead.

BUILD   ?= build
SECONDS ?= 60
SEED    ?= 1
N       ?= 96
PROMPT  ?= And it came to pass
MODEL   ?= tests/models/kjv.gguf
PREFIX  ?= /usr/local
MACHINE ?= uml
GROUP   ?=
BASE    ?=
# Read by the scripts that the recipes call.
export BUILD N PROMPT MODEL PREFIX DESTDIR BASE
export FUZZ_SECONDS := $(SECONDS)

.DEFAULT_GOAL := help

## help: this list
help:
	@echo "accel-npu: jobs, contexts and memory for NPUs on Linux's drivers/accel"
	@echo
	@sed -n 's/^## \([a-z-]*\): /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 24
	@echo
	@echo "Example: make demo PROMPT='And God said' N=64"

## demo: a language model writes text on the virtual NPU of an emulated machine
demo: deps-demo modules tools
	@tests/vm/demo

## check: the tests, those left out that hold since they passed unless FRESH=1
check: deps
	@scripts/check

## check-long: what takes too long for every check, see tests/README.md
check-long: deps
	@scripts/check --long

## newcomer: demo and check on fresh roots of Debian 12, 13 and the newest suite
newcomer: deps
	@tests/newcomer/run

## mutants: small mistakes, N=40 of SEED=1, and whether the tests notice each
mutants: deps
	@tests/mutants/run --number $(if $(filter file,$(origin N)),40,$(N)) --seed $(SEED)

## soak: the suites of machines N=5 times beside LOAD=4, to find results that differ
soak: deps
	@tests/soak/run --rounds $(if $(filter file,$(origin N)),5,$(N))

## lint: checkpatch, sparse, W=1, clang-format, clang-tidy, headers, scripts
lint: deps-lint
	@scripts/lint

## docs: render the references of uAPI and libraries, and the picture, into build/docs
docs: deps-docs
	@scripts/docs

## unit: tests that need no device
unit: deps-test user
	@scripts/unit

## conformance: tests of the ioctls, on MACHINE=uml or vm, of GROUP= or all
conformance: deps-test modules user
	@scripts/modules --uml debug
	@tests/conformance/run --machine $(MACHINE) --build $(BUILD)/user --group "$(GROUP)"

## kunit: the driver's own tests, in User-mode Linux
kunit: deps-test
	@tests/kunit/run

## board: the drivers of the hardware, ours and mainline's, on a model of it; with SOAK=1800 only a soak of so many seconds
board: deps-test user
	@scripts/deps ensure dts
	@SOAK=$(SOAK) tests/board/run --build $(BUILD)/user $(if $(SOAK),--part soak --timeout $$(( $(SOAK) * 2 + 600 )))

## igt: tests of the IGT GPU tools, in User-mode Linux
igt: deps-test user
	@scripts/modules --uml debug
	@tests/igt/run

## fuzz: fuzz the ioctls in User-mode Linux, then the verifier, for SECONDS=60
fuzz: deps-test user fuzz-stream
	@scripts/modules --uml smp
	@tests/fuzz/ioctl-run --build $(BUILD)/user --seconds $(SECONDS)

## fuzz-gguf: fuzz the reader of model files for SECONDS=60
fuzz-gguf: deps-test
	@tests/fuzz/gguf-run

## fuzz-stream: fuzz the verifier of command streams for SECONDS=60
fuzz-stream: deps-test
	@tests/fuzz/stream-run

## dkms-check: build the modules with DKMS in a scratch tree
dkms-check: deps-test
	@tests/dkms/run

## dkms-matrix: the modules with DKMS, for each of Debian's kernels, also arm64
dkms-matrix:
	@scripts/deps ensure dkms
	@tests/dkms/matrix

## deb: Debian packages for this system's suite or those of SUITES, ARCH=arm64 for boards
deb:
	@scripts/deps ensure dkms
	@scripts/deb $(if $(filter arm64,$(ARCH)),--arm64) $(SUITES)

## arm64: modules and user space on arm64 in QEMU; all of it with ALL=1
arm64:
	@scripts/deps ensure build arm64
	@tests/arm64/run $(if $(ALL),--all)

## teflon: Debian's unmodified Mesa and TensorFlow Lite on the driver, in QEMU
teflon:
	@scripts/deps ensure build arm64 dkms
	@tests/teflon/run

## llama: Debian's unmodified llama.cpp on the driver, in User-mode Linux
llama: deps-test
	@scripts/deps ensure dkms
	@tests/llama/run

## dts: compile the device tree overlays of Rock 5 boards
dts:
	@scripts/deps ensure dts
	@scripts/dts

## dt-check: the overlays on the device trees of Debian's arm64 kernels
dt-check:
	@scripts/deps ensure dts
	@tests/dts/run

## bench-model: speed of the hardware model and of packing, on this machine
bench-model: deps-test user
	@tests/bench/model

## bench-sched: what the driver's scheduler costs, on this machine
bench-sched: deps-test
	@scripts/user ON sched-bench
	@tests/bench/sched

## bench-silicon: the timing model against published measurements
bench-silicon: deps-test
	@scripts/user ON silicon-bench
	@tests/bench/silicon

## bench-llm: what sharing products between CPU and NPU brings, simulated
bench-llm: deps-test
	@scripts/user ON llm-bench
	@mkdir -p $${BUILD:-build}/bench
	@$${BUILD:-build}/user/bin/llm-bench --out $${BUILD:-build}/bench/llm.json

## bench-instructions: instructions of the engine's own part, and of that of BASE=commit
bench-instructions: deps-test
	@tests/bench/instructions

## bench-matmul: modelled device time of real models' matrix products
bench-matmul: deps-test tools
	@scripts/modules --uml debug
	@tests/bench/modelled matmul

## bench-accuracy: perplexity of each precision against float, and of GGUF files against the CPU
bench-accuracy: deps-test tools
	@scripts/modules --uml debug
	@scripts/deps ensure dkms
	@tests/bench/accuracy

## bench-sram: what on-chip memory brings a token, by the timing model
bench-sram: deps-test tools
	@scripts/modules --uml plain
	@tests/bench/sram

## bench-submit: what submitting and waiting cost, in User-mode Linux
bench-submit: deps-test tools
	@scripts/modules --uml plain
	@tests/bench/submit

## bench-rocket: this driver against mainline's, on the model of the hardware
bench-rocket: deps-test tools
	@scripts/deps ensure dts
	@scripts/modules --uml board-plain
	@tests/bench/rocket

## bench-qos: latency beside throughput, first come first served and with hints
bench-qos: deps-test tools
	@scripts/deps ensure plot
	@scripts/modules --uml plain
	@tests/bench/qos

## modules: npu.ko and npu_virt.ko for Debian's stock kernel
modules:
	@scripts/modules

## tools: npu-info, npu-llm, npu-bench, npu-top, npu-trace
tools:
	@scripts/user OFF npu-info npu-llm npu-bench npu-top npu-trace

## user: libraries, tools and the programs of the tests
user:
	@scripts/user ON all

## install: user space, files of udev, modprobe and systemd under PREFIX=/usr/local and DESTDIR
install:
	@scripts/deps ensure build
	@scripts/user OFF all
	@scripts/install

## uninstall: remove what install has put there
uninstall:
	@scripts/install --remove

## deps: list the packages that are needed and, as root, install them
deps:
	@scripts/deps list
	@scripts/deps ensure all

deps-docs:
	@scripts/deps ensure docs

deps-demo:
	@scripts/deps ensure build vm

deps-lint:
	@scripts/deps ensure build vm test lint docs

deps-test:
	@scripts/deps ensure build vm uml test data

## clean: remove what was built; the cache outside stays
clean:
	rm -rf $(BUILD)

.PHONY: help demo check check-long newcomer mutants soak lint docs unit conformance kunit board igt fuzz fuzz-gguf fuzz-stream dkms-check \
	dkms-matrix deb arm64 teflon llama dts dt-check bench-model bench-sched bench-silicon bench-llm bench-instructions bench-matmul bench-accuracy bench-sram bench-submit bench-rocket \
	bench-qos modules tools user install uninstall deps deps-docs deps-demo deps-lint deps-test clean
