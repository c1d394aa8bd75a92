/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tables for gnuplot, the report and the terminal.
 */
#ifndef LAB_JUDGE_PLOT_H
#define LAB_JUDGE_PLOT_H

#include <stdio.h>

#include "run.h"

/* One line per sample: true seconds, errors of MONOTONIC, BOOTTIME, REALTIME in us, of the raw counter in s; legs
 * apart. */
void plot_write_samples(const struct run *run, FILE *out);

/*
 * One line per migration, tab separated: from, to, from_hz, to_hz, true seconds, downtime ms, step us and its
 * uncertainty, bound us, backward steps, early timers, MiB, rounds, and the parts of the downtime in ms.
 */
void plot_write_migrations(const struct run *run, FILE *out);

/* One line per leg, tab separated: host, Hz, seconds, samples, rates of MONOTONIC, BOOTTIME, REALTIME, raw counter. */
void plot_write_legs(const struct timeline *timeline, FILE *out);

/* One line per leg but the first, tab separated: host, step of MONOTONIC, and its uncertainty, in ns. */
void plot_write_steps(const struct timeline *timeline, FILE *out);

#endif
