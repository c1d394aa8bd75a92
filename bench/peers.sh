# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# A guest of Seaclock beside guests of QEMU on the same host, for what is compared with them: sourced by bench/lab-bench.
# The kernel and the initial RAM disk are the same, and the monitors take turns, so that each meets the same disturbances;
# the least counts. A part that compares starts its guests, gives them loads one after the other, and ends them. A load is
# a command in the guest that ends with a line "@NAME ns=N", the time that it took.
peer_host=grace
peer_guest_mib=144
peer_turns=5
[ -z "${SHORT-}" ] || peer_turns=1
peer_words="console=ttyAMA0 loglevel=5 sc.module=0 sc.devices=1 sc.run=obey"
peer_monitors=() # that take turns; the first is seaclock, the others are QEMU's
peer_rivals=()   # those of QEMU that Seaclock is held against
peer_qemu=(/tmp/qemu/run -M virt,gic-version=3,accel=kvm -cpu host -smp 1 -m "$peer_guest_mib"
	-nodefaults -no-user-config -display none -serial stdio -kernel "$guest_kernel" -initrd "$guest_initrd" -append "$peer_words"
	-global virtio-mmio.force-legacy=false)

# Brings QEMU to the host, once.
peer_prepare() {
	lab push "$peer_host" "$top/out/newest-qemu.tar" /tmp/qemu.tar
	host_shell "$peer_host" 'mkdir /tmp/qemu && tar -C /tmp/qemu -xf /tmp/qemu.tar && rm /tmp/qemu.tar
		printf "#!/bin/sh\nLD_LIBRARY_PATH=/tmp/qemu/lib exec /tmp/qemu/qemu-system-aarch64 \"\$@\"\n" >/tmp/qemu/run
		chmod +x /tmp/qemu/run'
	counters_open "$peer_host"
}

peer_qemu_version() {
	host_shell "$peer_host" /tmp/qemu/run --version | sed -n 's/.*version \([0-9.]*\).*/\1/p'
}

# Starts Seaclock's guest with the options $@ besides.
peer_start_seaclock() {
	monitor_run_apart "$peer_host" /tmp/peer.seaclock.console run peer --kernel "$guest_kernel" --initrd "$guest_initrd" \
		--append "$peer_words" --vcpus 1 --memory "$peer_guest_mib" "$@"
}

# Starts QEMU's guest called $1 with the options $2... besides.
peer_start_qemu() {
	command_run_apart "$peer_host" "/tmp/peer.$1.console" "${peer_qemu[@]}" -pidfile "/tmp/peer.$1.pid" "${@:2}"
}

# For a shell on the host: `load MONITOR COMMAND` has that monitor's guest run the command, and prints the monitor and
# what that has cost: ns, and by KVM's own counters the exits of its vCPU, all and those to user space.
peer_functions='
	process() { cat /tmp/peer.$1.pid 2>/dev/null || pidof $1; }
	exits() { (cd /sys/kernel/debug/kvm/$(process $1)-* && cat exits mmio_exit_user); }
	obeyed() { grep -c ^obeyed /tmp/peer.$1.console; }
	load() {
		begun=$(obeyed $1)
		set -- $1 "$2" $(exits $1)
		echo "$2" >/tmp/peer.$1.console.typed
		until [ $(obeyed $1) -gt $begun ]; do sleep 0.05; done
		set -- $1 $3 $4 $(exits $1)
		echo $1 $(tail -n 3 /tmp/peer.$1.console | sed -n "s/^@[a-z]* ns=\([0-9]*\).*/\1/p") $(($4 - $2)) $(($5 - $3))
	}'

# The end of what the guest of monitor $1 and the monitor itself have said.
peer_complain() {
	echo "the guest of $1 does not measure; its console and its monitor's log end:" >&2
	host_shell "$peer_host" "tail -n 40 /tmp/peer.$1.console; tail -n 40 /tmp/peer.$1.console.log" >&2
	return 1
}

# Waits until all guests obey.
peer_wait() {
	local monitor
	for monitor in "${peer_monitors[@]}"; do
		host_wait "$peer_host" "grep -qs ^obeyed /tmp/peer.$monitor.console || [ -e /tmp/peer.$monitor.console.status ]" &&
			host_shell "$peer_host" "[ ! -e /tmp/peer.$monitor.console.status ]" || peer_complain "$monitor"
	done
}

