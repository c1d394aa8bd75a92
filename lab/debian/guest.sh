# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Drives the Debian of lab/debian/image in a lab: sourced after lab/guests.sh. Its disk is exported by a third host, the
# store, its network reaches over all hosts, and it is typed to on its serial console. The lab with the Debian that has
# booted is kept.
debian=$top/out/debian
debian_address=10.99.0.100
debian_menu= # the key that GRUB is to get, if not its first entry is wanted
debian_options=() # of `seaclock run`, besides the usual ones
debian_hosts=(altra=25000000 grace=1000000000 store=100000000)
# Emulated hosts need longer for their pages, and a Debian writes more of them.
migrate_limits=(--max-step 5000 --downtime 3000)

export LAB_CARRY=$top/out/store:$top/out/firmware
export LAB_DISK=store=$debian/disk.img

# Runs a command in the guest by ssh, through the store; without one, a shell.
debian_ssh() {
	ssh -F none -i "$debian/key" -o "UserKnownHostsFile=$debian/known_hosts" -o HostKeyAlias=debian \
		-o IdentitiesOnly=yes -o BatchMode=yes -o LogLevel=ERROR -o ConnectTimeout=60 \
		-o "ProxyCommand=$(printf %q "$top/lab/lab") exec store -- nc $debian_address 22" "root@$debian_address" "$@"
}

# Brings up what the guest needs on the hosts.
debian_surroundings() {
	local host
	on store bridge altra
	for host in altra grace; do
		on "$host" bridge altra tap0
	done
	on store /seaclock/store/serve begin
	on store /seaclock/store/serve nbd-start
	for host in altra grace; do
		on "$host" /seaclock/store/attach store
	done
}

# Logs in on the console when it asks for the $1-th time (1), and waits for the network, which a login does not. The shell
# then says nothing but what programs print.
debian_login() {
	local prompts answers
	guest_wait_for 'login:' "${1:-1}" 600
	prompts=$(guest_count 'root@debian')
	answers=$(guest_count '^obeyed')
	guest_type root
	guest_wait_for 'root@debian' $((prompts + 1)) 120
	guest_type 'exec sh'
	guest_type 'stty -echo; PS1=; echo'
	guest_type "until ip -4 -brief address show up | grep -q $debian_address; do sleep 1; done; echo obeyed"
	guest_wait_for '^obeyed' $((answers + 1)) 120
}

# Starts the guest on host $1, apart from this script.
debian_run() {
	leg_begin "$1"
	monitor_run_apart "$1" "$guest_console" run "$guest" --firmware /seaclock/firmware/code.fd \
		--disk nbd://store:10809/disk --net tap=tap0 --vcpus 2 --memory 384 --on-reboot reset "${debian_options[@]}"
}

# Attends to the monitor of such a guest.
debian_attend() {
	monitor_attend "$guest_host" "$guest_console" >"$guest_log" 2>&1 &
	guest_pid=$!
}

debian_boot() {
	echo "The Debian boots by EDK2 and GRUB, which takes minutes."
	debian_surroundings
	debian_run altra
	[ -z "$debian_menu" ] || { guest_wait_for 'GNU GRUB' 1 300 && guest_type "$debian_menu"; }
	debian_login
	guest_type 'chronyc waitsync 300 0.001 0 1 >/dev/null; echo synchronised'
	guest_wait_for '^synchronised' 1 300
	lab keep "debian$debian_menu"
}

# debian_begin FOLDER: the lab with the guest in it, on altra. Its hosts agree about the time: after a move
# chronyd sees the clock of the other one.
debian_begin() {
	guest=debian
	guests_begin "$1" --as "debian$debian_menu" "${debian_hosts[@]}"
	if [ "$(cat "$LAB_DIR/kept" 2>/dev/null)" = "debian$debian_menu" ]; then leg_begin altra; else debian_boot; fi
	debian_attend
	guests_clocks_set
}
