# core/resume.c: the page changes under an unchanged sequence
# conformance: migration.page-follows
s/partition->page_sequence = sc_page_next_sequence(partition->page_sequence);//
