# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What the scenarios of the cooperative level share: a guest whose probe takes pictures of its kernel, waits for them, and
# the end, where the judge adds the case to out/cooperative.json.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# The guest reads its clocks on both vCPUs, sleeps, and looks at its kernel about every second.
probe="level_ms=300 $(form "sleepers=4 burst=20 pause_us=50000" sleepers=6)"

# A CPU that comes online is for a moment without its comparator.
steady=1

# cooperative_begin CASE raw|page WORD...: starts the guest's probe, and waits until the guest has been seen for a while.
cooperative_begin() {
	local name=$1 clock=$2
	shift 2
	echo "case $name $clock" >>"$manifest"
	guest_type '[ -e /proc/seaclock_inspect ] || insmod /seaclock_inspect.ko'
	guest_probe "$@"
	pictures_wait "$clock" 2
}

# Pictures of the current leg with the guest's clock on the raw counter, or the page.
pictures() {
	local vdso=1
	[ "$1" = raw ] || vdso=0
	on "$guest_host" grep -c "^@level .*vdso=$vdso" "$guest_console" 2>/dev/null || true
}

# Waits for $2 more of them.
pictures_wait() {
	local vdso=1 seen
	[ "$1" = raw ] || vdso=0
	seen=$(pictures "$1")
	guest_wait_for "^@level .*vdso=$vdso" $((seen + $2)) 90
}

# A member of the report of the last migration.
reported() {
	sed -n "s/^ *\"$1\": \"\?\([^\",]*\)\"\?,\?\$/\1/p" "$report"
}

# Moves the guest to host $1 and checks it there: its clock must be $2, and the migration of level $3.
cooperative_move() {
	step "to $1"
	guest_migrate "$1"
	cooperative_check "$2" "$3"
}

# Prints how many interrupts the guest has had from its synthetic timers and from its comparators.
expiries() {
	local seen
	seen=$(guest_count '^expiries')
	guest_type "awk '{ for (i = 2; i < NF; i++) n[\$NF] += \$i } END { print \"expiries\", n[\"seaclock\"] + 0, n[\"seaclock_comparator\"] + 0 }' /proc/interrupts"
	guest_wait_for '^expiries' $((seen + 1)) 60
	on "$guest_host" grep '^expiries' "$guest_console" | tail -n 1 | tr -d '\r'
}

# In steady state, with the guest's clock on $1, deadlines take no exit: the interrupts are the comparators', but for a few.
expiries_take_no_exit() {
	local word stimers comparators stimers_now comparators_now
	read -r word stimers comparators <<<"$(expiries)"
	pictures_wait "$1" 1
	read -r word stimers_now comparators_now <<<"$(expiries)"
	echo "  $word of synthetic timers: $((stimers_now - stimers)), of comparators: $((comparators_now - comparators))"
	[ $(((stimers_now - stimers) * 20)) -le $((comparators_now - comparators)) ] && [ "$comparators_now" -gt "$comparators" ]
}

# Checks the guest after the last migration: its clock must be $1, and the migration of level $2.
cooperative_check() {
	pictures_wait "$1" 3
	check "the guest moved at level $2" is "$(reported level)" "$2"
	if [ "$2" = cooperative ]; then
		check "in a hold" file_has "$report" '"hold_us": [0-9]'
		[ -z "$steady" ] || check "deadlines take no exit" expiries_take_no_exit "$1"
	else
		check "without a hold" file_has "$report" '"hold_us": null'
	fi
}

# The judge's verdict on the manifests $@, and the guests' logs.
cooperative_end() {
	local folders
	check "the judge finds no fault" "$judge" cooperative "$top/out" "$@"
	mapfile -t folders < <(dirname "$@")
	logs_check "${folders[@]}"
	scenario_end
}
