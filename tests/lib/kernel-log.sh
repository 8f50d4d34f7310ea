# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034 # used where this is sourced
#
# What complaints of a kernel look like in its log, as extended regular
# expressions, and how to show them.

# It went no further.
panic_pattern='Kernel panic|Oops:|BUG:|general protection|kernel BUG at'

# Something is wrong, though it may have gone on: warnings, lockdep, KASAN,
# UBSAN, kmemleak, debug objects, watchdogs. Stock kernels have few of them.
complaint_pattern="$panic_pattern"'|WARNING:|WARNING in|possible (circular|recursive)|inconsistent lock|suspicious RCU|refcount_t|blocked for more than|soft lockup|rcu: INFO|INFO: trying to register|ODEBUG:|KASAN|UBSAN|kmemleak: .* suspected|Call Trace'

# reason_in PATTERN FILE: the first line that matches, without its time.
reason_in() { grep -aE -m 1 "$1" "$2" | sed 's/^\[[^]]*\] //'; }

# excerpt PATTERN FILE: the log from the first line that matches, or its last
# lines where none does. Frames the kernel is unsure of only hide the others.
excerpt() {
	if grep -qaE "$1" "$2"; then
		sed -nE "/$1/,\$ { /\]  (\[<[0-9a-f]+>\] )?\? /d; p }" "$2" | head -n 100
	else
		tail -n 25 "$2"
	fi | sed 's/^/  /'
}
