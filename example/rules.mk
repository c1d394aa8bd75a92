# SPDX-License-Identifier: BSD-2-Clause
#
# The core in another monitor: a whole one, on the public headers and the static library alone.

EXAMPLE := $(O)/example/monitor
EXAMPLE_SRC := $(sort $(wildcard example/*.[ch]))
EXAMPLE_OBJ := $(call objects,arm64,$(filter %.c,$(EXAMPLE_SRC)))

$(EXAMPLE_OBJ): | $(SYSROOT)
$(EXAMPLE): $(EXAMPLE_OBJ) $(filter %.a,$(LIBRARY))
	@mkdir -p $(@D)
	$(call say,LD)$(ARM64)gcc -static $^ $(SYSROOT_LDFLAGS) -lfdt -o $@

all lab-test: $(EXAMPLE)
