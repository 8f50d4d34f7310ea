# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Counted checks of commands, for the tests of the test machines. To be sourced by scripts
# that run under tests/lib/supervise.
# sourced by scripts that run under tests/lib/supervise.

tmp=$TMPDIR
passed=0 failed=0 skipped=0 rc=0
: >"$tmp/out"
: >"$tmp/err"

# run COMMAND...: leaves its exit status in $rc, its output in $tmp/out and $tmp/err.
run() {
	rc=0
	"$@" >"$tmp/out" 2>"$tmp/err" || rc=$?
}

# check NAME COMMAND...: counts a pass if COMMAND succeeds.
check() {
	what=$1
	shift
	if "$@"; then
		echo "PASS: $what"
		passed=$((passed + 1))
	else
		echo "FAIL: $what (exit status $rc)"
		sed 's/^/  out: /' "$tmp/out" | head -n 20
		sed 's/^/  err: /' "$tmp/err" | head -n 40
		failed=$((failed + 1))
	fi
}
skip() {
	echo "skipped: $1"
	skipped=$((skipped + 1))
}
is() { [ "$(cat "$tmp/out")" = "$1" ]; }
status() { [ "$rc" -eq "$1" ]; }
has() { grep -qE -e "$1" "$2"; }
no_cr() { ! grep -q "$(printf '\r')" "$tmp/out"; }

# await COMMAND...: retries until COMMAND succeeds, for two minutes at most.
await() {
	for _ in $(seq 2400); do
		! "$@" || return 0
		sleep 0.05
	done
	return 1
}

# answer: copies the output of a machine from stdin to stdout. At the line 'first' it
# creates /out/go in the machine, which waits for that file.
answer() {
	while IFS= read -r line; do
		echo "$line"
		[ "$line" != first ] || for out in "$tmp"/npu.*/out; do
			: >"$out/go"
		done
	done
}
# The command in the machine for answer().
# shellcheck disable=SC2034 # used where this is sourced
await_answer='echo first; until [ -e /out/go ]; do sleep 0.05; done; echo last'

# summary: prints the counts; fails if a check has failed.
summary() {
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" -eq 0 ]
}
