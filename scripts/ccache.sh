# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# To be sourced before cmake configures and ninja builds. Compiles through ccache, if it
# is installed, so that checkouts and repeated builds share objects.

if command -v ccache >/dev/null 2>&1; then
	export CMAKE_C_COMPILER_LAUNCHER=ccache CMAKE_CXX_COMPILER_LAUNCHER=ccache
	export CCACHE_DIR="${NPU_CACHE:-${XDG_CACHE_HOME:-${HOME:?HOME is not set}/.cache}/accel-npu}/ccache"
	# Ignore paths: checkouts only differ in theirs, and the code contains none.
	export CCACHE_BASEDIR="$PWD" CCACHE_NOHASHDIR=true CCACHE_MAXSIZE=2G
fi
