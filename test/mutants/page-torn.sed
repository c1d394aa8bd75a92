# core/page.c: the writer changes a page that still says it is valid
/^void sc_page_write/,/^}/s/^	sc_page_invalidate(page);/	if (!clock->scale)\n		sc_page_invalidate(page);/
