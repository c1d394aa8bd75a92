# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Completion for bash of `seaclock`: its verbs, their options and the words that an option takes, all as the program's own
# help has them, and names of machines. Nothing is listed here.

# The usage of verb $1, or of all.
_seaclock_usage() {
	{ if [ -n "$1" ]; then seaclock "$1" --help; else seaclock --help; fi; } 2>/dev/null
}

_seaclock_verbs() {
	_seaclock_usage '' | sed -nE 's/^.* seaclock ([a-z]+).*/\1/p' | sort -u
}

# What option $2 of verb $1 takes, in the usage's words; empty for an option that takes nothing.
_seaclock_value() {
	_seaclock_usage "$1" | tr -d '\n' | grep -oE -- "\[$2( [^]]+)?\]" | sed -E 's/^\[[^ ]+ ?//; s/\]$//' | head -n 1
}

_seaclock_names() {
	seaclock status --json 2>/dev/null | sed -nE 's/^ {4}"name": "([^"]*)".*/\1/p'
}

# What word $1 can be, where a machine's name may stand, or a file's.
_seaclock_names_or_files() {
	compgen -W "$(_seaclock_names)" -- "$1"
	compgen -f -- "$1"
}

_seaclock_option_value() {
	local value=$1 word=$2
	case $value in
	'NAME|FILE') mapfile -t COMPREPLY < <(_seaclock_names_or_files "$word") ;;
	*FILE* | *DIR* | *PATH*) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
	*[A-Z]*) ;;
	*'|'*) mapfile -t COMPREPLY < <(compgen -W "${value//|/ }" -- "$word") ;;
	esac
}

_seaclock() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} verb=${COMP_WORDS[1]} value
	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_seaclock_verbs) --help --version" -- "$word")
	elif [[ $before == --* ]] && value=$(_seaclock_value "$verb" "$before") && [ -n "$value" ]; then
		_seaclock_option_value "$value" "$word"
	elif [[ $word == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_seaclock_usage "$verb" | grep -oE -- '--[a-z-]+' | sort -u)" -- "$word")
	elif [ "$COMP_CWORD" -eq 2 ]; then
		case $(_seaclock_usage "$verb") in
		*" $verb NAME|FILE"*) mapfile -t COMPREPLY < <(_seaclock_names_or_files "$word") ;;
		*" $verb HOST."*) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
		*) mapfile -t COMPREPLY < <(compgen -W "$(_seaclock_names)" -- "$word") ;;
		esac
	else
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
	fi
}

complete -o filenames -F _seaclock seaclock
