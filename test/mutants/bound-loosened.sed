# core/handoff.c: a looser bound replaces a tight one
s/if (replace || high < /if (replace || high > /
