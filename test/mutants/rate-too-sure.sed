# core/offset.c: the first stamp counts as exact for the rate
s/width(&handoff->first) + width(&handoff->last)/width(\&handoff->last)/
