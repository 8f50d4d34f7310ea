# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# Functions of the scripts that fetch from Debian; to be sourced. The caller sets $me for
# its messages and, before apt_setup, $cache and $suite, and $arch unless it is amd64.

die() {
	echo "$me: $*" >&2
	exit 1
}
note() { echo "$me: $*" >&2; }

# need GROUP TOOL...: fails with a hint on how to install missing tools.
need() {
	group=$1
	shift
	for tool; do
		command -v "$tool" >/dev/null 2>&1 ||
			die "$tool is missing; install it with: scripts/deps install $group"
	done
}

# cache_dir NAME: the directory NAME in the cache.
cache_dir() {
	dir=${NPU_CACHE:-${XDG_CACHE_HOME:-${HOME:?HOME is not set}/.cache}/accel-npu}/$1
	# Kbuild does not support these characters in the path of a kernel tree.
	case $dir in
	*[[:space:]:]*) die "the cache path '$dir' has a space or a colon, set NPU_CACHE to another" ;;
	/*) echo "$dir" ;;
	*) echo "$PWD/$dir" ;;
	esac
}

os_field() { sed -n "s/^$1=//p" /etc/os-release 2>/dev/null | tr -d '"'; }

# True when FILE is younger than MINUTES.
younger() { [ -n "$(find "$1" -mmin "-$2" 2>/dev/null)" ]; }

# Prints one apt source a line for $suite, derived from the host's own
# sources: 'apt-get indextargets' reads both .list and .sources files.
sources() {
	# shellcheck disable=SC2016 # $(...) are apt's own placeholders
	apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT) $(SIGNED_BY)' \
		'Created-By: Packages' 2>/dev/null |
		awk -v suite="$suite" -v host="$(os_field VERSION_CODENAME)" \
			-v key="$(debian_key)" -v arch="${arch:-amd64}" '
			# Other vendors use the same suite names with components of their
			# own; Debian always has main.
			$3 != "main" { next }
			{ by = ($4 ~ /^\//) ? $4 : key
			  sub(/\/+$/, "", $1) }
			$2 == suite || $2 == suite "-updates" ||
			$2 == suite "-security" || $2 == suite "/updates" {
				out($1, $2, by)
			}
			# The main mirror, from which other URIs are derived.
			main == "" && $1 !~ /security/ &&
			($2 == host || $2 == suite || $2 ~ /^(stable|testing|unstable|sid)$/) {
				main = $1; mainby = by
			}
			function out(uri, rel, by) {
				if (seen[rel]++) return
				printf "deb [arch=%s%s] %s %s main\n",
					arch, by ? " signed-by=" by : "", uri, rel
			}
			END {
				if (main == "") exit
				if (!seen[suite]) out(main, suite, mainby)
				# Fixes for these two come with new versions.
				if (suite != "sid" && suite != "unstable" && suite !~ /-backports$/ &&
				    !seen[suite "-security"] && !seen[suite "/updates"]) {
					sec = main
					# .../debian -> .../debian-security, also with a
					# snapshot date behind it
					if (sub(/\/debian$/, "/debian-security", sec) ||
					    sub(/\/debian\//, "/debian-security/", sec))
						out(sec, suite "-security", mainby)
				}
			}'
}

debian_key() {
	for k in /usr/share/keyrings/debian-archive-keyring.gpg \
		/usr/share/keyrings/debian-archive-keyring.pgp; do
		if [ -r "$k" ]; then
			echo "$k"
			return
		fi
	done
}

# apt_layer SUITE DIR: writes the apt configuration for installing packages of SUITE to
# DIR.
apt_layer() {
	mkdir -p "$2/etc/apt/apt.conf.d" "$2/etc/dpkg/dpkg.cfg.d"
	cp -L /etc/resolv.conf /etc/hosts "$2/etc/"
	# As in container images: the system never has to survive a power cut.
	echo force-unsafe-io >"$2/etc/dpkg/dpkg.cfg.d/90container"
	suite=$1
	# Use the keys of the new system.
	sources | sed 's/ signed-by=[^] ]*//' >"$2/etc/apt/sources.list"
	# The host's access to the archive; indexes of snapshots have expired.
	apt-config dump | grep -E '^Acquire::(http|https|socks|Check-|ForceIP)' \
		>"$2/etc/apt/apt.conf.d/90host" || :
	echo 'Acquire::Check-Valid-Until "false";' >>"$2/etc/apt/apt.conf.d/90host"
}

