#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Everything that takes long, in parts that add up over days: `make soak`. A part is a command, how often it is to run,
# and a result. Each run has a seed in SEED; what it came to is a line of out/soak/PART.runs, and out/soak/PART.json has
# the sums. The parts take turns. A run that is interrupted does not count: the next `make soak` begins with it. The log
# of a run that failed is kept, and so is its evidence.
#
# Usage: soak.sh run [PART...]    (patterns; ROUNDS=N: all of it N times; SEED=N: where seeds begin)
#        soak.sh status
set -u

. "$(dirname "$0")/wait-scale.sh"
. "$(dirname "$0")/tally.sh"
folder=${SOAK_DIR:-out/soak}
rounds=${ROUNDS:-1}
run_limit=5700 # seconds, for what is to take an hour and a half at most

# Each part on a line: its name, how often it runs, where evidence lies (or -), and the command.
parts_all() {
	local path name
	for path in lab/scenarios/[0-9]*; do
		name=${path##*/}
		echo "scenario-$name 3 out/scenarios/$name make lab-test ONLY=$name FULL=1"
	done
	echo "linux-driver 3 out/scenarios/linux-driver make linux-driver FULL=1"
	echo "vmclock 3 out/scenarios/vmclock make vmclock FULL=1"
	echo "kernels 3 out/scenarios/kernels make lab-test ONLY=kernels FULL=1"
	echo "transparent 3 out/scenarios/transparent make lab-test ONLY=transparent FULL=1"
	echo "debian 20 out/scenarios/debian make lab-test ONLY=debian FULL=1 MOVES=50"
	echo "debian-faults 3 out/scenarios/debian-faults make lab-test ONLY=debian-faults"
	echo "trust 3 out/scenarios/trust make lab-test ONLY=trust"
	echo "costs 3 out/scenarios/costs make lab-test ONLY=costs"
	echo "scenario-packages 3 out/scenarios/packages make lab-test ONLY=packages"
	echo "debian-grub 3 out/scenarios/debian-grub make lab-test ONLY=debian-grub"
	echo "conformance 10 out/conformance make conformance"
	echo "boots 20 out/boots make boots"
	echo "bench 5 out/bench make bench-compare"
	echo "repair 34 out/repair make soak-repair"
	echo "property 200 - make property"
	echo "model 1 - make check-model FULL=1"
	echo "packages 1 - make check-packages"
	# An hour for each target, which knows what it has had.
	echo "fuzz 30 - make fuzz FUZZ_SECONDS=120 FUZZ_TOTAL=3600"
	echo "faults 20 - make faults STRIDE=20 FAULTS=500"
	echo "tsan 20 - make tsan"
}

# Those whose name matches one of the patterns $@; all of them if there is none.
parts_chosen() {
	local name rest pattern
	while read -r name rest; do
		for pattern in "${@:-*}"; do
			# shellcheck disable=SC2053 # it is a pattern
			[[ $name != $pattern ]] || { echo "$name $rest"; break; }
		done
	done < <(parts_all)
}

# Runs of part $1 so far.
runs_of() {
	cat "$folder/$1.runs" 2>/dev/null | wc -l
}

# Where seeds begin: in the folder, so that an interrupted run comes back with its own.
seed_base() {
	[ -s "$folder/seed" ] || echo "${SEED:-$((RANDOM * 32768 + RANDOM + 1))}" >"$folder/seed"
	cat "$folder/seed"
}

# What was tested.
commit_name() {
	git describe --always --dirty 2>/dev/null || echo -
}

# The sums of part $1 with command $2, from the runs on standard input: SEED COMMIT SECONDS PASSED FAILED SKIPPED.
sums_json() {
	awk -v part="$1" -v command="$2" '
		{ runs++; seconds += $3; passed += $4; failed += $5; skipped += $6 }
		$5 { seeds = seeds ", " $1 }
		END {
			printf "{\"part\": \"%s\", \"command\": \"%s\", \"runs\": %d, \"seconds\": %d, ", part, command, runs, seconds
			printf "\"passed\": %d, \"failed\": %d, \"skipped\": %d, \"failed_seeds\": [%s]}\n",
				passed, failed, skipped, substr(seeds, 3)
		}'
}

# Keeps what run $2 of part $1 has left, whose evidence is in $3.
failure_keep() {
	local kept=$folder/$1.$2
	rm -rf "$kept"
	mkdir -p "$kept"
	cp "$folder/$1.log" "$kept/log"
	[ ! -d "$3" ] || find "$3" -maxdepth 1 -name 'evidence*' -exec cp -r {} "$kept/" \;
}

# The next run of part $1: $2 is where evidence lies, the rest is its command.
part_run() {
	local part=$1 evidence=$2 log=$folder/$1.log seed start=$SECONDS status=0 result
	shift 2
	seed=$(($(seed_base) + $(runs_of "$part")))
	echo "== $part: run $(($(runs_of "$part") + 1)), SEED=$seed $*"
	wait_scale_measure
	SEED=$seed timeout --foreground --kill-after="$(wait_scaled 150)" "$(wait_scaled "$run_limit")" "$@" \
		</dev/null >"$log" 2>&1 &
	running=$!
	wait "$running" || status=$?
	running=
	[ "$status" -ne 124 ] || echo "$part: stopped after $(wait_scaled "$run_limit") s" >>"$log"
	read -r -a result < <(tally "$log" "$status")
	echo "$seed $(commit_name) $((SECONDS - start)) ${result[*]}" >>"$folder/$part.runs"
	sums_json "$part" "$*" <"$folder/$part.runs" >"$folder/$part.json"
	echo "   ${result[0]} passed, ${result[1]} failed, ${result[2]} skipped ($((SECONDS - start)) s)"
	if [ "${result[1]}" -gt 0 ]; then
		failure_keep "$part" "$seed" "$evidence"
		tail -n 20 "$log" | sed 's/^/    /'
	fi
}

# One run of each part that has not had all of its own; false if none was left.
round_run() {
	local name goal evidence command began=1
	while read -r name goal evidence command <&3; do
		[ "$(runs_of "$name")" -lt $((goal * rounds)) ] || continue
		began=0
		# shellcheck disable=SC2086 # it is words
		part_run "$name" "$evidence" $command
	done 3< <(parts_chosen "$@")
	return "$began"
}

soak_status() {
	local name goal evidence command
	while read -r name goal evidence command; do
		awk -v name="$name" -v goal=$((goal * rounds)) '
			{ seconds += $3; passed += $4; failed += $5 }
			$5 { seeds = seeds " " $1 }
			END {
				printf "%-32s %3d of %3d runs %7d s %8d passed %4d failed%s\n", name, NR, goal, seconds,
					passed, failed, seeds ? ", SEED" seeds : ""
			}' <(cat "$folder/$name.runs" 2>/dev/null)
	done < <(parts_all)
}

soak_run() {
	[ -n "$(parts_chosen "$@")" ] || { echo "no part is named like: $*" >&2; return 2; }
	while round_run "$@"; do :; done
	soak_status
	! grep -qlE '"failed": [1-9]' "$folder"/*.json
}

# A part is a make of its own.
unset MAKEFLAGS MFLAGS MAKELEVEL
running=
trap '[ -z "$running" ] || kill "$running" 2>/dev/null; wait; exit 130' INT TERM HUP
mkdir -p "$folder"
case ${1-} in
run) shift; soak_run "$@" ;;
status) soak_status ;;
*) sed -n 's/^# \(Usage\)/\1/p; s/^#        /       /p' "$0" >&2; exit 2 ;;
esac
