/* SPDX-License-Identifier: BSD-2-Clause */
/* The address of a network device: see the header. */
#include "machine/mac.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool mac_parse(const char *text, uint8_t mac[MAC_SIZE])
{
	if (strlen(text) != MAC_TEXT_SIZE - 1)
		return false;
	for (uint32_t n = 0; n < MAC_SIZE; n++) {
		const char *pair = text + (size_t)3 * n;

		if (strspn(pair, "0123456789abcdefABCDEF") != 2 || pair[2] != (n < MAC_SIZE - 1 ? ':' : 0))
			return false;
		mac[n] = (uint8_t)strtoul(pair, NULL, 16);
	}
	return true;
}

void mac_text(const uint8_t mac[MAC_SIZE], char text[MAC_TEXT_SIZE])
{
	snprintf(text, MAC_TEXT_SIZE, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

bool mac_is_said(const uint8_t mac[MAC_SIZE])
{
	static const uint8_t none[MAC_SIZE];

	return memcmp(mac, none, MAC_SIZE);
}
