/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TCP ports of loopback for tests. Policy: a port is reserved by a socket that is bound to it and does not listen, so
 * that nobody is given it by chance; a socket that names it, with SO_REUSEADDR as all listeners have, can listen there.
 */
#ifndef FAKE_PORT_H
#define FAKE_PORT_H

/* "127.0.0.1:PORT", with the terminating zero. */
#define PORT_TEXT_SIZE 22u

/* Reserves a port, until the descriptor is closed; -1 if there is none. */
int port_reserve(char address[PORT_TEXT_SIZE]);

#endif
