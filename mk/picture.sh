#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The picture of the architecture: a box for each folder, those of vmm/ by their levels (mk/levels), and an arrow from
# each folder to each that it includes, with the number of includes. test/ may include everything, so its arrows into
# vmm/ are drawn as one. An arrow to a higher level is red.
#
# Usage: picture.sh draw     writes doc/architecture.dot and, from that, doc/architecture.svg; needs graphviz
#        picture.sh check    names the arrows that doc/architecture.dot lacks or should not have; numbers may differ
set -u

here=$(dirname "$0")
. "$here/includes.sh"
text=doc/architecture.dot
drawing=doc/architecture.svg

# Prints a line FROM TO NUMBER for each arrow.
arrows_list() {
	includes_list | awk '
		function folder(path,    names, count) {
			count = split(path, names, "/")
			return names[1] == "vmm" && count > 2 ? "vmm/" names[2] : names[1]
		}
		{
			from = folder($1)
			to = folder($3)
			if (from == "test")
				sub(/\/.*/, "", to)
			if (from != to)
				number[from " " to]++
		}
		END {
			for (arrow in number)
				print arrow, number[arrow]
		}' | sort
}

# Prints a line FROM TO for each arrow of the text on standard input.
arrows_drawn() {
	sed -n 's/^\t"\([^"]*\)" -> "\([^"]*\)" \[label=.*/\1 \2/p' | sed 's/^test vmm\/.*/test vmm/' | sort
}

# Boxes of a level stand side by side, and an invisible arrow keeps each level below the one above it.
dot_levels() {
	awk '
		$1 != "#" && NF > 0 {
			boxes = ""
			for (i = 1; i <= NF; i++)
				boxes = boxes "\"vmm/" $i "\" [label=\"" $i "\"]; "
			print "\t\t{ rank=same; " boxes "}"
			if (below != "")
				print "\t\t\"vmm/" $1 "\" -> \"" below "\" [style=invis, weight=8]"
			below = "vmm/" $1
		}' "$here/levels"
}

# What nearly everybody includes is drawn pale. The frame of vmm/ is no box: an arrow to it ends at the frame on its way
# to a box inside.
dot_arrows() {
	awk '
		NR == FNR {
			height++
			for (i = 1; i <= NF; i++)
				level["vmm/" $i] = height
			next
		}
		{
			style = ""
			if ($1 in level && $2 in level && level[$1] <= level[$2])
				style = ", constraint=false, color=\"#c0201c\", fontcolor=\"#c0201c\""
			else if ($2 == "vmm/base" || $2 == "include")
				style = ", color=\"#b4bfcd\", fontcolor=\"#75808f\""
			if ($2 == "vmm") {
				$2 = "vmm/machine"
				style = ", lhead=cluster_vmm"
			}
			printf "\t\"%s\" -> \"%s\" [label=%d%s]\n", $1, $2, $3, style
		}' <(grep -v '^#' "$here/levels") -
}

dot_write() {
	cat <<-'END'
		// The architecture: who includes whom. Written by `make picture` (mk/picture.sh), from the tree.
		digraph architecture {
			graph [bgcolor=white, compound=true, nodesep=0.35, ranksep=0.4, fontname="Helvetica,sans-serif"]
			node [shape=box, style="filled,rounded", height=0.36, margin="0.12,0.04", fontname="Helvetica,sans-serif",
				fontsize=13, fillcolor="#e8eff9", color="#30507a"]
			edge [color="#30507a", fontname="Helvetica,sans-serif", fontsize=10, arrowsize=0.6]
			"bench", "lab", "test" [fillcolor="#f2f2f2"]
			"core", "repair", "guest", "include", "linux" [fillcolor="#e9f5e6"]
			subgraph cluster_vmm {
				graph [label="vmm", labeljust=l, fontsize=13, bgcolor="#fafcff", color="#30507a"]
	END
	dot_levels
	printf '\t}\n'
	arrows_list | dot_arrows
	echo '}'
}

draw() {
	if ! command -v dot >/dev/null; then
		echo "drawing needs dot: as root, run apt-get install --no-install-recommends graphviz" >&2
		exit 1
	fi
	dot_write >"$text" && dot -Tsvg "$text" -o "$drawing"
}

check() {
	local tree drawn
	tree=$(arrows_list | cut -d ' ' -f 1,2)
	drawn=$(arrows_drawn <"$text") || exit 1
	[ "$tree" != "$drawn" ] || exit 0
	comm -23 <(echo "$tree") <(echo "$drawn") | sed "s/ / -> /; s|\$|: in the tree, not in $text: run make picture|"
	comm -13 <(echo "$tree") <(echo "$drawn") | sed "s/ / -> /; s|\$|: in $text, no more in the tree: run make picture|"
	exit 1
}

case ${1-} in
draw | check) "$1" ;;
*) echo "usage: picture.sh draw | check" >&2; exit 2 ;;
esac
