# core/record.c: SINTs from a record are taken as they are
s/return !sc_synic_impossible(synic);/return true;/
