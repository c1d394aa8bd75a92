# SPDX-License-Identifier: BSD-2-Clause
#
# Test vectors of the core, for other implementations: the file is committed, and a unit test holds the core against it.
# `make vectors` writes it anew, after which git tells what is different.

VECTORS := test/vectors/vectors.json
VECTOR_PURE := test/vectors/field.c test/vectors/vector.c
VECTOR_WRITER := $(O)/host/test/vectors/write

$(TEST_LIB): $(call objects,san,$(VECTOR_PURE))
$(TSAN_LIB): $(call objects,tsan,$(VECTOR_PURE))

$(VECTOR_WRITER): $(call objects,host,$(sort $(wildcard test/vectors/*.c)) $(CORE_SRC))
	$(call say,LD)$(CC) $^ -ljansson -o $@

vectors: $(VECTOR_WRITER)
	@$< >$(VECTORS)

.PHONY: vectors
