# SPDX-License-Identifier: BSD-2-Clause
#
# The core: one list of sources for the monitor, the tests and whoever else builds it; and as a library for other
# monitors, for arm64, whose interface is the public headers. An interface that breaks gets another soname.
CORE_SRC := $(sort $(wildcard core/*.c))

LIBRARY := $(O)/library/libseaclock.so.0 $(O)/library/libseaclock.a
LIBRARY_HEADERS := $(addprefix include/seaclock/,abi.h core.h page.h)

$(O)/library/libseaclock.so.0: $(call objects,pic,$(CORE_SRC)) core/libseaclock.map
	@mkdir -p $(@D)
	$(call say,LD)$(ARM64)gcc -shared -Wl,-soname,$(@F) -Wl,--version-script=core/libseaclock.map \
		-Wl,-z,defs -Wl,-z,now $(filter %.o,$^) -o $@

$(O)/library/libseaclock.a: $(call objects,pic,$(CORE_SRC))
	@mkdir -p $(@D)
	@rm -f $@
	$(call say,AR)$(ARM64)ar qcsD $@ $^

# The version script names what the headers declare; they are C++ as well; and a program finds the library by
# pkg-config.
check-library: $(firstword $(LIBRARY))
	@mk/check-library.sh $<

check-purity: check-library

.PHONY: check-library
