/* SPDX-License-Identifier: BSD-2-Clause */
/* By what a host proves who it is: see the header. */
#include "migrate/credentials.h"

#include "base/file.h"
#include "host/host.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <gnutls/crypto.h>
#include <gnutls/x509.h>

/* A list of revocations may be long; nothing else is. */
#define CREDENTIALS_FILE_MAX (4u << 20)
#define CREDENTIALS_CHAIN_MAX 8u
#define NS_PER_S 1000000000u

static time_t credentials_time(time_t *place)
{
	time_t now = (time_t)(host_realtime().v / NS_PER_S);

	if (place)
		*place = now;
	return now;
}

/* ---- Files ---- */

/* The files, and what their folder is called. */
struct source {
	const struct key_files *files;
	const char *folder;
};

/* What a file is called, and what is in it, which the caller wipes and frees. */
static int pem_read(const struct source *source, enum key_file which, char path[PATH_MAX], gnutls_datum_t *pem,
		    struct error *error)
{
	void *data;
	size_t size;
	int result = key_files_path(source->folder, which, path, error);

	if (!result)
		result = file_read_open(source->files->fd[which], path, &data, &size, error);
	if (result)
		return result;
	if (size > CREDENTIALS_FILE_MAX) {
		free(data);
		return error_set(error, EKEYREJECTED, "%s has %zu bytes, and is read up to %u", path, size,
				 CREDENTIALS_FILE_MAX);
	}
	*pem = (gnutls_datum_t){ data, (unsigned int)size };
	return 0;
}

static void pem_free(gnutls_datum_t *pem)
{
	if (pem->data)
		gnutls_memset(pem->data, 0, pem->size);
	free(pem->data);
	pem->data = NULL;
}

static int status_refuse(int status, const char *path, struct error *error)
{
	return error_set(error, EKEYREJECTED, "%s is not what it should be (%s)", path, gnutls_strerror(status));
}

static int trust_load(gnutls_certificate_credentials_t own, const struct source *source, struct error *error)
{
	gnutls_datum_t pem = { NULL, 0 };
	char path[PATH_MAX];
	int result = pem_read(source, KEY_FILE_CA, path, &pem, error);
	int count;

	if (result)
		return result;
	count = gnutls_certificate_set_x509_trust_mem(own, &pem, GNUTLS_X509_FMT_PEM);
	pem_free(&pem);
	if (count < 0)
		return status_refuse(count, path, error);
	return count ? 0 : error_set(error, EKEYREJECTED, "%s has no certificate of an authority", path);
}

/* GnuTLS takes a list that is out of date; what was revoked since then is not in it. */
static int revocations_check_date(const gnutls_datum_t *pem, const char *path, struct error *error)
{
	gnutls_x509_crl_t *list;
	unsigned int count;
	time_t now = credentials_time(NULL);
	bool late = false;
	int status = gnutls_x509_crl_list_import2(&list, &count, pem, GNUTLS_X509_FMT_PEM, 0);

	if (status < 0)
		return status_refuse(status, path, error);
	for (unsigned int n = 0; n < count; n++) {
		time_t next = gnutls_x509_crl_get_next_update(list[n]);

		late = late || (next != (time_t)-1 && next < now);
		gnutls_x509_crl_deinit(list[n]);
	}
	gnutls_free(list);
	return late ? error_set(error, EKEYREJECTED, "%s is out of date: get the authority's present list", path) : 0;
}

/* It may be missing: then nothing is revoked. */
static int revocations_load(gnutls_certificate_credentials_t own, const struct source *source, struct error *error)
{
	gnutls_datum_t pem = { NULL, 0 };
	char path[PATH_MAX];
	int count, result;

	if (source->files->fd[KEY_FILE_CRL] < 0)
		return 0;
	result = pem_read(source, KEY_FILE_CRL, path, &pem, error);
	if (result)
		return result;
	result = revocations_check_date(&pem, path, error);
	count = gnutls_certificate_set_x509_crl_mem(own, &pem, GNUTLS_X509_FMT_PEM);
	pem_free(&pem);
	if (result)
		return result;
	if (count < 0)
		return status_refuse(count, path, error);
	/* GnuTLS leaves out one that it does not believe, and would go on without. */
	return count ? 0 : error_set(error, EKEYREJECTED, "%s is not from an authority in ca.pem", path);
}

