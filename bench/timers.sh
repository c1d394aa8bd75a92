# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What a timer costs a Linux guest: sourced by bench/lab-bench. The same guest sleeps for a millisecond many times, by the
# kernel's own timer before the module is loaded and by the module's after it, in its steady state. By KVM's counters: how
# many exits a sleep takes, and how many of them are calls to the monitor.
timers_sleeps=500
timers_rounds=3
[ -z "${SHORT-}" ] || timers_rounds=1
# Loads the module in a guest of one vCPU, and says so once timers need the monitor no more.
module_steady='insmod /seaclock.ko; until grep -q "^comparators 1" /sys/kernel/debug/seaclock/state; do sleep 0.2; done; sleep 2; echo steady'

# Prints the exits of the guest's vCPU so far, and how many of them were calls.
timers_exits() {
	host_shell "$guest_host" 'cd /sys/kernel/debug/kvm/$(pidof seaclock)-* && echo $(cat exits hvc_exit_stat)'
}

# Sets late, cpu, exits and calls to the least of several rounds; the latter are in thousandths of one a sleep.
timers_measure() {
	local n before after line
	late='' cpu='' exits='' calls=''
	for ((n = 0; n < timers_rounds; n++)); do
		before=($(timers_exits))
		guest_type "sleepcost $timers_sleeps"
		guest_wait_for '^@sleepcost' $(($(guest_count '^@sleepcost') + 1))
		after=($(timers_exits))
		line=$(on "$guest_host" grep '^@sleepcost' "$guest_console" | tail -n 1)
		[[ $line =~ late_ns=([0-9]+)\ cpu_ns=([0-9]+) ]]
		least late "${BASH_REMATCH[1]}"
		least cpu "${BASH_REMATCH[2]}"
		least exits $(((after[0] - before[0]) * 1000 / timers_sleeps))
		least calls $(((after[1] - before[1]) * 1000 / timers_sleeps))
	done
}

timers_print() {
	printf '%-32s %12s %14s %10s %10s\n' "$1" "$(ratio "$late" 1000)" "$(ratio "$cpu" 1000)" "$(ratio "$exits" 1000)" \
		"$(ratio "$calls" 1000)"
}

measure_timers() {
	local late cpu exits calls own_late
	guests_next evidence-timers
	guest_run grace "sc.module=0 sc.run=obey" --vcpus 1 --memory 160
	guest_wait_for '^obeyed'
	counters_open grace
	printf '%-32s %12s %14s %10s %10s\n' "Sleeps of 1 ms in a Linux guest" "late (us)" "processor (us)" "exits" "calls"
	timers_measure
	timers_print "by the kernel's own timer"
	own_late=$late
	guest_type "$module_steady"
	guest_wait_for '^steady'
	timers_measure
	timers_print "by the module's"
	printf '%-32s %12s\n' "x the kernel's own" "$(ratio "$late" "$own_late")"
	figure exits_per_timer "$(ratio "$calls" 1000)"
	figure sleep_lateness_ratio "$(ratio "$late" "$own_late")"
	guest_stop
}
