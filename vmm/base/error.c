/* SPDX-License-Identifier: BSD-2-Clause */
/* Errors of the monitor: see the header. */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define CODE_FAILED "failed"

/* Of several errnos with one code the first is the one that error_of_code() gives. */
static const struct {
	int err;
	const char *code;
} code_table[] = {
	/* The request, or the machine's state. */
	{ EINVAL, "invalid" },
	{ ENAMETOOLONG, "invalid" },
	{ EPROTONOSUPPORT, "version" },
	{ ESRCH, "not-running" },
	{ EBUSY, "busy" },
	{ EALREADY, "already" },
	{ ENODATA, "not-migrating" },
	{ EEXIST, "exists" },
	{ ESHUTDOWN, "ended" },
	/* What became of a migration or a save. */
	{ ECANCELED, "cancelled" },
	{ EPERM, "cannot-follow" },
	{ ETIME, "not-in-time" },
	{ ENOBUFS, "not-converging" },
	{ ENOTRECOVERABLE, "undecided" },
	{ EL3HLT, "diskless" },
	{ EL2HLT, "paused" },
	{ EREMOTE, "moved" },
	{ ENOMSG, "unheard" },
	/* The other end. */
	{ ETIMEDOUT, "timeout" },
	{ EHOSTUNREACH, "unreachable" },
	{ ENETUNREACH, "unreachable" },
	{ ECONNREFUSED, "unreachable" },
	{ ECONNABORTED, "peer-refused" },
	{ ECONNRESET, "connection-lost" },
	{ EPIPE, "connection-lost" },
	{ EPROTO, "protocol" },
	{ EKEYREJECTED, "untrusted" },
	{ ENOKEY, "no-keys" },
	/* This host. */
	{ ENOTSUP, "unsupported" },
	{ EACCES, "denied" },
	{ ENOENT, "not-found" },
	{ ENOMEM, "no-memory" },
	{ ENOSPC, "no-space" },
	{ EDQUOT, "no-space" },
	{ EIO, "io" },
	{ 0, CODE_FAILED },
};

#define CODES (sizeof(code_table) / sizeof(code_table[0]))

void error_record(struct error *error, int err, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(error->text, sizeof(error->text), format, arguments);
	va_end(arguments);
	error->err = err;
}

int error_of_call(int err)
{
	if (err == EPERM)
		return EACCES;
	return err == ENOBUFS ? ENOMEM : err;
}

const char *error_code(const struct error *error)
{
	for (size_t n = 0; n < CODES; n++)
		if (code_table[n].err == error->err)
			return code_table[n].code;
	return CODE_FAILED;
}

int error_of_code(const char *code)
{
	for (size_t n = 0; n < CODES; n++)
		if (!strcmp(code_table[n].code, code))
			return code_table[n].err;
	return 0;
}

const char *error_code_at(size_t n)
{
	return n < CODES ? code_table[n].code : NULL;
}
