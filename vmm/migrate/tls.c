/* SPDX-License-Identifier: BSD-2-Clause */
/* One session of TLS 1.3: see the header. */
#include "migrate/tls.h"

#include "migrate/wire.h"
#include "transfer/limits.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include <gnutls/x509.h>

/* The first byte of a record that may open a connection (RFC 8446, 5.1). */
#define RECORD_ALERT 21
#define RECORD_HANDSHAKE 22

struct tls {
	gnutls_session_t session;
	struct wire wire;
	bool called;			  /* the peer has called */
	char wanted[TRANSPORT_NAME_SIZE]; /* what it has to prove; empty: any name will do */
	bool known;			  /* the handshake is over */
	bool foreign;			  /* the first byte was not one of TLS */
	size_t heard;			  /* bytes, until it is known */
	int err;			  /* of the last call on the socket that failed */
	struct error refusal;		  /* why its certificate is not accepted; err is 0 if it is */
	gnutls_alert_description_t alert; /* the same as TLS can say it */
	uint64_t until_rekey;		  /* bytes to send with the present key */
	size_t taken;			  /* bytes of the caller's on the wire, which are his until all have left */
	char name[TRANSPORT_NAMES_MAX][TRANSPORT_NAME_SIZE];
	unsigned int names;
	uint8_t record[WIRE_RECORD_MAX]; /* several parts become one record */
};

/* ---- The socket ---- */

static ssize_t socket_failed(struct tls *tls, int err)
{
	tls->err = err;
	gnutls_transport_set_errno(tls->session, err);
	return -1;
}

static ssize_t socket_push(gnutls_transport_ptr_t context, const giovec_t *parts, int count)
{
	struct tls *tls = context;
	ssize_t done = wire_push(&tls->wire, parts, count);

	return done < 0 ? socket_failed(tls, (int)-done) : done;
}

/* A stranger's bytes are looked at, and counted. */
static ssize_t socket_pull(gnutls_transport_ptr_t context, void *data, size_t size)
{
	struct tls *tls = context;
	ssize_t got = wire_pull(&tls->wire, data, size);
	uint8_t first;

	if (got < 0)
		return socket_failed(tls, (int)-got);
	if (tls->known || !got)
		return got;
	first = *(uint8_t *)data;
	tls->foreign = tls->foreign || (!tls->heard && first != RECORD_HANDSHAKE && first != RECORD_ALERT);
	tls->heard += (size_t)got;
	if (tls->foreign || tls->heard > TRANSPORT_STRANGER_MAX)
		return socket_failed(tls, EPROTO);
	return got;
}

/* ---- Names ---- */

static bool text_is_name(const char *text, size_t size)
{
	for (size_t n = 0; n < size; n++)
		if (!isgraph((unsigned char)text[n]))
			return false;
	return size > 0;
}

/* Number n of the certificate's SAN, as a text; false if it is of a kind that names no host. */
static bool san_text(gnutls_x509_crt_t certificate, unsigned int n, char text[TRANSPORT_NAME_SIZE], int *kind)
{
	uint8_t bytes[TRANSPORT_NAME_SIZE];
	size_t size = sizeof(bytes);

	*kind = gnutls_x509_crt_get_subject_alt_name(certificate, n, bytes, &size, NULL);
	if (*kind == GNUTLS_SAN_IPADDRESS)
		return (size == 4 || size == 16) &&
		       inet_ntop(size == 4 ? AF_INET : AF_INET6, bytes, text, TRANSPORT_NAME_SIZE);
	if (*kind != GNUTLS_SAN_DNSNAME || size >= sizeof(bytes) || !text_is_name((const char *)bytes, size))
		return false;
	memcpy(text, bytes, size);
	text[size] = '\0';
	return true;
}