static int key_check_mode(int fd, const char *path, struct error *error)
{
	struct stat facts;

	if (fstat(fd, &facts))
		return error_set(error, errno, "cannot look at %s (%s)", path, strerror(errno));
	if (facts.st_mode & (S_IROTH | S_IWOTH))
		return error_set(error, EACCES, "%s is open to everybody: chmod 600 makes it its owner's", path);
	return 0;
}

static int pair_load(gnutls_certificate_credentials_t own, const struct source *source, struct error *error)
{
	gnutls_datum_t certificate = { NULL, 0 }, key = { NULL, 0 };
	char path[PATH_MAX], key_path[PATH_MAX];
	int result = pem_read(source, KEY_FILE_CERT, path, &certificate, error);

	if (!result)
		result = pem_read(source, KEY_FILE_KEY, key_path, &key, error);
	if (!result)
		result = key_check_mode(source->files->fd[KEY_FILE_KEY], key_path, error);
	if (!result) {
		int status = gnutls_certificate_set_x509_key_mem2(own, &certificate, &key, GNUTLS_X509_FMT_PEM, NULL,
								  GNUTLS_PKCS_PLAIN);

		if (status == GNUTLS_E_CERTIFICATE_KEY_MISMATCH)
			result = error_set(error, EKEYREJECTED, "%s is not the key of %s", key_path, path);
		else if (status < 0)
			result = error_set(error, EKEYREJECTED, "%s and %s are no certificate with its key (%s)", path,
					   key_path, gnutls_strerror(status));
	}
	pem_free(&certificate);
	pem_free(&key);
	return result;
}

/* ---- Checks ---- */

#define DATE_SIZE sizeof("4294967295-01-01 00:00:00 UTC")
#define DAY_S 86400u
#define ERA_DAYS 146097u	/* 400 years, after which the calendar repeats itself */
#define ERA_BEFORE_1970 719468u /* days from the first of March of the year 0, where an era begins */

/* Two digits. */
static unsigned int digits(uint64_t value)
{
	return (unsigned int)(value % 100);
}

/*
 * Seconds since 1970 as a date. The C library's own functions look for a time zone in a file, which no thread of a
 * monitor may open. Years begin in March, so that the day that only some have is their last.
 */
static void date_text(uint64_t s, char text[DATE_SIZE])
{
	uint64_t days = s / DAY_S + ERA_BEFORE_1970, day = days % ERA_DAYS, in_day = s % DAY_S;
	uint64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	uint64_t in_year = day - (365 * year + year / 4 - year / 100);
	uint64_t month = (5 * in_year + 2) / 153;

	snprintf(text, DATE_SIZE, "%u-%02u-%02u %02u:%02u:%02u UTC",
		 (unsigned int)(days / ERA_DAYS * 400 + year + (month >= 10)),
		 digits(month < 10 ? month + 3 : month - 9), digits(in_year - (153 * month + 2) / 5 + 1),
		 digits(in_day / 3600), digits(in_day / 60 % 60), digits(in_day % 60));
}

void credentials_reason(unsigned int status, char reason[CREDENTIALS_REASON_SIZE])
{
	static const struct {
		unsigned int status;
		const char *words;
	} table[] = {
		{ GNUTLS_CERT_REVOKED, "is revoked" },
		{ GNUTLS_CERT_SIGNER_NOT_FOUND, "is not from the authority in ca.pem" },
		{ GNUTLS_CERT_SIGNER_NOT_CA, "is not from the authority in ca.pem" },
		{ GNUTLS_CERT_SIGNATURE_FAILURE, "is not from the authority in ca.pem" },
		{ GNUTLS_CERT_EXPIRED, "has expired" },
		{ GNUTLS_CERT_NOT_ACTIVATED, "is not valid yet" },
		{ GNUTLS_CERT_REVOCATION_DATA_SUPERSEDED, "cannot be judged, because crl.pem is out of date" },
		{ GNUTLS_CERT_REVOCATION_DATA_ISSUED_IN_FUTURE, "cannot be judged, because crl.pem is of the future" },
		{ GNUTLS_CERT_INSECURE_ALGORITHM, "is signed by an algorithm that is not secure" },
		{ GNUTLS_CERT_PURPOSE_MISMATCH, "is not for this end of a TLS connection" },
	};
	char date[DATE_SIZE] = "";
	const char *words = "is not valid";

	for (size_t n = 0; n < sizeof(table) / sizeof(table[0]); n++) {
		if (!(status & table[n].status))
			continue;
		words = table[n].words;
		/* Whoever reads this decides which is wrong, the certificate or the clock. */
		if (table[n].status & (GNUTLS_CERT_EXPIRED | GNUTLS_CERT_NOT_ACTIVATED))
			date_text(host_realtime().v / NS_PER_S, date);
		break;
	}
	snprintf(reason, CREDENTIALS_REASON_SIZE, "%s%s%s", words, date[0] ? ", by this host's clock, which says " : "",
		 date);
}

