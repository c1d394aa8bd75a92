# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What scenarios share: begin, check, and the end, which fails the scenario if one check has failed. A check that fails
# does not end the scenario, since the next ones may tell why; a step that fails does.
set -euo pipefail

. "$(dirname "${BASH_SOURCE[0]}")/../guests.sh"
judge=$top/out/host/judge
failures=0

# form SHORT LONG: prints the one for the form that this scenario runs in. In its short form it shows each of its promises once.
form() {
	if [ -z "${FULL-}" ]; then echo "$1"; else echo "$2"; fi
}

# Starts the lab of this scenario; arguments as guests_begin's, behind the folder.
scenario_begin() {
	guests_begin "$top/out/scenarios/$(basename "$0")" "$@"
	step "the lab is up: $*"
}

scenario_end() {
	[ "$failures" -eq 0 ] || echo "$failures checks failed"
	[ "$failures" -eq 0 ]
}

step() {
	printf '[%s] %s\n' "$(date -u +%T)" "$*"
}

# check SENTENCE COMMAND...: runs the command, prints what it says, and whether it succeeded.
check() {
	local sentence=$1
	shift
	if "$@"; then
		echo "ok: $sentence"
	else
		echo "FAILED: $sentence"
		failures=$((failures + 1))
	fi
}

# True if the numbers are equal.
is() {
	[ "$1" = "$2" ] || {
		echo "  it is $1, not $2"
		return 1
	}
}

# file_has FILE PATTERN, file_lacks FILE PATTERN: extended regular expressions; what is wrong is shown.
file_has() {
	grep -qE -- "$2" "$1" || {
		echo "  no line matches \"$2\"; the end of $1:"
		tail -n 5 "$1" | sed 's/^/  | /'
		return 1
	}
}

file_lacks() {
	! grep -a -E -- "$2" "$1" | sed 's/^/  | /' | grep . || return 1
}

# One sentence: one line that ends with a full stop or names what to do, and no trace of a crash.
is_one_sentence() {
	local lines
	lines=$(grep -c . "$1" || true)
	[ "$lines" = 1 ] && ! grep -qE 'Segmentation|Aborted|Assertion|core dumped' "$1" || {
		echo "  $lines lines instead of one sentence:"
		sed 's/^/  | /' "$1"
		return 1
	}
	sed 's/^/  | /' "$1"
}

# Messages of a guest's kernel that mean trouble.
trouble='WARNING:|BUG:|Oops|soft lockup|hard LOCKUP|rcu.*(detected .*stall|starved)|Call trace|Kernel panic'

