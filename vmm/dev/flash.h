/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The flash that the firmware's variables are in: dev/cfi.h behind the second bank, and the file that keeps them.
 *
 * Policy: the contents are a region of guest memory, which travels like all memory, and which the guest reads at full
 * speed while the flash is in array mode. The file follows the contents: it is replaced as a whole about a second after
 * a change, by a thread of its own, and whenever the guest stands still for the device to be quiesced; so it is never
 * torn, and a host that dies takes at most the last second's changes with it. It is written only where the machine
 * runs. A file that cannot be written costs the log a line, and is tried again; the guest goes on.
 */
#ifndef VMM_DEV_FLASH_H
#define VMM_DEV_FLASH_H

#include "dev/cfi.h"
#include "dev/device.h"
#include "host/memory.h"

struct flash {
	struct device device; /* first, so that it is the device; its lock covers what follows */
	struct cfi cfi;
	struct memory *memory;
	const char *machine; /* its name, for messages */
	const char *path;    /* "": none */
	uint32_t used;	     /* no byte from here on has ever been anything but 0 */
	bool shown;	     /* the guest's loads are its own */
	bool changed;	     /* the file lacks something */
	bool due;	     /* and is to be written now */
	bool running;	     /* from start() to quiesce() */
	bool has_thread;
	pthread_t thread;
	pthread_cond_t wake;
	uint32_t failures_logged;
};

/*
 * The region of its bank is there. `path` and `machine` live as long as the flash. -errno and a sentence if the file
 * could not be written.
 */
int flash_init(struct flash *flash, struct memory *memory, const char *path, const char *machine,
	       const struct device_line *line, struct error *error);

/* Before the guest runs for the first time: the contents of the file, of at most the size of the bank. */
void flash_fill(struct flash *flash, const void *data, size_t size);

#endif
