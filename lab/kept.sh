# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Keeps labs: the state of all hosts of one, saved by QEMU under a tag, from which a later lab with the same hosts goes on
# in a second or two. Sourced by lab/lab. The tag "booted" is kept by itself; others say what runs on the hosts.
#
# What is kept is valid for exactly the files that went into it, which its key names; anything else is not used, but
# replaced. Hosts that were saved go on from their saved state, too, so that it shows at once whether they come to life,
# and not when they are needed. The emulated time stands still in between, so clocks have to be calibrated anew.
#
# A loaded host has to set its timers anew (linux/rearm/rearm.c tells why). If one stands still all the same, hosts are
# booted, and no others are kept with that QEMU.
kept=${LAB_KEPT:-$top/out/lab/kept}

qemu_version() {
	qemu-system-aarch64 --version | head -n 1
}

# False if nothing can be kept here, because nobody wants it or QEMU cannot.
kept_possible() {
	[ "$kept" != no ] && [ "$(cat "$kept/unusable" 2>/dev/null)" != "$(qemu_version)" ]
}

kept_unusable() {
	mkdir -p "$kept"
	qemu_version >"$kept/unusable"
	echo "lab/lab: hosts that this QEMU has saved do not come to life, so each lab boots: $(qemu_version)" >&2
}

tag_check() {
	[[ $1 =~ ^[a-z][a-z0-9-]*$ ]] || die "\"$1\" is not a tag: a letter, then letters, digits and -."
}

kept_folder() {
	local named=("${disks[@]%%=*}")
	echo "$kept/$1_$(paste -s -d _ "$dir/arguments")$(printf '%s' "${named[@]/#/_}")"
}

# Notes what the state of the hosts will depend on, before they are started: what is built later is not theirs.
kept_note_key() {
	local disk
	{
		qemu_version
		echo "$memory"
		cat "$dir/arguments"
		sha256sum "$kernel" "$initrd" "$top"/lab/{lab,keys.sh,kept.sh,guests.sh,debian/guest.sh} "$payload"/*
		for disk in "${disks[@]}"; do echo "${disk%%=*}" && stat -c '%s %.Y' "${disk#*=}"; done
		[ ${#carried[@]} = 0 ] || find "${carried[@]}" -type f -print0 | sort -z | xargs -0 sha256sum
	} | sha256sum >"$dir/valid-for"
}

# Waits until QEMU's answer to the query $2 matches the pattern $1 for each host, at most $3 seconds.
hosts_await() {
	local name deadline=$((SECONDS + ${3:-$limit}))
	for name in $(host_names); do
		until [[ $(qemu_ask "$name" "$2") =~ $1 ]]; do
			host_pid "$name" >/dev/null && ((SECONDS < deadline)) || return 1
			sleep 0.02
		done
	done
}

# Saves the hosts, which stand still from then on, into the folder $1.
kept_save() {
	local name disk fast='{"max-bandwidth": 100000000000}'
	ln -sfn "$1" "$(<"$dir/sockets")/kept"
	for name in $(host_names); do
		qemu_ask "$name" stop >/dev/null
	done
	for name in $(host_names); do
		qemu_ask "$name" migrate-set-parameters "$fast" >/dev/null
		qemu_ask "$name" migrate "{\"uri\": \"exec:cat >$(<"$dir/sockets")/kept/$name.state\"}" >/dev/null
	done
	hosts_await '"status": "(completed|failed)"' query-migrate && hosts_await '"status": "completed"' query-migrate 1 &&
		for disk in "${disks[@]%%=*}"; do disk_copy "$dir/$disk/disk" "$1/$disk.disk" || return 1; done &&
		cp "$dir/key" "$dir/key.pub" "$dir/valid-for" "$1"
}

# Goes on from the lab that was kept as $1; false, with nothing running, if there is none or it does not come to life. A busy
# machine may be the reason for one such failure.
kept_load() {
	local folder
	kept_possible || return 1
	folder=$(kept_folder "$1")
	cmp -s "$folder/valid-for" "$dir/valid-for" || return 1
	progress "lab: loading $(host_names | wc -l) emulated hosts"
	kept_try "$folder" || kept_try "$folder" || {
		kept_unusable
		return 1
	}
	echo "$1" >"$dir/kept"
}

kept_try() {
	local folder=$1 argument name disk n=0
	cp "$folder/key" "$folder/key.pub" "$dir"
	for disk in "${disks[@]%%=*}"; do disk_copy "$folder/$disk.disk" "$dir/$disk/disk"; done
	ln -sfn "$folder" "$(<"$dir/sockets")/kept"
	while read -r argument; do
		n=$((n + 1))
		name=${argument%%=*}
		host_start $n "$name" "${argument#*=}" -incoming "exec:cat $(<"$dir/sockets")/kept/$name.state"
		port_read "$name"
	done <"$dir/arguments"
	hosts_await '"status": "(paused|postmigrate)"' query-status && hosts_continue || {
		hosts_end
		return 1
	}
}

hosts_continue() {
	local name
	for name in $(host_names); do
		qemu_ask "$name" cont >/dev/null
	done
	for name in $(host_names); do
		host_connect "$name" && host_ssh "$name" 'echo 1 >/sys/module/rearm/parameters/now && sleep 0.1' || return 1
	done
}

# Keeps the hosts as $1, in place of what was kept under that name; but not if another lab has just done so. They go
# on from there: false if they do not.
kept_renew() {
	local folder new
	kept_possible || return 0
	folder=$(kept_folder "$1")
	mkdir -p "$kept"
	# What was left by a lab that was killed meanwhile.
	find "$kept" -maxdepth 1 -name 'new.*' -mmin +60 -exec rm -rf {} +
	new=$(mktemp -d "$kept/new.XXXXXX")
	hosts_disconnect
	kept_save "$new" || {
		rm -rf "$new"
		die "QEMU does not save the hosts: is there room in $kept?"
	}
	hosts_end
	if ! cmp -s "$folder/valid-for" "$new/valid-for"; then
		rm -rf "$folder"
		mv -T "$new" "$folder" 2>/dev/null || true
	fi
	rm -rf "$new"
	kept_load "$1"
}
