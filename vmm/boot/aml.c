/* SPDX-License-Identifier: BSD-2-Clause */
/* ACPI Machine Language: see the header. */
#include "boot/aml.h"

#include <assert.h>
#include <string.h>

#define OP_NAME 0x08
#define OP_BYTE 0x0a
#define OP_DWORD 0x0c
#define OP_STRING 0x0d
#define OP_SCOPE 0x10
#define OP_BUFFER 0x11
#define OP_PACKAGE 0x12
#define OP_METHOD 0x14
#define OP_ARG0 0x68
#define OP_NOTIFY 0x86
#define OP_EQUAL 0x93
#define OP_IF 0xa0
#define OP_EXTENDED 0x5b
#define OP_EXTENDED_DEVICE 0x82

#define NAME_SIZE 4

/* Package lengths always take three bytes: 4 bits in the first one, whose top bits count the others, then 16. */
#define PACKAGE_SIZE 3
#define PACKAGE_MAX 0xfffffu
#define PACKAGE_LEAD (2u << 6)

#define INTEGER_SIZE 5
#define MEMORY32_FIXED_SIZE 12
#define INTERRUPT_SIZE 9
#define INTERRUPT_CONSUMER (1u << 0)
#define INTERRUPT_EDGE (1u << 1)

#define METHOD_ONE_ARGUMENT 1

static size_t open_package(struct blob *blob)
{
	size_t opened = blob->size;

	blob_zero_to(blob, opened + PACKAGE_SIZE);
	return opened;
}

void aml_close(struct blob *blob, size_t opened)
{
	size_t length = blob->size - opened;

	assert(length <= PACKAGE_MAX);
	blob_patch(blob, opened, PACKAGE_LEAD | (length & 0xf), 1);
	blob_patch(blob, opened + 1, length >> 4, 2);
}

size_t aml_open_scope(struct blob *blob, const char *name)
{
	size_t opened;

	assert(name[0] == '\\' && strlen(name) == 1 + NAME_SIZE);
	blob_put(blob, OP_SCOPE, 1);
	opened = open_package(blob);
	blob_put_bytes(blob, name, 1 + NAME_SIZE);
	return opened;
}

static void put_name(struct blob *blob, const char *name)
{
	assert(strlen(name) == NAME_SIZE);
	blob_put_bytes(blob, name, NAME_SIZE);
}

size_t aml_open_device(struct blob *blob, const char *name)
{
	size_t opened;

	blob_put(blob, OP_EXTENDED, 1);
	blob_put(blob, OP_EXTENDED_DEVICE, 1);
	opened = open_package(blob);
	put_name(blob, name);
	return opened;
}

static void put_integer(struct blob *blob, uint32_t value)
{
	blob_put(blob, OP_DWORD, 1);
	blob_put(blob, value, 4);
}

void aml_name_integer(struct blob *blob, const char *name, uint32_t value)
{
	blob_put(blob, OP_NAME, 1);
	put_name(blob, name);
	put_integer(blob, value);
}

void aml_name_string(struct blob *blob, const char *name, const char *value)
{
	blob_put(blob, OP_NAME, 1);
	put_name(blob, name);
	blob_put(blob, OP_STRING, 1);
	blob_put_bytes(blob, value, strlen(value) + 1);
}

void aml_name_halves(struct blob *blob, const char *name, uint64_t value)
{
	size_t opened;

	blob_put(blob, OP_NAME, 1);
	put_name(blob, name);
	blob_put(blob, OP_PACKAGE, 1);
	opened = open_package(blob);
	blob_put(blob, 2, 1); /* elements */
	put_integer(blob, (uint32_t)value);
	put_integer(blob, (uint32_t)(value >> 32));
	aml_close(blob, opened);
}

/* ---- Resources ---- */

size_t aml_open_resources(struct blob *blob)
{
	size_t opened;

	blob_put(blob, OP_NAME, 1);
	put_name(blob, "_CRS");
	blob_put(blob, OP_BUFFER, 1);
	opened = open_package(blob);
	put_integer(blob, 0); /* size, by aml_close_resources() */
	return opened;
}

void aml_put_memory(struct blob *blob, uint32_t base, uint32_t size)
{
	blob_put(blob, 0x86, 1); /* 32-bit fixed memory range */
	blob_put(blob, MEMORY32_FIXED_SIZE - 3, 2);
	blob_put(blob, 1, 1); /* writable */
	blob_put(blob, base, 4);
	blob_put(blob, size, 4);
}

void aml_put_interrupt(struct blob *blob, uint32_t intid, bool edge)
{
	blob_put(blob, 0x89, 1); /* extended interrupt */
	blob_put(blob, INTERRUPT_SIZE - 3, 2);
	blob_put(blob, INTERRUPT_CONSUMER | (edge ? INTERRUPT_EDGE : 0), 1); /* active high, exclusive */
	blob_put(blob, 1, 1);						     /* one interrupt */
	blob_put(blob, intid, 4);
}

void aml_close_resources(struct blob *blob, size_t opened)
{
	size_t content = opened + PACKAGE_SIZE + INTEGER_SIZE;

	blob_put(blob, 0x79, 1); /* end tag, ... */
	blob_put(blob, 0, 1);	 /* ... whose checksum 0 means: not computed */
	blob_patch(blob, content - 4, blob->size - content, 4);
	aml_close(blob, opened);
}

/* ---- Methods ---- */

size_t aml_open_method(struct blob *blob, const char *name)
{
	size_t opened;

	blob_put(blob, OP_METHOD, 1);
	opened = open_package(blob);
	put_name(blob, name);
	blob_put(blob, METHOD_ONE_ARGUMENT, 1);
	return opened;
}

void aml_notify_if(struct blob *blob, uint32_t value, const char *device, uint8_t code)
{
	size_t opened;

	blob_put(blob, OP_IF, 1);
	opened = open_package(blob);
	blob_put(blob, OP_EQUAL, 1);
	blob_put(blob, OP_ARG0, 1);
	put_integer(blob, value);
	blob_put(blob, OP_NOTIFY, 1);
	put_name(blob, device);
	blob_put(blob, OP_BYTE, 1);
	blob_put(blob, code, 1);
	aml_close(blob, opened);
}
