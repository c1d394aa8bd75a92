/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One session of TLS 1.3 over a socket that does not block, for the transport and nobody else.
 *
 * Policy: the certificate is judged within the handshake, so that the peer hears why it is refused, and a caller shows
 * its own only to the host that it wanted.
 */
#ifndef VMM_MIGRATE_TLS_H
#define VMM_MIGRATE_TLS_H

#include "migrate/credentials.h"
#include "migrate/transport.h"

/* As a caller with the name that the peer has to prove; NULL: as the one who was called. NULL: no memory. */
struct tls *tls_open(int fd, const struct credentials *credentials, const char *name);
void tls_close(struct tls *tls);

/* As the transport's. */
int tls_handshake(struct tls *tls, short *events, struct error *error);
ssize_t tls_send(struct tls *tls, const struct iovec *parts, int count, bool more, short *events, struct error *error);
ssize_t tls_receive(struct tls *tls, void *data, size_t size, short *events, struct error *error);
void tls_finish(struct tls *tls);
bool tls_pending(const struct tls *tls);
void tls_read_ahead(struct tls *tls, bool on);
bool tls_is_foreign(const struct tls *tls);
const char *tls_name(const struct tls *tls, unsigned int n);
void tls_rekey_after(struct tls *tls, uint64_t bytes);

#endif
