#include "fs/text.h"

#include <string.h>

#include "mime/fields.h"

/* RFC 5322 2.2: a field name is of printable US-ASCII characters but the colon, which follows it;
 * in old mail after white space (4.5.8). The "From " line of an mbox is none. */
bool text_is_message(const char *bytes, gsize len)
{
	gsize n = 0;
	while (n < len && bytes[n] > ' ' && bytes[n] < 0x7f && bytes[n] != ':')
		n++;
	gsize colon = n;
	while (colon < len && (bytes[colon] == ' ' || bytes[colon] == '\t'))
		colon++;
	return n > 0 && colon < len && bytes[colon] == ':';
}

gsize text_lines(TextLines *lines, const char *bytes, gsize len, char *out)
{
	gsize used = 0;
	for (gsize i = 0; i < len; i++) {
		if (bytes[i] == '\n' && !lines->after_cr)
			out[used++] = '\r';
		lines->after_cr = bytes[i] == '\r';
		lines->nul |= bytes[i] == '\0';
		out[used++] = bytes[i];
	}
	return used;
}

bool text_date(const char *bytes, gsize len, gint64 *ret)
{
	g_autoptr(MimeFields) fields = mime_fields_of(bytes, len);
	return mime_date_parse(fields->date, ret);
}
