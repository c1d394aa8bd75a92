#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Keeps C files in layers: fails, with a sentence for each, if there are circles of files that use functions of each
# other. Reads the sources named on the command line and no objects, so it needs nothing built. A file uses a function
# if it names it, whether to call it or to pass it on. Names after a dot or an arrow are members; headers are not read.
set -u

awk '
	# The line without its comments, strings and characters; in_comment lasts from line to line.
	function code_of(line,   code, at) {
		code = ""
		for (;;) {
			if (in_comment) {
				at = index(line, "*/")
				if (!at) return code
				line = substr(line, at + 2)
				in_comment = 0
			}
			if (!match(line, /\/\*|\/\/|"([^"\\]|\\.)*"|\047([^\047\\]|\\.)*\047/)) return code line
			code = code substr(line, 1, RSTART - 1) " "
			at = substr(line, RSTART, 2)
			line = substr(line, RSTART + RLENGTH)
			if (at == "//") return code
			if (at == "/*") in_comment = 1
		}
	}

	# In kernel style a definition begins in the first column, as its opening brace does.
	function note_definition(code,   name) {
		if (code ~ /^[a-z]/) header = code
		else if (code ~ /^{/ && header ~ /\(/ && header !~ /^(static|typedef|struct [a-z_]* *{)/) {
			name = header
			sub(/ *\(.*/, "", name)
			sub(/.*[ *]/, "", name)
			owner[name] = FILENAME
			function_count++
		} else if (code !~ /^[ \t]/) header = ""
	}

	function note_names(code,   word) {
		gsub(/(\.|->) *[A-Za-z_][A-Za-z_0-9]*/, " ", code)
		while (match(code, /[A-Za-z_][A-Za-z_0-9]*/)) {
			word = substr(code, RSTART, RLENGTH)
			code = substr(code, RSTART + RLENGTH)
			if (!((FILENAME, word) in named)) {
				named[FILENAME, word] = 1
				words[FILENAME] = words[FILENAME] " " word
			}
		}
	}

	# The circle that closes from path[last] back to file, as one sentence.
	function report(file, last,   i, sentence) {
		for (i = 1; path[i] != file; i++);
		sentence = "circle: " file
		for (; i < last; i++) sentence = sentence step(path[i], path[i + 1]) ", which"
		print sentence step(path[last], file) ": move a function, or return what to do"
		circles++
	}

	function step(from, to) {
		return " uses " uses[from, to] " of " to
	}

	# Depth first; a file that is on the path already closes a circle.
	function visit(file, depth,   i, count, next_files) {
		path[depth] = file
		state[file] = "open"
		count = split(below[file], next_files, " ")
		for (i = 1; i <= count; i++) {
			if (!(next_files[i] in state)) visit(next_files[i], depth + 1)
			else if (state[next_files[i]] == "open") report(next_files[i], depth)
		}
		state[file] = "done"
	}

	# What the file names of the functions of others.
	function link(file,   i, count, list, to) {
		count = split(words[file], list, " ")
		for (i = 1; i <= count; i++) {
			if (!(list[i] in owner) || owner[list[i]] == file) continue
			to = owner[list[i]]
			if ((file, to) in uses) uses[file, to] = uses[file, to] ", " list[i] "()"
			else {
				uses[file, to] = list[i] "()"
				below[file] = below[file] " " to
			}
		}
	}

	FNR == 1 { files[++file_count] = FILENAME; in_comment = 0; header = "" }
	/^#/ { next }
	{ code = code_of($0); note_definition(code); note_names(code) }

	END {
		if (!function_count) { print "no function was found"; exit 1 }
		for (f = 1; f <= file_count; f++) link(files[f])
		for (f = 1; f <= file_count; f++) if (!(files[f] in state)) visit(files[f], 1)
		printf "%d files, %d functions between them, %d circles\n", file_count, function_count, circles
		exit circles > 0
	}' "$@"
