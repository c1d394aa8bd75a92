# SPDX-License-Identifier: BSD-2-Clause
#
# A Debian's disk (lab/debian/image). It takes minutes, so the script looks whether what goes into it has changed.
DEBIAN := $(O)/debian/stamp
DEBIAN_SRC := $(shell find $(addprefix lab/debian/,image grub.cfg root) -type f)

$(DEBIAN): $(DEBIAN_SRC) $(MODULE) $(SELFTEST) $(addprefix $(O)/guest/bin/,disks probe discipline) $(PACKAGES)
	@lab/packages debian
	@lab/debian/image
	@touch $@

debian: $(DEBIAN)

.PHONY: debian
