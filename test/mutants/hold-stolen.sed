# core/hold.c: a second hold takes the place of the first, which is never answered
s/ \&\& !partition->held) {/) {/
