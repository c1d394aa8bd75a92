#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Checks who may include whom in the tree of the current folder. In vmm/, no folder includes one of a higher level or
# another of its own level (mk/levels). The parts that others build on include nothing but what is listed below. And no
# file includes itself by way of others. Each breach is a line: where, what is included, why that is wrong.
set -u

here=$(dirname "$0")
. "$here/includes.sh"

# A part of the tree: what it may include besides itself. The longest matching name counts; what is not listed is free.
parts='
include:
core: include
example: include
repair: include
guest: include
vmm: include
linux: include
linux/selftest: include linux test/conformance
'

includes_list | awk -v parts="$parts" '
	function breach(text) {
		print text
		bad = 1
	}

	function within(path, part) {
		return index(path, part "/") == 1
	}

	# base of vmm/base/log.c; empty outside the folders of vmm/.
	function folder_of(path,    names) {
		return split(path, names, "/") > 2 && names[1] == "vmm" ? names[2] : ""
	}

	function check_part(place, file, target,    part, mine, allowed, names, count, i) {
		for (part in may)
			if (within(file, part) && length(part) > length(mine))
				mine = part
		if (mine == "" || within(target, mine))
			return 1
		count = split(may[mine], names, " ")
		for (i = 1; i <= count; i++) {
			if (within(target, names[i]))
				return 1
			allowed = allowed " and " names[i] "/"
		}
		breach(place " includes " target ", but " mine "/ may include only its own headers" allowed)
		return 0
	}

	function check_level(place, file, target,    from, to) {
		from = folder_of(file)
		to = folder_of(target)
		if (from == "" || to == "" || from == to || !(from in level) || !(to in level))
			return
		if (level[to] > level[from])
			breach(place " includes " target ", but " to "/ is above " from "/ (mk/levels)")
		else if (level[to] == level[from])
			breach(place " includes " target ", but " to "/ is on the level of " from "/ (mk/levels)")
	}

	# Folders of vmm/ that have no level would escape the check, and so would files beside the folders.
	function check_listed(path,    folder) {
		folder = folder_of(path)
		if (!within(path, "vmm") || folder in level || folder in reported)
			return
		reported[folder]
		if (folder == "")
			breach(path ": belongs in a folder of vmm/ that has a level (mk/levels)")
		else
			breach("vmm/" folder "/: has no level, add it to mk/levels")
	}

	# Visits what file includes, depth first; state 1: on the way here, 2: done.
	function visit(file, depth,    i, next_file, way, k) {
		state[file] = 1
		stack[depth] = file
		for (i = 1; i <= count_of[file]; i++) {
			next_file = target_of[file, i]
			if (!(next_file in state))
				visit(next_file, depth + 1)
			else if (state[next_file] == 1) {
				way = next_file
				for (k = depth; stack[k] != next_file; k--)
					way = stack[k] " -> " way
				breach(file ":" line_of[file, i] ": includes " next_file ", which closes a circle: " \
					next_file " -> " way)
			}
		}
		state[file] = 2
	}

	BEGIN {
		for (i = split(parts, lines, "\n"); i > 0; i--)
			if (split(lines[i], pair, ":") == 2)
				may[pair[1]] = pair[2]
	}
	NR == FNR {
		if ($1 != "#") {
			height++
			for (i = 1; i <= NF; i++)
				level[$i] = height
		}
		next
	}
	{
		place = $1 ":" $2 ":"
		if ($3 ~ /^"/) {
			breach(place " includes " $3 ", which is not in the tree")
			next
		}
		check_listed($1)
		check_listed($3)
		if (check_part(place, $1, $3))
			check_level(place, $1, $3)
		if (!($1 in count_of))
			order[++files] = $1
		target_of[$1, ++count_of[$1]] = $3
		line_of[$1, count_of[$1]] = $2
	}
	END {
		for (n = 1; n <= files; n++)
			if (!(order[n] in state))
				visit(order[n], 1)
		exit bad
	}' "$here/levels" -
