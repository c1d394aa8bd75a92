#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What every file owes the reader: the licence of its part, a purpose, clean lines. And what no file may hold: the paths
# of somebody's machine, the name of a mirror, an address outside the documents.
set -u

failed=0
mapfile -t files < <(find . \( -path ./.git -o -path ./out -o -path ./LICENSES \) -prune -o -type f -print |
	sed 's#^\./##' | sort | xargs grep -Il '')
self=mk/check-text.sh

report() {
	echo "$1"
	failed=1
}

# The places where pattern $2 stands in the files after it; $1 says what is wrong with them.
forbid() {
	local what=$1 pattern=$2 places
	shift 2
	[ $# -gt 0 ] || return 0
	places=$(grep -nE "$pattern" "$@" /dev/null) && report "$what:"$'\n'"$places"
}

is_source() {
	case $1 in
	*.c | *.h | *.S | *.sh | *.py | *.mk | *.awk | *.gp | *.lds | *.patch | */Kbuild | Makefile) return 0 ;;
	*) head -c 2 "$1" | grep -q '^#!' ;;
	esac
}

licence_of() {
	case $1 in
	*.mk) echo 'BSD-2-Clause' ;;
	core/* | include/*) echo 'BSD-2-Clause OR GPL-2.0-only' ;;
	linux/* | *.patch) echo 'GPL-2.0-only' ;;
	*) echo 'BSD-2-Clause' ;;
	esac
}

# First the licence, by itself (after a #! line), then a comment that says what the file is for.
check_head() {
	local path=$1 found want
	want=$(licence_of "$path")
	found=$(head -n 2 "$path" | sed -n 's/.*SPDX-License-Identifier: \([^*]*[^ *]\).*/\1/p')
	[ "$found" = "$want" ] || report "$path: the first line says licence '$found', its folder has '$want'"
	head -n 12 "$path" | grep -v -e SPDX -e '^#!' | grep -qE '^( \*|/\*|#|//).*([[:alnum:]]+[ ,.:;]+){3}' ||
		report "$path: no comment at the top says what it is for"
}

for path in "${files[@]}"; do
	! is_source "$path" || check_head "$path"
done

mapfile -t text < <(printf '%s\n' "${files[@]}" | grep -vE "\.(svg|png)$|^$self$")
# Debian's form of a copyright begins with its own address.
mapfile -t code < <(printf '%s\n' "${text[@]}" | grep -vE '\.md$|\.1$|^debian/copyright$')
forbid 'trailing space' '[[:space:]]+$' "${text[@]}"
forbid 'path of one machine' '(^|[^[:alnum:]_.}/-])/(home|work|workspace|tmp/bash)[_/]' "${text[@]}"
forbid 'name of a mirror' '(deb|security|ftp|archive|ports|mirrors?)\.[a-z.]*(debian|ubuntu|kernel)\.(org|com)' "${text[@]}"
forbid 'address in a source' 'https?://' "${code[@]}"
forbid 'note to oneself' '(^|[^[:alnum:].])(TODO|FIXME|XXX)([^[:alnum:]]|$)' "${text[@]}"
exit "$failed"
