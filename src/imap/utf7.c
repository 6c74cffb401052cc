#include "imap/utf7.h"

#include <stdbool.h>
#include <string.h>

/* RFC 3501 section 5.1.3: BASE64 with "," for "/". */
static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

static bool is_direct(gunichar c)
{
	return c >= 0x20 && c <= 0x7e;
}

/* Bits that wait until six of them make a character. */
typedef struct {
	guint32 bits;
	int n;
} Base64;

static void put_unit(Base64 *base64, GString *out, guint16 unit)
{
	base64->bits = base64->bits << 16 | unit;
	for (base64->n += 16; base64->n >= 6; base64->n -= 6)
		g_string_append_c(out, alphabet[base64->bits >> (base64->n - 6) & 63]);
}

static void put_char(Base64 *base64, GString *out, gunichar c)
{
	if (c < 0x10000) {
		put_unit(base64, out, (guint16)c);
		return;
	}
	c -= 0x10000;
	put_unit(base64, out, (guint16)(0xd800 | c >> 10));
	put_unit(base64, out, (guint16)(0xdc00 | (c & 0x3ff)));
}

char *imap_utf7_encode(const char *utf8, gsize len)
{
	g_autoptr(GString) out = NULL;
	const char *p = utf8, *end = utf8 + len;

	if (!g_utf8_validate_len(utf8, len, NULL))
		return NULL;
	out = g_string_sized_new(len + 1);
	while (p < end) {
		Base64 base64 = {0};

		if (*p == '&') {
			g_string_append(out, "&-");
			p++;
			continue;
		}
		if (is_direct((guchar)*p)) {
			g_string_append_c(out, *p++);
			continue;
		}
		g_string_append_c(out, '&');
		for (; p < end && !is_direct((guchar)*p); p = g_utf8_next_char(p))
			put_char(&base64, out, g_utf8_get_char(p));
		if (base64.n)
			g_string_append_c(out, alphabet[base64.bits << (6 - base64.n) & 63]);
		g_string_append_c(out, '-');
	}
	return g_string_free(g_steal_pointer(&out), FALSE);
}

/* Appends the UTF-16 unit; *high keeps the first half of a pair. */
static bool take_unit(GString *out, guint16 unit, guint16 *high)
{
	if (*high) {
		if ((unit & 0xfc00) != 0xdc00)
			return false;
		g_string_append_unichar(
			out, 0x10000u + ((gunichar)(*high & 0x3ff) << 10) + (unit & 0x3ff));
		*high = 0;
		return true;
	}
	if ((unit & 0xfc00) == 0xd800) {
		*high = unit;
		return true;
	}
	if (unit == 0 || (unit & 0xfc00) == 0xdc00)
		return false;
	g_string_append_unichar(out, unit);
	return true;
}

/* Reads one shifted run from after its "&" up to and with its "-". */
static bool decode_run(const char **at, const char *end, GString *out)
{
	guint32 bits = 0;
	guint16 high = 0;
	int n = 0;

	for (const char *p = *at; p < end; p++) {
		const char *digit;

		if (*p == '-') {
			*at = p + 1;
			return !high;
		}
		digit = *p ? strchr(alphabet, *p) : NULL;
		if (!digit)
			return false;
		bits = bits << 6 | (guint32)(digit - alphabet);
		n += 6;
		if (n >= 16) {
			n -= 16;
			if (!take_unit(out, (guint16)(bits >> n), &high))
				return false;
		}
	}
	return false;
}

char *imap_utf7_decode(const char *name, gsize len)
{
	g_autoptr(GString) out = g_string_sized_new(len + 1);
	g_autofree char *again = NULL;
	const char *p = name, *end = name + len;

	while (p < end) {
		if (*p != '&') {
			if (!is_direct((guchar)*p))
				return NULL;
			g_string_append_c(out, *p++);
		} else if (end - p >= 2 && p[1] == '-') {
			g_string_append_c(out, '&');
			p += 2;
		} else {
			p++;
			if (!decode_run(&p, end, out))
				return NULL;
		}
	}

	/* Shifts that an encoder would not have made, printable ASCII inside of them, bits that
	 * are left over: each has another encoding, so this one test finds them all. */
	again = imap_utf7_encode(out->str, out->len);
	if (!again || strlen(again) != len || memcmp(again, name, len) != 0)
		return NULL;
	return g_string_free(g_steal_pointer(&out), FALSE);
}
