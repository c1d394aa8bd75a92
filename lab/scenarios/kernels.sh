# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What the scenarios share that run guests of several kernels, each with the initial RAM disk of lab/kernels/: what a kernel
# is, and a guest of it, which is ready to be started on the host altra. The manifests of these guests are $manifests.
. "$(dirname "${BASH_SOURCE[0]}")/cooperative.sh"

manifests=()

kernel_config() {
	echo "$top/out/headers/$1/.config"
}

kernel_page_size() {
	if grep -q '^CONFIG_ARM64_16K_PAGES=y' "$(kernel_config "$1")"; then echo 16384; else echo 4096; fi
}

# The next guest has kernel $1, and is said to reach level $2.
kernel_next() {
	step "$1: $2, pages of $(kernel_page_size "$1") bytes"
	guests_next "$1"
	manifests+=("$manifest")
	sed -i '/^truth /d' "$manifest"
	guests_calibrate
	echo "kernel $1 $(kernel_page_size "$1") $2" >>"$manifest"
	guest_kernel=/tmp/Image
	guest_initrd=/tmp/initrd.cpio.gz
	lab push altra "$(echo "$top/out/kernels/linux-"*"-$1")" "$guest_kernel"
	lab push altra "$top/out/guest/kernels/$1/initrd.cpio.gz" "$guest_initrd"
}

# The judge's verdict, by its command $1, and the guests' logs.
kernels_end() {
	local folders
	check "the judge finds no fault" "$judge" "$1" "$top/out" "${manifests[@]}"
	mapfile -t folders < <(dirname "${manifests[@]}")
	logs_check "${folders[@]}"
	scenario_end
}