# Sets up apt's private state and updates its lists.
apt_setup() {
	apt=$cache/apt-$suite
	mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
	: >"$apt/status"
	sources >"$apt/sources.list"
	[ -s "$apt/sources.list" ] || return 1
	# The host's hooks and sandbox user are for the system's own state; settings such
	# as proxies remain in force.
	cat >"$apt/apt.conf" <<EOF
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Post-Invoke;
APT::Architecture "${arch:-amd64}";
APT::Architectures { "${arch:-amd64}"; };
APT::Sandbox::User "";
APT::Get::List-Cleanup "true";
Acquire::Check-Valid-Until "false";
Acquire::Languages "none";
Acquire::Retries "2";
Acquire::IndexTargets::deb::Translations::DefaultEnabled "false";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
Dir::Etc::sourcelist "$apt/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State "$apt";
Dir::State::Lists "$apt/lists";
Dir::State::status "$apt/status";
Dir::State::extended_states "$apt/extended_states";
Dir::Cache "$apt/cache";
EOF
	# Fail on any error: apt itself would continue with old lists.
	apt-get -c "$apt/apt.conf" -o APT::Update::Error-Mode=any -qq update >"$apt/update.log" 2>&1
}

# The files with the newest known version and with the time of the last failed lookup.
cache_files() {
	current=$cache/current-$suite
	tried=$cache/.tried-$suite
}
cached() { cat "$current" 2>/dev/null || :; }

# Sets $version to one that is complete in the cache, at most a day older than the newest.
# Package group $1 has the tools. The caller defines 'have VERSION' and 'refresh', which
# runs under the lock, fetches the newest version into the cache and sets $current.
resolve() {
	version=$(cached)
	if [ "${NPU_REFRESH-}" != 1 ] && have "$version" &&
		{ younger "$current" 1440 || younger "$tried" 60; }; then
		return 0
	fi
	need "$1" flock
	mkdir -p "$cache" || die "cannot make the cache directory $cache"
	exec 9>"$cache/.lock"
	flock 9
	# Another caller may have fetched it while this one waited.
	version=$(cached)
	if ! { have "$version" && younger "$current" 1440 &&
		{ [ "${NPU_REFRESH-}" != 1 ] || younger "$tried" 1; }; }; then
		refresh
	fi
	exec 9>&-
	version=$(cached)
	have "$version" || die "nothing complete in the cache $cache"
}

# refresh_package GROUP: implements 'refresh' for files of a single package. The caller
# defines 'package', which prints its name, and 'fetch VERSION PACKAGE'; GROUP has the
# tools. Runs under the lock.
refresh_package() {
	need "$1" apt-get apt-cache dpkg-deb
	rm -rf "$cache"/.new.*
	: >"$tried"
	fallback=$(cached)
	version='' package=''
	if apt_setup; then
		package=$(package)
		version=$(apt-cache -c "$apt/apt.conf" show --no-all-versions "${package:-none}" 2>/dev/null |
			sed -n 's/^Version: //p' | head -n 1)
	fi
	if [ -z "$version" ]; then
		have "$fallback" || die "nothing to fetch in $suite: $(grep -hE -m 1 '^[EW]:' "$apt/update.log" || echo "no Debian mirror in this system's apt sources")"
		note "the newest version cannot be looked up, using the cached $fallback"
		return 0
	fi
	have "$version" || (fetch "$version" "$package") || {
		have "$fallback" || exit 1
		note "using the cached $fallback"
		return 0
	}
	echo "$version" >"$current.new"
	mv "$current.new" "$current"
}
