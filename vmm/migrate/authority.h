/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small certificate authority, in memory: keys and certificates as PEM.
 *
 * Policy: one kind of key, ECDSA on P-256 with SHA-256, which every TLS 1.3 knows. The authority signs hosts and
 * nothing else. A host's certificate is good for both ends of a connection, and holds only for the names in its SAN.
 */
#ifndef VMM_MIGRATE_AUTHORITY_H
#define VMM_MIGRATE_AUTHORITY_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

#include <gnutls/gnutls.h>

/* Seconds since 1970. */
struct authority_span {
	int64_t from, until;
};

/* Both as PEM. */
struct authority_pair {
	gnutls_datum_t certificate, key;
};

/* A new authority. -EIO and a sentence if GnuTLS cannot make one. */
int authority_make(const struct authority_span *span, struct authority_pair *made, struct error *error);

/*
 * A host's key and certificate, for DNS names and addresses; names end with NULL. What reaches beyond the authority's
 * own time is cut. -EINVAL if a name is none, -EKEYREJECTED if the authority's key and certificate are not those of
 * one.
 */
int authority_issue(const struct authority_pair *authority, const char *const *names, const struct authority_span *span,
		    struct authority_pair *made, struct error *error);

void authority_free(struct authority_pair *pair);

/* True for what may stand in a certificate as a DNS name: letters, digits, `-` and dots. */
bool authority_name_is_valid(const char *name);

#endif