static int chain_judge(gnutls_certificate_credentials_t own, gnutls_x509_crt_t *chain, unsigned int count,
		       const char *folder, struct error *error)
{
	gnutls_x509_trust_list_t trust;
	char reason[CREDENTIALS_REASON_SIZE];
	unsigned int status = 0;
	int checked;

	gnutls_certificate_get_trust_list(own, &trust);
	checked = gnutls_x509_trust_list_verify_crt(trust, chain, count, 0, &status, NULL);
	if (checked < 0)
		return error_set(error, EKEYREJECTED, "%s/cert.pem cannot be checked (%s)", folder,
				 gnutls_strerror(checked));
	if (!status)
		return 0;
	credentials_reason(status, reason);
	return error_set(error, EKEYREJECTED, "this host's certificate %s/cert.pem %s", folder, reason);
}

/* As the other side will. */
static int own_check(gnutls_certificate_credentials_t own, const char *folder, struct error *error)
{
	gnutls_x509_crt_t *chain;
	unsigned int count;
	int result = gnutls_certificate_get_x509_crt(own, 0, &chain, &count);

	if (result < 0)
		return error_set(error, EKEYREJECTED, "%s/cert.pem cannot be checked (%s)", folder,
				 gnutls_strerror(result));
	if (count > CREDENTIALS_CHAIN_MAX)
		result = error_set(error, EKEYREJECTED, "%s/cert.pem is a chain of %u certificates; at most %u can be",
				   folder, count, CREDENTIALS_CHAIN_MAX);
	else
		result = chain_judge(own, chain, count, folder, error);
	for (unsigned int n = 0; n < count; n++)
		gnutls_x509_crt_deinit(chain[n]);
	gnutls_free(chain);
	return result;
}

/* ---- All of it ---- */

int credentials_load(struct credentials *credentials, const struct key_files *files, const char *folder,
		     struct error *error)
{
	const struct source source = { files, folder };
	int result;

	/* The only clock of this program; for all threads, and always the same. */
	gnutls_global_set_time_function(credentials_time);
	*credentials = (struct credentials){ NULL };
	if (gnutls_certificate_allocate_credentials(&credentials->own))
		return error_set(error, ENOMEM, "no memory for certificates");
	result = trust_load(credentials->own, &source, error);
	if (!result)
		result = revocations_load(credentials->own, &source, error);
	if (!result)
		result = pair_load(credentials->own, &source, error);
	if (!result)
		result = own_check(credentials->own, folder, error);
	if (result)
		credentials_close(credentials);
	return result;
}

int credentials_open(struct credentials *credentials, const char *folder, struct error *error)
{
	struct key_files files;
	int result = key_files_open(&files, folder, error);

	*credentials = (struct credentials){ NULL };
	if (result)
		return result;
	result = credentials_load(credentials, &files, folder, error);
	key_files_close(&files);
	return result;
}

void credentials_close(struct credentials *credentials)
{
	if (credentials->own)
		gnutls_certificate_free_credentials(credentials->own);
	credentials->own = NULL;
}

#define SUITE "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL"

const char *credentials_priority(bool aes)
{
	return aes ? SUITE ":+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305"
		   : SUITE ":+CHACHA20-POLY1305:+AES-128-GCM:+AES-256-GCM:%SERVER_PRECEDENCE";
}
