# SPDX-License-Identifier: BSD-2-Clause
#
# The monitor: an arm64 program, linked against the sysroot, whose libraries the hosts of the lab carry. All of it but
# what test/fake/ stands in for, and main(), is also built for this machine, for the unit tests.

VMM_FAKED_SRC := $(addprefix vmm/host/,allocation.c cache.c kvm.c kvm_facts.c kvm_gic.c kvm_registers.c kvm_vcpu.c time.c timer.c)
VMM_SRC := $(sort $(wildcard vmm/*/*.c vmm/*/*/*.c))
VMM_LIBS := -ljansson -lfdt -lz -lzstd -luring -lgnutls -lseccomp -lpthread
VMM_TESTABLE_SRC := $(filter-out vmm/command/main.c $(VMM_FAKED_SRC),$(VMM_SRC))
VMM_OBJ := $(call objects,arm64,$(VMM_SRC) $(CORE_SRC) $(REPAIR_SRC))
MONITOR := $(O)/arm64/seaclock

$(VMM_OBJ): | $(SYSROOT)

$(MONITOR): $(VMM_OBJ)
	$(call say,LD)$(ARM64)gcc $^ $(SYSROOT_LDFLAGS) $(VMM_LIBS) -o $@

all: $(MONITOR)
