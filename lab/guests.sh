# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Drives guests in a lab and writes down what the judge needs: sourced by lab/demo and by the scenarios. A run has a
# folder, $work, with the manifest, one console per leg, one log per monitor and one report per migration. One guest at a
# time is "the" guest: $guest_host is where it runs. Every wait has a limit; guests_end stops all that was started.

top=$(realpath "$(dirname "${BASH_SOURCE[0]}")/..")
. "$top/mk/wait-scale.sh"
. "$top/lab/post-mortem.sh"
wait_scale_begin
seaclock=/seaclock/seaclock
guest=guest     # the machine's name
guest_host=     # where the guest is
guest_pid=      # our end of the connection to its monitor
guest_console=  # on $guest_host
guest_kernel=/seaclock/Image # on its host
guest_initrd=/seaclock/initrd.cpio.gz
guest_log=      # what its monitor prints, here
run=1           # number of the guest in this lab
leg=0           # number of the current leg, which is the guest's time on one host
migrate_port=   # of the receiver, if it is not the usual one
receive_name=   # of the machine there, if it is not the same
receive_options=() # of `seaclock receive`, besides the usual ones
# Of both ends of a migration; empty: by TLS. An emulated processor takes three times as long for a stream that it has to
# encrypt, so only scenarios that are about the channel have it.
channel_options=(--plain)
wait_limit=120  # seconds on a quiet machine; this limit and all others that are given here are scaled
lost_limit=5    # seconds after which a sleep, or a sample, counts as lost: the judge's and the probe's
silence=0       # seconds that both allow besides
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

# guests_begin FOLDER [--obey | --as TAG] NAME=RATE...: prepares the folder and the lab in it, as it was kept with the tag;
# with --obey, the guest obeys on its first host.
guests_begin() {
	local argument tag=booted
	work=$(realpath -m "$1")
	shift
	[ "$1" != --obey ] || { tag=obey && shift; }
	[ "$1" != --as ] || { tag=$2 && shift 2; }
	export LAB_DIR=$work/lab
	rm -rf "$work/evidence"
	mkdir -p "$work/evidence"
	work=$work/evidence
	manifest=$work/manifest
	: >"$manifest"
	trap guests_end EXIT
	trap 'exit 130' INT HUP
	trap 'exit 143' TERM
	[ ! -e "$LAB_DIR/hosts" ] || lab down
	lab up --as "$tag" "$@"
	for argument in "$@"; do
		argument=${argument%%,*}
		echo "host ${argument%%=*} ${argument#*=}" >>"$manifest"
	done
	guest_may_be_silent 0
	[ "$tag" != obey ] || guest_obey "${1%%=*}"
}

# After Ctrl-C nobody asks what went wrong; after a time limit, which sends TERM, somebody will.
guests_end() {
	local status=$? pid
	trap '' INT TERM HUP
	[ "$status" = 0 ] || [ "$status" = 130 ] || post_mortem_record "$work/post-mortem" || true
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
	leg=0
	guest_may_be_silent 0
}

# The guest's own load may keep the rest of it from running for $1 seconds on a quiet machine. How late is lost is a matter
# of waiting, so on a slow machine the judge, and the probes from here on, wait longer, as all else does.
guest_may_be_silent() {
	silence=$(($(wait_scaled $((lost_limit + $1))) - lost_limit))
	echo "silence $silence" >>"$manifest"
}

# Begins the manifest of a further guest, in the lab as it was when guests_begin had made it: the guest obeys again. What
# was known of the hosts' clocks is not true of these hosts.
guests_again() {
	local hosts
	mapfile -t hosts <"$LAB_DIR/arguments"
	guests_next "$1"
	sed -i '/^truth /d' "$manifest"
	lab down
	lab up --as obey "${hosts[@]}"
	run=1
	guest_obey "${hosts[0]%%=*}"
}

