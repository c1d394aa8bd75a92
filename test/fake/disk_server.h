/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A real NBD server, nbdkit, as a child process, on a socket in a folder of the test or on a port of loopback.
 *
 * Policy: it ends with the test, however that ends. What cannot be done ends the program.
 */
#ifndef FAKE_DISK_SERVER_H
#define FAKE_DISK_SERVER_H

#include <stdbool.h>
#include <sys/types.h>

#define DISK_SERVER_WORDS_MAX 24

struct disk_server {
	pid_t pid; /* 0: it does not run */
	char socket[128];
	char port[8]; /* empty: on the socket */
	char pid_file[128];
	char uri[384];
};

/* A server with its socket and its files in this folder; it does not run yet. */
void disk_server_init(struct disk_server *server, const char *folder);
/* On this address of loopback, "127.0.0.1:PORT", instead. */
void disk_server_use_port(struct disk_server *server, const char *address);
/* Runs it with these words, plugin and filters, which end with NULL; it is ready when this returns. */
void disk_server_start(struct disk_server *server, const char *const *words);
/* Ends it by a signal, or by SIGKILL in the end, and waits for that. */
void disk_server_end(struct disk_server *server, int signal_number);

#endif
