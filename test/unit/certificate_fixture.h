/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Folders of certificates, as a host has them: made in the test, of any authority, name and time.
 *
 * Policy: the fake host's clock is the one that counts. What cannot be made fails the test at once.
 */
#ifndef CERTIFICATE_FIXTURE_H
#define CERTIFICATE_FIXTURE_H

#include "unit.h"

#include "host/host.h"
#include "migrate/authority.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gnutls/x509.h>

#define CERTIFICATE_DAY 86400

static inline int64_t certificate_now(void)
{
	return (int64_t)(host_realtime().v / 1000000000u);
}

/* From yesterday until tomorrow. */
static inline struct authority_span certificate_span(void)
{
	return (struct authority_span){ certificate_now() - CERTIFICATE_DAY, certificate_now() + CERTIFICATE_DAY };
}

static inline const char *certificate_path(const char *folder, const char *file)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", folder, file);
	return path;
}

static inline void certificate_write(const char *folder, const char *file, const gnutls_datum_t *pem)
{
	FILE *to = fopen(certificate_path(folder, file), "w");

	assert_non_null(to);
	assert_int_equal(fwrite(pem->data, 1, pem->size, to), pem->size);
	assert_int_equal(fclose(to), 0);
	assert_int_equal(chmod(certificate_path(folder, file), 0600), 0);
}

static inline struct authority_pair certificate_authority(const struct authority_span *span)
{
	struct authority_pair authority;
	struct error error;

	if (authority_make(span, &authority, &error))
		fail_msg("%s", error.text);
	return authority;
}

/* What a host of that name has, which believes `trusted`. */
static inline void certificate_folder(const char *folder, const struct authority_pair *trusted,
				      const struct authority_pair *authority, const char *name,
				      const struct authority_span *span)
{
	const char *names[] = { name, NULL };
	struct authority_pair pair;
	struct error error;

	mkdir(folder, 0700);
	if (authority_issue(authority, names, span, &pair, &error))
		fail_msg("%s", error.text);
	certificate_write(folder, "ca.pem", &trusted->certificate);
	certificate_write(folder, "cert.pem", &pair.certificate);
	certificate_write(folder, "key.pem", &pair.key);
	authority_free(&pair);
}

/* The folder's certificate is revoked, as `other` is told. */
static inline void certificate_revoke(const struct authority_pair *authority, const char *folder, const char *other)
{
	gnutls_x509_crt_t ca, certificate;
	gnutls_x509_privkey_t key;
	gnutls_x509_crl_t list;
	gnutls_datum_t pem;
	int64_t now = certificate_now();

	assert_int_equal(gnutls_load_file(certificate_path(folder, "cert.pem"), &pem), 0);
	gnutls_x509_crt_init(&certificate);
	assert_int_equal(gnutls_x509_crt_import(certificate, &pem, GNUTLS_X509_FMT_PEM), 0);
	gnutls_free(pem.data);
	gnutls_x509_crt_init(&ca);
	gnutls_x509_privkey_init(&key);
	assert_int_equal(gnutls_x509_crt_import(ca, &authority->certificate, GNUTLS_X509_FMT_PEM), 0);
	assert_int_equal(gnutls_x509_privkey_import2(key, &authority->key, GNUTLS_X509_FMT_PEM, NULL, 0), 0);
	gnutls_x509_crl_init(&list);
	gnutls_x509_crl_set_version(list, 2);
	gnutls_x509_crl_set_crt(list, certificate, now - 60);
	gnutls_x509_crl_set_this_update(list, now - 60);
	gnutls_x509_crl_set_next_update(list, now + CERTIFICATE_DAY);
	assert_int_equal(gnutls_x509_crl_sign2(list, ca, key, GNUTLS_DIG_SHA256, 0), 0);
	assert_int_equal(gnutls_x509_crl_export2(list, GNUTLS_X509_FMT_PEM, &pem), 0);
	certificate_write(other, "crl.pem", &pem);
	gnutls_free(pem.data);
	gnutls_x509_crl_deinit(list);
	gnutls_x509_privkey_deinit(key);
	gnutls_x509_crt_deinit(ca);
	gnutls_x509_crt_deinit(certificate);
}

static inline void certificate_remove(const char *folder)
{
	static const char *const files[] = { "ca.pem", "cert.pem", "key.pem", "crl.pem", "peers" };

	for (size_t n = 0; n < ARRAY_SIZE(files); n++)
		unlink(certificate_path(folder, files[n]));
	rmdir(folder);
}

#endif
