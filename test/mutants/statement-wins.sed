# core/offset.c: statements count although the stamps exclude them
s/return SC_STATED_EXCLUDED;/*interval = statement;/
