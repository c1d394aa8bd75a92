# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# A guest's network, beside QEMU's (bench/peers.sh): sourced by bench/lab-bench. Each guest has a tap of its own, and the
# other end of its traffic is a program on their host. QEMU has its device on virtio-mmio, as Seaclock has, and on PCI, and
# each of them with vhost-net, where the host's kernel moves the frames, and without; for each load the fastest of these is
# the peer. Seaclock takes vhost-net where it finds it: a second table is of a host that has none, without /dev/vhost-net.
network_port=5001
# Linux makes the segments of a TCP stream the smaller the slower it is. Processors that are emulated are slow, and the
# segments would be two packets long: each end is told to make them as long as they are on a real host.
network_segments="echo 44 >/proc/sys/net/ipv4/tcp_min_tso_segs"
network_modules=(net/tun net/tap vhost/vhost_iotlb vhost/vhost vhost/vhost_net) # in this order

# The loads, one a line: its name, the bytes of a request if what counts is MB/s, how many in all, and traffic's kind.
network_loads() {
	cat <<-END
		TCP stream from the guest|65536|64|stream-out
		TCP stream to the guest|65536|64|stream-in
		TCP request and answer||100|turns
		UDP packets from the guest||2000|packets-out
		UDP packets to the guest||2000|packets-in
	END
}

# The host gets the modules, a tap for each of $1 guests, by its number, and the other end.
network_prepare() {
	local module
	for module in "${network_modules[@]}"; do
		xz -dc "$top/out/kernel/modules/kernel/drivers/$module.ko.xz" >"$work/module.ko"
		lab push "$peer_host" "$work/module.ko" /tmp/module.ko
		host_shell "$peer_host" insmod /tmp/module.ko
	done
	lab push "$peer_host" "$top/out/guest/bin/traffic" /tmp/traffic
	host_shell "$peer_host" "set -e
		$network_segments
		for n in $(seq -s ' ' 0 $(($1 - 1))); do
			tunctl -t tap\$n >/dev/null
			ip address add 10.98.\$n.1/24 dev tap\$n
			ip link set tap\$n up
		done
		setsid /tmp/traffic serve $network_port </dev/null >/tmp/traffic.log 2>&1 &"
}

# Starts QEMU's guest number $1, called $2, with the device $3; vhost is $4.
network_start_qemu() {
	peer_start_qemu "$2" -device "$3,netdev=net" -netdev "tap,id=net,ifname=tap$1,script=no,downscript=no,vhost=$4"
}

# Starts all guests: with vhost-net if $1 is on.
network_guests_start() {
	peer_start_seaclock --net tap=tap0
	network_start_qemu 1 mmio virtio-net-device off
	network_start_qemu 2 pci virtio-net-pci,romfile= off
	if [ "$1" = on ]; then
		network_start_qemu 3 mmio-vh virtio-net-device on
		network_start_qemu 4 pci-vh virtio-net-pci,romfile= on
	fi
	peer_wait
}

# Who moves Seaclock's frames says its log.
network_check() {
	local who=monitor
	[ "$1" = off ] || who=kernel
	host_shell "$peer_host" "grep -q 'network device 0 .* is served by the $who' /tmp/peer.seaclock.console.log" ||
		peer_complain seaclock
}

# The kind $1 of traffic, $2 of it, as a load.
network_load() {
	echo "traffic $1 $2 10.98.GUEST.1 $network_port"
}

# A table: with vhost-net if $1 is on, as the title $2 says.
network_compare() {
	local name size count kind
	local -A ns exits user base_exits base_user
	peer_monitors=(seaclock "${peer_rivals[@]}")
	network_guests_start "$1"
	peer_turns=1 peer_load "ip address add 10.98.GUEST.2/24 dev eth0; ip link set eth0 up; $network_segments; echo @network ns=0"
	network_check "$1"
	echo "A guest's network, a tap to its host, $2, beside QEMU $(peer_qemu_version)/KVM on the same host (the best of" \
		"$peer_turns):"
	peer_print_head "MB/s, or a second"
	peer_load_base "$(network_load turns 1)"
	while IFS='|' read -r name size count kind; do
		peer_load "$(network_load "$kind" $((count * ${size:-1})))"
		peer_print "$name" "$count" "$size"
	done < <(network_loads)
	peer_end
}

measure_network() {
	network_prepare 5
	peer_rivals=(mmio pci mmio-vh pci-vh)
	network_compare on "with vhost-net"
	host_shell "$peer_host" "rm /dev/vhost-net"
	peer_rivals=(mmio pci)
	network_compare off "without vhost-net"
}
