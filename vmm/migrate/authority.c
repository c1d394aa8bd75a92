/* SPDX-License-Identifier: BSD-2-Clause */
/* A small certificate authority: see the header. */
#include "migrate/authority.h"

#include "host/host.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>

#define SERIAL_SIZE 16
#define KEY_ID_MAX 64
#define DNS_NAME_MAX 253

/* What is under construction. */
struct maker {
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t certificate;
};

static int maker_failed(int status, struct error *error)
{
	return error_set(error, EIO, "GnuTLS cannot make a certificate (%s)", gnutls_strerror(status));
}

static void maker_close(struct maker *maker)
{
	gnutls_x509_privkey_deinit(maker->key);
	gnutls_x509_crt_deinit(maker->certificate);
}

/* A GnuTLS status, as all that follows. */
static int set_serial(gnutls_x509_crt_t certificate)
{
	uint8_t serial[SERIAL_SIZE];

	host_random(serial, sizeof(serial));
	serial[0] = (serial[0] & 0x7f) | 0x40; /* positive, and of full length */
	return gnutls_x509_crt_set_serial(certificate, serial, sizeof(serial));
}

/* By which certificates and revocations find their authority. */
static int set_key_ids(gnutls_x509_crt_t certificate, gnutls_x509_crt_t authority)
{
	uint8_t id[KEY_ID_MAX];
	size_t size = sizeof(id);
	int status = gnutls_x509_crt_get_key_id(certificate, 0, id, &size);

	if (!status)
		status = gnutls_x509_crt_set_subject_key_id(certificate, id, size);
	size = sizeof(id);
	if (!status)
		status = gnutls_x509_crt_get_key_id(authority, 0, id, &size);
	return status ? status : gnutls_x509_crt_set_authority_key_id(certificate, id, size);
}

static int maker_open(struct maker *maker, const struct authority_span *span)
{
	int status;

	*maker = (struct maker){ .key = NULL };
	status = gnutls_x509_privkey_init(&maker->key);
	if (!status)
		status = gnutls_x509_privkey_generate(maker->key, GNUTLS_PK_ECDSA,
						      GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
	if (!status)
		status = gnutls_x509_crt_init(&maker->certificate);
	if (!status)
		status = gnutls_x509_crt_set_version(maker->certificate, 3);
	if (!status)
		status = gnutls_x509_crt_set_key(maker->certificate, maker->key);
	if (!status)
		status = set_serial(maker->certificate);
	if (!status)
		status = gnutls_x509_crt_set_activation_time(maker->certificate, span->from);
	if (!status)
		status = gnutls_x509_crt_set_expiration_time(maker->certificate, span->until);
	return status;
}

static int maker_sign(struct maker *maker, gnutls_x509_crt_t authority, gnutls_x509_privkey_t key,
		      struct authority_pair *made)
{
	int status = set_key_ids(maker->certificate, authority);

	if (!status)
		status = gnutls_x509_crt_sign2(maker->certificate, authority, key, GNUTLS_DIG_SHA256, 0);
	if (!status)
		status = gnutls_x509_crt_export2(maker->certificate, GNUTLS_X509_FMT_PEM, &made->certificate);
	return status ? status
		      : gnutls_x509_privkey_export2_pkcs8(maker->key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN,
							  &made->key);
}

/* ---- The authority ---- */

/* No two have the same name, so that nobody is looked for in the wrong one. */
static int describe_authority(gnutls_x509_crt_t certificate)
{
	char name[64];
	uint32_t number;
	int status;

	host_random(&number, sizeof(number));
	snprintf(name, sizeof(name), "CN=Seaclock CA %08x", number);
	status = gnutls_x509_crt_set_dn(certificate, name, NULL);
	if (!status)
		status = gnutls_x509_crt_set_basic_constraints(certificate, 1, 0);
	return status ? status
		      : gnutls_x509_crt_set_key_usage(certificate, GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN);
}

int authority_make(const struct authority_span *span, struct authority_pair *made, struct error *error)
{
	struct maker maker;
	int status = maker_open(&maker, span);

	*made = (struct authority_pair){ { NULL, 0 }, { NULL, 0 } };
	if (!status)
		status = describe_authority(maker.certificate);
	if (!status)
		status = maker_sign(&maker, maker.certificate, maker.key, made);
	maker_close(&maker);
	if (!status)
		return 0;
	authority_free(made);
	return maker_failed(status, error);
}

/* ---- Hosts ---- */

static bool label_is_valid(const char *label, size_t length)
{
	return length && length <= 63 && label[0] != '-' && label[length - 1] != '-';
}

bool authority_name_is_valid(const char *name)
{
	size_t length = strlen(name);

	if (!length || length > DNS_NAME_MAX ||
	    strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.") != length)
		return false;
	for (;;) {
		size_t label = strcspn(name, ".");

		if (!label_is_valid(name, label))
			return false;
		if (!name[label])
			return true;
		name += label + 1;
	}
}

static int set_name(gnutls_x509_crt_t certificate, const char *name)
{
	uint8_t address[sizeof(struct in6_addr)];
	unsigned int size = 0;

	if (inet_pton(AF_INET, name, address) == 1)
		size = sizeof(struct in_addr);
	else if (inet_pton(AF_INET6, name, address) == 1)
		size = sizeof(struct in6_addr);
	if (size)
		return gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_IPADDRESS, address, size,
							    GNUTLS_FSAN_APPEND);
	if (!authority_name_is_valid(name))
		return GNUTLS_E_INVALID_REQUEST;
	return gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_DNSNAME, name, (unsigned int)strlen(name),
						    GNUTLS_FSAN_APPEND);
}

