# SPDX-License-Identifier: BSD-2-Clause
#
# Benchmarks: the reader of the page natively and on arm64, and what only a machine in the lab can show.

BENCH_SRC := bench/page_read.c bench/instructions.c
BENCH_CORE := core/rate.c core/page.c

$(O)/host/bench/page_read: $(call objects,host,$(BENCH_SRC) $(BENCH_CORE))
	$(CC) $^ -o $@

$(O)/arm64/bench/page_read: $(call objects,arm64,$(BENCH_SRC) $(BENCH_CORE))
	$(ARM64)gcc -static $^ -o $@

# A kernel of its own: nothing of Linux lies between the guest and the monitor.
$(O)/bare/bench/guest_start.o: bench/guest_start.S
	@mkdir -p $(@D)
	$(ARM64)gcc $(CFLAGS_bare) -c $< -o $@

$(O)/bare/bench/stimer.elf: bench/guest.lds $(O)/bare/bench/guest_start.o $(call objects,bare,bench/guest_stimer.c)
	$(ARM64)ld --no-warn-rwx-segments -T $< $(filter %.o,$^) -o $@

$(O)/bare/bench/stimer.Image: $(O)/bare/bench/stimer.elf
	$(ARM64)objcopy -O binary $< $@

bench: bench-native

bench-native: $(O)/host/bench/page_read
	@echo "On this machine:"
	@$<

.PHONY: bench bench-native
