/* What a part holds: its transfer encoding undone, text in UTF-8, HTML as text. Nothing is ever
 * refused: what cannot be decoded is shown as it is. Pure. */
#pragma once

#include "mime/tree.h"

/* What `.parts` shows of a part, from its octets in the message. Text is in UTF-8, with LF at line
 * ends unless it is base64, which keeps them as they are; what has a NUL in base64 is no text. All
 * else is just decoded, and what does not look encoded is as it is. New. */
GBytes *mime_part_content(const MimePart *part, const void *octets, gsize len);

/* The same of octets whose transfer encoding was undone by the server (BINARY, RFC 3516). New. */
GBytes *mime_part_content_decoded(const MimePart *part, const void *bytes, gsize len);

/* Whether the content of a part is its octets without transfer encoding and no more: then a range
 * of one is a range of the other. */
bool mime_part_is_exact(const MimePart *part);

/* Adds a part to what `.text` shows, after an empty line if there is text already: in UTF-8, lines
 * ended by LF, without controls but TAB, HTML rendered to text (links as <URL> behind their text,
 * no script, no style). */
void mime_text_append(GString *text, const MimePart *part, const void *octets, gsize len);

/* An upper bound of the length of what the two above make of so many octets: three times these for
 * text, of which each may be a character of its own, or be shown as U+FFFD. */
guint64 mime_part_content_bound(const MimePart *part);
guint64 mime_text_bound(const MimePart *part);

/* UTF-8 of bytes in a charset (NULL: not declared), without NUL: what is declared wrongly, or not
 * at all, is taken for UTF-8 if it is that, else for windows-1252; bytes that mean nothing in
 * between are U+FFFD. No text is lost. At most three times as long; in linear time. New string. */
char *mime_to_utf8(const char *bytes, gsize len, const char *charset);

/* ---- base64 in lines of one length, so that a range can be decoded without what is before it ----
 */

typedef struct {
	guint line; /* characters in each line but the last, a multiple of 4 */
	guint ends; /* bytes of a line end: 2, or 1 */
	guint64 size; /* of the content */
} MimeGrid;

/* The grid of a base64 part of so many octets, from octets at its beginning and at its end (each up
 * to 1,024, or all of it), which all must fit. false: it has none, or nothing is in it. */
bool mime_grid_find(guint64 octets, const char *head, gsize head_len, const char *tail,
	gsize tail_len, MimeGrid *ret);

/* The octets that a range of the content (not behind its end) is in. */
void mime_grid_range(const MimeGrid *grid, guint64 octets, guint64 offset, guint64 len,
	guint64 *ret_from, guint64 *ret_len);

/* Whether octets of the part from an offset on are as the grid says. */
bool mime_grid_fits(
	const MimeGrid *grid, guint64 octets, guint64 from, const char *bytes, gsize n_bytes);

/* Decodes those octets; ret gets len bytes of the range at offset, fewer at the end of the content.
 * false: the lines are not as the grid says, and the part must be decoded from its beginning. */
bool mime_grid_decode(const MimeGrid *grid, guint64 octets, guint64 offset, guint64 len,
	const char *bytes, gsize n_bytes, void *ret, gsize *ret_len);