static void names_take(struct tls *tls, gnutls_x509_crt_t certificate)
{
	int kind;

	tls->names = 0;
	for (unsigned int n = 0; tls->names < TRANSPORT_NAMES_MAX; n++) {
		if (san_text(certificate, n, tls->name[tls->names], &kind))
			tls->names++;
		if (kind == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
			return;
	}
}

static bool names_have(const struct tls *tls, const char *wanted)
{
	for (unsigned int n = 0; n < tls->names; n++)
		if (transport_name_equal(tls->name[n], wanted))
			return true;
	return false;
}

/* ---- The peer's certificate ---- */

static int refuse(struct tls *tls, gnutls_alert_description_t alert, const char *why)
{
	tls->alert = alert;
	error_record(&tls->refusal, EKEYREJECTED, "%s", why);
	return GNUTLS_E_CERTIFICATE_ERROR;
}

static int refuse_status(struct tls *tls, unsigned int status)
{
	char reason[CREDENTIALS_REASON_SIZE], why[CREDENTIALS_REASON_SIZE + 32];
	gnutls_alert_description_t alert = GNUTLS_A_BAD_CERTIFICATE;

	if (status & GNUTLS_CERT_REVOKED)
		alert = GNUTLS_A_CERTIFICATE_REVOKED;
	else if (status & (GNUTLS_CERT_SIGNER_NOT_FOUND | GNUTLS_CERT_SIGNER_NOT_CA | GNUTLS_CERT_SIGNATURE_FAILURE))
		alert = GNUTLS_A_UNKNOWN_CA;
	else if (status & (GNUTLS_CERT_EXPIRED | GNUTLS_CERT_NOT_ACTIVATED))
		alert = GNUTLS_A_CERTIFICATE_EXPIRED;
	credentials_reason(status, reason);
	snprintf(why, sizeof(why), "the other side's certificate %s", reason);
	return refuse(tls, alert, why);
}

static int refuse_name(struct tls *tls)
{
	char why[2 * TRANSPORT_NAME_SIZE + 64];

	snprintf(why, sizeof(why), "the other side's certificate is that of %s, not of %s",
		 tls->names ? tls->name[0] : "no host", tls->wanted);
	return refuse(tls, GNUTLS_A_ACCESS_DENIED, why);
}

/* The first of the chain is the peer's own. */
static int leaf_take(struct tls *tls)
{
	unsigned int count;
	const gnutls_datum_t *chain = gnutls_certificate_get_peers(tls->session, &count);
	gnutls_x509_crt_t leaf;
	int status = chain && count ? gnutls_x509_crt_init(&leaf) : GNUTLS_E_NO_CERTIFICATE_FOUND;

	if (status)
		return status;
	status = gnutls_x509_crt_import(leaf, &chain[0], GNUTLS_X509_FMT_DER);
	if (!status)
		names_take(tls, leaf);
	gnutls_x509_crt_deinit(leaf);
	return status;
}

/* Within the handshake, as soon as the certificate is there. */
static int peer_judge(gnutls_session_t session)
{
	struct tls *tls = gnutls_session_get_ptr(session);
	gnutls_typed_vdata_st purpose = {
		.type = GNUTLS_DT_KEY_PURPOSE_OID,
		.data = (unsigned char *)(tls->called ? GNUTLS_KP_TLS_WWW_CLIENT : GNUTLS_KP_TLS_WWW_SERVER),
	};
	unsigned int status = 0;
	int checked = gnutls_certificate_verify_peers(session, &purpose, 1, &status);

	if (!checked && !status)
		checked = leaf_take(tls);
	if (checked)
		return refuse(tls, GNUTLS_A_BAD_CERTIFICATE, "the other side's certificate cannot be checked");
	if (status)
		return refuse_status(tls, status);
	if (tls->wanted[0] && !names_have(tls, tls->wanted))
		return refuse_name(tls);
	return 0;
}

/* ---- What goes wrong ---- */

static const char *alert_words(gnutls_alert_description_t alert)
{
	switch (alert) {
	case GNUTLS_A_UNKNOWN_CA:
		return "refuses this host's certificate: it is not from the authority that is known there";
	case GNUTLS_A_CERTIFICATE_EXPIRED:
		return "refuses this host's certificate: by the clock there it has expired or is not valid yet";
	case GNUTLS_A_CERTIFICATE_REVOKED:
		return "refuses this host's certificate: it is revoked";
	case GNUTLS_A_ACCESS_DENIED:
		return "wanted another host than this one's certificate names";
	case GNUTLS_A_CERTIFICATE_REQUIRED:
		return "wants a certificate of this host";
	case GNUTLS_A_BAD_CERTIFICATE:
	case GNUTLS_A_UNSUPPORTED_CERTIFICATE:
	case GNUTLS_A_CERTIFICATE_UNKNOWN:
		return "refuses this host's certificate";
	case GNUTLS_A_PROTOCOL_VERSION:
		return "does not speak TLS 1.3";
	default:
		return NULL;
	}
}

static int alert_failed(const struct tls *tls, struct error *error)
{
	gnutls_alert_description_t alert = gnutls_alert_get(tls->session);
	const char *words = alert_words(alert), *name = gnutls_alert_get_name(alert);

	if (words)
		return error_set(error, ECONNABORTED, "the other side %s", words);
	return error_set(error, ECONNABORTED, "the other side gave up on TLS (%s)",
			 name ? name : "for no known reason");
}

static int foreign_failed(const struct tls *tls, struct error *error)
{
	if (tls->called)
		return error_set(
			error, EPROTO,
			"the other side does not speak TLS, which this receiver does: say --plain on both sides, or "
			"on neither");
	return error_set(error, EPROTO,
			 "the other side does not speak TLS: say --plain on both sides, or on neither, and there "
			 "--listen an address that is not loopback, or --tls");
}

/* A status of GnuTLS that ends the session. */
static int tls_failed(const struct tls *tls, int status, struct error *error)
{
	if (tls->refusal.err) {
		*error = tls->refusal;
		return -error->err;
	}
	if (tls->foreign)
		return foreign_failed(tls, error);
	if (!tls->known && tls->heard > TRANSPORT_STRANGER_MAX)
		return error_set(error, EPROTO, "the other side sent more than %u bytes before it was known",
				 TRANSPORT_STRANGER_MAX);
	switch (status) {
	case GNUTLS_E_FATAL_ALERT_RECEIVED:
		return alert_failed(tls, error);
	case GNUTLS_E_PREMATURE_TERMINATION:
		return error_set(error, ECONNRESET, "the migration connection was cut: %s",
				 tls->known ? "its end is not one that the other side has announced"
					    : "it ended before the two sides knew each other");
	case GNUTLS_E_PUSH_ERROR:
	case GNUTLS_E_PULL_ERROR:
		return error_set(error, error_of_call(tls->err), "the migration connection broke (%s)",
				 strerror(tls->err));
	case GNUTLS_E_NO_CERTIFICATE_FOUND:
	case GNUTLS_E_CERTIFICATE_REQUIRED:
		return error_set(error, EKEYREJECTED, "the other side shows no certificate");
	case GNUTLS_E_MEMORY_ERROR:
		return error_set(error, ENOMEM, "no memory for TLS");
	default:
		return error_set(error, EPROTO, "the other side does not speak TLS as it should (%s)",
				 gnutls_strerror(status));
	}
}

/* -EAGAIN, or what tls_failed() makes of it. */
static int tls_again(const struct tls *tls, int status, short *events, struct error *error)
{
	if (status != GNUTLS_E_AGAIN && status != GNUTLS_E_INTERRUPTED)
		return tls_failed(tls, status, error);
	*events = gnutls_record_get_direction(tls->session) ? POLLOUT : POLLIN;
	return -EAGAIN;
}

/* ---- The session ---- */

static bool host_has_aes(void)
{
#ifdef __aarch64__
	return getauxval(AT_HWCAP) & HWCAP_AES;
#else
	return true; /* what runs there is tests */
#endif
}

static int session_prepare(struct tls *tls, const struct credentials *credentials)
{
	gnutls_session_t session = tls->session;
	int status = gnutls_priority_set_direct(session, credentials_priority(host_has_aes()), NULL);

	if (!status)
		status = gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials->own);
	if (tls->called) {
		gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUIRE);
		/* Or a caller whose authority is another would show nothing, and nobody would know why. */
		gnutls_certificate_send_x509_rdn_sequence(session, 1);
	}
	gnutls_session_set_ptr(session, tls);
	gnutls_session_set_verify_function(session, peer_judge);
	gnutls_handshake_set_max_packet_length(session, TRANSPORT_STRANGER_MAX);
	gnutls_transport_set_ptr(session, tls);
	gnutls_transport_set_vec_push_function(session, socket_push);
	gnutls_transport_set_pull_function(session, socket_pull);
	return status;
}

