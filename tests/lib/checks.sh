# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# Counted checks of what a command does, for the tests of the test machines. To be
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

# check NAME CONDITION...: the condition is a command.
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

# await COMMAND...: waits until it succeeds. Fails after two minutes.
await() {
	for _ in $(seq 2400); do
		! "$@" || return 0
		sleep 0.05
	done
	return 1
}

# answer: copies stdin, the output of a machine, to stdout. At the line 'first' it makes
# the file /out/go in the machine, which waits for that before it goes on.
answer() {
	while IFS= read -r line; do
		echo "$line"
		[ "$line" != first ] || for out in "$tmp"/npu.*/out; do
			: >"$out/go"
		done
	done
}
# What the machine runs for it.
# shellcheck disable=SC2034 # used where this is sourced
await_answer='echo first; until [ -e /out/go ]; do sleep 0.05; done; echo last'

# summary: the last line; fails when a check has.
summary() {
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" -eq 0 ]
}
