/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `seaclock receive`: waits for another host to migrate a machine here, then serves it to its end.
 *
 * Policy: an invalid connection costs one log line and nothing else. The wait ends when a machine runs here, or with a
 * signal; with a socket that it has inherited also when nobody is connected any more, since whoever has passed it on,
 * such as a service manager, starts a receiver for the next connection. Meanwhile it remembers which machines it has
 * promised never to run (migrate/ledger.h). On an address that is not loopback it takes machines by TLS only, from the
 * hosts that its file `peers` names, unless it is told not to.
 */
#ifndef VMM_COMMAND_RECEIVE_H
#define VMM_COMMAND_RECEIVE_H

#include "command/elsewhere.h"

struct receive_options {
	const char *name; /* NULL: the machine's own */
	bool own_name;	  /* it has to be the machine's own */
	bool succeeds;	  /* it comes from a process of this host, which has the name until then */
	struct elsewhere_options elsewhere;
	const char *listen;
	bool plain;	     /* without TLS, whatever the address */
	const char *tls;     /* the folder for TLS, whatever the address; NULL: not said */
	uint32_t max_gap_s;  /* 0: not said */
	const char *console; /* as for console_open() */
	const char *sandbox; /* NULL: not said */
};

/*
 * How the machine ended; MACHINE_END_STOPPED if a signal came before there was one, and MACHINE_END_POWER_OFF if nobody
 * has sent one through a socket that was inherited. -EINVAL: an option is wrong.
 */
int receive_run(const struct receive_options *options, enum machine_end *end, struct error *error);

#endif