# Ends all guests, and leaves nothing of them.
peer_end() {
	local monitor
	for monitor in "${peer_monitors[@]}"; do
		host_shell "$peer_host" "$peer_functions
			kill \$(process $monitor)"
		host_wait "$peer_host" "[ -e /tmp/peer.$monitor.console.status ]" 30
	done
	host_shell "$peer_host" 'rm -f /tmp/peer.*'
}

# least NAME VALUE: the variable NAME is the least of what it has been set to.
least() {
	[ -n "${!1-}" ] && ((${!1} <= $2)) || printf -v "$1" %s "$2"
}

# Sets ns[MONITOR], exits[MONITOR] and user[MONITOR] to the least that the load $1 has cost. "GUEST" in it is the number
# of the guest's monitor, from 0. Each turn begins with another one; what comes first has the start of the connection
# beside it, and does not count.
peer_load() {
	local turn n which loads monitor time all to_user
	ns=() exits=() user=()
	for ((turn = 0; turn < peer_turns; turn++)); do
		which=$((turn % ${#peer_monitors[@]}))
		loads=$peer_functions$'\n'"load ${peer_monitors[which]} '${1/GUEST/$which}' >/dev/null"
		for ((n = 0; n < ${#peer_monitors[@]}; n++)); do
			which=$(((turn + n) % ${#peer_monitors[@]}))
			loads+=$'\n'"load ${peer_monitors[which]} '${1/GUEST/$which}'"
		done
		while read -r monitor time all to_user; do
			[[ $time$all$to_user =~ ^[0-9]+$ && -n $to_user ]] || peer_complain "$monitor"
			least "ns[$monitor]" "$time"
			least "exits[$monitor]" "$all"
			least "user[$monitor]" "$to_user"
		done < <(host_shell "$peer_host" "$loads" </dev/null)
	done
}

# The same for a load of one request, which is what a command's start and its line on the console cost.
peer_load_base() {
	local monitor
	peer_load "$1"
	for monitor in "${peer_monitors[@]}"; do
		base_exits[$monitor]=${exits[$monitor]} base_user[$monitor]=${user[$monitor]}
	done
}

# Per request, without the $base of a load of one request.
per_request() {
	awk -v all="$1" -v base="$2" -v count="$3" 'BEGIN { e = (all - base) / (count - 1); printf "%.2f", (e > 0 ? e : 0) }'
}

# The same of monitor $1 as text, of $2 requests: all, and in brackets those to user space.
exits_print() {
	printf ' %13s' "$(per_request "${exits[$1]}" "${base_exits[$1]}" "$2") ($(per_request "${user[$1]}" "${base_user[$1]}" "$2"))"
}

# The head of a table; $1 says what its numbers are.
peer_print_head() {
	local width=$((9 * ${#peer_monitors[@]}))
	printf "%-32s %$((width - 1))s %14s %27s\n" "" "$1" "Seaclock is" "exits (to user space)"
	printf '%-32s' ""
	printf ' %8s' "${peer_monitors[@]}"
	printf ' %14s %13s %13s\n' "x the fastest" seaclock "the fastest"
}

# One line of it: the load's name, how many requests there were, and the bytes of one if what counts is MB/s.
peer_print() {
	local name=$1 count=$2 size=${3-} peer=${peer_rivals[0]} monitor line
	for monitor in "${peer_rivals[@]}"; do
		((ns[$monitor] >= ns[$peer])) || peer=$monitor
	done
	line=$(printf '%-32s' "$name")
	for monitor in "${peer_monitors[@]}"; do
		line+=$(awk -v ns="${ns[$monitor]}" -v size="$size" -v count="$count" 'BEGIN {
			if (size) printf " %8.1f", count * size * 1000 / ns; else printf " %8.0f", count * 1e9 / ns }')
	done
	line+=$(printf ' %14s' "$(ratio "${ns[$peer]}" "${ns[seaclock]}") x $peer")
	echo "$line$(exits_print seaclock "$count")$(exits_print "$peer" "$count")"
}
