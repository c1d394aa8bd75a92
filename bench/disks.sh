# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# A guest's disk, beside QEMU's on the same host: sourced by bench/lab-bench. The kernel, the initial RAM disk, the load
# and the kind of file are the same, and the monitors take turns, so that each meets the same disturbances; the least
# counts. QEMU has its disk on virtio-mmio, as Seaclock has, and on PCI, both by io_uring, and on PCI by threads, which
# write a file in memory faster; for each load the fastest of these is the peer. On PCI an interrupt needs no access to
# the device (MSI-X), on MMIO two, which only the monitor can answer: the last column is without what that costs.
disk_host=grace
disk_peers=(mmio pci threads)
disk_monitors=(seaclock "${disk_peers[@]}")
disk_mib=48
disk_guest_mib=144
disk_turns=5
[ -z "${SHORT-}" ] || disk_turns=1
disk_words="console=ttyAMA0 loglevel=5 sc.module=0 sc.devices=1 sc.run=obey"
disk_qemu=(/tmp/qemu/run -M virt,gic-version=3,accel=kvm -cpu host -smp 1 -m "$disk_guest_mib"
	-nodefaults -no-user-config -display none -serial stdio -kernel "$guest_kernel" -initrd "$guest_initrd" -append "$disk_words"
	-global virtio-mmio.force-legacy=false)

# The loads, one a line: its name, the bytes of a request, how many at a time, how many in all, and the rest for iops.
disk_loads() {
	cat <<-END
		4 KiB random read, depth 1|4096|1|300|read random
		4 KiB random write, depth 1|4096|1|300|write random
		4 KiB random read, depth 32|4096|32|2000|read random
		4 KiB random write, depth 32|4096|32|2000|write random
		128 KiB reads in order, depth 8|131072|8|500|read sequential
		128 KiB writes in order, depth 8|131072|8|500|write sequential
	END
}

# Starts the guest of monitor $1 with its disk, by the command $2...
disk_guest_start() {
	host_shell "$disk_host" dd if=/dev/zero "of=/tmp/disk.$1" bs=1M "count=$disk_mib" 2>/dev/null
	command_run_apart "$disk_host" "/tmp/disk.$1.console" "${@:2}"
}

# Starts QEMU's guest called $1, with its disk on device $2, by the kind of I/O $3.
disk_peer_start() {
	disk_guest_start "$1" "${disk_qemu[@]}" -pidfile "/tmp/disk.$1.pid" -device "$2,drive=disk" \
		-drive "if=none,id=disk,format=raw,cache=writeback,aio=$3,file=/tmp/disk.$1"
}

disk_guests_start() {
	lab push "$disk_host" "$top/out/qemu.tar" /tmp/qemu.tar
	host_shell "$disk_host" 'mkdir /tmp/qemu && tar -C /tmp/qemu -xf /tmp/qemu.tar && rm /tmp/qemu.tar
		printf "#!/bin/sh\nLD_LIBRARY_PATH=/tmp/qemu/lib exec /tmp/qemu/qemu-system-aarch64 \"\$@\"\n" >/tmp/qemu/run
		chmod +x /tmp/qemu/run; mount -t debugfs debugfs /sys/kernel/debug'
	disk_guest_start seaclock "$seaclock" run disk --kernel "$guest_kernel" --initrd "$guest_initrd" \
		--append "$disk_words" --vcpus 1 --memory "$disk_guest_mib" --disk /tmp/disk.seaclock --console -
	disk_peer_start mmio virtio-blk-device io_uring
	disk_peer_start pci virtio-blk-pci io_uring
	disk_peer_start threads virtio-blk-pci threads
}

# For a shell on the host: `load MONITOR WORDS` has that monitor's guest run iops with those words, and prints the
# monitor and what that has cost: ns, and by KVM's own counters the exits of its vCPU, all and those to user space.
disk_functions='
	process() { cat /tmp/disk.$1.pid 2>/dev/null || pidof $1; }
	exits() { (cd /sys/kernel/debug/kvm/$(process $1)-* && cat exits mmio_exit_user); }
	obeyed() { grep -c ^obeyed /tmp/disk.$1.console; }
	load() {
		begun=$(obeyed $1)
		set -- $1 "$2" $(exits $1)
		echo "iops $2 /dev/vda" >/tmp/disk.$1.console.typed
		until [ $(obeyed $1) -gt $begun ]; do sleep 0.05; done
		set -- $1 $3 $4 $(exits $1)
		echo $1 $(tail -n 3 /tmp/disk.$1.console | sed -n "s/^@iops ns=\([0-9]*\).*/\1/p") $(($4 - $2)) $(($5 - $3))
	}'

# The end of what the guest of monitor $1 and the monitor itself have said.
disk_complain() {
	echo "the guest of $1 does not measure its disk; its console and its monitor's log end:" >&2
	host_shell "$disk_host" "tail -n 40 /tmp/disk.$1.console; tail -n 40 /tmp/disk.$1.console.log" >&2
	return 1
}

disk_guests_wait() {
	local monitor
	for monitor in "${disk_monitors[@]}"; do
		host_wait "$disk_host" "grep -qs ^obeyed /tmp/disk.$monitor.console || [ -e /tmp/disk.$monitor.console.status ]" &&
			host_shell "$disk_host" "[ ! -e /tmp/disk.$monitor.console.status ]" || disk_complain "$monitor"
	done
}

