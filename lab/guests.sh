# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Drives guests in a lab and writes down what the judge needs: sourced by lab/demo and by the scenarios. A run has a
# folder, $work, with the manifest, one console per stay, one log per monitor and one report per migration. One guest at a
# time is "the" guest: $guest_host is where it runs. Every wait has a limit; guests_end stops all that was started.

top=$(realpath "$(dirname "${BASH_SOURCE[0]}")/..")
seaclock=/seaclock/seaclock
guest=guest     # the machine's name
guest_host=     # where the guest is
guest_pid=      # our end of the connection to its monitor
guest_console=  # on $guest_host
guest_kernel=/seaclock/Image # on its host
guest_initrd=/seaclock/initrd.cpio.gz
guest_typed=    # not empty: guests take what guest_type writes, by way of a FIFO named like the console
guest_log=      # what its monitor prints, here
run=1           # number of the guest in this lab
stay=0          # number of the current stay
migrate_port=   # of the receiver, if it is not the usual one
wait_limit=120  # seconds
# Emulated processors share this machine's own: a round trip takes a millisecond or several, and a few pages half a second.
# The defaults, 500 us and 300 ms, would refuse a migration whenever something else runs here.
migrate_limits=(--max-step 5000 --downtime 2000)

lab() {
	"$top/lab/lab" "$@"
}

on() {
	local host=$1
	shift
	lab exec "$host" -- "$@"
}

# Prepares the folder $1 and the lab in it; the other arguments are as in lab/lab up.
guests_begin() {
	local argument
	work=$(realpath -m "$1")
	shift
	export LAB_DIR=$work/lab
	rm -rf "$work/evidence"
	mkdir -p "$work/evidence"
	work=$work/evidence
	manifest=$work/manifest
	: >"$manifest"
	trap guests_end EXIT
	trap 'exit 130' INT TERM HUP
	[ ! -e "$LAB_DIR/hosts" ] || lab down
	lab up "$@"
	for argument in "$@"; do
		echo "host ${argument%%=*} ${argument#*=}" >>"$manifest"
	done
}

guests_end() {
	local status=$? pid
	trap '' INT TERM HUP
	for pid in $(jobs -pr); do
		kill "$pid" 2>/dev/null || true
	done
	[ ! -e "$LAB_DIR/hosts" ] || lab down || true
	exit "$status"
}

# Begins the manifest of a further guest in the same lab: $1 is the name of its folder beside the first one's.
guests_next() {
	local hosts
	hosts=$(grep -E '^(host|truth) ' "$manifest")
	work=$(dirname "$work")/$1
	rm -rf "$work"
	mkdir -p "$work"
	manifest=$work/manifest
	echo "$hosts" >"$manifest"
	run=$((run + 1))
	stay=0
}

# Holds each host's clock against truth.
guests_calibrate() {
	local host line
	for host in $(awk '$1 == "host" { print $2 }' "$manifest"); do
		line=$(lab truth "$host")
		[[ $line =~ realtime_offset_ns=(-?[0-9]+).*\ at_realtime_ns=([0-9]+)\ drift_ppb=(-?[0-9]+) ]] || {
			echo "lab/lab truth $host says \"$line\"" >&2
			return 1
		}
		echo "truth $host ${BASH_REMATCH[*]:1}" >>"$manifest"
	done
}

# Runs a monitor on host $1 whose guest has its console in file $2; the other arguments are seaclock's.
monitor_run() {
	local host=$1 console=$2
	shift 2
	if [ -z "$guest_typed" ]; then
		on "$host" "$seaclock" "$@" --console "$console" </dev/null
	else
		on "$host" sh -c 'console=$1; shift; rm -f "$console.typed"; mkfifo "$console.typed"
			exec "$@" <>"$console.typed" >>"$console"' sh "$console" "$seaclock" "$@" --console - </dev/null
	fi
}

# Types a line on the guest's console; its init obeys if sc.run=obey.
guest_type() {
	on "$guest_host" sh -c 'echo "$1" >"$2.typed"' sh "$1" "$guest_console"
}

# Starts a monitor on host $1 in the background: the other arguments are seaclock's. Its output goes to a log.
monitor_start() {
	local host=$1
	shift
	guest_log=$work/$stay.$host.log
	on "$host" "$seaclock" "$@" >"$guest_log" 2>&1 </dev/null &
	guest_pid=$!
}

# Boots the guest on host $1 with the words $2 on its command line; further arguments are options of `seaclock run`.
guest_run() {
	local host=$1 words=$2
	shift 2
	stay=$((stay + 1))
	guest_host=$host
	guest_console=/tmp/$run.$stay.console
	guest_log=$work/$stay.$host.log
	monitor_run "$host" "$guest_console" run "$guest" --kernel "$guest_kernel" --initrd "$guest_initrd" \
		--append "console=ttyAMA0 loglevel=5 $words" "$@" >"$guest_log" 2>&1 &
	guest_pid=$!
}

