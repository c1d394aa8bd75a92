# core/record.c: one field is read where another was written
s/partition->crash_ctl = get(from, 8);/partition->crash_ctl = 0; get(from, 8);/
