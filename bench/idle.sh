# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What an idle guest costs its host beside QEMU's, and how long both take to boot one: sourced by bench/lab-bench. For
# the first Seaclock's guest has its module, in its steady state; the second is from the monitor's start to the first
# line of the guest's init.
idle_seconds=20
[ -z "${SHORT-}" ] || idle_seconds=5
idle_boot_words='sc.module=0 sc.run=cat,/proc/uptime'

idle_guests_start() {
	peer_start_seaclock
	peer_start_qemu qemu
	peer_wait
	host_shell "$peer_host" "$peer_functions
		load seaclock '$module_steady'" >/dev/null
}

# Sets rate[MONITOR] to the exits a second of each idle guest.
idle_measure() {
	local monitor
	peer_load_base "echo @idle ns=1"
	peer_load "sleep $idle_seconds; echo @idle ns=1"
	for monitor in "${peer_monitors[@]}"; do
		rate[$monitor]=$(per_request "${exits[$monitor]}" "${base_exits[$monitor]}" $((idle_seconds + 1)))
	done
}

idle_boot_qemu() {
	boot_seconds "$peer_host" "${peer_qemu[@]}" -m 256 -append "console=ttyAMA0 quiet $idle_boot_words"
}

# The monitors take turns. What the guest's own clock counts is the guest's work, which no monitor can spare it.
idle_boots() {
	local n mine='' theirs='' own
	for ((n = 0; n < boots; n++)); do
		mine+="$(boot_seaclock "$peer_host" "$idle_boot_words" --vcpus 1)"$'\n'
		theirs+="$(idle_boot_qemu)"$'\n'
	done
	own=$(awk '{ print $2 }' <<<"${mine%$'\n'}" | median_alone)
	mine=$(printf %s "$mine" | median_alone) theirs=$(printf %s "$theirs" | median_alone)
	echo "From the monitor's start to its guest's first line (1 vCPU, 256 MiB): $mine s," \
		"of which the guest has counted $own s;" \
		"QEMU $theirs s: $(ratio "$mine" "$theirs") x (median of $boots)"
	figure boot_ratio "$(ratio "$mine" "$theirs")"
}

measure_idle() {
	local -A ns exits user base_exits base_user rate
	peer_rivals=(qemu)
	peer_monitors=(seaclock qemu)
	idle_guests_start
	idle_measure
	peer_end
	echo "An idle guest's exits a second: ${rate[seaclock]} with the module, QEMU's ${rate[qemu]}:" \
		"$(ratio "${rate[seaclock]}" "${rate[qemu]}") x"
	figure idle_exits_ratio "$(ratio "${rate[seaclock]}" "${rate[qemu]}")"
	idle_boots
}
