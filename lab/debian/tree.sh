# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Makes root file systems of Debian's packages for arm64 with mmdebstrap, which runs the packages' own scripts by QEMU's
# user emulation: sourced by lab/debian/image, for guests, and lab/debian/host, for hosts. Root is needed only once: to
# have this machine run programs for arm64, if it does not yet. A sourcing script has `die`, its folder $out, and a
# command `finish ROOT FILE`: of the tree that mmdebstrap has made.

handlers=/proc/sys/fs/binfmt_misc
# Documents and translations would be half of it.
left_out=('/usr/share/doc/*' '/usr/share/man/*' '/usr/share/locale/*' '/usr/share/info/*')

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die "this machine does not run programs for arm64; telling its kernel how needs root, and there is no sudo."
	fi
}

# The kernel is told what the package of QEMU's user emulation says; on a machine with systemd, its installation has
# already done so. It stays told, as after any installation of that package.
handler_register() {
	[ "$(dpkg --print-architecture)" != arm64 ] && [ ! -e "$handlers/qemu-aarch64" ] || return 0
	[ -e "$handlers/register" ] || as_root sh -c 'mount -t binfmt_misc binfmt_misc "$1" 2>/dev/null' sh "$handlers" ||
		die "this machine does not run programs for arm64, and may not mount binfmt_misc, as in a container without" \
			"that right: on its host, install qemu-user-static, or mount binfmt_misc at $handlers."
	as_root sh -c 'cat /usr/lib/binfmt.d/qemu-aarch64.conf >"$1"' sh "$handlers/register" ||
		die "$handlers does not take QEMU as the program for arm64."
}

# The release of this machine.
tree_release() {
	(. /etc/os-release && echo "$VERSION_CODENAME")
}

# tree_sources FORMAT [FILTER...]: this machine's sources for arm64, as far as they are Debian's, by `apt-get indextargets`.
tree_sources() {
	apt-get -c "$top/out/packages/apt.conf" indextargets --format "$1" 'Created-By: Packages' 'Origin: Debian' \
		'Architecture: arm64' "${@:2}"
}

# tree_make RELEASE TREE FILE PACKAGE...: of the sources on standard input. What is in the folder TREE lies over it before
# the packages are configured. Hooks of mmdebstrap see the files' owners as they are to be, whoever runs it.
tree_make() {
	local release=$1 tree=$2 file=$3 options=() pattern
	shift 3
	for pattern in "${left_out[@]}"; do
		options+=(--dpkgopt="path-exclude=$pattern")
	done
	mkdir -p "$out/debs"
	mmdebstrap --quiet --architectures=arm64 --variant=apt --format=null --include="$(IFS=, && echo "$*")" \
		"${options[@]}" --dpkgopt=force-confold --dpkgopt=force-unsafe-io --aptopt='Acquire::Languages "none"' \
		--skip=download/empty,essential/unlink \
		--setup-hook="mkdir -p \"\$1/var/cache/apt/archives\" && cp -rT '$out/debs' \"\$1/var/cache/apt/archives\"" \
		--essential-hook="cp -a --no-preserve=ownership '$tree/.' \"\$1\"" \
		--customize-hook="cp -n \"\$1\"/var/cache/apt/archives/*.deb '$out/debs'" \
		--customize-hook="'$0' finish \"\$1\" '$file'" \
		"$release" /dev/null -
}

# What every machine does without: what apt needed, and what is its own.
tree_clean() {
	rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/* "$1"/var/log/*.log "$1"/var/log/apt
	: >"$1/etc/resolv.conf"
	chroot "$1" passwd -d root >/dev/null
}

# file_system_make ROOT FILE MIB OPTION...: the file system in the file is the tree, without the file systems that are
# mounted there; further options are mkfs.ext4's.
file_system_make() {
	truncate -s 0 "$2"
	truncate -s "$3M" "$2"
	mount --bind "$1" "$1/mnt"
	mkfs.ext4 -q -d "$1/mnt" "${@:4}" "$2"
	umount "$1/mnt"
}
