/* The fields of a header as they stand there, and their values as text. Internal to mime/. */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct {
	const char *name; /* NULL: this line is no field */
	gsize name_len;
	const char *value; /* of all its lines, without the last line end; or the line */
	gsize len;
} MimeField;

/* Takes the next field from *at; false: the header is at its end. */
bool mime_header_next(const char **at, const char *end, MimeField *ret_field);

/* Whether it is the field of this name, in any case. */
bool mime_field_is(const MimeField *field, const char *name);

/* A value as one line of UTF-8: unfolded, encoded words decoded (RFC 2047), control characters
 * as spaces, no space around it. New string. *words: how many were decoded in the same message, or
 * header, before; past a bound they stay as they are. */
char *mime_header_decode(const char *value, gsize len, guint *words);

/* As above, without looking for encoded words. New string. */
char *mime_header_plain(const char *value, gsize len);
