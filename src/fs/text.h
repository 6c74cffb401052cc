/* What a text must be to be a message (RFC 5322). Pure. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* Whether it begins with a header field. */
bool text_is_message(const char *bytes, gsize len);

/* Line ends on their way to the server: one bare LF after another becomes CRLF, across pieces. */
typedef struct {
	bool after_cr;
	bool nul; /* there was a NUL byte */
} TextLines;

/* out has room for 2 * len; how much of it was used. */
gsize text_lines(TextLines *lines, const char *bytes, gsize len, char *out);

/* The Date field of the header that these bytes begin with, lines ended by CRLF or LF, in seconds
 * since 1970. false: there is none that can be read. */
bool text_date(const char *bytes, gsize len, gint64 *ret);
