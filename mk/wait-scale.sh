# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# How long to wait on this machine. Limits are written for a quiet machine with two cores; here they are stretched by
# how much longer a fixed piece of work takes now, on all processors at once, so a slow processor counts as much as a
# busy one. The work is arithmetic and starts of processes, for a virtual machine may be quick at one and slow at the
# other. Only waiting scales, and with it after how long something counts as lost; nothing else that is judged does.
#
# Sourced. WAIT_SCALE is in percent, from 100 to 1000, and exported: whatever a script starts waits by the same scale.
# It is measured anew for each tier and each scenario, because the load changes. Set by hand it is kept by all but
# those.

wait_scale_rounds=30000 # of a loop
wait_scale_starts=100   # of a process
wait_scale_quiet_ms=400 # what they take together on the quiet machine, a few tens of ms added for noise

wait_scale_work() {
	local n x=0
	for ((n = 0; n < wait_scale_rounds; n++)); do
		x=$(((x * 3 + n) & 65535))
	done
	for ((n = 0; n < wait_scale_starts; n++)); do
		env true
	done
}

# Prints the scale in percent if the work has taken $1 ms.
wait_scale_of() {
	local percent=$(($1 * 100 / wait_scale_quiet_ms))
	echo $((percent < 100 ? 100 : percent > 1000 ? 1000 : percent))
}

# Prints how many ms the work takes while each processor has it to do. A shell of its own waits for its own work only.
wait_scale_time() (
	start=${EPOCHREALTIME/[.,]/}
	for ((n = $(nproc); n > 0; n--)); do
		wait_scale_work &
	done
	wait
	echo $(((${EPOCHREALTIME/[.,]/} - start) / 1000))
)

# Sets WAIT_SCALE; takes less than half a second on a quiet machine.
wait_scale_measure() {
	WAIT_SCALE=$(wait_scale_of "$(wait_scale_time)")
	export WAIT_SCALE
}

# The same unless whoever started this has measured.
wait_scale_begin() {
	[ -n "${WAIT_SCALE-}" ] || wait_scale_measure
}

# Prints a limit of $1 seconds as it is here.
wait_scaled() {
	echo $(($1 * WAIT_SCALE / 100))
}
