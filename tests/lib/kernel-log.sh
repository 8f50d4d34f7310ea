# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034 # used where this is sourced
#
# Extended regular expressions for complaints in a kernel log, and functions to print
# them.

# Fatal for the kernel.
panic_pattern='Kernel panic|Oops:|BUG:|general protection|kernel BUG at'

# Errors after which the kernel may continue: warnings, lockdep, KASAN, UBSAN, kmemleak,
# debug objects, watchdogs. Stock kernels have few of these checks.
complaint_pattern="$panic_pattern"'|WARNING:|WARNING in|possible (circular|recursive)|inconsistent lock|suspicious RCU|refcount_t|blocked for more than|soft lockup|rcu: INFO|INFO: trying to register|ODEBUG:|KASAN|UBSAN|kmemleak: .* suspected|Call Trace'

# reason_in PATTERN FILE: the first line that matches, without its time.
reason_in() { grep -aE -m 1 "$1" "$2" | sed 's/^\[[^]]*\] //'; }

# excerpt PATTERN FILE: prints the log from the first match on, or its last lines without
# a match. Drops unreliable stack frames.
excerpt() {
	if grep -qaE "$1" "$2"; then
		sed -nE "/$1/,\$ { /\]  (\[<[0-9a-f]+>\] )?\? /d; p }" "$2" | head -n 100
	else
		tail -n 25 "$2"
	fi | sed 's/^/  /'
}
