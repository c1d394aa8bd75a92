/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the memory load and the disks' load write: words that depend on where they stand and on how often they were
 * written before. Pure, so that the tests on the build machine can try it.
 *
 * Policy: a page that was lost, exchanged for another, or is one write out of date differs in every word.
 */
#ifndef TEST_GUEST_PROBE_PATTERN_H
#define TEST_GUEST_PROBE_PATTERN_H

#include <stddef.h>
#include <stdint.h>

#define PATTERN_PAGE_SIZE 4096u
#define PATTERN_PAGE_WORDS (PATTERN_PAGE_SIZE / sizeof(uint64_t))

/* Writes page number `page` as it is in generation `generation`. */
void pattern_write(uint64_t *words, uint64_t page, uint64_t generation);

/* How many of its words are not as in that generation; generation 0 is zeroes, as the kernel gave the page. */
size_t pattern_check(const uint64_t *words, uint64_t page, uint64_t generation);

/* The generation that the first word is of; anything if the page was never written so. */
uint64_t pattern_generation(const uint64_t *words, uint64_t page);

#endif
