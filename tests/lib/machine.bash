# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Common parts of tests/vm/run and tests/uml/run: their options, their time limit, and the
# files that a machine gets. To be sourced by scripts that run under
# tests/lib/supervise. The caller sets $me and $here before; before the
# functions add_...(), whose paths are those in the machine,
#   root      where the machine's files are collected
#   usr       '' or, where /lib and /bin are links into it, /usr
#   tools     the directory of busybox's commands in the machine
#   kernel    the directory of the kernel, and its $release
#   host_libs 1 where the host's /lib and /usr are the machine's as well
#   arch      the machine's architecture, amd64 or arm64
#   sysroot   '' or where the libraries and busybox of another architecture are

bad() {
	echo "$me: $*, see $me --help" >&2
	exit 2
}
die() {
	echo "$me: $*" >&2
	exit 125
}

# Ordinary users do not have depmod and modinfo in their path.
PATH=$PATH:/usr/sbin:/sbin

# The options' values; the caller may have other defaults.
mem=1024 cpus=2 timeout=300 out='' append='' user='' verbose=''
modules=() kmods=() files=() bins=() envs=() command=()
host_libs='' arch=amd64 sysroot=''

# The help on these options.
usage_options() {
	cat <<EOT
  --module "FILE.ko [KEY=VALUE]..."
                    copies one of our modules to /modules, with the stock
                    modules it needs; 'load-modules' or 'modprobe NAME' inside
                    loads it
  --kmod NAME       copies a stock module and loads it before COMMAND
  --file SRC[:DST]  copies a file or directory [DST: /NAME]
  --bin SRC[:DST]   copies a program and its shared libraries
                    [DST: /usr/local/bin/NAME]
  --env K=V         sets an environment variable
  --user            runs COMMAND as 'user' (uid 1000, in the group render)
  --out DIR         brings back what COMMAND writes to /out, and dmesg.txt
  --mem MIB         memory [$mem]
  --cpus N          processors [$cpus]
  --timeout SECONDS for the whole run [$timeout]; more on a slow or busy host
  --append ARGS     more kernel arguments
  --verbose         tells on stderr how long each step took
  -h, --help        this
EOT
}

# parse_options ARGUMENT...: leaves the command in $command. Options that are not common
# are passed to the caller's own_option NAME VALUE, which returns 0 if it has consumed
# both, 1 if it does not know the option.
parse_options() {
	while [ $# -gt 0 ]; do
		case $1 in
		--user) user=1 ;;
		--verbose) verbose=1 ;;
		-h | --help)
			usage
			exit 0
			;;
		--)
			shift
			break
			;;
		-*)
			[ $# -ge 2 ] || bad "unknown option '$1', or it needs a value"
			case $1 in
			--module) modules+=("$2") ;;
			--kmod) kmods+=("$2") ;;
			--file) files+=("$2") ;;
			--bin) bins+=("$2") ;;
			--env) envs+=("$2") ;;
			--out) out=$2 ;;
			--mem) mem=$2 ;;
			--cpus) cpus=$2 ;;
			--timeout) timeout=$2 ;;
			--append) append="$append $2" ;;
			*) own_option "$1" "$2" || bad "unknown option '$1'" ;;
			esac
			shift
			;;
		*) break ;;
		esac
		shift
	done
	[ $# -gt 0 ] || bad "no command"
	command=("$@")
	local n e
	for n in "$mem" "$cpus" "$timeout"; do
		[[ $n =~ ^[1-9][0-9]*$ ]] || bad "'$n' is not a whole number above 0"
	done
	for e in ${envs[@]+"${envs[@]}"}; do
		[[ $e =~ ^[A-Za-z_][A-Za-z0-9_]*= ]] || bad "'$e' is not of the form K=V"
	done
}

# need_tools GROUP TOOL...: fails with a hint on how to install missing tools.
need_tools() {
	local group=$1 tool
	shift
	for tool; do
		command -v "$tool" >/dev/null 2>&1 ||
			die "$tool is missing; install it with: scripts/deps install $group"
	done
}

started=$(date +%s%N)
# tell TEXT: prints TEXT and the elapsed time with --verbose.
tell() {
	[ -z "$verbose" ] ||
		echo "$me: $1 at $((($(date +%s%N) - started) / 1000000)) ms" >&2
}

# make_scratch: sets $tmp, this run's own directory, and makes $tmp/out.
make_scratch() {
	# Copied files must be readable for all users in the machine; the temporary
	# directory itself is private on the host.
	umask 022
	tmp=$TMPDIR
	mkdir "$tmp/out"
	# Processes of any user in the machine may write to /out; on the host the parent
	# directory is private.
	chmod 777 "$tmp/out"
}

# limit_time PID: kills the machine with process id PID after $timeout seconds, and
# creates $tmp/late.
limit_time() {
	(
		if "$here/../lib/watchdog" "$1" "$timeout"; then
			: >"$tmp/late"
			kill -KILL "$1" 2>/dev/null
		fi
	) &
}

