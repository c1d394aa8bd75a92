#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The programs in doc/guest-library.md are the files that it names, character by character.
set -u

page=doc/guest-library.md
failed=0
programs=0

while read -r file; do
	programs=$((programs + 1))
	awk -v name="\`$file\`:" '$0 == name { found = 1 } found && /^```$/ { exit } inside { print }
		found && /^```c$/ { inside = 1 }' "$page" | cmp -s - "$file" || {
		echo "$page: the program is not what $file has: copy the file into the page"
		failed=1
	}
done < <(sed -n 's/^`\(test\/bare\/guests\/[a-z_]*\.c\)`:$/\1/p' "$page")

[ "$programs" -eq 3 ] || {
	echo "$page shows $programs programs instead of 3"
	failed=1
}
exit "$failed"
