/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the members of the timekeeping lie in real kernels: Debian's, for arm64.
 */
#ifndef FAKE_LINUX_LAYOUT_H
#define FAKE_LINUX_LAYOUT_H

#include <seaclock/repair.h>

enum linux_series {
	LINUX_6_1,  /* 6.1.176 */
	LINUX_6_12, /* 6.12.117 */
	LINUX_7_3,  /* 7.3.4 */
	LINUX_SERIES,
};

void linux_layout_of(struct sc_layout *layout, enum linux_series series);

#endif
