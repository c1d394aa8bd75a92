/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A vhost-net whose kernel is the test: it serves the rings that it is told of, in a thread of its own.
 *
 * Policy: it knows guest memory only by the orders it gets, and checks them as the kernel does: what has no owner, is
 * not in the table, or changes while the rings are served, is refused. It never reads a kick, and marks what it writes
 * only if it was told to. All functions but the orders are the test's.
 */
#ifndef TEST_FAKE_VHOST_H
#define TEST_FAKE_VHOST_H

#include "dev/net/vhost.h"
#include "dev/virtio/queue.h"

#include <pthread.h>

struct fake_vhost_ring {
	struct virtqueue queue;
	bool logs;
	uint64_t log_address;
	int kick;
	int call;
	int broken;
	int backend; /* -1: it is not served */
	bool failed;
};

struct fake_vhost {
	struct vhost vhost; /* first, so that it is the vhost */
	uint64_t offers;    /* features */
	bool owned;
	struct memory memory; /* as its table says; the record is its own */
	uint8_t *log;
	uint64_t features;
	struct fake_vhost_ring ring[VHOST_RINGS];
	unsigned long fails; /* the next order of this kind fails, with EIO; 0: none does */
	uint32_t served;     /* chains; atomic */
	int events;	     /* epoll */
	int end;	     /* eventfd */
	pthread_mutex_t mutex;
	pthread_t thread;
	struct virtqueue_chain chain;
};

void fake_vhost_init(struct fake_vhost *fake);
void fake_vhost_destroy(struct fake_vhost *fake);

/* The next order of this kind fails. */
void fake_vhost_fail(struct fake_vhost *fake, unsigned long request);
/* Whether it serves both rings. */
bool fake_vhost_serves(struct fake_vhost *fake);
uint32_t fake_vhost_served(struct fake_vhost *fake);

#endif
