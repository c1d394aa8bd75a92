# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Which shared libraries an arm64 program needs, to carry them and no others: sourced by lab/image and lab/unpack.

# The library of name $2 in the tree $1.
library_path() {
	local path=$1/usr/lib/aarch64-linux-gnu/$2
	[ -e "$path" ] || { echo "there is no $2 in $1" >&2; return 1; }
	echo "$path"
}

# Prints the names of the libraries in the tree $1 that the programs $2... need, with those that libraries need.
libraries_needed() {
	local tree=$1 name files
	local -A seen=()
	shift
	while [ $# -gt 0 ]; do
		files=()
		for name in $(aarch64-linux-gnu-readelf -d "$@" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
			[ -z "${seen[$name]-}" ] || continue
			seen[$name]=1
			files+=("$(library_path "$tree" "$name")")
			echo "$name"
		done
		set -- "${files[@]}"
	done
}
