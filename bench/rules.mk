# SPDX-License-Identifier: BSD-2-Clause
#
# Benchmarks: the reader of the page on this machine, and what only a machine in the lab can show. `bench` measures when
# everything is built, for a compiler beside it would be measured too.

BENCH_SRC := bench/page_read.c bench/instructions.c
BENCH_CORE := core/rate.c core/page.c

$(O)/host/bench/page_read: $(call objects,host,$(BENCH_SRC) $(BENCH_CORE))
	$(call say,LD)$(CC) $^ -o $@

$(O)/arm64/bench/page_read: $(call objects,arm64,$(BENCH_SRC) $(BENCH_CORE))
	$(call say,LD)$(ARM64)gcc -static $^ -o $@

# A kernel of its own: nothing of Linux lies between the guest and the monitor.
$(O)/bare/bench/guest_start.o: bench/guest_start.S
	@mkdir -p $(@D)
	$(call say,AS)$(ARM64)gcc $(CFLAGS_bare) -c $< -o $@

$(O)/bare/bench/stimer.elf: bench/guest.lds $(O)/bare/bench/guest_start.o $(call objects,bare,bench/guest_stimer.c)
	$(call say,LD)$(ARM64)ld --no-warn-rwx-segments -T $< $(filter %.o,$^) -o $@

$(O)/bare/bench/stimer.Image: $(O)/bare/bench/stimer.elf
	$(call say,OBJCOPY)$(ARM64)objcopy -O binary $< $@

BENCH := $(O)/host/bench/page_read $(O)/arm64/bench/page_read $(O)/bare/bench/stimer.Image

all: $(BENCH)

bench: $(BENCH) lab-image
	@echo "On this machine:"
	@$<
	@echo
	@bench/lab-bench

.PHONY: bench
