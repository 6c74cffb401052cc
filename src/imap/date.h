/* Dates: INTERNALDATE, and the days of SEARCH. Pure. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* "17-Jul-1996 02:44:25 -0700" -> seconds since 1970 UTC. */
bool imap_date_parse(const char *text, gsize len, gint64 *ret_time);

/* The date of a SEARCH key, "1-Jan-2026" in any case or "2026-01-01", as RFC 9051 section 9 writes
 * it, "1-Jan-2026": a new string; NULL: there is no such day. */
char *imap_date_day(const char *text);
