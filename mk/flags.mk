# SPDX-License-Identifier: BSD-2-Clause
#
# Compilers, flags and the pattern rules of every flavour. A source a/b.c becomes $(O)/FLAVOUR/a/b.o:
#   host   this machine, optimised            san    this machine, address and undefined-behaviour sanitizers
#   arm64  Linux on arm64, the lab's sysroot  bare   arm64 without an operating system
#   tsan   this machine, thread sanitizer         pic    Linux on arm64, for a shared library

CC := gcc
CLANG := clang
ARM64 := aarch64-linux-gnu-

# What arm64 programs are built against; lab/rules.mk makes it. Named here, before the first rule that waits for it.
SYSROOT := $(O)/sysroot/stamp
SYSROOT_CFLAGS := -isystem $(O)/sysroot/usr/include
# Where libraries are that libraries need, too.
SYSROOT_LDFLAGS := -L$(O)/sysroot/usr/lib/aarch64-linux-gnu -Wl,-rpath-link,$(O)/sysroot/usr/lib/aarch64-linux-gnu

# What the packages are called is what the program says: their changelog has the version, and nothing else has it.
VERSION := $(shell sed -n '1s/^seaclock (\(.*\)) .*/\1/p' debian/changelog)

WARNINGS := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes
CFLAGS_COMMON := -std=c11 -D_GNU_SOURCE $(WARNINGS) -Iinclude -Ivmm -DSEACLOCK_VERSION='"$(VERSION)"' -g -MMD -MP

# Of what is installed: wherever the tree lies, the same comes out of it.
NO_PATHS = -ffile-prefix-map=$(CURDIR)=.

CFLAGS_host := $(CFLAGS_COMMON) -O2
# LOCK_CHECK: vmm/base/lock.h
CFLAGS_san := $(CFLAGS_COMMON) -DLOCK_CHECK -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
# It does not know fences, and says so of each: what rests on them it may take for a race.
CFLAGS_tsan := $(CFLAGS_COMMON) -DLOCK_CHECK -O1 -fsanitize=thread -fno-omit-frame-pointer -Wno-tsan
CFLAGS_arm64 := $(CFLAGS_COMMON) -O2 $(NO_PATHS) $(SYSROOT_CFLAGS)
CFLAGS_pic := $(CFLAGS_COMMON) -O2 -fPIC $(NO_PATHS)
CFLAGS_bare := -std=c11 $(WARNINGS) -Iinclude -g -MMD -MP -O2 -ffreestanding -mgeneral-regs-only -fno-pic

# One short line a step; V=1 shows the commands.
ifeq ($(V),1)
say =
else
say = @echo "$(1)" $(patsubst $(O)/%,%,$@);
endif

$(O)/host/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(CFLAGS_host) -c $< -o $@

$(O)/san/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(CFLAGS_san) -c $< -o $@

$(O)/tsan/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(CFLAGS_tsan) -c $< -o $@

$(O)/arm64/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)$(ARM64)gcc $(CFLAGS_arm64) -c $< -o $@

$(O)/pic/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)$(ARM64)gcc $(CFLAGS_pic) -c $< -o $@

$(O)/bare/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)$(ARM64)gcc $(CFLAGS_bare) -c $< -o $@

$(foreach flavour,arm64 san tsan,$(O)/$(flavour)/vmm/command/main.o): debian/changelog

# $(call objects,FLAVOUR,SOURCES)
objects = $(patsubst %.c,$(O)/$(1)/%.o,$(2))