# Waits until the monitor on our end has exited, at most $1 seconds, and returns its exit status; 124: still there.
guest_wait() {
	local limit=${1:-$wait_limit} deadline
	deadline=$((SECONDS + limit))
	while kill -0 "$guest_pid" 2>/dev/null; do
		((SECONDS < deadline)) || return 124
		sleep 0.1
	done
	wait "$guest_pid"
}

# Waits on host $1 until the shell command $2 succeeds there, at most $3 seconds.
host_wait() {
	local tries=$((${3:-$wait_limit} * 5))
	on "$1" sh -c "i=0; until $2; do i=\$((i + 1)); [ \$i -lt $tries ] || exit 1; sleep 0.2; done"
}

# Waits until the guest's console has at least $2 lines (default 1) with the basic regular expression $1.
guest_wait_for() {
	host_wait "$guest_host" "[ \"\$(grep -c '$1' $guest_console 2>/dev/null)\" -ge ${2:-1} ] 2>/dev/null" "${3:-}" || {
		echo "the guest did not print \"$1\" ${2:-1} times in time; its console ends:" >&2
		# All of it is evidence: what a kernel says first may be far above its end.
		console_pull || true
		tail -n 60 "$work/$stay.console" >&2 || true
		return 1
	}
}

# Samples on the console of the current stay so far.
guest_samples() {
	on "$guest_host" grep -c '^@sample' "$guest_console" || true
}

# Waits for $1 more samples: the guest runs.
guest_runs_on() {
	local seen
	seen=$(guest_samples)
	guest_wait_for '^@sample' $((seen + $1)) "${2:-60}"
}

# Copies the console of the current stay.
console_pull() {
	lab pull "$guest_host" "$guest_console" "$work/$stay.console"
}

# The same of a stay that is over, and names it in the manifest.
console_collect() {
	console_pull
	echo "console $stay.console" >>"$manifest"
}

# Waits until something listens on port $2 of host $1, at most 20 s.
listening_wait() {
	host_wait "$1" "cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | grep -q '$(printf ':%04X 0*:0000 0A' "$2")'" 20
}

# Starts `seaclock receive` on host $1 and waits until it listens. Sets receive_pid and receive_log.
receive_start() {
	receive_console=/tmp/$run.$((stay + 1)).console
	receive_log=$work/$((stay + 1)).$1.log
	monitor_run "$1" "$receive_console" receive "$guest" --listen 0.0.0.0:5999 >"$receive_log" 2>&1 &
	receive_pid=$!
	listening_wait "$1" 5999 || {
		echo "seaclock receive on $1 does not listen:" >&2
		cat "$receive_log" >&2
		return 1
	}
}

# Ends a receiver on host $1 that still waits, where no guest runs. Its exit status is in $receive_status.
receive_end() {
	on "$1" sh -c 'pid=$(pidof seaclock) && kill $pid' || true
	receive_status=0
	wait "$receive_pid" || receive_status=$?
}

# Asks the guest's monitor to migrate to host $1, by way of $migrate_port if that is set; further arguments are options.
# The report is in $report.
migrate_ask() {
	report=$work/$stay.json
	on "$guest_host" "$seaclock" migrate "$guest" "$1${migrate_port:+:$migrate_port}" \
		"${migrate_limits[@]}" "${@:2}" --json >"$report" 2>"$work/$stay.migrate.log"
}

# Moves the guest to host $1, where it becomes stay number $stay; further arguments are options of `seaclock migrate`.
guest_move() {
	receive_start "$1"
	migrate_ask "$@" || {
		echo "the migration from $guest_host to $1 failed:" >&2
		cat "$report" "$work/$stay.migrate.log" >&2
		return 1
	}
	move_finish "$1"
}

# Follows the guest to host $1, where it runs since migrate_ask.
move_finish() {
	local to=$1 status=0
	echo "migration $guest_host $to $stay.json" >>"$manifest"
	guest_wait 20 || status=$?
	[ "$status" = 5 ] || {
		echo "the source's exit status is $status, not 5 (migrated away)" >&2
		return 1
	}
	console_collect
	stay=$((stay + 1))
	guest_host=$to
	guest_pid=$receive_pid
	guest_log=$receive_log
	guest_console=$receive_console
}

# The same for a guest that samples: it runs there.
guest_migrate() {
	guest_move "$@"
	guest_wait_for '^@sample' 1 60
}

# Ends the guest by `seaclock stop`.
guest_stop() {
	local status=0
	on "$guest_host" "$seaclock" stop "$guest" >/dev/null
	guest_wait 30 || status=$?
	console_collect
	echo "end stopped" >>"$manifest"
	[ "$status" = 6 ] || {
		echo "the monitor's exit status is $status, not 6 (stopped)" >&2
		return 1
	}
}
