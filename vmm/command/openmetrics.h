/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What `status` says of machines, as text that Prometheus and others collect: OpenMetrics 1.0.
 *
 * Policy: a family for each thing that is worth a graph or an alarm, in base units (seconds, bytes, hertz), with the
 * machine's name as its label. What a monitor does not say is no sample. Nothing is kept between two calls.
 */
#ifndef VMM_COMMAND_OPENMETRICS_H
#define VMM_COMMAND_OPENMETRICS_H

#include <jansson.h>
#include <stdio.h>

/* A list of results of `status`, as client_status_all() gives it: a monitor that did not answer is down. */
void openmetrics_print(FILE *to, const json_t *machines);

#endif
