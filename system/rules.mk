# SPDX-License-Identifier: BSD-2-Clause
#
# What a system has of Seaclock besides the program: units, the scripts that they run, completion; and `make install`.
# DESTDIR stands before every path, PREFIX is /usr/local unless it is given. The program is the arm64 one.

PREFIX := /usr/local
INSTALL := install
MANUALS := doc/seaclock.1 doc/seaclock.json.5 doc/seaclock-units.7
UNITS := $(sort $(wildcard system/*.service system/*.socket system/*.slice))

# $(call put,MODE,FILES,FOLDER)
put = $(INSTALL) -d '$(DESTDIR)$(3)' && $(INSTALL) -m $(1) $(2) '$(DESTDIR)$(3)'

install: $(MONITOR)
	@$(call put,755,$(MONITOR),$(PREFIX)/bin)
	@$(call put,755,system/leave system/saved,$(PREFIX)/libexec/seaclock)
	@$(call put,644,$(UNITS),$(PREFIX)/lib/systemd/system)
	@cd '$(DESTDIR)$(PREFIX)/lib/systemd/system' && sed -i -e 's|/usr/bin/seaclock|$(PREFIX)/bin/seaclock|' \
		-e 's|/usr/libexec/|$(PREFIX)/libexec/|' $(notdir $(UNITS))
	@$(INSTALL) -D -m 644 system/completion.bash '$(DESTDIR)$(PREFIX)/share/bash-completion/completions/seaclock'
	@for page in $(MANUALS); do \
		$(INSTALL) -D -m 644 $$page "$(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$${page##*/}" || exit; done
	@$(INSTALL) -d '$(DESTDIR)/etc/seaclock/machines' '$(DESTDIR)/etc/seaclock/units'
	@$(INSTALL) -d -m 700 '$(DESTDIR)/etc/seaclock/tls'

# The resource agent for Pacemaker, which looks nowhere else; its unit's drop-in stands beside the unit.
install-ocf:
	@$(call put,755,system/ocf/Machine,/usr/lib/ocf/resource.d/seaclock)
	@$(call put,644,system/ocf/pacemaker.conf,$(PREFIX)/lib/systemd/system/seaclock@.service.d)
	@$(call put,644,doc/ocf_seaclock_Machine.7,$(PREFIX)/share/man/man7)

LIBDIR = $(PREFIX)/lib
LIBRARY_DOC = $(PREFIX)/share/doc/libseaclock-dev

install-library: $(LIBRARY)
	@$(call put,644,$(LIBRARY),$(LIBDIR))
	@ln -sf libseaclock.so.0 '$(DESTDIR)$(LIBDIR)/libseaclock.so'
	@$(call put,644,$(LIBRARY_HEADERS),$(PREFIX)/include/seaclock)
	@$(INSTALL) -d '$(DESTDIR)$(LIBDIR)/pkgconfig'
	@sed -e 's|@PREFIX@|$(PREFIX)|; s|@LIBDIR@|$(LIBDIR)|; s|@VERSION@|$(VERSION)|' core/libseaclock.pc.in \
		>'$(DESTDIR)$(LIBDIR)/pkgconfig/libseaclock.pc'
	@$(call put,644,$(VECTORS),$(PREFIX)/share/seaclock)
	@$(call put,644,$(EXAMPLE_SRC),$(LIBRARY_DOC)/examples)
	@$(call put,644,doc/embedding.md doc/abi.md,$(LIBRARY_DOC))
	@cd '$(DESTDIR)$(LIBRARY_DOC)' && sed -i -e 's|](\.\./include/|](../../../include/|; s|](\.\./example/|](examples/|' \
		embedding.md abi.md

CONFORMANCE_IMAGE := $(O)/bare/conformance.Image

# The conformance suite, for this hypervisor and others.
install-conformance: $(CONFORMANCE_IMAGE)
	@$(call put,755,system/seaclock-conformance,$(PREFIX)/bin)
	@$(call put,644,$(CONFORMANCE_IMAGE),$(PREFIX)/share/seaclock-conformance)
	@$(call put,644,doc/seaclock-conformance.1,$(PREFIX)/share/man/man1)
	@cd '$(DESTDIR)$(PREFIX)' && sed -i -e 's|/usr/share/seaclock-conformance|$(PREFIX)/share/seaclock-conformance|' \
		bin/seaclock-conformance share/man/man1/seaclock-conformance.1

# Packages for arm64, wherever this is.
deb: $(MONITOR) $(LIBRARY) $(CONFORMANCE_IMAGE)
	@system/deb

check-packages: $(MONITOR) $(LIBRARY) $(CONFORMANCE_IMAGE)
	@system/deb check

.PHONY: install install-ocf install-library install-conformance deb check-packages
