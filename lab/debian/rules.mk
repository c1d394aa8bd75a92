# SPDX-License-Identifier: BSD-2-Clause
#
# A Debian's disk (lab/debian/image). It takes minutes, so the script looks whether what goes into it has changed.
DEBIAN := $(O)/debian/stamp
DEBIAN_SRC := $(shell find $(addprefix lab/debian/,image tree.sh grub.cfg root) -type f)

$(DEBIAN): $(DEBIAN_SRC) $(MODULE) $(SELFTEST) $(addprefix $(O)/guest/bin/,disks probe discipline) $(PACKAGES)
	@lab/packages debian
	@lab/debian/image
	@touch $@

# The disks of hosts that run a Debian: this machine's release, and the newest.
DEBIAN_HOSTS := $(O)/debian-host/stamp
DEBIAN_HOSTS_SRC := $(shell find $(addprefix lab/debian/,host tree.sh host-root) -type f)

$(DEBIAN_HOSTS): $(DEBIAN_HOSTS_SRC) $(PACKAGES)
	@lab/packages debian
	@for release in $(sort $(shell . /etc/os-release && echo $$VERSION_CODENAME) trixie); do \
		lab/debian/host $$release || exit; done
	@touch $@

debian: $(DEBIAN)

.PHONY: debian
