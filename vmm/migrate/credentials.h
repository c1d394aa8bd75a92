/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * By what a host proves who it is, and whom it believes: what is in its key files.
 *
 * Policy: they are read whole, once, and checked as the other side will check them, so that a certificate that has
 * expired, or a clock that is wrong, is told here and before anybody is called. A key that everybody can read is none.
 * Only TLS 1.3, and of its ciphers the fastest.
 */
#ifndef VMM_MIGRATE_CREDENTIALS_H
#define VMM_MIGRATE_CREDENTIALS_H

#include "base/error.h"
#include "migrate/key_files.h"

#include <stdbool.h>

#include <gnutls/gnutls.h>

struct credentials {
	gnutls_certificate_credentials_t own; /* NULL: not open */
};

/* -errno and a sentence that names the file: -ENOENT, -EACCES, -EKEYREJECTED if it is not good for what it is. */
int credentials_open(struct credentials *credentials, const char *folder, struct error *error);
/* The same of files that are open already, from that folder, and stay so. */
int credentials_load(struct credentials *credentials, const struct key_files *files, const char *folder,
		     struct error *error);
/* Nobody uses them any more. Does nothing if they are not open. */
void credentials_close(struct credentials *credentials);

/*
 * What GnuTLS may speak, best first, on a host with instructions for AES or without: there AES is slow, and how long it
 * takes tells of the key. One side without them is enough to do without AES.
 */
const char *credentials_priority(bool aes);

/* Why GnuTLS does not believe a certificate: the status of its verification, in words that follow the certificate. */
#define CREDENTIALS_REASON_SIZE 160
void credentials_reason(unsigned int status, char reason[CREDENTIALS_REASON_SIZE]);

#endif
