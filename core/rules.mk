# SPDX-License-Identifier: BSD-2-Clause
CORE_SRC := $(sort $(wildcard core/*.c))
#
# The core: one list of sources for the monitor, the tests and whoever else builds it.