struct tls *tls_open(int fd, const struct credentials *credentials, const char *name)
{
	struct tls *tls = calloc(1, sizeof(*tls));
	unsigned int side = name ? GNUTLS_CLIENT : GNUTLS_SERVER;

	if (!tls)
		return NULL;
	tls->wire.fd = fd;
	tls->called = !name;
	tls->until_rekey = (uint64_t)handover_limits.rekey_kib << 10;
	snprintf(tls->wanted, sizeof(tls->wanted), "%s", name ? name : "");
	if (gnutls_init(&tls->session, side | GNUTLS_NONBLOCK | GNUTLS_NO_TICKETS | GNUTLS_NO_SIGNAL)) {
		free(tls);
		return NULL;
	}
	if (!session_prepare(tls, credentials))
		return tls;
	tls_close(tls);
	return NULL;
}

void tls_close(struct tls *tls)
{
	gnutls_deinit(tls->session);
	wire_close(&tls->wire);
	free(tls);
}

/* Says why, as far as an alert can. */
static void peer_tell(struct tls *tls, int status)
{
	if (tls->foreign)
		return;
	if (tls->refusal.err)
		gnutls_alert_send(tls->session, GNUTLS_AL_FATAL, tls->alert);
	else if (status != GNUTLS_E_FATAL_ALERT_RECEIVED)
		gnutls_alert_send_appropriate(tls->session, status);
}

int tls_handshake(struct tls *tls, short *events, struct error *error)
{
	int status, result;

	do
		status = gnutls_handshake(tls->session);
	while (status < 0 && status != GNUTLS_E_AGAIN && status != GNUTLS_E_INTERRUPTED &&
	       !gnutls_error_is_fatal(status));
	tls->known = status == GNUTLS_E_SUCCESS;
	if (tls->known)
		return 0;
	result = tls_again(tls, status, events, error);
	if (result != -EAGAIN)
		peer_tell(tls, status);
	return result;
}

