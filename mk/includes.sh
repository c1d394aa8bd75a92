# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Who includes whom, for whatever looks at the structure of the tree. Sourced.

# Where compilers look for what is not beside the including file (mk/flags.mk, and the rules of test/ and linux/).
includes_path='vmm include test/bare test/conformance'

# Prints a line FILE LINE INCLUDED for each #include of a file of the tree in the current folder, sorted by file. What a
# system or a kernel provides is left out. INCLUDED is a path from the top, or "NAME" in quotes if there is no such file.
includes_list() {
	find include core repair guest linux vmm lab test bench -name '*.[chS]' 2>/dev/null | sort | awk -v path="$includes_path" '
		# Folds a/../ away.
		function plain(name) {
			while (match(name, /[^\/]+\/\.\.\//))
				name = substr(name, 1, RSTART - 1) substr(name, RSTART + RLENGTH)
			return name
		}
		function resolve(file, name, quoted,    folder, i) {
			folder = file
			sub(/[^\/]*$/, "", folder)
			if (quoted && (plain(folder name) in exists))
				return plain(folder name)
			for (i = 1; i <= count; i++)
				if ((plain(folders[i] "/" name)) in exists)
					return plain(folders[i] "/" name)
			return quoted ? "\"" name "\"" : ""
		}
		BEGIN { count = split(path, folders, " ") }
		{ files[NR] = $0; exists[$0] }
		END {
			for (n = 1; n <= NR; n++) {
				line = 0
				while ((getline text < files[n]) > 0) {
					line++
					if (text !~ /^[ \t]*#[ \t]*include[ \t]*["<]/)
						continue
					quoted = text ~ /^[^<]*"/
					sub(/^[^"<]*["<]/, "", text)
					sub(/[">].*/, "", text)
					found = resolve(files[n], text, quoted)
					if (found != "")
						print files[n], line, found
				}
				close(files[n])
			}
		}'
}
