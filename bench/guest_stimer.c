/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a synthetic timer costs its guest, measured by a guest that is nothing else: a timer set and a register read,
 * which go out to the monitor and back, beside a call that KVM answers itself and a read of the counter.
 *
 * Policy: prints one line a run, NAME NS, on the PL011; medians and ratios are for bench/lab-bench. Calls are timed in
 * batches with CNTVCT_EL0.
 */
#include <seaclock/abi.h>

#define UART_DATA ((volatile uint32_t *)0x09000000)

#define RUNS 9
#define BATCH 400

#define PSCI_VERSION 0x84000000u

/* So far away that it never comes. */
#define DISTANT_TIME (1ull << 60)

static void put_text(const char *text)
{
	for (; *text; text++)
		*UART_DATA = (uint32_t)*text;
}

static void put_number(uint64_t number)
{
	char digits[21];
	unsigned int at = sizeof(digits) - 1;

	digits[at] = '\0';
	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	put_text(&digits[at]);
}

static uint64_t counter(void)
{
	uint64_t ticks;

	__asm__ volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(ticks) : : "memory");
	return ticks;
}

static uint64_t counter_hz(void)
{
	uint64_t hz;

	__asm__("mrs %0, cntfrq_el0" : "=r"(hz));
	return hz;
}

/* HVC #0 with the register image of GET and SET; returns X0. */
static uint64_t call(uint64_t function, uint64_t control, uint32_t name, uint64_t value)
{
	register uint64_t x0 __asm__("x0") = function;
	register uint64_t x1 __asm__("x1") = control;
	register uint64_t x2 __asm__("x2") = SC_PARTITION_ID_SELF;
	register uint64_t x3 __asm__("x3") = SC_VP_INDEX_SELF;
	register uint64_t x4 __asm__("x4") = name;
	register uint64_t x5 __asm__("x5") = 0;
	register uint64_t x6 __asm__("x6") = value;
	register uint64_t x7 __asm__("x7") = 0;

	__asm__ volatile("hvc #0"
			 : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3), "+r"(x4), "+r"(x5), "+r"(x6), "+r"(x7)
			 :
			 : "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17", "memory");
	return x0;
}

static uint64_t set_register(uint32_t name, uint64_t value)
{
	return call(SC_HVC_FUNCTION_ID, SC_CALL_SET_ONE, name, value) & SC_RESULT_STATUS_MASK;
}

static void do_counter_read(void)
{
	counter();
}

static void do_timer_set(void)
{
	set_register(SC_REG_STIMER0_COUNT, DISTANT_TIME);
}

static void do_register_get(void)
{
	call(SC_HVC_FUNCTION_ID, SC_CALL_GET_ONE, SC_REG_TIME_REF_COUNT, 0);
}

static void do_kvm_call(void)
{
	call(PSCI_VERSION, 0, 0, 0);
}

static void measure(const char *name, void (*once)(void))
{
	for (unsigned int run = 0; run < RUNS; run++) {
		uint64_t ticks = counter();

		for (unsigned int i = 0; i < BATCH; i++)
			once();
		ticks = counter() - ticks;
		put_text(name);
		put_text(" ");
		put_number(ticks * 1000000000ull / counter_hz() / BATCH);
		put_text("\r\n");
	}
}

void guest_main(void);

void guest_main(void)
{
	const uint64_t config =
		SC_STIMER_ENABLE | SC_STIMER_AUTO_ENABLE | SC_STIMER_DIRECT | SC_STIMER0_INTID << SC_STIMER_INTID_SHIFT;

	if (set_register(SC_REG_GUEST_OS_ID, 1) != SC_HV_SUCCESS ||
	    set_register(SC_REG_STIMER0_CONFIG, config) != SC_HV_SUCCESS) {
		put_text("refused\r\n");
		return;
	}
	measure("counter_read", do_counter_read);
	measure("kvm_call", do_kvm_call);
	measure("register_get", do_register_get);
	measure("stimer_set", do_timer_set);
	set_register(SC_REG_STIMER0_COUNT, 0);
}
