/* INTERNALDATE. Internal to imap/. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* "17-Jul-1996 02:44:25 -0700" -> seconds since 1970 UTC. */
bool imap_date_parse(const char *text, gsize len, gint64 *ret_time);
