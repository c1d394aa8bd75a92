# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Live migration beside QEMU's: sourced by bench/lab-bench. Both monitors have the same guest on the same two hosts, whose
# counters have one rate, since QEMU's guest could not live with another; nothing is encrypted. They take turns, and the
# one whose turn it is not is stopped meanwhile. The guest prints a sign of life every few ms (test/guest/pulse.c), which
# the hosts stamp with their time: the gap is what an observer sees, by true time, whatever a monitor reports.
moved_hosts=(tern skua)
moved_rate=100000000
moved_port=5998 # of QEMU's target
moved_pulse_ms=10
moved_lines=100 # of it that are looked at on each side of a move
moved_monitors=(seaclock qemu)
moved_turns=5
moved_limit=90 # seconds for the next signs of life, on a quiet machine
[ -z "${SHORT-}" ] || moved_turns=1
declare -A moved_at # the host that the monitor's guest is on,
declare -A moved_leg # and how often it has moved
declare -A moved_offset # of a host's clock

# Kinds of guests, one a line: its name in figures, what it is, vCPUs, MiB, and KiB that it writes a second.
moved_kinds() {
	cat <<-END
		idle|idle, 1 vCPU, 256 MiB|1|256|0
		writing|3 MiB/s of writes|1|256|3072
	END
	[ -n "${SHORT-}" ] || cat <<-END
		vcpus_2|idle, 2 vCPUs|2|256|0
		vcpus_4|idle, 4 vCPUs|4|256|0
	END
}

# Runs the monitor $1 on host $2, by the command $3..., as the monitor's next leg. Its guest's console is stamped.
moved_run() {
	local console=/tmp/moved.$1.$((${moved_leg[$1]} + 1))
	command_run_apart "$2" "$console" sh -c '"$@" | /tmp/stamp' sh "${@:3}"
}

moved_words() {
	echo "console=ttyAMA0 loglevel=4 sc.module=0 sc.run=pulse,$moved_pulse_ms,$1"
}

moved_run_seaclock() {
	local host=$1 vcpus=$2 mib=$3 words=$4
	moved_run seaclock "$host" "$seaclock" run moved --kernel "$guest_kernel" --initrd "$guest_initrd" --append "$words" \
		--vcpus "$vcpus" --memory "$mib" --console -
}

moved_run_qemu() {
	local host=$1 vcpus=$2 mib=$3 words=$4
	host_shell "$host" 'rm -f /tmp/moved.qmp.*; mkfifo /tmp/moved.qmp.in /tmp/moved.qmp.out'
	moved_run qemu "$host" "${peer_qemu[@]}" -smp "$vcpus" -m "$mib" -append "$words" \
		-chardev pipe,id=control,path=/tmp/moved.qmp -mon chardev=control,mode=readline "${@:5}"
	host_shell "$host" 'setsid cat /tmp/moved.qmp.out >/tmp/moved.qmp.said 2>/dev/null </dev/null &'
}

moved_receive_seaclock() {
	moved_run seaclock "$1" "$seaclock" receive moved --listen 0.0.0.0:5999 --plain --console -
	listening_wait "$1" 5999
}

moved_receive_qemu() {
	moved_run_qemu "$@" -incoming "tcp:0:$moved_port"
	listening_wait "$1" "$moved_port"
}

# Prints downtime in ms, the whole time in ms, and KiB of the migration from host $1 to host $2.
moved_ask_seaclock() {
	host_shell "$1" "seconds() { read -r up rest </proc/uptime; echo \$up; }
		begun=\$(seconds)
		$seaclock migrate moved $2 --plain --max-step 5000 --json >/tmp/moved.json || exit
		echo \$begun \$(seconds)
		cat /tmp/moved.json" | tee "$work/moved.$2.json" | awk 'NR == 1 { time = ($2 - $1) * 1000 }
		match($0, /"downtime_ms": [0-9.]+/) { down = substr($0, RSTART + 15, RLENGTH - 15) }
		match($0, /"bytes": [0-9]+/) { kib = substr($0, RSTART + 9, RLENGTH - 9) / 1024 }
		END { if (kib) printf "%.0f %.0f %.0f\n", down, time, kib }'
}

moved_ask_qemu() {
	host_shell "$1" "echo 'migrate -d tcp:$2:$moved_port' >/tmp/moved.qmp.in
		until grep -q '^Migration status: completed' /tmp/moved.qmp.said; do
			! grep '^Migration status: failed' /tmp/moved.qmp.said || exit 1
			sleep 0.3
			echo info migrate >/tmp/moved.qmp.in
		done
		echo quit >/tmp/moved.qmp.in
		tr -d '\r' </tmp/moved.qmp.said" | awk '/^downtime:/ { down = $2 } /^total time:/ { time = $3 }
		/^transferred ram:/ { kib = $3 } END { if (kib) print down, time, kib }'
}

# Stops the guest of monitor $1, or has it go on, by the signal $2.
moved_signal() {
	host_shell "${moved_at[$1]}" "kill -$2 \$(pidof $([ "$1" = qemu ] && echo qemu-system-aarch64 || echo seaclock))"
}

# The longest time without a sign of life around the last move of monitor $1, from host $2 to host $3, in ms.
moved_gap() {
	local leg=${moved_leg[$1]}
	{
		host_shell "$2" "tail -n $moved_lines /tmp/moved.$1.$((leg - 1))" | sed "s/^/${moved_offset[$2]} /"
		host_shell "$3" "head -n $moved_lines /tmp/moved.$1.$leg" | sed "s/^/${moved_offset[$3]} /"
	} | tr -d '\r' | awk '$3 ~ /^@[0-9]+$/ { printf "%.0f\n", ($1 + $2) / 1000 }' | sort -n |
		awk 'NR > 1 && $1 - last > most { most = $1 - last } { last = $1 } END { printf "%.0f\n", most / 1000 }'
}

