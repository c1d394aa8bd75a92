# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What scenarios with disks share: a third host that stores them (lab/store/), a guest with two of them, one a file of
# NFS, the other an export of an NBD server, and the check of both when the guest has ended. A guest has a name, and
# files of its own on the store: NAME.file and NAME.nbd.
. "$(dirname "${BASH_SOURCE[0]}")/cooperative.sh"

export LAB_CARRY=$top/out/store
tool=/seaclock/store/disks
disks_words="sc.run=obey sc.devices=1" # of a guest's kernel
disk_mib=8
memory_mib=160 # of the guest
pause_ms=200 # of the load after each fsync: the console is slow
guest_disks= # the name
disk_numbers="0 1"
manifests=()

store() {
	on store /seaclock/store/serve "$1"
}

# Brings the store up for the hosts $@.
store_begin() {
	local host
	store begin
	store nbd-start
	for host in "$@"; do
		on "$host" /seaclock/store/attach store
	done
}

# Boots the guest of the name $2, with new disks, on host $1; further arguments are options of `seaclock run`.
disks_run() {
	guest_disks=$2
	manifests+=("$manifest")
	on store truncate -s "${disk_mib}M" "/srv/$2.file" "/srv/$2.nbd"
	guest_run "$1" "$disks_words" --vcpus 2 --memory "$memory_mib" \
		--disk "/srv/$2.file,serial=$2-file" --disk "nbd://store:10809/$2.nbd,serial=$2-nbd" "${@:3}"
	guest_wait_for '^obeyed'
	disks_are_found
}

# Types the line $1, and waits for one more line on the console that has $2 than there was.
guest_ask() {
	local seen
	seen=$(guest_count "$2")
	guest_type "$1"
	guest_wait_for "$2" $((seen + 1))
}

disks_are_found() {
	check "the guest has its disks, in their order" guest_ask \
		'echo serials $(cat /sys/block/vda/serial) $(cat /sys/block/vdb/serial)' "^serials $guest_disks-file $guest_disks-nbd"
}

disks_load() {
	guest_type "disks write pause_ms=$pause_ms 0=/dev/vda 1=/dev/vdb &"
	disks_go_on 1
}

# Waits until something more has become durable $1 times on each of $disk_numbers, at most $2 seconds.
disks_go_on() {
	local disk seen=()
	for disk in $disk_numbers; do
		seen[disk]=$(guest_count "@fsync disk=$disk")
	done
	for disk in $disk_numbers; do
		guest_wait_for "@fsync disk=$disk" $((seen[disk] + $1)) "${2:-60}" || return 1
	done
}

# A server dies, $1 is its name, and comes back after $2 seconds; requests wait for it, and none of them fails.
server_dies() {
	step "the $1 server dies and comes back"
	store "$1-stop"
	sleep "$2"
	store "$1-start"
	# Until then nobody can have a lock that was not his before.
	[ "$1" != nfs ] || host_wait store 'grep -q Y /proc/fs/nfsd/v4_end_grace' 60
	check "the guest writes on" disks_go_on 3 90
}

# A kernel that goes down breaks the queues of its disks first: a writer that still lives then is rightly told that it
# failed. One that panics just stops.
writer_kill='kill -9 $(pidof disks)'

# The line that has a guest panic, which disks_crash_begin precedes.
disks_crash='echo c >/proc/sysrq-trigger'

disks_crash_begin() {
	guest_ask 'echo crashes' '^obeyed'
}

# Leaves out of the consoles what was printed from there until the kernel has booted again: lines of programs and of a
# kernel that panics are mixed letter by letter, so they are no evidence; and no trouble, since it was ordered.
disks_crash_omit() {
	sed -i '/^crashes/,/^@guest /d' "$work"/*.console
}

# Prints what the consoles $2... say to be durable of disk $1: they are one stream, since a line may continue on the next.
promised() {
	cat "${@:2}" | sed -n "s/.*@fsync disk=$1 sequence=\([0-9]*\) \*[0-9a-f]\{4\}\r*\$/\1/p" | sort -n | tail -n 1
}

# The arguments of `disks check` for the disks at $1 and $2, by the consoles $3...
promises() {
	echo "0=$1:$(promised 0 "${@:3}") 1=$2:$(promised 1 "${@:3}")"
}

# The guest has ended: everything that it was told to be durable must be on the store.
disks_check() {
	local consoles promises
	disks_crash_omit
	mapfile -t consoles < <(sed -n "s#^console #$work/#p" "$manifest")
	promises=$(promises "/srv/$guest_disks.file" "/srv/$guest_disks.nbd" "${consoles[@]}")
	# shellcheck disable=SC2086 # the words are to be split
	check "the disks of $guest_disks can be read" eval 'on store "$tool" check $promises >"$work/check.console"'
	echo "console check.console" >>"$manifest"
	sed 's/^/  | /' "$work/check.console"
}

# The judge's verdict on all guests, and their logs.
disks_end() {
	local folders
	check "the judge finds no fault" "$judge" disks "$top/out" "${manifests[@]}"
	sed 's/^/  | /' "$top/out/disks.json" | grep -E 'checksum_errors|lost_fsyncs'
	mapfile -t folders < <(dirname "${manifests[@]}")
	logs_check "${folders[@]}"
	scenario_end
}
