# SPDX-License-Identifier: BSD-2-Clause
#
# The monitor: an arm64 program, linked against the sysroot, whose libraries the hosts of the lab carry. What does
# not touch the host is also built for this machine, for the unit tests.

VMM_TESTABLE_SRC := $(sort $(filter-out vmm/main.c,$(wildcard vmm/*.c vmm/boot/*.c vmm/dev/*.c vmm/migrate/*.c vmm/snapshot/*.c)))
VMM_SRC := vmm/main.c $(VMM_TESTABLE_SRC) $(sort $(wildcard vmm/host/*.c))
VMM_OBJ := $(call objects,arm64,$(VMM_SRC) $(CORE_SRC))
MONITOR := $(O)/arm64/seaclock

$(VMM_OBJ): | $(SYSROOT)

$(MONITOR): $(VMM_OBJ)
	$(call say,LD)$(ARM64)gcc $^ $(SYSROOT_LDFLAGS) -ljansson -lfdt -lzstd -lpthread -o $@

all: $(MONITOR)
