# SPDX-License-Identifier: BSD-2-Clause
#
# The transparent level: one list of sources for the tests and whoever else builds it.
REPAIR_SRC := $(sort $(wildcard repair/*.c))
