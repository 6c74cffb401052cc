/* What Content-Type and Content-Disposition say: a word and parameters, of which some come in
 * pieces and with a charset of their own (RFC 2231). Internal to mime/. */
#pragma once

#include <glib.h>

typedef struct MimeParams MimeParams;

MimeParams *mime_params_new(void);
void mime_params_free(MimeParams *params); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MimeParams, mime_params_free)

/* Adds a parameter as it is written, "filename*0*" too. Of many those past a bound are left out. */
void mime_params_add(
	MimeParams *params, const char *name, gsize name_len, const char *value, gsize len);

/* Adds those of a field's value. Returns what is before them, in lower case and without blanks and
 * comments: "text/plain", "attachment"; or "". New string. */
char *mime_params_parse(MimeParams *params, const char *value, gsize len);

/* The value of a parameter in UTF-8, put together and decoded, without control characters; NULL:
 * there is none. New string. words: as for mime_header_decode(). */
char *mime_params_text(const MimeParams *params, const char *name, guint *words);

/* The value as it is, for what is compared with octets of the message; NULL: there is none. */
const GString *mime_params_octets(const MimeParams *params, const char *name);
