/* SPDX-License-Identifier: BSD-2-Clause */
/* Errors of the monitor: see the header. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

void error_format(struct error *error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(error->text, sizeof(error->text), format, arguments);
	va_end(arguments);
}
