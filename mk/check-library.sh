#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The core as a library for others: it exports what its header declares and nothing else, each name with the version
# that its version script gives, there are test vectors of each, and its headers are C++ as well.
# Usage: check-library.sh LIBRARY
set -u

library=$1
failed=0

declared() {
	ctags --languages=C --langmap=C:.h --kinds-C=p -f - include/seaclock/core.h | cut -f 1 | sort -u |
		sed 's/$/@@SEACLOCK_0/'
}

exported() {
	aarch64-linux-gnu-nm -D --defined-only --with-symbol-versions "$library" | awk '$2 != "A" { print $3 }' | sort
}

differing=$(diff <(declared) <(exported)) || {
	echo "include/seaclock/core.h (<) and $library (>) differ, so core/libseaclock.map is not right:"
	echo "$differing"
	failed=1
}

tested() {
	grep -o '"function":"[^"]*"' test/vectors/vectors.json | cut -d '"' -f 4 | sort -u | sed 's/$/@@SEACLOCK_0/'
}

untested=$(comm -23 <(exported) <(tested))
[ -z "$untested" ] || {
	echo "test/vectors/vectors.json has no case of these:"
	echo "$untested"
	failed=1
}

# Compiles a file of C++ that includes the headers $@.
compile() {
	local standard
	for standard in c++11 c++20; do
		clang --std="$standard" -Wall -Wextra -Werror -Iinclude -I. --target=aarch64-linux-gnu \
			-isystem /usr/aarch64-linux-gnu/include -x c++ -fsyntax-only - < <(printf '#include "%s"\n' "$@") || {
			echo "no $standard: $*"
			failed=1
		}
	done
}

for header in include/seaclock/*.h; do
	compile "$header"
done
# One program may need them all.
compile include/seaclock/*.h
exit "$failed"
