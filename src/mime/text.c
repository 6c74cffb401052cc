#include "mime/text.h"

#include "mime/charset.h"
#include "mime/html.h"
#include "mime/transfer.h"

#include <string.h>

/* Octets of a part without their transfer encoding: theirs, or new ones. */
typedef struct {
	const char *bytes;
	gsize len;
	char *owned;
} Plain;

static void plain_clear(Plain *plain)
{
	g_free(plain->owned);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Plain, plain_clear)

static Plain decode(const MimePart *part, const void *octets, gsize len)
{
	Plain plain = {octets, len, NULL};

	plain.owned = mime_transfer_decode(part->encoding, octets, len, part->text, &plain.len);
	if (plain.owned)
		plain.bytes = plain.owned;
	else
		plain.len = len;
	return plain;
}

static bool is_html(const MimePart *part)
{
	return strcmp(part->type, "text/html") == 0;
}

static char *to_utf8(const MimePart *part, const char *bytes, gsize len)
{
	g_autofree char *declared = NULL;

	if (!part->charset && is_html(part))
		declared = mime_html_charset(bytes, len);
	return mime_to_utf8(bytes, len, part->charset ? part->charset : declared);
}

/* ---- .parts ---- */

static void strip_cr(char *text)
{
	char *to = text;

	for (const char *p = text; *p; p++) {
		if (p[0] != '\r' || p[1] != '\n')
			*to++ = *p;
	}
	*to = '\0';
}

/* Whether a part calls something text that is not: a file of which the sender knew no type. */
static bool is_binary(const MimePart *part, const char *bytes, gsize len)
{
	return part->encoding == MIME_ENCODING_BASE64 && len && memchr(bytes, 0, len) &&
	       !charset_is_wide(part->charset) && bytes[0] != '\xff' && bytes[0] != '\xfe';
}

static GBytes *text_content(const MimePart *part, const char *bytes, gsize len)
{
	char *text;

	if (is_binary(part, bytes, len))
		return g_bytes_new(bytes, len);
	text = to_utf8(part, bytes, len);
	if (part->encoding != MIME_ENCODING_BASE64)
		strip_cr(text);
	return g_bytes_new_take(text, strlen(text));
}

GBytes *mime_part_content(const MimePart *part, const void *octets, gsize len)
{
	g_auto(Plain) plain = decode(part, octets, len);

	if (part->text)
		return text_content(part, plain.bytes, plain.len);
	return plain.owned ? g_bytes_new_take(g_steal_pointer(&plain.owned), plain.len)
			   : g_bytes_new(octets, len);
}

GBytes *mime_part_content_decoded(const MimePart *part, const void *bytes, gsize len)
{
	return part->text ? text_content(part, bytes, len) : g_bytes_new(bytes, len);
}

bool mime_part_is_exact(const MimePart *part)
{
	return !part->text && part->encoding == MIME_ENCODING_NONE;
}

/* ---- .text ---- */

/* How many bytes at p a terminal must not get, or are not as they are here: controls of C0 but TAB
 * and LF, DEL, and those of C1 (U+0080 to U+009F). */
static gsize control_len(const char *p)
{
	guchar c = (guchar)*p;

	if (c >= 0x20 && c < 0x7f)
		return 0;
	if (c < 0x20)
		return c != '\t' && c != '\n';
	if (c == 0x7f)
		return 1;
	return c == 0xc2 && (guchar)p[1] < 0xa0 ? 2 : 0;
}

/* A carriage return ends a line, be it alone or not. */
static void append_clean(GString *text, const char *utf8)
{
	const char *from = utf8, *p = utf8;

	while (*p) {
		gsize skip = control_len(p);

		if (!skip) {
			p++;
			continue;
		}
		g_string_append_len(text, from, p - from);
		if (*p == '\r' && p[1] != '\n')
			g_string_append_c(text, '\n');
		from = p += skip;
	}
	g_string_append_len(text, from, p - from);
}

static bool ends_in(const GString *text, const char *end)
{
	return g_str_has_suffix(text->str, end);
}

/* Of a message without fields an empty line is all that is before its text. */
static bool needs_empty_line(const GString *text)
{
	return text->len > 0 && !ends_in(text, "\n\n") && strcmp(text->str, "\n") != 0;
}

static char *readable(const MimePart *part, const char *bytes, gsize len)
{
	g_autofree char *utf8 = to_utf8(part, bytes, len);

	return is_html(part) ? mime_html_text(utf8, strlen(utf8)) : g_steal_pointer(&utf8);
}

void mime_text_append(GString *text, const MimePart *part, const void *octets, gsize len)
{
	g_auto(Plain) plain = decode(part, octets, len);
	g_autofree char *utf8 = readable(part, plain.bytes, plain.len);
	gsize before = text->len, from;

	if (needs_empty_line(text))
		g_string_append_c(text, '\n');
	from = text->len;
	append_clean(text, utf8);
	if (text->len == from)
		g_string_truncate(text, before);
	else if (!ends_in(text, "\n"))
		g_string_append_c(text, '\n');
}

/* ---- Bounds ---- */

/* Decoding makes nothing longer, and UTF-8 has at most three bytes for one of another charset. */
guint64 mime_part_content_bound(const MimePart *part)
{
	return part->text ? MIN(part->octets, G_MAXINT64 / 4) * 3 : part->octets;
}

/* With an empty line before it and a line end behind it. */
guint64 mime_text_bound(const MimePart *part)
{
	return MIN(part->octets, G_MAXINT64 / 4) * 3 + 2;
}