# Adds busybox with its commands, the tools of the tests, users and groups.
add_base() {
	local busybox
	busybox=$(command -v busybox)
	# The host's busybox lists the commands; it has the same version.
	[ -z "$sysroot" ] || busybox=$sysroot/usr/bin/busybox
	[ -e "$busybox" ] || busybox=$sysroot/bin/busybox
	mkdir -p "$root$tools" "$root/etc" "$root/home/user" "$root/modules" "$root/vm" \
		"$root/usr/local/bin" "$root$usr/lib"
	cp "$busybox" "$root$tools/busybox"
	# Perl is in Debian's base system, and saves hundreds of processes.
	# shellcheck disable=SC2016 # Perl's variables
	busybox --list | bin=$root$tools perl -ne 'chomp; symlink "busybox", "$ENV{bin}/$_"'
	cp "$here/../vm/load-modules" "$here/../vm/settle" "$root$tools/"
	chmod 755 "$root$tools/load-modules" "$root$tools/settle"
	cat >"$root/etc/passwd" <<'EOF'
root:x:0:0:root:/root:/bin/sh
user:x:1000:1000:user:/home/user:/bin/sh
nobody:x:65534:65534:nobody:/:/bin/false
EOF
	cat >"$root/etc/group" <<'EOF'
root:x:0:
video:x:44:user
render:x:104:user
user:x:1000:
nogroup:x:65534:
EOF
	# As in Debian's default udev rules.
	cat >"$root/etc/mdev.conf" <<'EOF'
accel/accel[0-9]+ 0:104 660
dri/renderD[0-9]+ 0:104 660
dri/card[0-9]+ 0:44 660
(null|zero|full|random|urandom|tty|ptmx) 0:0 666
EOF
}

