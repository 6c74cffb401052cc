#include "mime/transfer.h"

#include "mime/base64.h"

#include <string.h>

/* ---- base64 ---- */

static gsize without_white_end(const char *octets, gsize len)
{
	while (len && (base64_value(octets[len - 1]) == BASE64_LINE_END ||
			      base64_value(octets[len - 1]) == BASE64_BLANK))
		len--;
	return len;
}

/* Up to the padding, or to the end; *ret_used is where that is. What is no digit is passed over
 * (RFC 2045 6.8), but where it is more than a sixteenth this is not base64: English has a blank
 * for every six characters. */
static char *decode_base64_run(const char *octets, gsize len, gsize *ret_len, gsize *ret_used)
{
	g_autofree char *content = g_malloc(len / 4 * 3 + 3);
	gsize n = 0, at, strange = 0;
	guint32 bits = 0;
	guint digits = 0;

	for (at = 0; at < len; at++) {
		guint value = base64_value(octets[at]);

		if (value == BASE64_PAD && digits >= 2)
			break;
		if (value > 63) {
			strange += value != BASE64_LINE_END;
			continue;
		}
		bits = bits << 6 | value;
		if (++digits == 4) {
			base64_put(bits, content + n);
			n += 3;
			digits = 0;
		}
	}
	if (strange > at / 16)
		return NULL;

	/* Without padding too: a part that was cut keeps all that it has. */
	if (digits >= 2)
		content[n++] = (char)(bits >> (digits == 2 ? 4 : 10));
	if (digits == 3)
		content[n++] = (char)(bits >> 2);
	*ret_len = n;
	*ret_used = at;
	return g_steal_pointer(&content);
}

static char *decode_base64(const char *octets, gsize len, bool keep_rest, gsize *ret_len)
{
	gsize used;
	char *content;

	len = without_white_end(octets, len);
	content = decode_base64_run(octets, len, ret_len, &used);
	if (!content)
		return NULL;
	while (used < len && octets[used] == '=')
		used++;
	if (!keep_rest || used == len)
		return content;
	content = g_realloc(content, *ret_len + len - used);
	memcpy(content + *ret_len, octets + used, len - used);
	*ret_len += len - used;
	return content;
}

/* ---- Quoted-printable ---- */

/* What follows a "=" that ends a line, which may have got blanks behind it on its way (RFC 2045
 * 6.7 (3)). NULL: it does not end one. */
static const char *after_soft_break(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	if (p < end && *p == '\r')
		p++;
	if (p == end)
		return end;
	return *p == '\n' ? p + 1 : NULL;
}

static char *decode_quoted_printable(const char *octets, gsize len, gsize *ret_len)
{
	char *content = g_malloc(len + 1), *out = content;
	const char *end = octets + len;

	for (const char *p = octets; p < end;) {
		const char *next = NULL;

		if (*p != '=') {
			*out++ = *p++;
		} else if (end - p >= 3 && g_ascii_isxdigit(p[1]) && g_ascii_isxdigit(p[2])) {
			*out++ = (char)(g_ascii_xdigit_value(p[1]) << 4 |
					g_ascii_xdigit_value(p[2]));
			p += 3;
		} else if ((next = after_soft_break(p + 1, end))) {
			p = next;
		} else {
			*out++ = *p++;
		}
	}
	*ret_len = (gsize)(out - content);
	return content;
}

/* ---- uuencode ---- */

static const char *line_end(const char *p, const char *end)
{
	const char *lf = memchr(p, '\n', (gsize)(end - p));

	return lf ? lf + 1 : end;
}

/* Behind the line "begin 644 name". NULL: there is none. */
static const char *after_begin(const char *p, const char *end)
{
	for (; p < end; p = line_end(p, end)) {
		if (end - p > 6 && memcmp(p, "begin ", 6) == 0 && g_ascii_isdigit(p[6]))
			return line_end(p, end);
	}
	return NULL;
}

static guint32 uu_value(char c)
{
	return (guint32)(c - ' ') & 63;
}

/* One line behind its first character, which says how many bytes it holds; the blanks at its end,
 * which are zeros, may have been lost. */
static char *decode_uu_line(const char *p, const char *end, gsize n, char *out)
{
	for (; n; p += 4) {
		guint32 bits = 0;

		for (gsize i = 0; i < 4; i++)
			bits = bits << 6 | (p + i < end ? uu_value(p[i]) : 0);
		for (int shift = 16; shift >= 0 && n; shift -= 8, n--)
			*out++ = (char)(bits >> shift);
	}
	return out;
}

static char *decode_uuencode(const char *octets, gsize len, gsize *ret_len)
{
	const char *end = octets + len, *p = after_begin(octets, end), *next;
	char *content, *out;

	if (!p)
		return NULL;
	out = content = g_malloc(len + 1);
	for (; p < end; p = next) {
		const char *stop = next = line_end(p, end);

		while (stop > p && (stop[-1] == '\n' || stop[-1] == '\r'))
			stop--;
		if (stop == p)
			continue;
		if (uu_value(*p) == 0 || (stop - p == 3 && memcmp(p, "end", 3) == 0))
			break;
		out = decode_uu_line(
			p + 1, stop, MIN(uu_value(*p), len - (gsize)(out - content)), out);
	}
	*ret_len = (gsize)(out - content);
	return content;
}

char *mime_transfer_decode(
	MimeEncoding encoding, const char *octets, gsize len, bool keep_rest, gsize *ret_len)
{
	switch (encoding) {
	case MIME_ENCODING_NONE:
		return NULL;
	case MIME_ENCODING_BASE64:
		return decode_base64(octets, len, keep_rest, ret_len);
	case MIME_ENCODING_QUOTED_PRINTABLE:
		return decode_quoted_printable(octets, len, ret_len);
	case MIME_ENCODING_UUENCODE:
		return decode_uuencode(octets, len, ret_len);
	}
	return NULL;
}
