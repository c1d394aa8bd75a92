# SPDX-License-Identifier: BSD-2-Clause
#
# Bare guests: each is one source on the runtime and the guest library, and one image that arm64 boot loaders take.
# Those of other folders are built with BARE_CFLAGS, BARE_RUNTIME and bare_link.

BARE_GUESTS := $(sort $(basename $(notdir $(wildcard test/bare/guests/*.c))))
BARE_IMAGES := $(BARE_GUESTS:%=$(O)/bare/%.Image)
BARE_RUNTIME := $(call objects,bare,$(sort $(wildcard test/bare/*.c))) $(O)/bare/test/bare/head.o

BARE_CFLAGS := -mno-outline-atomics -Itest/bare
# $(call bare_link,SCRIPT,FILES)
bare_link = $(ARM64)ld -pie --no-dynamic-linker -z norelro -z max-page-size=4096 --no-warn-rwx-segments \
	-T $(1) $(filter %.o,$(2)) $(filter %.a,$(2))

$(BARE_RUNTIME) $(call objects,bare,$(wildcard test/bare/guests/*.c)): CFLAGS_bare += $(BARE_CFLAGS)

$(O)/bare/%.elf: test/bare/bare.lds $(O)/bare/test/bare/guests/%.o $(BARE_RUNTIME) $(GUEST_LIB)
	$(call say,LD)$(call bare_link,$<,$^) -o $@

$(O)/bare/%.Image: $(O)/bare/%.elf
	$(call say,OBJCOPY)$(ARM64)objcopy -O binary $< $@

bare: $(BARE_IMAGES)
all lab-test: bare

.PRECIOUS: $(O)/bare/%.elf
.PHONY: bare