# least NAME VALUE: the variable NAME is the least of what it has been set to.
least() {
	[ -n "${!1-}" ] && ((${!1} <= $2)) || printf -v "$1" %s "$2"
}

# Sets ns[MONITOR], exits[MONITOR] and user[MONITOR] to the least that the load $1 has cost.
disk_load() {
	local turn monitor time all to_user
	ns=() exits=() user=()
	for ((turn = 0; turn < disk_turns; turn++)); do
		while read -r monitor time all to_user; do
			[[ $time$all$to_user =~ ^[0-9]+$ && -n $to_user ]] || disk_complain "$monitor"
			least "ns[$monitor]" "$time"
			least "exits[$monitor]" "$all"
			least "user[$monitor]" "$to_user"
		done < <(host_shell "$disk_host" "$disk_functions
			for monitor in ${disk_monitors[*]}; do load \$monitor '$1'; done" </dev/null)
	done
}

# Per request, without the $base of a load of one request: the command's start and its line on the console.
per_request() {
	awk -v all="$1" -v base="$2" -v count="$3" 'BEGIN { e = (all - base) / (count - 1); printf "%.2f", (e > 0 ? e : 0) }'
}

# The same of monitor $1 as text, of $2 requests: all, and in brackets those to user space.
exits_print() {
	printf ' %13s' "$(per_request "${exits[$1]}" "${base_exits[$1]}" "$2") ($(per_request "${user[$1]}" "${base_user[$1]}" "$2"))"
}

# ns[seaclock] without its exits to user space that monitor $1 does not have, in $2 requests.
disk_without() {
	awk -v ns="${ns[seaclock]}" -v exit_ns="$exit_ns" -v count="$2" \
		-v more="$(per_request "${user[seaclock]}" "${base_user[seaclock]}" "$2")" \
		-v less="$(per_request "${user[$1]}" "${base_user[$1]}" "$2")" 'BEGIN { printf "%d", ns - (more - less) * count * exit_ns }'
}

# One line of the table: the load's name, the bytes of a request, and how many there were.
disk_print() {
	local name=$1 size=$2 count=$3 peer=${disk_peers[0]} monitor line
	for monitor in "${disk_peers[@]}"; do
		((ns[$monitor] >= ns[$peer])) || peer=$monitor
	done
	line=$(printf '%-32s' "$name")
	for monitor in "${disk_monitors[@]}"; do
		line+=$(awk -v ns="${ns[$monitor]}" -v size="$size" -v count="$count" 'BEGIN {
			if (size > 4096) printf " %8.1f", count * size * 1000 / ns; else printf " %8.0f", count * 1e9 / ns }')
	done
	line+=$(printf ' %14s' "$(ratio "${ns[$peer]}" "${ns[seaclock]}") x $peer")
	line+=$(exits_print seaclock "$count")$(exits_print "$peer" "$count")
	echo "$line$(printf ' %8s' "$(ratio "${ns[$peer]}" "$(disk_without "$peer" "$count")")")"
}

# What the monitor has for itself, in KiB: its private pages outside the mapping that is as large as the guest's memory.
disk_print_memory() {
	local monitor
	for monitor in "${disk_monitors[@]}"; do
		host_shell "$disk_host" "$disk_functions
			awk -v guest=$((disk_guest_mib * 1024)) '\$1 == \"Size:\" { own = \$2 < guest }
				own && /^Private_(Clean|Dirty):/ { kib += \$2 } END { print kib }' /proc/\$(process $monitor)/smaps"
	done | paste -s | {
		read -r -a kib
		printf 'Private memory of the monitor, without the guest'"'"'s: %s MiB; of QEMU with virtio-mmio %s MiB\n' \
			"$(ratio "${kib[0]}" 1024)" "$(ratio "${kib[1]}" 1024)"
	}
}

# measure_calls has set register_get and kvm_call: an exit to user space costs what lies between them.
measure_disks() {
	local exit_ns=$((register_get - kvm_call)) name size depth count words monitor
	local -A ns exits user base_exits base_user
	disk_guests_start
	disk_guests_wait
	echo "A guest's disk, a file in its host's memory, beside QEMU $(host_shell "$disk_host" /tmp/qemu/run --version |
		sed -n 's/.*version \([0-9.]*\).*/\1/p')/KVM on the same host (the best of $disk_turns):"
	printf '%-32s %35s %14s %27s %8s\n' "" "IOPS, or MB/s" "Seaclock is" "exits (to user space)" "without"
	printf '%-32s %8s %8s %8s %8s %14s %13s %13s %8s\n' "" "${disk_monitors[@]}" "x the fastest" seaclock "the fastest" "the two"
	disk_load "read random 4096 1 1"
	for monitor in "${disk_monitors[@]}"; do
		base_exits[$monitor]=${exits[$monitor]} base_user[$monitor]=${user[$monitor]}
	done
	while IFS='|' read -r name size depth count words; do
		disk_load "$words $size $depth $count"
		disk_print "$name" "$size" "$count"
	done < <(disk_loads)
	disk_print_memory
}