# The consoles in the folders $@, joined in $work/all, have none of them. The first one is named by the check: a summary
# shows no more than that.
logs_check() {
	local folder first
	for folder in "$@"; do
		cat "$folder"/*.console
	done >"$work/all"
	first=$(grep -a -m 1 -E -- "$trouble" "$work/all") || true
	check "the guests' logs are clean${first:+, but for: ${first%$'\r'}}" file_lacks "$work/all" "$trouble"
}

# Every clock ran at the rate of true time in every leg of the manifest, within 0.1 %.
rates_are_true() {
	"$judge" legs "$manifest" | awk -F '\t' '{ print "  " $0 }
		{ for (i = 5; i <= 7; i++) if ($i < 0.999 || $i > 1.001) bad = 1 } END { exit bad || NR == 0 }'
}

# The refusal in $report: an error that names both rates.
refusal_names() {
	local rate
	sed 's/^/  | /' "$report"
	grep -q '"error"' "$report" || return 1
	for rate in "$@"; do
		grep -qE "$rate" "$report" || {
			echo "  it does not name $rate"
			return 1
		}
	done
}

# Words for a probe that does little: an exit of an emulated guest to its monitor takes 300 us, a timer needs several, each
# character on the console two.
quiet="sample_ms=200 sleepers=4 burst=20 pause_us=50000"
# Those for a probe with no particular task, and how many samples show that such a guest is well.
load=$(form "$quiet" "")
enough=$(form 10 24)

# ---- Guests that start another kernel ----

# The initial RAM disk of a guest on host $1 that has another kernel, with the usual disk, in the folder /next.
next_initrd=/tmp/next.cpio

next_push() {
	on "$1" sh -c 'cd /tmp && mkdir next && cp /seaclock/Image /seaclock/initrd.cpio.gz next &&
		find next | cpio -o -H newc >'$next_initrd' && cat /seaclock/initrd.cpio.gz >>'$next_initrd' && rm -r next'
}

# The probe has been ended, and another one will start, maybe under another kernel: what it prints is of a run of its own,
# called $1.
probe_next() {
	console_collect
	echo "end stopped" >>"$manifest"
	on "$guest_host" sh -c ': >"$1"' sh "$guest_console"
	guests_next "$1"
	leg=1
}

# The init of a guest that obeys has done $1 lines in this leg, the reading of its orders included.
obeyed() {
	guest_wait_for '^obeyed' "$1"
}

# Level and on_page of the guest, in its monitor's words.
guest_is() {
	on "$guest_host" "$seaclock" status "$guest" --json >"$work/status"
	file_has "$work/status" "\"level\": \"$1\"" && file_has "$work/status" "\"on_page\": $2"
}

# ---- Guests in files ----

# On the host where the guest is saved, or restored.
file=/tmp/guest.save

# Saves the guest, which ends with status 7, into $file; arguments are options of `seaclock save`.
guest_save() {
	local status=0
	on "$guest_host" "$seaclock" save "$guest" "$file" "$@" --json >"$work/$leg.save.json"
	guest_wait 20 || status=$?
	check "the monitor's exit status is 7 (saved)" is "$status" 7
	console_collect
	sed 's/^/  | /' "$work/$leg.save.json"
}

# Takes the file from the host of the guest to $1.
file_move() {
	lab pull "$guest_host" "$file" "$work/file"
	on "$guest_host" rm "$file"
	lab push "$1" "$work/file" "$file"
}

# Restores the guest on $1; further arguments are options of `seaclock restore`. What it reports is in $work/LEG.status.
guest_restore() {
	local host=$1
	shift
	leg_begin "$host"
	monitor_run "$host" "$guest_console" restore "$file" "$@" >"$guest_log" 2>&1 &
	guest_pid=$!
	guest_wait_for '^@sample' 1 60
	on "$host" "$seaclock" status "$guest" --json >"$work/$leg.status"
	grep 'runs here' "$guest_log" | sed 's/^/  | /'
}

# ---- A broken connection ----

# A relay on host $1, between its port $relay_port and its receiver; the other arguments are faults and their places.
relay_port=6001

# It finds its places by frames, which TLS would hide.
relay_push() {
	lab push "$1" "$top/out/arm64/lab/relay/relay" /tmp/relay
}

relay_start() {
	local host=$1
	shift
	relay_log=$work/relay.log
	on "$host" timeout "$(wait_scaled 300)" /tmp/relay "$relay_port" 5999 "$@" </dev/null >"$relay_log" 2>&1 &
	relay_pid=$!
	listening_wait "$host" "$relay_port"
}

# Waits until the relay's fault number $1 has begun, at most 40 s.
relay_wait() {
	local tries
	tries=$(($(wait_scaled 40) * 20))
	until [ "$(grep -c '^fault at' "$relay_log")" -ge "$1" ]; do
		((tries-- > 0)) || {
			echo "  the relay has only said: $(cat "$relay_log")"
			return 1
		}
		sleep 0.05
	done
}

relay_end() {
	on "$1" sh -c 'pid=$(pidof relay) && kill $pid' || true
	wait "$relay_pid" || true
}

# The migration to grace fails with a sentence, and the guest runs on at the source; further arguments are options of
# `seaclock migrate`.
breaks() {
	if migrate_ask grace "${@:2}"; then
		check "$1: the migration fails" false
		return 1
	fi
	check "$1: the report has the reason" refusal_names
	check "$1: the guest runs on at the source" guest_runs_on 8
	sed 's/^/  receiver | /' "$receive_log"
}

# The same through a relay on grace, which has fault $2 at $3.
through_relay() {
	step "$1"
	receive_start grace
	relay_start grace "$2" "$3"
	migrate_port=$relay_port
	breaks "$1" "${@:4}"
	migrate_port=
	check "$1: the receiver still waits" kill -0 "$receive_pid"
	relay_end grace
	receive_end grace
}