# The name of the module in the file $1.
name_of() {
	local n=${1##*/}
	n=${n%%.ko*}
	echo "${n//-/_}"
}

# Prints the stock modules that the given ones need, including themselves, as paths below
# lib/modules/RELEASE. modules.dep has the full list of each module.
stock_closure() {
	awk -v want="$*" '
		function name(path) {
			sub(/.*\//, "", path); sub(/\.ko.*/, "", path)
			gsub(/-/, "_", path)
			return path
		}
		BEGIN { n = split(want, w, " "); for (i = 1; i <= n; i++) { gsub(/-/, "_", w[i]); need[w[i]] = 1 } }
		FILENAME ~ /builtin$/ { if (name($1) in need) found[name($1)] = 1; next }
		{
			path = $1; sub(/:$/, "", path)
			if (!(name(path) in need)) next
			found[name(path)] = 1
			print path
			for (i = 2; i <= NF; i++) print $i
		}
		END {
			for (m in need)
				if (!(m in found)) { print "missing " m; exit }
		}' "$kernel/modules/modules.builtin" "$kernel/modules/modules.dep" | sort -u
}

# Adds the modules of --module and --kmod with their dependencies, and those in $1, which
# the machine itself needs. Writes the names of those to load at boot to /vm/boot-modules.
add_modules() {
	local libs=$root$usr/lib/modules/$release boot="$1 ${kmods[*]+"${kmods[*]}"}"
	local m file params name vermagic deps d path stock ours=' ' needed=''
	mkdir -p "$libs/extra"
	: >"$root/modules/list"
	for m in ${modules[@]+"${modules[@]}"}; do
		read -r file params <<<"$m"
		[ -f "$file" ] || bad "no module '$file'"
		name=$(name_of "$file")
		vermagic=$(modinfo -F vermagic "$file" 2>/dev/null) || bad "'$file' is not a kernel module"
		[ "${vermagic%% *}" = "$release" ] ||
			die "${file##*/} was built for ${vermagic%% *}, not $release; build it anew"
		# Without debugging information, which takes time to copy and load.
		"${strip:-strip}" --strip-debug -o "$libs/extra/$name.ko" "$file" 2>/dev/null ||
			cp "$file" "$libs/extra/$name.ko"
		ln -s "../lib/modules/$release/extra/$name.ko" "$root/modules/${file##*/}"
		echo "$name $params" >>"$root/modules/list"
		ours="$ours$name "
		deps=$(modinfo -F depends "$file")
		needed="$needed ${deps//,/ }"
	done
	# Modules for the machine itself; modprobe orders them.
	stock=$boot
	for d in $needed; do
		[[ $ours == *" ${d//-/_} "* ]] || stock="$stock $d"
	done
	for path in $(stock_closure "$stock"); do
		case $path in
		missing) continue ;;
		kernel/*) ;;
		*) die "the stock kernel has no module '$path'" ;;
		esac
		mkdir -p "$libs/${path%/*}"
		# Decompressing here is much faster than in the machine.
		case $path in
		*.ko.xz) xz -dc "$kernel/modules/$path" >"$libs/${path%.xz}" ;;
		*.ko.zst) zstd -dcq "$kernel/modules/$path" >"$libs/${path%.zst}" ;;
		*.ko.gz) gzip -dc "$kernel/modules/$path" >"$libs/${path%.gz}" ;;
		*) cp "$kernel/modules/$path" "$libs/$path" ;;
		esac
	done
	cp "$kernel/modules/modules.builtin" "$kernel/modules/modules.order" "$libs/"
	depmod -b "$root$usr" "$release" 2>/dev/null || die "depmod failed"
	# modprobe in the machine does not read the other tables.
	find "$libs" -maxdepth 1 -name '*.bin' -delete
	echo "$boot" | xargs -rn 1 >"$root/vm/boot-modules"
}

# put SRC DST: DST is a path in the machine; ending in / it is a directory.
put() {
	local dst=$2
	case $dst in */) dst=$dst${1##*/} ;; esac
	case $dst in /bin/* | /sbin/* | /lib/* | /lib64/*) dst=$usr$dst ;; esac
	dst=$root/${dst#/}
	mkdir -p "${dst%/*}"
	cp -RL "$1" "$dst" || die "cannot copy '$1'"
}

# The files of --file.
add_files() {
	local f src dst
	for f in ${files[@]+"${files[@]}"}; do
		src=${f%%:*} dst=/$(basename "${f%%:*}")
		[[ $f != *:* ]] || dst=${f#*:}
		[ -e "$src" ] || bad "no file '$src'"
		put "${src%/}" "$dst"
	done
}

# Prints the host's paths of the libraries of program $1, one a line; nothing for scripts
# and static programs.
libraries_of() {
	local list
	if [ -z "$sysroot" ]; then
		list=$(ldd "$1" 2>/dev/null) || return 0
		! grep -q 'not found' <<<"$list" ||
			die "a library of '$1' is missing: $(grep -m 1 'not found' <<<"$list" | xargs)"
		grep -oE '/[^ ]+' <<<"$list" || :
		return 0
	fi
	# Emulates ldd, whose loader does not run on this host.
	local todo=("$1") seen=' ' name path
	while [ ${#todo[@]} -gt 0 ]; do
		for name in $(readelf -d "${todo[0]}" 2>/dev/null | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
			[[ $seen != *" $name "* ]] || continue
			seen="$seen$name "
			path=$(ls -d "$sysroot"/usr/lib/*-linux-gnu/"$name" "$sysroot/usr/lib/$name" 2>/dev/null |
				grep -e /aarch64 -e "/lib/$name" | head -n 1)
			[ -n "$path" ] || die "a library of '$1' is missing: $name"
			echo "$path"
			todo+=("$path")
		done
		todo=("${todo[@]:1}")
	done
}

# Adds the programs of --bin with their libraries.
add_bins() {
	local b src dst list lib
	for b in ${bins[@]+"${bins[@]}"}; do
		src=${b%%:*}
		dst=/usr/local/bin/${src##*/}
		[[ $b != *:* ]] || dst=${b#*:}
		# Look up bare names in $PATH.
		[ -e "$src" ] || src=$(command -v "$src") || bad "no program '${b%%:*}'"
		[ -x "$src" ] || bad "'$src' is not a program"
		put "$src" "$dst"
		list=$(libraries_of "$src") || exit 125
		for lib in $list; do
			case $lib in
			/lib/* | /lib64/* | /usr/lib/*) [ -z "$host_libs" ] || continue ;;
			esac
			case $lib in
			*/ld-linux-x86-64.so.2) dst=/lib64/ ;;
			*/ld-linux-aarch64.so.1) dst=/lib/ ;;
			# A directory that the loader always searches.
			*) dst=/lib/$(uname_of "$arch")-linux-gnu/ ;;
			esac
			[ -e "$root$usr$dst${lib##*/}" ] || put "$lib" "$dst"
		done
	done
}

# The machine's name of an architecture.
uname_of() {
	case $1 in
	arm64) echo aarch64 ;;
	*) echo x86_64 ;;
	esac
}

quote() { printf "'%s'" "${1//\'/\'\\\'\'}"; }

# Writes the command to /vm/command. With $1, files that the user creates in /out belong
# to the host's user, and must be accessible to others.
add_command() {
	local e a
	{
		echo '#!/bin/sh'
		if [ -n "$user" ]; then
			echo 'export HOME=/home/user USER=user'
			[ -z "$1" ] || echo 'umask 000'
		fi
		echo 'cd /tmp'
		for e in ${envs[@]+"${envs[@]}"}; do
			echo "export ${e%%=*}=$(quote "${e#*=}")"
		done
		printf 'exec'
		for a in "${command[@]}"; do
			printf ' %s' "$(quote "$a")"
		done
		echo
	} >"$root/vm/command"
	chmod 755 "$root/vm/command"
	[ -z "$user" ] || : >"$root/vm/as-user"
}
