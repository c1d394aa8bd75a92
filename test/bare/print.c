/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines on the PL011, whole ones even if several processors print.
 *
 * Policy: a lock that is only ever taken with interrupts masked; the verdict does without it, since its processor may
 * have trapped while printing.
 */
#include "bare.h"

#include <stdarg.h>

#define UART_DATA 0x00
#define UART_FLAGS 0x18
#define UART_FLAGS_FULL (1u << 5)
#define FULL_LIMIT_US 1000000

#define PSCI_SYSTEM_OFF 0x84000008u

static bool locked;

static void put(char c)
{
	struct limit limit = limit_start(FULL_LIMIT_US);

	if (!machine.uart)
		return;
	while (mmio_read(machine.uart + UART_FLAGS) & UART_FLAGS_FULL && !limit_over(&limit))
		;
	mmio_write(machine.uart + UART_DATA, (uint32_t)c);
}

static void put_text(const char *text)
{
	for (; *text; text++) {
		if (*text == '\n')
			put('\r');
		put(*text);
	}
}

static void put_number(uint64_t number, unsigned int base)
{
	char digits[21];
	unsigned int at = sizeof(digits) - 1;

	digits[at] = '\0';
	do {
		digits[--at] = "0123456789abcdef"[number % base];
		number /= base;
	} while (number > 0);
	put_text(&digits[at]);
}

static void put_formatted(const char *format, va_list *arguments)
{
	char one[2] = { 0 };

	for (; *format; format++) {
		if (*format != '%' || !format[1]) {
			one[0] = *format;
			put_text(one);
			continue;
		}
		format++;
		if (*format == 's')
			put_text(va_arg(*arguments, const char *));
		else if (*format == 'c')
			put((char)va_arg(*arguments, int));
		else
			put_number(va_arg(*arguments, uint64_t), *format == 'x' ? 16 : 10);
	}
}

void print(const char *format, ...)
{
	uint64_t daif;
	va_list arguments;

	__asm__ volatile("mrs %0, daif" : "=r"(daif));
	interrupts_mask();
	while (__atomic_test_and_set(&locked, __ATOMIC_ACQUIRE))
		;
	va_start(arguments, format);
	put_formatted(format, &arguments);
	va_end(arguments);
	__atomic_clear(&locked, __ATOMIC_RELEASE);
	__asm__ volatile("msr daif, %0" : : "r"(daif) : "memory");
}

void verdict(bool passed, const char *reason)
{
	interrupts_mask();
	put_text("\n@verdict ");
	put_text(passed ? "PASS " : "FAIL ");
	put_text(reason);
	put_text("\n");
	for (;;) {
		psci_call(PSCI_SYSTEM_OFF, 0, 0, 0);
		__asm__ volatile("wfi");
	}
}