# Holds each host's clock against truth.
guests_calibrate() {
	local hosts line calibrated=0
	mapfile -t hosts < <(awk '$1 == "host" { print $2 }' "$manifest")
	lab truth "${hosts[@]}" >"$work/truth"
	while read -r line; do
		[[ $line =~ ^([^ ]+)\ realtime_offset_ns=(-?[0-9]+).*\ at_realtime_ns=([0-9]+)\ drift_ppb=(-?[0-9]+) ]] || break
		echo "truth ${BASH_REMATCH[*]:1}" >>"$manifest"
		calibrated=$((calibrated + 1))
	done <"$work/truth"
	[ "$calibrated" = ${#hosts[@]} ] || {
		echo "lab/lab truth says \"$(cat "$work/truth")\"" >&2
		return 1
	}
}

# Sets the hosts' clocks by the first one's, as a common source of time would have done; that one's guests notice nothing.
# The hosts carry the store.
guests_clocks_set() {
	local name offset first=
	guests_calibrate
	while read -r name offset; do
		first=${first:-$offset}
		on "$name" /seaclock/store/discipline step $((offset - first)) </dev/null >/dev/null
	done < <(awk '$1 == "host" { order[++n] = $2 } $1 == "truth" { offset[$2] = $3 }
		END { for (i = 1; i <= n; i++) print order[i], offset[order[i]] }' "$manifest")
	sed -i '/^truth /d' "$manifest"
}

# Runs a monitor on host $1 whose guest has its console in file $2, and takes what guest_type writes through a FIFO
# beside it; the other arguments are seaclock's.
monitor_run() {
	local host=$1 console=$2
	shift 2
	on "$host" sh -c 'console=$1; shift; rm -f "$console.typed"; mkfifo "$console.typed"
		exec "$@" <>"$console.typed" >>"$console"' sh "$console" "$seaclock" "$@" --console - </dev/null
}

# Runs the command $3... on host $1, whose guest has its console on standard input and output, as monitor_run does; but it
# goes on when the connection that started it ends: it logs into a file beside the console $2, and leaves its exit status
# in another.
command_run_apart() {
	on "$1" sh -c 'mkfifo "$1.typed"; setsid sh -c "\"\$@\" <>\"\$0.typed\" >>\"\$0\" 2>\"\$0.log\"
		echo \$? >\"\$0.status\"" "$@" </dev/null >/dev/null 2>&1 &' sh "${@:2}"
}

# The same for a monitor.
monitor_run_apart() {
	command_run_apart "$1" "$2" "$seaclock" "${@:3}" --console -
}

# Stands for such a monitor until it ends: then prints its log, and returns its status. A connection that breaks, which on
# a busy machine one has, says nothing of the monitor: it is asked again.
monitor_attend() {
	local status='' tries=3
	until [ -n "$status" ] || [ $((tries--)) = 0 ]; do
		status=$(on "$1" sh -c 'until [ -s "$1.status" ]; do sleep 0.1; done; cat "$1.status"' sh "$2" </dev/null) ||
			sleep 1
	done
	on "$1" cat "$2.log" </dev/null
	return "${status:-255}"
}

# Types a line on the guest's console; its init obeys if sc.run=obey.
guest_type() {
	on "$guest_host" sh -c 'echo "$1" >"$2.typed"' sh "$1" "$guest_console"
}

# The next leg is on host $1: names the guest's console there, and the log of its monitor here.
leg_begin() {
	leg=$((leg + 1))
	guest_host=$1
	guest_console=/tmp/$run.$leg.console
	guest_log=$work/$leg.$1.log
}

# Starts a monitor for the leg that has begun, in the background: the arguments are seaclock's. Its output goes to a log.
monitor_start() {
	on "$guest_host" "$seaclock" "$@" >"$guest_log" 2>&1 </dev/null &
	guest_pid=$!
}

# scaled_most LIMIT MOST: the limit as it is here, but no more than a kernel takes.
scaled_most() {
	local limit
	limit=$(wait_scaled "$1")
	echo $((limit < $2 ? limit : $2))
}

# After how many seconds a guest's kernel reports a stall, and half of those after which it reports a lockup, is a matter of
# waiting, too: on a quiet machine these are its own defaults.
stall_limit=$(scaled_most 21 300)
lockup_limit=$(scaled_most 10 60)
# What every Linux guest's command line begins with.
kernel_words="console=ttyAMA0 loglevel=5 rcupdate.rcu_cpu_stall_timeout=$stall_limit watchdog_thresh=$lockup_limit"

# Sets both limits of a running guest to $1 and $2.
kernel_wait_for() {
	local seen
	seen=$(guest_count '^obeyed')
	guest_type "echo $1 >/sys/module/rcupdate/parameters/rcu_cpu_stall_timeout
		echo $2 >/proc/sys/kernel/watchdog_thresh"
	guest_wait_for '^obeyed' $((seen + 2))
}

# The guest that most scenarios begin with: two vCPUs on host $1, its init waiting for orders. It is kept with its lab, so
# it boots for the first of them only.
guest_obey() {
	leg_begin "$1"
	if [ "$(cat "$LAB_DIR/kept" 2>/dev/null)" != obey ]; then
		monitor_run_apart "$1" "$guest_console" run "$guest" --kernel "$guest_kernel" --initrd "$guest_initrd" \
			--append "console=ttyAMA0 loglevel=5 sc.run=obey" --vcpus 2 --memory 160
		guest_wait_for '^obeyed'
		lab keep obey
	fi
	monitor_attend "$1" "$guest_console" >"$guest_log" 2>&1 &
	guest_pid=$!
	# It was kept perhaps when this machine was quicker or slower.
	kernel_wait_for "$stall_limit" "$lockup_limit"
}

# Has it start a probe with the arguments $@.
guest_probe() {
	guest_type "probe forever silence_s=$silence $* &"
}

# Boots the guest on host $1 with the words $2 on its command line; further arguments are options of `seaclock run`.
guest_run() {
	local words=$2
	leg_begin "$1"
	shift 2
	monitor_run "$guest_host" "$guest_console" run "$guest" --kernel "$guest_kernel" --initrd "$guest_initrd" \
		--append "$kernel_words $words" "$@" >"$guest_log" 2>&1 &
	guest_pid=$!
}

# Waits until the monitor on our end has exited, at most $1 seconds, and returns its exit status; 124: still there. The
# seconds are counted, for a clock jumps where this machine itself was made to stand still.
guest_wait() {
	local tries
	tries=$(($(wait_scaled "${1:-$wait_limit}") * 10))
	while kill -0 "$guest_pid" 2>/dev/null; do
		((tries-- > 0)) || return 124
		sleep 0.1
	done
	wait "$guest_pid"
}

# Waits on host $1 until the shell command $2 succeeds there, at most $3 seconds.
host_wait() {
	local tries
	tries=$(($(wait_scaled "${3:-$wait_limit}") * 5))
	on "$1" sh -c "i=0; until $2; do i=\$((i + 1)); [ \$i -lt $tries ] || exit 1; sleep 0.2; done"
}

# Waits until the guest's console has at least $2 lines (default 1) with the basic regular expression $1.
guest_wait_for() {
	host_wait "$guest_host" "[ \"\$(grep -c '$1' $guest_console 2>/dev/null)\" -ge ${2:-1} ] 2>/dev/null" "${3:-}" || {
		echo "the guest did not print \"$1\" ${2:-1} times in time; its console ends:" >&2
		# All of it is evidence: what a kernel says first may be far above its end.
		console_pull || true
		tail -n 60 "$work/$leg.console" >&2 || true
		return 1
	}
}

# Lines on the console of the current leg so far that have the basic regular expression $1.
guest_count() {
	on "$guest_host" grep -c "$1" "$guest_console" || true
}

# Waits for $2 more of them than there are, at most $3 seconds.
guest_wait_next() {
	local seen
	seen=$(guest_count "$1")
	guest_wait_for "$1" $((seen + $2)) "${3:-}"
}

# Samples so far.
guest_samples() {
	guest_count '^@sample'
}

# Waits for $1 more samples: the guest runs.
guest_runs_on() {
	guest_wait_next '^@sample' "$1" "${2:-60}"
}

# Copies the console of the current leg.
console_pull() {
	lab pull "$guest_host" "$guest_console" "$work/$leg.console"
}

# The same for a leg that is over, and names it in the manifest.
console_collect() {
	console_pull
	echo "console $leg.console" >>"$manifest"
}

# Waits until something listens on port $2 of host $1, at most 20 s.
listening_wait() {
	host_wait "$1" "cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | grep -q '$(printf ':%04X 0*:0000 0A' "$2")'" 20
}

# Starts `seaclock receive` on host $1 and waits until it listens. Sets receive_pid and receive_log.
receive_start() {
	receive_console=/tmp/$run.$((leg + 1)).console
	receive_log=$work/$((leg + 1)).$1.log
	monitor_run "$1" "$receive_console" receive "${receive_name:-$guest}" --listen 0.0.0.0:5999 "${channel_options[@]}" \
		"${receive_options[@]}" >"$receive_log" 2>&1 &
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

# The host of a lab of two where the guest is not.
guest_other_host() {
	awk -v here="$guest_host" '$1 == "host" && $2 != here { print $2; exit }' "$manifest"
}

# Asks the guest's monitor to migrate to host $1, through $migrate_port if that is set; further arguments are options.
# The report is in $report.
migrate_ask() {
	report=$work/$leg.json
	on "$guest_host" "$seaclock" migrate "$guest" "$1${migrate_port:+:$migrate_port}" \
		"${migrate_limits[@]}" "${channel_options[@]}" "${@:2}" --json >"$report" 2>"$work/$leg.migrate.log"
}

# Moves the guest to host $1, where it becomes leg number $leg; further arguments are options of `seaclock migrate`.
guest_move() {
	receive_start "$1"
	migrate_ask "$@" || {
		echo "the migration from $guest_host to $1 failed:" >&2
		cat "$report" "$work/$leg.migrate.log" >&2
		return 1
	}
	move_finish "$1"
}

# Follows the guest to host $1, where it has run since migrate_ask.
move_finish() {
	local to=$1 status=0
	echo "migration $guest_host $to $leg.json" >>"$manifest"
	guest_wait 20 || status=$?
	[ "$status" = 5 ] || {
		echo "the source's exit status is $status, not 5 (migrated away)" >&2
		return 1
	}
	guest_follow "$to"
}

# The guest has left its host, and is where the last receiver was, on host $1.
guest_follow() {
	console_collect
	leg=$((leg + 1))
	guest_host=$1
	guest_pid=$receive_pid
	guest_log=$receive_log
	guest_console=$receive_console
}

# The same for a guest that takes samples, until it has taken one there.
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
		echo "the monitor's exit status is $status, not 6 (stopped); monitors on $guest_host:" \
			"$(on "$guest_host" pidof seaclock </dev/null || echo none)" >&2
		return 1
	}
}
