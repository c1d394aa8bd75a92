# core/record.c: a hold does not travel with its guest
s/partition->held = holder;/partition->held = false;/