# Waits for $2 more signs of life of monitor $1's guest.
moved_wait_alive() {
	local host=${moved_at[$1]} count="grep -c ' @' /tmp/moved.$1.${moved_leg[$1]} 2>/dev/null" seen
	seen=$(host_shell "$host" "$count || true")
	host_wait "$host" "[ \$($count) -ge $((${seen:-0} + $2)) ] 2>/dev/null" "$moved_limit" || {
		host_shell "$host" "tail -n 20 /tmp/moved.$1.*" >&2
		return 1
	}
}

# Moves the guest of monitor $1 once; what follows is what it was started with. Appends gap, downtime, time and KiB to
# $work/moved.MONITOR.
moved_move() {
	local monitor=$1 from=${moved_at[$1]} to=${moved_hosts[0]} figures gap
	[ "$from" != "$to" ] || to=${moved_hosts[1]}
	moved_signal "$monitor" CONT
	# No line from before it was stopped is looked at.
	moved_wait_alive "$monitor" "$moved_lines"
	moved_receive_"$monitor" "$to" "${@:2}"
	figures=$(moved_ask_"$monitor" "$from" "$to") || true
	[[ $figures =~ ^[0-9]+\ [0-9]+\ [0-9]+$ ]] || {
		echo "$monitor does not move its guest from $from to $to: $figures" >&2
		host_shell "$from" "cat /tmp/moved.*.log /tmp/moved.qmp.said /tmp/moved.json" >&2
		return 1
	}
	moved_at[$monitor]=$to
	moved_leg[$monitor]=$((moved_leg[$monitor] + 1))
	moved_wait_alive "$monitor" "$moved_lines"
	gap=$(moved_gap "$monitor" "$from" "$to")
	echo "$gap $figures" >>"$work/moved.$monitor"
	moved_signal "$monitor" STOP
}

# The median of column $2 of monitor $1.
moved_median() {
	awk -v n="$2" '{ print $n }' "$work/moved.$1" | median_alone
}

moved_offsets() {
	local name offset
	guests_calibrate
	while read -r name offset; do
		moved_offset[$name]=$offset
	done < <(awk '$1 == "truth" { print $2, $3 }' "$manifest")
}

# Boots the guests, each alone, and leaves them stopped.
moved_start() {
	local monitor
	for monitor in "${moved_monitors[@]}"; do
		moved_leg[$monitor]=0
		rm -f "$work/moved.$monitor"
		moved_run_"$monitor" "${moved_hosts[0]}" "$@"
		moved_at[$monitor]=${moved_hosts[0]}
		moved_leg[$monitor]=1
		moved_wait_alive "$monitor" 100
		moved_signal "$monitor" STOP
	done
}

moved_end() {
	local monitor host
	for monitor in "${moved_monitors[@]}"; do
		moved_signal "$monitor" CONT
		moved_signal "$monitor" TERM
		host_wait "${moved_at[$monitor]}" "[ -e /tmp/moved.$monitor.${moved_leg[$monitor]}.status ]" 30
	done
	for host in "${moved_hosts[@]}"; do
		host_shell "$host" 'cat /tmp/moved.*.log; rm -f /tmp/moved.*' >>"$work/moved.log"
	done
}

# A line of the table: the kind $1, and what it is. The figures of an idle guest go without its name.
moved_print() {
	local kind=$1 n names=(guest_gap downtime migration_time migration_kib) line mine theirs
	line=$(printf '%-26s' "$2")
	for n in 1 2 3 4; do
		mine=$(moved_median seaclock "$n") theirs=$(moved_median qemu "$n")
		line+=$(printf ' %7d %7d %5s' "$mine" "$theirs" "$(ratio "$mine" "$theirs")")
		figure "$([ "$kind" = idle ] || echo "${kind}_")${names[n - 1]}_ratio" "$(ratio "$mine" "$theirs")"
	done
	echo "$line"
}

measure_kind() {
	local kind=$1 what=$2 turn n started=("${@:3:2}" "$(moved_words "$5")")
	moved_start "${started[@]}"
	moved_offsets
	for ((turn = 0; turn < moved_turns; turn++)); do
		for n in 0 1; do
			moved_move "${moved_monitors[(turn + n) % 2]}" "${started[@]}"
		done
	done
	moved_end
	moved_print "$kind" "$what"
}

measure_migration() {
	local kind what vcpus mib kib n peer_host
	lab down
	guests_begin "$folder/migration" "${moved_hosts[0]}=$moved_rate" "${moved_hosts[1]}=$moved_rate"
	for peer_host in "${moved_hosts[@]}"; do
		lab push "$peer_host" "$top/out/arm64/bench/stamp" /tmp/stamp
		peer_prepare
	done
	echo "Live migration, a median of $moved_turns, beside QEMU $(peer_qemu_version)/KVM on the same hosts:"
	printf '%-26s %21s %21s %21s %21s\n' "the guest" "gap (ms)" "reported downtime" "whole time (ms)" "KiB sent"
	printf '%-26s' ""
	for n in 1 2 3 4; do printf ' %7s %7s %5s' seaclock QEMU ratio; done
	echo
	while IFS='|' read -r kind what vcpus mib kib <&3; do
		measure_kind "$kind" "$what" "$vcpus" "$mib" "$kib"
	done 3< <(moved_kinds)
}
