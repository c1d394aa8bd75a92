# SPDX-License-Identifier: BSD-2-Clause
#
# The lab's products: downloaded packages, the sysroot, the kernel with its headers, the emulated hosts' image and the
# truth clock. Stamps keep them from being made again, and from the network, until the script that makes them changes.
# An arm64 object that includes jansson.h or libfdt.h needs $(SYSROOT) as an order-only prerequisite, a kernel module
# needs $(KERNEL).

PACKAGES := $(O)/packages/debs
KERNEL := $(O)/kernel/stamp

TRUTH_WRITER := $(O)/host/lab/truth/truth-writer
TRUTH_READ := $(O)/arm64/lab/truth/truth-read

$(PACKAGES): lab/packages
	lab/packages

$(SYSROOT): lab/unpack $(PACKAGES)
	lab/unpack sysroot
	@touch $@

$(KERNEL): lab/unpack $(PACKAGES)
	lab/unpack kernel
	@touch $@

# What the hosts of a lab carry whose guest boots by firmware.
FIRMWARE := $(O)/firmware/code.fd

$(FIRMWARE): lab/unpack $(PACKAGES)
	lab/unpack firmware

# For the one lab that runs another monitor on its hosts.
QEMU_ARM64 := $(O)/qemu.tar

$(QEMU_ARM64): lab/unpack lab/libraries.sh $(PACKAGES)
	lab/unpack qemu

# The newest one, which the benchmarks are held against.
NEWEST_QEMU := $(O)/newest-qemu.tar
NEWEST_QEMU_PACKAGES := $(O)/packages/qemu-debs

$(NEWEST_QEMU_PACKAGES): lab/packages $(PACKAGES)
	lab/packages qemu

$(NEWEST_QEMU): lab/unpack lab/libraries.sh $(NEWEST_QEMU_PACKAGES)
	lab/unpack newest-qemu

# What the resource agent is tested with.
CLUSTER := $(O)/cluster/stamp
CLUSTER_PACKAGES := $(O)/packages/cluster-debs

$(CLUSTER_PACKAGES): lab/packages $(PACKAGES)
	lab/packages cluster

$(CLUSTER): lab/unpack $(CLUSTER_PACKAGES)
	lab/unpack cluster
	@touch $@

$(TRUTH_WRITER): $(call objects,host,lab/truth/truth-writer.c)
	$(call say,LD)$(CC) $^ -o $@

$(TRUTH_READ): $(call objects,arm64,lab/truth/truth-read.c)
	$(call say,LD)$(ARM64)gcc -static $^ -o $@

# The emulated hosts' own kernel module.
REARM := $(O)/lab/rearm/rearm.ko
REARM_SRC := linux/rearm/Kbuild linux/rearm/rearm.c

$(REARM): lab/rules.mk $(REARM_SRC) $(KERNEL)
	@mkdir -p $(@D)
	@ln -sf $(addprefix $(CURDIR)/,$(REARM_SRC)) $(@D)
	+$(call say,KBUILD)$(KBUILD) -C $(O)/kernel/headers M=$(CURDIR)/$(@D) modules

$(O)/lab/host-initrd: lab/image lab/libraries.sh lab/host/boot lab/host/bridge lab/host/inittab $(TRUTH_READ) $(REARM) $(SYSROOT) $(KERNEL)
	lab/image

include lab/guest/rules.mk lab/judge/rules.mk lab/relay/rules.mk lab/trust/rules.mk lab/pinger/rules.mk lab/linux/rules.mk lab/store/rules.mk lab/vmclock/rules.mk lab/debian/rules.mk lab/kernels/rules.mk

# What each emulated host carries in /seaclock.
PAYLOAD := $(addprefix $(O)/payload/,seaclock Image initrd.cpio.gz)

$(O)/payload/seaclock: $(MONITOR)
$(O)/payload/Image: $(O)/guest/Image
$(O)/payload/initrd.cpio.gz: $(O)/guest/initrd.cpio.gz

$(PAYLOAD):
	@mkdir -p $(@D)
	@cp $< $@

LAB := $(O)/lab/host-initrd $(TRUTH_WRITER) $(PAYLOAD) $(O)/host/judge $(RELAY)

demo: $(LAB)
	@lab/demo

# The Debian takes minutes to make, as do hosts that run one and guests of all kernels: only for the scenarios that have
# them.
ALL_STOCK := $(and $(FULL),$(filter transparent,$(ONLY)))

lab-test: $(LAB) $(GENERIC_INITRD) $(STORE) $(FIRMWARE) $(STRANGER) $(if $(or $(filter debian%,$(ONLY)),$(ALL_STOCK)),$(DEBIAN)) $(if $(or $(filter kernels,$(ONLY)),$(ALL_STOCK)),kernel-guests) $(if $(filter packages,$(ONLY)),$(DEBIAN_HOSTS) deb) bare
	@lab/scenarios/run

linux-driver: $(LAB) $(LINUX_IMAGE)
	@lab/scenarios/run ONLY=$@

vmclock: $(LAB) $(VMCLOCK_INITRD)
	@lab/scenarios/run ONLY=$@

try: $(LAB) $(STORE) $(FIRMWARE) $(DEBIAN)
	@lab/lab try

boots: $(LAB)
	@lab/boots

all: $(LAB)

packages: $(PACKAGES)
sysroot: $(SYSROOT)
lab-image: $(LAB)

.PHONY: boots try linux-driver vmclock packages sysroot lab-image
