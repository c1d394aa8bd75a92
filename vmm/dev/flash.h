/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The flash that the firmware's variables are in: dev/cfi.h behind the second bank, and the file that keeps them.
 *
 * Policy: the contents are a region of guest memory, which travels like all memory, and which the guest reads at full
 * speed while the flash is in array mode. The file follows the contents: it is replaced as a whole about a second after
 * a change, by a thread of its own (dev/flash_file.h), and whenever the guest stands still for the device to be
 * quiesced; so it is never torn, and a host that dies takes at most the last second's changes with it. It is locked and
 * written only where the machine runs, as disks are. A file that cannot be written costs the log a line, and is tried
 * again; the guest goes on. One whose file system does not answer is waited for within a limit; then the machine must
 * not go on elsewhere, for what is under way may be done later, and replace what is written there.
 */
#ifndef VMM_DEV_FLASH_H
#define VMM_DEV_FLASH_H

#include "dev/cfi.h"
#include "dev/device.h"
#include "dev/flash_file.h"
#include "host/deadline.h"
#include "host/memory.h"

struct flash {
	struct device device; /* first, so that it is the device; its lock covers what follows */
	struct cfi cfi;
	struct memory *memory;
	const char *machine;	 /* its name, for messages */
	struct flash_file *file; /* NULL: none */
	uint32_t used;		 /* no byte from here on has ever been anything but 0 */
	bool shown;		 /* the guest's loads are its own */
	bool changed;		 /* the file lacks something, and will not get it by itself */
	bool running;		 /* from start() to quiesce() */
	bool late;		 /* the file was not written in time when the device was quiesced last */
	int patience_ms;	 /* how long that may take: FLASH_PATIENCE_MS */
	sc_ns_t patience_end;
	uint32_t failures_logged;
};

/* As long as disks are waited for. */
#define FLASH_PATIENCE_MS 6000

/*
 * The region of its bank is there, and `machine` lives as long as the flash; `path`: "" for no file. -errno and a
 * sentence if the file could not be written.
 */
int flash_init(struct flash *flash, struct memory *memory, const char *path, const char *machine,
	       const struct device_line *line, struct error *error);

/* Before the guest runs for the first time: the contents of the file, of at most the size of the bank. */
void flash_fill(struct flash *flash, const void *data, size_t size);

/*
 * Whose the file is: as disk_lock() and disk_unlock(), with the same errors. Nobody has it without its lock, and before
 * start() it is to be ours. Without a file, 0.
 */
int flash_lock(struct flash *flash, int limit_ms, struct error *error);
int flash_unlock(struct flash *flash, int limit_ms, struct error *error);
/* Of a flash that is quiesced: -ETIMEDOUT and a sentence if its file is still being written. */
int flash_settled(struct flash *flash, struct error *error);

#endif
