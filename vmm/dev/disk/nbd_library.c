/* SPDX-License-Identifier: BSD-2-Clause */
/* libnbd, loaded when it is wanted: see the header. */
#include "dev/disk/nbd_library.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define FILE_NAME "libnbd.so.0"
#define PACKAGE_NAME "libnbd0"

#define ENTRY(name)                                                                                                    \
	{                                                                                                              \
		"nbd_" #name, offsetof(struct nbd_library, name)                                                       \
	}

static const struct {
	const char *name;
	size_t place; /* in struct nbd_library */
} entries[] = {
	ENTRY(create),
	ENTRY(close),
	ENTRY(get_error),
	ENTRY(get_errno),
	ENTRY(set_uri_allow_local_file),
	ENTRY(aio_connect_uri),
	ENTRY(aio_disconnect),
	ENTRY(aio_get_fd),
	ENTRY(aio_get_direction),
	ENTRY(aio_notify_read),
	ENTRY(aio_notify_write),
	ENTRY(aio_is_ready),
	ENTRY(aio_is_dead),
	ENTRY(aio_is_closed),
	ENTRY(aio_pread),
	ENTRY(aio_pwrite),
	ENTRY(aio_flush),
	ENTRY(aio_trim),
	ENTRY(aio_zero),
	ENTRY(get_size),
	ENTRY(get_block_size),
	ENTRY(is_read_only),
	ENTRY(can_flush),
	ENTRY(can_trim),
	ENTRY(can_zero),
};

#define ENTRIES (sizeof(entries) / sizeof(entries[0]))

/* Each pointer is filled from the table. */
_Static_assert(ENTRIES * sizeof(void *) == sizeof(struct nbd_library), "a function is not in the table");

static struct nbd_library library;
static struct error failure;
static bool is_loaded;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* Never closed again: GnuTLS and the others leave things behind. */
static void library_load(void)
{
	void *file = dlopen(FILE_NAME, RTLD_NOW | RTLD_LOCAL);

	if (!file) {
		error_record(&failure, ENOTSUP,
			     "network disks need %s, which this host does not have: install the package %s (%s)",
			     FILE_NAME, PACKAGE_NAME, dlerror());
		return;
	}
	for (size_t n = 0; n < ENTRIES; n++) {
		void *function = dlsym(file, entries[n].name);

		if (!function) {
			error_record(&failure, ENOTSUP,
				     "this host's %s has no %s: version 1.14 or newer of %s is needed", FILE_NAME,
				     entries[n].name, PACKAGE_NAME);
			return;
		}
		memcpy((uint8_t *)&library + entries[n].place, &function, sizeof(function));
	}
	is_loaded = true;
}

const struct nbd_library *nbd_library_load(struct error *error)
{
	pthread_once(&once, library_load);
	if (is_loaded)
		return &library;
	*error = failure;
	return NULL;
}
