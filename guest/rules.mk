# SPDX-License-Identifier: BSD-2-Clause
#
# The guest library: an archive for arm64 without an operating system. It needs nothing and is small, and `make check`
# says so.

GUEST_LIB := $(O)/bare/guest/libseaclock-guest.a
GUEST_LIB_OBJ := $(call objects,bare,$(sort $(wildcard guest/*.c))) $(O)/bare/guest/call.o
GUEST_LIB_BYTES_MAX := 4096

$(O)/bare/%.o: %.S
	@mkdir -p $(@D)
	$(call say,AS)$(ARM64)gcc $(CFLAGS_bare) -c $< -o $@

$(GUEST_LIB): $(GUEST_LIB_OBJ)
	@rm -f $@
	$(call say,AR)$(ARM64)ar qcs $@ $^

$(O)/bare/guest/guest.ro: $(GUEST_LIB_OBJ)
	$(call say,LD)$(ARM64)ld -r $^ -o $@

check-guest: $(O)/bare/guest/guest.ro
	@guest/check-doc.sh
	@needs=$$($(ARM64)nm -u $<); test -z "$$needs" || { echo "the guest library is not free-standing, it needs:" $$needs; exit 1; }
	@data=$$($(ARM64)nm $< | grep -i ' [bdc] '); test -z "$$data" || { echo "the guest library has globals:" $$data; exit 1; }
	@size=$$($(ARM64)size $< | awk 'NR == 2 { print $$1 }'); echo "the guest library has $$size bytes of code"; \
		test "$$size" -le $(GUEST_LIB_BYTES_MAX) || { echo "that is more than $(GUEST_LIB_BYTES_MAX)"; exit 1; }

check: check-guest
all: $(GUEST_LIB)

.PHONY: check-guest