static int describe_host(gnutls_x509_crt_t certificate)
{
	int status = gnutls_x509_crt_set_dn(certificate, "O=Seaclock host", NULL);

	if (!status)
		status = gnutls_x509_crt_set_basic_constraints(certificate, 0, -1);
	if (!status)
		status = gnutls_x509_crt_set_key_usage(certificate, GNUTLS_KEY_DIGITAL_SIGNATURE);
	if (!status)
		status = gnutls_x509_crt_set_key_purpose_oid(certificate, GNUTLS_KP_TLS_WWW_SERVER, 0);
	return status ? status : gnutls_x509_crt_set_key_purpose_oid(certificate, GNUTLS_KP_TLS_WWW_CLIENT, 0);
}

/* The authority's certificate and key; both are released by maker_close(). */
static int maker_import(struct maker *maker, const struct authority_pair *pair)
{
	int status = gnutls_x509_privkey_init(&maker->key);

	if (!status)
		status = gnutls_x509_privkey_import2(maker->key, &pair->key, GNUTLS_X509_FMT_PEM, NULL, 0);
	if (!status)
		status = gnutls_x509_crt_init(&maker->certificate);
	return status ? status : gnutls_x509_crt_import(maker->certificate, &pair->certificate, GNUTLS_X509_FMT_PEM);
}

/* A key that belongs to the certificate has its id. */
static bool maker_is_pair(const struct maker *maker)
{
	uint8_t of_key[KEY_ID_MAX], of_certificate[KEY_ID_MAX];
	size_t size = sizeof(of_key), same = sizeof(of_certificate);

	return !gnutls_x509_privkey_get_key_id(maker->key, 0, of_key, &size) &&
	       !gnutls_x509_crt_get_key_id(maker->certificate, 0, of_certificate, &same) && size == same &&
	       !memcmp(of_key, of_certificate, size);
}

static int host_issue(const struct maker *authority, const char *const *names, const struct authority_span *span,
		      struct authority_pair *made, struct error *error)
{
	int64_t until = gnutls_x509_crt_get_expiration_time(authority->certificate);
	const struct authority_span within = { span->from, span->until < until ? span->until : until };
	struct maker maker;
	int status = maker_open(&maker, &within), result = 0;

	if (!status)
		status = describe_host(maker.certificate);
	for (; *names && !status && !result; names++) {
		status = set_name(maker.certificate, *names);
		if (status == GNUTLS_E_INVALID_REQUEST)
			result = error_set(error, EINVAL, "`%.100s` is neither a host's name nor an address", *names);
	}
	if (!status)
		status = maker_sign(&maker, authority->certificate, authority->key, made);
	maker_close(&maker);
	return result || !status ? result : maker_failed(status, error);
}

int authority_issue(const struct authority_pair *authority, const char *const *names, const struct authority_span *span,
		    struct authority_pair *made, struct error *error)
{
	struct maker maker = { .key = NULL };
	int status = maker_import(&maker, authority);
	int result;

	*made = (struct authority_pair){ { NULL, 0 }, { NULL, 0 } };
	if (status)
		result = error_set(error, EKEYREJECTED, "the authority's key or certificate cannot be read (%s)",
				   gnutls_strerror(status));
	else if (!maker_is_pair(&maker) || !gnutls_x509_crt_get_ca_status(maker.certificate, NULL))
		result = error_set(error, EKEYREJECTED,
				   "the key is not that of the certificate, or the certificate is not an authority's");
	else
		result = host_issue(&maker, names, span, made, error);
	maker_close(&maker);
	if (result)
		authority_free(made);
	return result;
}

void authority_free(struct authority_pair *pair)
{
	gnutls_free(pair->certificate.data);
	if (pair->key.data)
		gnutls_memset(pair->key.data, 0, pair->key.size);
	gnutls_free(pair->key.data);
	*pair = (struct authority_pair){ { NULL, 0 }, { NULL, 0 } };
}
