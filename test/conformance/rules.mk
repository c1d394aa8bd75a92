# SPDX-License-Identifier: BSD-2-Clause
#
# The conformance suite: the same cases in a bare guest, and beside the core in a unit test.

CONFORMANCE_SRC := $(sort $(wildcard test/conformance/*.c))
CONFORMANCE_BARE := $(call objects,bare,$(CONFORMANCE_SRC))
CONFORMANCE_SAN := $(call objects,san,$(CONFORMANCE_SRC))

$(CONFORMANCE_BARE) $(O)/bare/test/bare/guests/conformance.o: CFLAGS_bare += -mno-outline-atomics -Itest/conformance
$(O)/bare/conformance.elf: $(CONFORMANCE_BARE)

$(CONFORMANCE_SAN) $(O)/san/test/unit/conformance_core.o: CFLAGS_san += -Itest/conformance
$(TEST_LIB): $(CONFORMANCE_SAN)

# The payload of the lab, the image, and the runner.
conformance: $(LAB) $(BARE_IMAGES)
	@lab/conformance

.PHONY: conformance
