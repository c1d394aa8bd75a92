/* SPDX-License-Identifier: BSD-2-Clause */
/* Credentials of a host, made now: see the header. */
#include "keys.h"

#include "host_fake.h"
#include "host/host.h"
#include "migrate/authority.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define S_NS 1000000000ll
#define DAY_S 86400

static void file_write(const char *folder, const char *name, const gnutls_datum_t *pem)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "we");
	if (!file || fwrite(pem->data, 1, pem->size, file) != pem->size || fclose(file) || chmod(path, 0600))
		fake_violation("no file for a key");
}

static void file_remove(const char *folder, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	unlink(path);
}

void fake_keys_open(struct credentials *credentials, const char *name)
{
	const char *const names[] = { name, NULL };
	int64_t now = (int64_t)(host_realtime().v / S_NS);
	const struct authority_span span = { now - 60, now + DAY_S };
	char folder[] = "/tmp/seaclock-keys-XXXXXX";
	struct authority_pair authority, host;
	struct error error;

	if (!mkdtemp(folder))
		fake_violation("no folder for keys");
	if (authority_make(&span, &authority, &error) || authority_issue(&authority, names, &span, &host, &error))
		fake_violation(error.text);
	file_write(folder, "ca.pem", &authority.certificate);
	file_write(folder, "cert.pem", &host.certificate);
	file_write(folder, "key.pem", &host.key);
	if (credentials_open(credentials, folder, &error))
		fake_violation(error.text);
	file_remove(folder, "ca.pem");
	file_remove(folder, "cert.pem");
	file_remove(folder, "key.pem");
	rmdir(folder);
	authority_free(&authority);
	authority_free(&host);
}
