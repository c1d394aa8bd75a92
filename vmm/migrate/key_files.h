/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The files by which a host proves who it is, in one folder: ca.pem, cert.pem, key.pem and, if it is there, crl.pem.
 *
 * Policy: who names the folder opens them. A monitor gets them open from its client, and need not be able to open them.
 */
#ifndef VMM_MIGRATE_KEY_FILES_H
#define VMM_MIGRATE_KEY_FILES_H

#include "base/error.h"

#include <limits.h>
#include <stddef.h>

/* Where they are unless another folder is named. */
#define KEY_FILES_FOLDER "/etc/seaclock/tls"

/* In the order in which they are passed on. */
enum key_file {
	KEY_FILE_CA,
	KEY_FILE_CERT,
	KEY_FILE_KEY,
	KEY_FILE_CRL,
	KEY_FILES
};

struct key_files {
	int fd[KEY_FILES]; /* -1: it is not there */
};

extern const struct key_files key_files_none;

/* -errno and a sentence that names the file, with none open: -ENOENT, but crl.pem may be missing. */
int key_files_open(struct key_files *files, const char *folder, struct error *error);
/* Closes those that are there. */
void key_files_close(struct key_files *files);

/* What a file is called; -ENAMETOOLONG if the folder's name is too long. */
int key_files_path(const char *folder, enum key_file which, char path[PATH_MAX], struct error *error);

/*
 * The same of another file that lies beside them. A folder whose name ends with _ is a prefix: systemd passes the files
 * of a folder on in another, where each has the credential's name and _ before its own (systemd.exec(5),
 * LoadCredential=).
 */
int key_files_path_of(const char *folder, const char *name, char path[PATH_MAX], struct error *error);

#endif
