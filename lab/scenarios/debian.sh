# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What the scenarios with a Debian share: its load, a move that is watched from outside, and the end, where its disk is
# checked by itself and by fsck.
. "$(dirname "${BASH_SOURCE[0]}")/disks.sh"
. "$top/lab/debian/guest.sh"

load_file=/root/load
load_mib=8
load_pause_ms=500
disk_numbers=0
ping_ms=20
# After a move KVM maps the guest's memory anew. It touches about a thousand pages before it answers (exits of its vCPUs,
# counted after a move), and an emulated processor takes a quarter of a millisecond for each, unless huge pages hold them.
# And the emulator translates the guest's code anew (doc/testing.md).
late_ms=100
late_without_huge_pages_ms=500
# What lab/debian/ allows its chronyd, and 10 ppm for the frequency that it has found.
slew_ppm=60

# chronyd has settled before anything is judged.
debian_begin_load() {
	debian_names
	check "chronyd settles" guest_ask 'chronyc waitsync 100 0.0002 0 1 >/dev/null && echo settled' '^settled'
	debian_ssh journalctl --quiet --unit chrony --cursor-file /run/chrony.cursor >/dev/null
	check "login by ssh" is "$(debian_ssh cat /etc/hostname)" debian
	guest_type 'modprobe seaclock_inspect'
	guest_type "discipline watch &"
	load_begin
	cooperative_begin debian raw $probe
	echo "slew $slew_ppm" >>"$manifest"
	on altra grep -q '\[always\]' /sys/kernel/mm/transparent_hugepage/enabled || late_ms=$late_without_huge_pages_ms
	echo "late $late_ms" >>"$manifest"
}

# The guest gets a file, and writes it again and again.
load_begin() {
	guest_type "dd if=/dev/zero of=$load_file bs=1M count=$load_mib 2>/dev/null; sync"
	load_start
}

load_start() {
	guest_type "disks write pause_ms=$load_pause_ms 0=$load_file &"
	check "the guest writes" disks_go_on 1
}

# The guest reads the file, which must have all that it was told to be durable.
load_check() {
	local consoles
	console_pull
	mapfile -t consoles < <(sed -n "s#^console #$work/#p" "$manifest")
	check "the guest reads its file" guest_ask \
		"disks check 0=$load_file:$(promised 0 "${consoles[@]}" "$work/$leg.console")" '@check disk=0'
}

# What it was booted by, as its own console says. The firmware says no version: that is its package's.
debian_names() {
	local console=$work/$leg.console
	console_pull
	check "it was booted by firmware" file_has "$console" 'UEFI firmware'
	sed 's/^qemu-efi-aarch64_\(.*\)_all\.deb$/firmware edk2-\1/' "$top/out/packages/firmware-debs" >>"$manifest"
	tr -d '\r' <"$console" | sed -n 's/.*GNU GRUB  *version \([^ ]*\).*/bootloader grub-\1/p' | head -n 1 >>"$manifest"
}

# Another host pings the guest, from here to watch_end.
watch_begin() {
	on store sh -c '/seaclock/store/pinger "$1" "$2" >/tmp/ping 2>&1 & echo $! >/tmp/ping.pid' sh \
		"$debian_address" "$ping_ms"
	host_wait store 'grep -q answered /tmp/ping' 60
}

watch_end() {
	on store sh -c 'kill "$(cat /tmp/ping.pid)"'
	host_wait store 'grep -q gap_ns /tmp/ping' 20
	lab pull store /tmp/ping "$work/$1.ping"
	sed 's/^/  | /' "$work/$1.ping"
	echo "ping $1.ping" >>"$manifest"
}

# Moves the guest to host $1 and checks it there, where it must have come at level $2.
debian_move() {
	local number=$leg
	step "to $1"
	watch_begin
	guest_migrate "$1"
	cooperative_check raw "$2"
	watch_end "$number"
	check "the guest writes on" disks_go_on 2
	check "it answers by ssh" debian_ssh true
}

# The guest moves to grace and back, again and again: MOVES times, an even number, or $1 times.
debian_moves() {
	local trip
	for ((trip = 1; trip <= ${MOVES:-$1} / 2; trip++)); do
		step "trip $trip"
		debian_move grace "$2"
		debian_move altra "$2"
	done
}

# The guest reads its file from its disk, and powers off. Its root file system is then checked from outside. The judge
# writes debian.json into the folder $1.
debian_end() {
	guest_ask 'kill $(pidof disks) $(pidof probe) $(pidof discipline); wait; echo ended' '^ended'
	guest_type 'sync; echo 3 >/proc/sys/vm/drop_caches'
	load_check
	debian_ssh journalctl --quiet --unit chrony --cursor-file /run/chrony.cursor >"$work/chrony.log"
	echo "chrony chrony.log" >>"$manifest"
	debian_power_off
	check "the judge finds no fault" "$judge" debian "$1" "$manifest"
	logs_check "$work"
	scenario_end
}

debian_power_off() {
	local status=0
	on "$guest_host" "$seaclock" shutdown "$guest" --wait 90 || true
	guest_wait 120 || status=$?
	check "it powers off" is "$status" 0
	console_collect
	echo "end stopped" >>"$manifest"
	debian_fsck
}

# The store's disk is a file here.
debian_fsck() {
	local disk=$LAB_DIR/store/disk start status=0
	on store sync
	start=$(sfdisk --dump "$disk" | sed -nE 's/.*2 : start= *([0-9]+),.*/\1/p')
	e2fsck -fn "$disk?offset=$((start * 512))" >"$work/fsck" 2>&1 || status=$?
	sed 's/^/  | /' "$work/fsck"
	echo "fsck $status" >>"$manifest"
}
