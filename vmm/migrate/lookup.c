/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses of a name: see the header. */
#include "migrate/lookup.h"

#include "base/thread.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Belongs to the one who asks and to the thread that looks; the last of them frees it. */
struct lookup {
	int users;  /* atomic */
	int done;   /* eventfd: readable once what follows is there */
	int result; /* atomic: whoever has seen it sees `found` */
	struct addrinfo *found;
	struct addrinfo hints;
	char *host;
	char *port;
};

static void lookup_release(struct lookup *lookup)
{
	if (__atomic_sub_fetch(&lookup->users, 1, __ATOMIC_ACQ_REL))
		return;
	if (lookup->found)
		freeaddrinfo(lookup->found);
	if (lookup->done >= 0)
		close(lookup->done);
	free(lookup->host);
	free(lookup->port);
	free(lookup);
}

static void *lookup_thread(void *argument)
{
	struct lookup *lookup = argument;
	int result = getaddrinfo(lookup->host, lookup->port, &lookup->hints, &lookup->found);

	__atomic_store_n(&lookup->result, result, __ATOMIC_RELEASE);
	eventfd_write(lookup->done, 1);
	lookup_release(lookup);
	return NULL;
}

/* NULL and an errno. */
static struct lookup *lookup_make(const char *host, const char *port, const struct addrinfo *hints)
{
	struct lookup *lookup = calloc(1, sizeof(*lookup));

	if (!lookup)
		return NULL;
	*lookup = (struct lookup){
		.users = 1,
		.done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
		.hints = *hints,
		.host = strdup(host),
		.port = strdup(port),
	};
	if (lookup->done >= 0 && lookup->host && lookup->port)
		return lookup;
	lookup_release(lookup);
	return NULL;
}

/* 0, or an errno. */
static int lookup_begin(struct lookup *lookup)
{
	pthread_t thread;
	int err;

	lookup->users = 2;
	err = thread_start(&thread, THREAD_LOOKUP, lookup_thread, lookup);
	if (err)
		lookup->users = 1;
	else
		pthread_detach(thread);
	return err;
}

static int lookup_await(struct lookup *lookup, sc_ns_t deadline, const struct wait_watch *watch,
			struct addrinfo **found, struct error *error)
{
	bool ready;
	int result = wait_ready(lookup->done, POLLIN, deadline, watch, watch ? 1 : 0, &ready, error);
	int looked;

	if (result)
		return result;
	if (!ready)
		return error_set(error, EHOSTUNREACH, "the addresses of `%s` could not be found in time", lookup->host);
	looked = __atomic_load_n(&lookup->result, __ATOMIC_ACQUIRE);
	if (looked)
		return error_set(error, EHOSTUNREACH, "`%s` is no host that can be found (%s)", lookup->host,
				 gai_strerror(looked));
	*found = lookup->found;
	lookup->found = NULL;
	return 0;
}

int lookup_run(const char *host, const char *port, const struct addrinfo *hints, sc_ns_t deadline,
	       const struct wait_watch *watch, struct addrinfo **found, struct error *error)
{
	struct lookup *lookup = lookup_make(host, port, hints);
	int err = lookup ? lookup_begin(lookup) : ENOMEM;
	int result;

	if (err)
		result = error_set(error, err, "no means to look `%s` up (%s)", host, strerror(err));
	else
		result = lookup_await(lookup, deadline, watch, found, error);
	if (lookup)
		lookup_release(lookup);
	return result;
}
