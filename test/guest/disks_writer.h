/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A thread that writes a disk for ever, makes it durable again and again, and reads back what it wrote.
 *
 * Policy: what is durable is printed after fsync() has returned and not before, so a line that the judge has seen is a
 * promise. Blocks that are read back must hold the last write exactly. The first request that fails ends the thread.
 */
#ifndef TEST_GUEST_DISKS_WRITER_H
#define TEST_GUEST_DISKS_WRITER_H

/*
 * Starts the thread for disk number `disk`, below ORDER_DISKS_MAX, at `path`, which lives as long; it goes
 * on from what is on the disk, and rests for `pause_ms` after each fsync(). Returns 0, or -errno.
 */
int writer_start(unsigned int disk, const char *path, unsigned int pause_ms);

#endif
