/* SPDX-License-Identifier: BSD-2-Clause */
/* What tells a network where a guest is: see the header. */
#include "dev/net/announcement.h"

#include <string.h>

#define NS_PER_MS 1000000ull

void announcement_begin(struct announcement *announcement, sc_ns_t now)
{
	*announcement = (struct announcement){ .due = now };
}

void announcement_end(struct announcement *announcement)
{
	announcement->sent = ANNOUNCEMENT_TIMES;
}

bool announcement_step(struct announcement *announcement, sc_ns_t now)
{
	if (announcement->sent == ANNOUNCEMENT_TIMES || now.v < announcement->due.v)
		return false;
	announcement->sent++;
	announcement->due = sc_ns(now.v + announcement->sent * ANNOUNCEMENT_PAUSE_MS * NS_PER_MS);
	return true;
}

int announcement_timeout_ms(const struct announcement *announcement, sc_ns_t now)
{
	if (announcement->sent == ANNOUNCEMENT_TIMES)
		return -1;
	if (now.v >= announcement->due.v)
		return 0;
	return (int)((announcement->due.v - now.v + NS_PER_MS - 1) / NS_PER_MS);
}

void announcement_frame(const uint8_t mac[6], uint8_t frame[ANNOUNCEMENT_FRAME_SIZE])
{
	/* To all; RARP; of Ethernet and IP, with addresses of 6 and 4 bytes; a request. The rest is zero. */
	static const uint8_t kind[] = { 0x80, 0x35, 0, 1, 8, 0, 6, 4, 0, 3 };

	memset(frame, 0, ANNOUNCEMENT_FRAME_SIZE);
	memset(frame, 0xff, 6);
	memcpy(frame + 6, mac, 6);
	memcpy(frame + 12, kind, sizeof(kind));
	memcpy(frame + 22, mac, 6); /* whose address it is, */
	memcpy(frame + 32, mac, 6); /* and whose is asked for */
}
