/* SPDX-License-Identifier: BSD-2-Clause */
/* What run, receive and restore have in common: they become a machine's monitor, and their exit status says how it
 * ended. */
#ifndef VMM_COMMAND_MONITOR_H
#define VMM_COMMAND_MONITOR_H

#include "command/teardown.h"
#include "machine/machine.h"

/* The option of the verbs, with the words of sandbox_mode_parse(). */
#define MONITOR_SANDBOX(options, member) OPTION_CHOICE("sandbox", "on|strict|off", options, member)

/*
 * Signals, what the process gives up, the log, and the sandbox, if `sandbox` is not "off". `config` is the machine's;
 * NULL: it is not known yet. Nothing was opened before, and there is one thread.
 */
int monitor_begin(const char *sandbox, const struct machine_config *config, struct error *error);

/* Logs the error, if the result is one, and ends the log. The exit status, which tells how the machine ended. */
int monitor_end(int result, enum machine_end end, const struct error *error);

/* The machine has ended like that, and is to be taken down: teardown_begin(). */
void monitor_tear_down(struct teardown *teardown, struct machine *machine, enum machine_end end);

/* The exit status that tells how a machine ended. */
int monitor_status(enum machine_end end);

/* -EINVAL if no machine can have this name; NULL passes. */
int monitor_check_name(const char *name, struct error *error);

#endif
