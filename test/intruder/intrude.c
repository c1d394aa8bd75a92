/* SPDX-License-Identifier: BSD-2-Clause */
/* Has a thread of a monitor that the intruder is in try something, for the lab: intrude PID THREAD WORD. */
#include "intruder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
	int result;

	if (argc != 4) {
		fprintf(stderr, "usage: intrude PID THREAD WORD\n");
		return 2;
	}
	result = intruder_send((pid_t)strtol(argv[1], NULL, 10), argv[2], argv[3]);
	if (result)
		fprintf(stderr, "intrude: %s of %s: %s\n", argv[2], argv[1], strerror(-result));
	return result ? EXIT_FAILURE : EXIT_SUCCESS;
}
