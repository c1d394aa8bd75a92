/* SPDX-License-Identifier: BSD-2-Clause */
/* The address of a network device, and its text. Policy: pure. */
#ifndef VMM_MACHINE_MAC_H
#define VMM_MACHINE_MAC_H

#include <stdbool.h>
#include <stdint.h>

#define MAC_SIZE 6u
#define MAC_TEXT_SIZE 18u /* of "02:00:00:00:00:01" with its end */

/* Six pairs of hexadecimal digits with colons between them; false if it is something else. */
bool mac_parse(const char *text, uint8_t mac[MAC_SIZE]);
void mac_text(const uint8_t mac[MAC_SIZE], char text[MAC_TEXT_SIZE]);
/* All zero is none. */
bool mac_is_said(const uint8_t mac[MAC_SIZE]);

#endif
