/* Header fields of a message, decoded (RFC 2047, raw UTF-8 and charsets as they come) to UTF-8,
 * unfolded, without control characters. Pure. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* What is fetched of each message that is looked at, for BODY[HEADER.FIELDS (...)]. */
#define MIME_FIELDS_WANTED "FROM TO CC DATE SUBJECT MESSAGE-ID"

/* Never NULL: "" where the message has no such field. Of one that comes twice the first holds, but
 * To and Cc are joined. */
typedef struct {
	char *from, *to, *cc, *subject;
	char *date; /* as the field has it, for mime_date_parse() */
	char *message_id; /* with its angle brackets */
	char *from_name; /* what a list of messages shows: display name, else the address */
} MimeFields;

/* Of a header, or the fields above alone, or a whole message. New. */
MimeFields *mime_fields_of(const void *header, gsize len);
void mime_fields_free(MimeFields *fields); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MimeFields, mime_fields_free)

/* "Wed, 17 Jul 1996 02:44:25 -0700" -> seconds since 1970 UTC: what RFC 5322 3.3 and 4.3 allow, and
 * what else can be understood. false: it is none. */
bool mime_date_parse(const char *date, gint64 *ret_time);

/* What `.text` begins with: a line each of From, To, Cc, Date, Subject that is there, and an empty
 * one. */
void mime_fields_append(GString *text, const MimeFields *fields);

/* What `.parts` shows as `header`: every field in its order, one line each. New string. */
char *mime_header_text(const void *header, gsize len);

/* How long the header is that bytes begin with, its empty line included; len if it does not end. */
gsize mime_header_len(const void *bytes, gsize len);
