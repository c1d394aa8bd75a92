/* SPDX-License-Identifier: BSD-2-Clause */
/* The monitor with the intruder in it, for the lab: vmm/command/main.c's main() has another name here. */
#include "intruder.h"

int seaclock_main(int argc, char **argv);

int main(int argc, char **argv)
{
	intruder_open();
	return seaclock_main(argc, argv);
}
