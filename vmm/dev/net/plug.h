/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a network device of the guest is plugged in, as an operator names it:
 *   tap=NAME       an interface of this host
 *   tap=fd:N       the same, as a descriptor that this process has inherited
 *   passt          a passt that the monitor starts and ends
 *   passt=PATH     one that listens at a socket
 *
 * Policy: pure; it looks at the name alone.
 */
#ifndef VMM_DEV_NET_PLUG_H
#define VMM_DEV_NET_PLUG_H

#include <net/if.h>
#include <stdbool.h>

/* For sentences. */
#define PLUG_FORMS "tap=NAME, tap=fd:N, passt or passt=PATH"

enum plug_kind {
	PLUG_TAP,
	PLUG_TAP_FD,
	PLUG_PASST,
	PLUG_PASST_SOCKET,
};

struct plug {
	enum plug_kind kind;
	char interface[IFNAMSIZ]; /* PLUG_TAP */
	int fd;			  /* PLUG_TAP_FD */
	const char *path;	  /* PLUG_PASST_SOCKET: in the text; from the root */
};

/* False if the text names none. */
bool plug_parse(const char *text, struct plug *plug);

/* Whether it is passt: connections through it end when the machine moves, and it takes no offloads. */
bool plug_is_passt(const char *text);

#endif
