#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The committed inputs of a fuzz target are one text file, a line NAME HEX for each, so that the tree holds a file for
# each target and not one for each input. They are sorted by name: the same inputs always give the same file.
#
# Usage: corpus.sh pack FOLDER FILE
#        corpus.sh unpack FILE FOLDER    (what was in the folder goes)
set -euo pipefail
export LC_ALL=C

# libFuzzer names what it finds by 40 digits.
name_of() {
	if [[ $1 =~ ^[0-9a-f]{40}$ ]]; then echo "${1:0:12}"; else echo "$1"; fi
}

pack() {
	local path
	for path in "$1"/*; do
		echo "$(name_of "${path##*/}") $(basenc --base16 -w 0 "$path")"
	done | sed 's/ $//' | sort -u >"$2.new"
	mv "$2.new" "$2"
}

unpack() {
	local name hex
	rm -rf "$2"
	mkdir -p "$2"
	while read -r name hex; do
		basenc --base16 -d <<<"$hex" >"$2/$name"
	done <"$1"
}

case $#${1-} in
3pack | 3unpack) "$@" ;;
*) sed -n 's/^# \(Usage\)/\1/p; s/^#        /       /p' "$0" >&2; exit 2 ;;
esac
