/* SPDX-License-Identifier: BSD-2-Clause */
/* The VMClock page as a guest reads it. */
#ifndef TEST_GUEST_VMCLOCK_PAGE_H
#define TEST_GUEST_VMCLOCK_PAGE_H

#include "dev/vmclock.h"

#include <stdint.h>

/* A whole update of the page. */
struct vmclock_page vmclock_page_take(const volatile struct vmclock_page *shared);

/* What it says of the counter, in ns since 1970. */
uint64_t vmclock_page_time(const struct vmclock_page *page, uint64_t counter);

/* The counter's rate by its period, in whole Hz. */
uint64_t vmclock_page_hz(const struct vmclock_page *page);

#endif
