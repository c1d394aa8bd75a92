// SPDX-License-Identifier: BSD-2-Clause
/*
 * Prints criteria. Policy: everything that judges goes through here, so that scripts find one form of line.
 */
#include "criterion.h"

#include <stdarg.h>

bool criterion_print(FILE *out, bool passed, const char *format, ...)
{
	va_list args;

	fputs(passed ? "PASS " : "FAIL ", out);
	va_start(args, format);
	vfprintf(out, format, args);
	va_end(args);
	fputc('\n', out);
	return passed;
}
