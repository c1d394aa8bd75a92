# SPDX-License-Identifier: BSD-2-Clause
#
# What the hosts of a lab with a third one carry, which stores the guests' disks. STORE is the folder's stamp.
STORE := $(O)/store/stamp

$(STORE): lab/store/payload lab/store/serve lab/store/attach lab/libraries.sh $(addprefix $(O)/guest/bin/,disks discipline) $(PINGER) $(SYSROOT) $(KERNEL)
	lab/store/payload $(@D)
	@touch $@
