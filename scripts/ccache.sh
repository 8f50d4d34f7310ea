# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# To be sourced before cmake configures and ninja builds: compiles through ccache, if it is
# there, so that what another checkout or a removed build has compiled is not compiled again.

if command -v ccache >/dev/null 2>&1; then
	export CMAKE_C_COMPILER_LAUNCHER=ccache CMAKE_CXX_COMPILER_LAUNCHER=ccache
	export CCACHE_DIR="${NPU_CACHE:-${XDG_CACHE_HOME:-${HOME:?HOME is not set}/.cache}/accel-npu}/ccache"
	# Checkouts differ in their path only, and the code has none.
	export CCACHE_BASEDIR="$PWD" CCACHE_NOHASHDIR=true CCACHE_MAXSIZE=2G
fi
