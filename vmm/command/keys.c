/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `seaclock keys`: a small certificate authority in a folder, and what each host needs of it.
 *
 * Policy: the authority's key never leaves its folder; a host's folder has all that belongs into /etc/seaclock/tls
 * there. Nothing replaces an authority; a host can be issued anew, which replaces its files one by one, each in one
 * step. A new authority can begin with hosts: the first of them is this one, whose files are put in place.
 */
#include "command/print.h"
#include "command/verb.h"
#include "base/file.h"
#include "host/host.h"
#include "migrate/authority.h"
#include "migrate/credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEYS_FOLDER "/etc/seaclock/ca"
#define KEYS_FORM "issue HOST [NAME|ADDRESS]... [--ca DIR] [--days N] [--json]"
#define KEYS_WORDS_MAX 16

#define DAY_S 86400
#define DAYS_AUTHORITY 3650
#define DAYS_HOST 730
#define DAYS_MAX 36500

/* Certificates begin so long ago, for hosts whose clocks are behind. */
#define EARLIER_S DAY_S
#define NS_PER_S 1000000000u

struct keys_options {
	const char *folder;
	const char *tls; /* NULL: not said */
	uint32_t days;	 /* 0: not said */
	bool json;
};

static const struct keys_options defaults = { .folder = KEYS_FOLDER };

/* Where this host's own files belong. */
static const char *tls_of(const struct keys_options *options)
{
	return options->tls ? options->tls : KEY_FILES_FOLDER;
}

static struct authority_span span_of(const struct keys_options *options, uint32_t usual)
{
	int64_t now = (int64_t)(host_realtime().v / NS_PER_S);

	return (struct authority_span){ now - EARLIER_S,
					now + (int64_t)(options->days ? options->days : usual) * DAY_S };
}

/* ---- Files ---- */

static int folder_make(const char *folder, struct error *error)
{
	if (!mkdir(folder, 0700) || errno == EEXIST)
		return 0;
	return error_set(error, errno, "cannot make the folder %s (%s)", folder, strerror(errno));
}

/* 0, or -errno. */
static int bytes_write(int fd, const gnutls_datum_t *pem)
{
	size_t done = 0;

	while (done < pem->size) {
		ssize_t step = write(fd, pem->data + done, pem->size - done);

		if (step < 0 && errno != EINTR)
			return -errno;
		done += step > 0 ? (size_t)step : 0;
	}
	return fsync(fd) ? -errno : 0;
}

/* All of it, or nothing under that name. What is there is replaced. */
static int pem_write(const char *folder, const char *name, const gnutls_datum_t *pem, mode_t mode, struct error *error)
{
	char path[PATH_MAX], new[PATH_MAX];
	int result = file_path_in(folder, name, path, sizeof(path), error);
	int fd;

	if (!result && snprintf(new, sizeof(new), "%s.XXXXXX", path) >= PATH_MAX)
		result = error_set(error, ENAMETOOLONG, "the path of %.100s... is too long for a file", folder);
	if (result)
		return result;
	fd = mkostemp(new, O_CLOEXEC);
	if (fd < 0)
		return error_set(error, errno, "cannot make a file in %s (%s)", folder, strerror(errno));
	result = fchmod(fd, mode) ? -errno : bytes_write(fd, pem);
	close(fd);
	if (!result && rename(new, path))
		result = -errno;
	if (!result)
		return 0;
	unlink(new);
	return error_set(error, -result, "cannot write %s (%s)", path, strerror(-result));
}

/* A file of the authority; the caller frees the data. */
static int pem_read(const char *folder, const char *name, gnutls_datum_t *pem, struct error *error)
{
	char path[PATH_MAX];
	void *data;
	size_t size;
	int result = file_path_in(folder, name, path, sizeof(path), error);

	if (!result)
		result = file_read(path, &data, &size, error);
	if (result == -ENOENT)
		return error_set(error, ENOENT, "there is no authority in %s: `seaclock keys init` makes one", folder);
	if (result)
		return result;
	/* GnuTLS frees its own data, and nobody else's. */
	pem->data = gnutls_malloc(size);
	pem->size = (unsigned int)size;
	if (pem->data)
		memcpy(pem->data, data, size);
	explicit_bzero(data, size);
	free(data);
	return pem->data ? 0 : error_set(error, ENOMEM, "no memory for %s", path);
}

/* ---- Hosts ---- */

static int host_write(const char *folder, const struct authority_pair *authority, const struct authority_pair *host,
		      struct error *error)
{
	int result = folder_make(folder, error);

	if (!result)
		result = pem_write(folder, "ca.pem", &authority->certificate, 0644, error);
	if (!result)
		result = pem_write(folder, "key.pem", &host->key, 0600, error);
	return result ? result : pem_write(folder, "cert.pem", &host->certificate, 0644, error);
}

/* What a host needs, which has these names. A folder of NULL is that of its first name in the authority's. */
static int host_issue(const struct keys_options *options, const struct authority_pair *authority,
		      const char *const *names, const char *folder, struct error *error)
{
	struct authority_pair host = { { NULL, 0 }, { NULL, 0 } };
	struct authority_span span = span_of(options, DAYS_HOST);
	char path[PATH_MAX];
	int result = authority_issue(authority, names, &span, &host, error);

	if (!result && !folder)
		result = file_path_in(options->folder, names[0], path, sizeof(path), error);
	if (!result)
		result = host_write(folder ? folder : path, authority, &host, error);
	authority_free(&host);
	return result;
}

