# core/statement.c: one host that knows its error is enough
s/ && target->error_ns != SC_STATEMENT_UNKNOWN/ || target->error_ns != SC_STATEMENT_UNKNOWN/