/* ---- Bytes ---- */

/* Where the next record begins. */
struct place {
	const struct iovec *parts;
	int count;
	size_t at; /* in the first part */
};

static void place_skip(struct place *place)
{
	while (place->count && place->at == place->parts->iov_len) {
		place->parts++;
		place->count--;
		place->at = 0;
	}
}

/* Bytes of one part, up to so many; 0 at the end. */
static size_t place_step(struct place *place, size_t limit, const uint8_t **data)
{
	size_t left;

	place_skip(place);
	if (!place->count)
		return 0;
	left = place->parts->iov_len - place->at;
	*data = (const uint8_t *)place->parts->iov_base + place->at;
	left = left < limit ? left : limit;
	place->at += left;
	place_skip(place);
	return left;
}

/* The bytes of the next record in one piece, which are copied only if they are in several. */
static const void *record_gather(struct tls *tls, struct place *place, size_t *size)
{
	const uint8_t *data = NULL;
	size_t step;

	*size = place_step(place, WIRE_RECORD_MAX, &data);
	if (*size == WIRE_RECORD_MAX || !place->count)
		return data;
	memcpy(tls->record, data, *size);
	while ((step = place_step(place, WIRE_RECORD_MAX - *size, &data))) {
		memcpy(tls->record + *size, data, step);
		*size += step;
	}
	return tls->record;
}

static int key_renew(struct tls *tls)
{
	int status = tls->until_rekey ? 0 : gnutls_session_key_update(tls->session, 0);

	if (!status && !tls->until_rekey)
		tls->until_rekey = (uint64_t)handover_limits.rekey_kib << 10;
	return status;
}

/* As many records as one call sends; fewer, if a new key is due. */
static ssize_t records_send(struct tls *tls, struct place place)
{
	ssize_t done = 1;

	for (unsigned int n = 0; done > 0 && n < WIRE_BATCH_RECORDS && tls->until_rekey; n++) {
		size_t size;
		const void *data = record_gather(tls, &place, &size);

		done = size ? gnutls_record_send(tls->session, data, size) : 0;
		if (done <= 0)
			continue;
		tls->taken += (size_t)done;
		tls->until_rekey -= (uint64_t)done < tls->until_rekey ? (uint64_t)done : tls->until_rekey;
	}
	return done;
}

static int records_collect(struct tls *tls, const struct iovec *parts, int count)
{
	int status = key_renew(tls);
	ssize_t done;

	if (status)
		return status;
	if (wire_collect(&tls->wire, true))
		return GNUTLS_E_MEMORY_ERROR;
	done = records_send(tls, (struct place){ .parts = parts, .count = count });
	wire_collect(&tls->wire, false);
	return done < 0 ? (int)done : 0;
}

ssize_t tls_send(struct tls *tls, const struct iovec *parts, int count, bool more, short *events, struct error *error)
{
	int status = tls->taken ? 0 : records_collect(tls, parts, count);
	size_t taken = tls->taken;

	if (status)
		return tls_again(tls, status, events, error);
	status = wire_flush(&tls->wire, more);
	*events = POLLOUT;
	if (status == -EAGAIN || status == -EINTR)
		return -EAGAIN;
	tls->err = -status;
	tls->taken = 0;
	return status ? tls_failed(tls, GNUTLS_E_PUSH_ERROR, error) : (ssize_t)taken;
}

/* A record may be TLS's own, a new key, and the next one lies here, where no event tells of it. */
ssize_t tls_receive(struct tls *tls, void *data, size_t size, short *events, struct error *error)
{
	ssize_t got;

	do
		got = gnutls_record_recv(tls->session, data, size);
	while ((got == GNUTLS_E_AGAIN || got == GNUTLS_E_INTERRUPTED) && wire_has_ahead(&tls->wire));
	return got < 0 ? tls_again(tls, (int)got, events, error) : got;
}

void tls_finish(struct tls *tls)
{
	if (tls->known)
		gnutls_bye(tls->session, GNUTLS_SHUT_WR);
}

bool tls_pending(const struct tls *tls)
{
	return wire_has_ahead(&tls->wire) || gnutls_record_check_pending(tls->session) > 0;
}

void tls_read_ahead(struct tls *tls, bool on)
{
	wire_read_ahead(&tls->wire, on);
}

bool tls_is_foreign(const struct tls *tls)
{
	return tls->foreign;
}

const char *tls_name(const struct tls *tls, unsigned int n)
{
	return tls->known && n < tls->names ? tls->name[n] : NULL;
}

void tls_rekey_after(struct tls *tls, uint64_t bytes)
{
	tls->until_rekey = bytes;
}
