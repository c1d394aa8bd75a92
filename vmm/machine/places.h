/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the devices of one machine are on its host: each in a place of its own.
 *
 * Policy: pure; it compares names alone. Two names of one file are noticed later, by its lock.
 */
#ifndef VMM_MACHINE_PLACES_H
#define VMM_MACHINE_PLACES_H

#include "machine/config.h"

/*
 * Of a description whose fields are right: -EINVAL and a sentence if two disks are the same file or block device, and
 * one of them is written, or two network devices are at one tap or one passt.
 */
int places_check(const struct machine_config *config, struct error *error);

#endif