/* The words are the names of one host. */
static int keys_issue(const struct keys_options *options, char *const *words, struct error *error)
{
	struct authority_pair authority = { { NULL, 0 }, { NULL, 0 } };
	int result = pem_read(options->folder, "ca.pem", &authority.certificate, error);

	if (!result)
		result = pem_read(options->folder, "ca-key.pem", &authority.key, error);
	if (!result)
		result = host_issue(options, &authority, (const char *const *)words, NULL, error);
	authority_free(&authority);
	return result;
}

/* Each word is a host, the first one this one, which is left out. */
static int others_issue(const struct keys_options *options, const struct authority_pair *authority, char *const *words,
			struct error *error)
{
	int result = 0;

	for (size_t n = 1; words[0] && words[n] && !result; n++)
		result = host_issue(options, authority, (const char *[]){ words[n], NULL }, NULL, error);
	return result;
}

/* ---- The authority ---- */

static int keys_check_new(const struct keys_options *options, bool here, struct error *error)
{
	char path[PATH_MAX];
	int result = file_path_in(options->folder, "ca-key.pem", path, sizeof(path), error);

	if (!result && !access(path, F_OK))
		return error_set(error, EEXIST, "there is an authority in %s already, and nothing replaces one",
				 options->folder);
	if (!result && here)
		result = file_path_in(tls_of(options), "key.pem", path, sizeof(path), error);
	if (!result && here && !access(path, F_OK))
		return error_set(error, EEXIST,
				 "this host has keys in %s already: `seaclock keys init` without hosts "
				 "leaves them alone",
				 tls_of(options));
	return result;
}

static int keys_init(const struct keys_options *options, char *const *words, struct error *error)
{
	struct authority_span span = span_of(options, DAYS_AUTHORITY);
	struct authority_pair authority;
	int result = keys_check_new(options, words[0], error);

	if (!result)
		result = authority_make(&span, &authority, error);
	if (result)
		return result;
	result = folder_make(options->folder, error);
	if (!result)
		result = pem_write(options->folder, "ca.pem", &authority.certificate, 0644, error);
	if (!result)
		result = others_issue(options, &authority, words, error);
	/* With its key the authority is there. What is still missing then, `keys issue` makes. */
	if (!result)
		result = pem_write(options->folder, "ca-key.pem", &authority.key, 0600, error);
	if (!result && words[0])
		result = host_issue(options, &authority, (const char *[]){ words[0], NULL }, tls_of(options), error);
	authority_free(&authority);
	return result;
}

/* ---- The command line ---- */

static void issued_say(const struct keys_options *options, const char *host)
{
	printf("%s/%s has what %s needs: move its files to %s there\n", options->folder, host, host, KEY_FILES_FOLDER);
}

static void init_say(const struct keys_options *options, char *const *words)
{
	printf("the authority is in %s: its ca-key.pem stays there, and `seaclock keys issue HOST` makes what each "
	       "host needs\n",
	       options->folder);
	if (!words[0])
		return;
	printf("%s has what %s needs, which is this host\n", tls_of(options), words[0]);
	while (*++words)
		issued_say(options, *words);
}

static int keys_check(const struct keys_options *options, char *const *words, struct error *error)
{
	bool issue = !strcmp(words[0], "issue");

	if (!issue && strcmp(words[0], "init") != 0)
		return error_set(error, EINVAL, "keys takes init or issue, not `%.100s`", words[0]);
	if (issue && !words[1])
		return error_set(error, EINVAL, "keys issue needs a HOST");
	if (options->tls && (issue || !words[1]))
		return error_set(error, EINVAL, "--tls is where keys init puts the files of the first HOST");
	return 0;
}

static int keys_run(void *context, char *const *words, struct error *error)
{
	const struct keys_options *options = context;
	bool issue = !strcmp(words[0], "issue");
	int result = keys_check(options, words, error);

	if (!result)
		result = issue ? keys_issue(options, words + 1, error) : keys_init(options, words + 1, error);
	if (result)
		return result;
	if (options->json)
		print_done(issue ? "keys issue" : "keys init", issue ? words[1] : options->folder);
	else if (issue)
		issued_say(options, words[1]);
	else
		init_say(options, words + 1);
	return 0;
}

static const struct option_spec table[] = {
	{ OPTION_TEXT("ca", "DIR", struct keys_options, folder) },
	{ OPTION_TEXT("tls", "DIR", struct keys_options, tls) },
	{ OPTION_NUMBER("days", "N", 1, DAYS_MAX, struct keys_options, days) },
	{ OPTION_FLAG("json", struct keys_options, json) },
	{ .name = NULL },
};

const struct verb verb_keys = {
	.name = "keys",
	.words = "init [HOST]...",
	.words_min = 1,
	.words_max = KEYS_WORDS_MAX,
	.form = KEYS_FORM,
	.table = table,
	.defaults = &defaults,
	.size = sizeof(defaults),
	.run = keys_run,
};
