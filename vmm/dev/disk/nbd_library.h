/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libnbd, loaded when the first network disk is opened.
 *
 * Policy: it brings GnuTLS, libxml2 and ICU, 30 MB that a machine without such a disk does not pay for. Only functions
 * that libnbd 1.14 has, by their types in its header; the names are those without nbd_.
 */
#ifndef VMM_DEV_DISK_NBD_LIBRARY_H
#define VMM_DEV_DISK_NBD_LIBRARY_H

#include "base/error.h"

#include <libnbd.h>

struct nbd_library {
	__typeof__(nbd_create) *create;
	__typeof__(nbd_close) *close;
	__typeof__(nbd_get_error) *get_error;
	__typeof__(nbd_get_errno) *get_errno;
	__typeof__(nbd_set_uri_allow_local_file) *set_uri_allow_local_file;
	__typeof__(nbd_aio_connect_uri) *aio_connect_uri;
	__typeof__(nbd_aio_disconnect) *aio_disconnect;
	__typeof__(nbd_aio_get_fd) *aio_get_fd;
	__typeof__(nbd_aio_get_direction) *aio_get_direction;
	__typeof__(nbd_aio_notify_read) *aio_notify_read;
	__typeof__(nbd_aio_notify_write) *aio_notify_write;
	__typeof__(nbd_aio_is_ready) *aio_is_ready;
	__typeof__(nbd_aio_is_dead) *aio_is_dead;
	__typeof__(nbd_aio_is_closed) *aio_is_closed;
	__typeof__(nbd_aio_pread) *aio_pread;
	__typeof__(nbd_aio_pwrite) *aio_pwrite;
	__typeof__(nbd_aio_flush) *aio_flush;
	__typeof__(nbd_aio_trim) *aio_trim;
	__typeof__(nbd_aio_zero) *aio_zero;
	__typeof__(nbd_get_size) *get_size;
	__typeof__(nbd_get_block_size) *get_block_size;
	__typeof__(nbd_is_read_only) *is_read_only;
	__typeof__(nbd_can_flush) *can_flush;
	__typeof__(nbd_can_trim) *can_trim;
	__typeof__(nbd_can_zero) *can_zero;
};

/* Loaded once, by whatever thread comes first; NULL and a sentence if this host does not have it. */
const struct nbd_library *nbd_library_load(struct error *error);

#endif
