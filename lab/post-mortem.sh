# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What a run that failed or was stopped writes down before its lab goes: the processor times of all threads of the
# emulators and of the monitors on their hosts, twice, which shows what is still working; what each monitor says of the
# guest; and the guest itself in a file, if it can still be saved. Each step has a limit of its own, and all of them
# together have one, below the grace that lab/scenarios/run gives; none has to succeed. Sourced by lab/guests.sh, whose
# guest, paths and limits it uses.

post_mortem_total=90     # seconds for all of it
post_mortem_limit=20      # seconds for one question to a host
post_mortem_save_limit=45 # seconds for the guest's file, to write and to copy

# Each line of /proc/PID/task/TID/stat on standard input for a reader. The clock ticks 100 times a second.
post_mortem_threads() {
	sed -nE 's/^([0-9]+) \((.*)\) (.) ([^ ]+ ){10}([0-9]+) ([0-9]+) .*/\1 \2: state \3, \5 ticks user, \6 system/p'
}

# The lab's command $2..., for $1 seconds at most, and not after the end of all.
post_mortem_lab() {
	local limit left=$((post_mortem_end - SECONDS))
	limit=$(wait_scaled "$1")
	[ "$left" -gt 0 ] || return 124
	timeout --kill-after=5 "$((limit < left ? limit : left))" "$top/lab/lab" "${@:2}" </dev/null
}

# A command on host $1, bounded.
post_mortem_ask() {
	post_mortem_lab "$post_mortem_limit" exec "$1" -- "${@:2}" 2>&1
}

# The threads of host $1: of its emulator here, and of the monitors there.
post_mortem_look() {
	echo "$(date -u +%T.%N) the emulator of $1"
	cat /proc/"$(cat "$LAB_DIR/$1/pid")"/task/*/stat | post_mortem_threads
	echo "$(date -u +%T.%N) the monitors on $1"
	post_mortem_ask "$1" sh -c 'for pid in $(pidof seaclock); do cat /proc/$pid/task/*/stat; done' | post_mortem_threads
}

# Saves the guest of host $1 and copies the file to $2. The guest has then ended there.
post_mortem_save() {
	post_mortem_lab "$post_mortem_save_limit" exec "$1" -- "$seaclock" save "$guest" /tmp/post-mortem.save &&
		post_mortem_lab "$post_mortem_save_limit" pull "$1" /tmp/post-mortem.save "$2"
}

# Writes all of it to the folder $1, HOST.threads, HOST.status, HOST.save and what became of the latter in
# HOST.save.log.
post_mortem_record() {
	local folder=$1 hosts host post_mortem_end=$((SECONDS + $(wait_scaled "$post_mortem_total")))
	hosts=$(cat "$LAB_DIR/hosts" 2>/dev/null) || return 0
	mkdir -p "$folder"
	for host in $hosts; do
		post_mortem_look "$host" >"$folder/$host.threads" 2>&1
	done
	sleep 1
	for host in $hosts; do
		post_mortem_look "$host" >>"$folder/$host.threads" 2>&1
		post_mortem_ask "$host" "$seaclock" status "$guest" --json >"$folder/$host.status" ||
			continue
		post_mortem_save "$host" "$folder/$host.save" >"$folder/$host.save.log" 2>&1
	done
}
