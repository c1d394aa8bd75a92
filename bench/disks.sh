# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# A guest's disk, beside QEMU's (bench/peers.sh): sourced by bench/lab-bench. The load and the kind of file are the same.
# QEMU has its disk on virtio-mmio, as Seaclock has, and on PCI, both by io_uring, and on PCI by threads, which write a
# file in memory faster; for each load the fastest of these is the peer.
disk_mib=48

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

# The file that is the disk of monitor $1.
disk_make() {
	host_shell "$peer_host" dd if=/dev/zero "of=/tmp/peer.$1.disk" bs=1M "count=$disk_mib" 2>/dev/null
}

# Starts QEMU's guest called $1, with its disk on device $2, by the kind of I/O $3.
disk_start_qemu() {
	disk_make "$1"
	peer_start_qemu "$1" -device "$2,drive=disk" \
		-drive "if=none,id=disk,format=raw,cache=writeback,aio=$3,file=/tmp/peer.$1.disk"
}

disk_guests_start() {
	disk_make seaclock
	peer_start_seaclock --disk /tmp/peer.seaclock.disk
	disk_start_qemu mmio virtio-blk-device io_uring
	disk_start_qemu pci virtio-blk-pci io_uring
	disk_start_qemu threads virtio-blk-pci threads
	peer_wait
}

# What the monitor has for itself, in KiB: its private pages outside the mapping that is as large as the guest's memory.
disk_print_memory() {
	local monitor
	for monitor in "${peer_monitors[@]}"; do
		host_shell "$peer_host" "$peer_functions
			awk -v guest=$((peer_guest_mib * 1024)) '\$1 == \"Size:\" { own = \$2 < guest }
				own && /^Private_(Clean|Dirty):/ { kib += \$2 } END { print kib }' /proc/\$(process $monitor)/smaps"
	done | paste -s | {
		read -r -a kib
		printf 'Private memory of the monitor, without the guest'"'"'s: %s MiB; of QEMU with virtio-mmio %s MiB\n' \
			"$(ratio "${kib[0]}" 1024)" "$(ratio "${kib[1]}" 1024)"
	}
}

measure_disks() {
	local name size depth count words
	local -A ns exits user base_exits base_user
	peer_rivals=(mmio pci threads)
	peer_monitors=(seaclock "${peer_rivals[@]}")
	disk_guests_start
	echo "A guest's disk, a file in its host's memory, beside QEMU $(peer_qemu_version)/KVM on the same host (the best of" \
		"$peer_turns):"
	peer_print_head "IOPS, or MB/s"
	peer_load_base "iops read random 4096 1 1 /dev/vda"
	while IFS='|' read -r name size depth count words; do
		peer_load "iops $words $size $depth $count /dev/vda"
		peer_print "$name" "$count" "$([ "$size" = 4096 ] || echo "$size")"
	done < <(disk_loads)
	disk_print_memory
	peer_end
}
