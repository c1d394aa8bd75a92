# SPDX-License-Identifier: BSD-2-Clause
#
# The conformance suite: the same cases in a bare guest, and beside the core in a unit test.

CONFORMANCE_SRC := $(sort $(wildcard test/conformance/*.c))
CONFORMANCE_BARE := $(call objects,bare,$(CONFORMANCE_SRC))
CONFORMANCE_SAN := $(call objects,san,$(CONFORMANCE_SRC))
CONFORMANCE_TSAN := $(call objects,tsan,$(CONFORMANCE_SRC))

$(CONFORMANCE_BARE) $(O)/bare/test/bare/guests/conformance.o: CFLAGS_bare += -mno-outline-atomics -Itest/conformance
$(O)/bare/conformance.elf: $(CONFORMANCE_BARE)

$(TEST_LIB): $(CONFORMANCE_SAN)
$(TSAN_LIB): $(CONFORMANCE_TSAN)

# The payload of the lab, the images, another monitor for the host, and the runner.
conformance: $(LAB) $(BARE_IMAGES) $(QEMU_ARM64)
	@lab/conformance

.PHONY: conformance
