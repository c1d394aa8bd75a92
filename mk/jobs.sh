# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Runs many small tests, JOBS of them at once, or as many as there are processors. What each prints appears whole and in
# the order of the list, so that two runs can be compared. Sourced.

# Runs a command for at most $1 seconds: 124, and a line that says so, if it took longer.
jobs_limit() {
	local status=0
	timeout --kill-after=10 "$1" "${@:2}" </dev/null || status=$?
	[ "$status" -ne 124 ] || echo "stopped after $1 s"
	return "$status"
}

# Item $3 by function $2; started in the background, so in a shell of its own. Its output is in file $1 when it is over;
# jobs_output names a file that it may use for what it starts.
jobs_one() {
	part=$1.part
	whole=$1
	jobs_output=$1.output
	trap 'mv "$part" "$whole"' EXIT
	trap - INT TERM HUP
	"$2" "$3" >"$part" 2>&1
}

# Prints the output $1 of job $2 without its last line, which is the sum, and adds that to passed and failed. A job
# without a sum has failed.
jobs_show() {
	local sum
	sum=$(tail -n 1 "$1" | sed -nE 's/^([0-9]+) passed, ([0-9]+) failed$/\1 \2/p')
	if [ -n "$sum" ]; then
		sed '$d' "$1"
	else
		cat "$1"
		echo "FAIL $2: it ended without a sum"
		sum='0 1'
	fi
	passed=$((passed + ${sum% *}))
	failed=$((failed + ${sum#* }))
}

# Shows what is over of the items $@, up to the first that is not.
jobs_show_next() {
	while [ -e "$jobs_folder/$jobs_shown" ]; do
		jobs_shown=$((jobs_shown + 1))
		jobs_show "$jobs_folder/$((jobs_shown - 1))" "${!jobs_shown}"
	done
}

# Prints the processes below the processes $@, and those, parents first.
jobs_tree() {
	local pid
	for pid in "$@"; do
		echo "$pid"
		# shellcheck disable=SC2046 # numbers
		jobs_tree $(cat "/proc/$pid/task/$pid/children" 2>/dev/null)
	done
}

# Whoever stops this stops the jobs and all that they have started, by the signal jobs_signal if that is set.
jobs_end() {
	local pid
	# shellcheck disable=SC2046 # numbers
	for pid in $(jobs_tree $(jobs -pr)); do
		kill -"${jobs_signal:-TERM}" "$pid" 2>/dev/null || true
	done
	wait
	rm -rf "$jobs_folder"
}

# Calls function $1 with each of the items after it. The last line that it prints for an item is `N passed, N failed`;
# the sums are added to the variables passed and failed.
jobs_run() {
	local function=$1 item started=0
	shift
	jobs_shown=0
	jobs_folder=$(mktemp -d)
	trap jobs_end EXIT
	trap 'exit 130' INT TERM HUP
	for item in "$@"; do
		if [ "$(jobs -pr | wc -l)" -ge "${JOBS:-$(nproc)}" ]; then
			wait -n || true
		fi
		jobs_show_next "$@"
		jobs_one "$jobs_folder/$started" "$function" "$item" &
		started=$((started + 1))
	done
	wait
	jobs_show_next "$@"
	rm -rf "$jobs_folder"
}
