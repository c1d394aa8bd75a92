/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The few words of ACPI Machine Language that describe devices: scopes, devices, named values, resources, events.
 *
 * Policy: an emitter, not a compiler. Objects are opened and closed in the order of the text; names are four
 * characters. Source: Advanced Configuration and Power Interface Specification 6.3, chapters 6.4 and 20.
 */
#ifndef VMM_BOOT_AML_H
#define VMM_BOOT_AML_H

#include "boot/blob.h"

#include <stdbool.h>

/* Open a scope or device called `name` (for a scope with a leading `\`); what aml_close() needs is returned. */
size_t aml_open_scope(struct blob *blob, const char *name);
size_t aml_open_device(struct blob *blob, const char *name);
void aml_close(struct blob *blob, size_t opened);

/* Name (`name`, value). */
void aml_name_integer(struct blob *blob, const char *name, uint32_t value);
void aml_name_string(struct blob *blob, const char *name, const char *value);

/* Name (`name`, Package () { value & 0xffffffff, value >> 32 }). */
void aml_name_halves(struct blob *blob, const char *name, uint64_t value);

/* Name (_CRS, ...): what is put between the two, of windows of memory and of active-high interrupts. */
size_t aml_open_resources(struct blob *blob);
void aml_put_memory(struct blob *blob, uint32_t base, uint32_t size);
void aml_put_interrupt(struct blob *blob, uint32_t intid, bool edge);
void aml_close_resources(struct blob *blob, size_t opened);

/* Opens a method of one argument. */
size_t aml_open_method(struct blob *blob, const char *name);
/* In it: If (Arg0 == `value`) { Notify (`device`, code) }. */
void aml_notify_if(struct blob *blob, uint32_t value, const char *device, uint8_t code);

#endif
