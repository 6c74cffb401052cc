#include "mime/charset.h"

#include "mime/text.h"

#include <errno.h>
#include <string.h>

enum {
	/* A charset's name with its NUL: the longest that is in use has 25 characters. */
	NAME_BYTES = 40,

	/* No charset of mail makes more than this of one byte. */
	GROWTH = 3,
};

#define REPLACEMENT "\xef\xbf\xbd"
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

/* What iconv calls them, or what they are a part of and really used for: most ISO-8859-1 is
 * windows-1252 (the Encoding Standard of the WHATWG has the same). */
static const struct {
	const char *name, *iconv_name;
} aliases[] = {
	{"iso-8859-1", "cp1252"},
	{"iso8859-1", "cp1252"},
	{"iso_8859-1", "cp1252"},
	{"latin1", "cp1252"},
	{"latin-1", "cp1252"},
	{"iso-8859-6-i", "iso-8859-6"},
	{"iso-8859-8-i", "iso-8859-8"},
	{"iso-8859-8-e", "iso-8859-8"},
	{"iso-8859-9", "cp1254"},
	{"iso-8859-11", "cp874"},
	{"tis-620", "cp874"},
	{"gb2312", "gb18030"},
	{"gb_2312-80", "gb18030"},
	{"gb2312-80", "gb18030"},
	{"gbk", "gb18030"},
	{"x-gbk", "gb18030"},
	{"cp936", "gb18030"},
	{"windows-936", "gb18030"},
	{"euc-cn", "gb18030"},
	{"cn-gb", "gb18030"},
	{"big5", "big5-hkscs"},
	{"x-big5", "big5-hkscs"},
	{"cn-big5", "big5-hkscs"},
	{"euc-kr", "cp949"},
	{"ks_c_5601-1987", "cp949"},
	{"ks_c_5601-1989", "cp949"},
	{"ks_c_5601", "cp949"},
	{"ksc5601", "cp949"},
	{"ksc_5601", "cp949"},
	{"windows-949", "cp949"},
	{"shift_jis", "cp932"},
	{"shift-jis", "cp932"},
	{"sjis", "cp932"},
	{"x-sjis", "cp932"},
	{"ms_kanji", "cp932"},
	{"windows-31j", "cp932"},
	{"x-euc-jp", "euc-jp"},
	{"cp50220", "iso-2022-jp"},
	{"cp50221", "iso-2022-jp"},
	{"iso-2022-jp-ms", "iso-2022-jp"},
	{"unicode-1-1-utf-7", "utf-7"},
	{"x-unicode-2-0-utf-7", "utf-7"},
	{"unicode", "utf-16"},
	{"ucs-2", "utf-16"},
	{"iso-10646-ucs-2", "utf-16"},
	{"utf16", "utf-16"},
	{"x-mac-roman", "macintosh"},
	{"x-mac-cyrillic", "mac-cyrillic"},
};

/* Those that hold for no more than "not declared": UTF-8 is found by itself, and who says ASCII of
 * other bytes is wrong. */
static const char *const undeclared[] = {
	"utf-8", "utf8", "us-ascii", "ascii", "ansi_x3.4-1968", "iso646-us", "646"};

/* ---- Not declared ---- */

/* Windows-1252 from 0x80 to 0x9f; the rest is as in Unicode. 0: not defined. */
static const guint16 windows[32] = {0x20ac, 0, 0x201a, 0x192, 0x201e, 0x2026, 0x2020, 0x2021, 0x2c6,
	0x2030, 0x160, 0x2039, 0x152, 0, 0x17d, 0, 0, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
	0x2013, 0x2014, 0x2dc, 0x2122, 0x161, 0x203a, 0x153, 0, 0x17e, 0x178};

gunichar charset_windows(guchar byte)
{
	gunichar c = byte >= 0x80 && byte < 0xa0 ? windows[byte - 0x80] : byte;

	return c ? c : 0xfffd;
}

static GString *convert_windows(const char *bytes, gsize len)
{
	GString *text = g_string_sized_new(len + 1);

	for (gsize i = 0; i < len; i++)
		g_string_append_unichar(text, charset_windows((guchar)bytes[i]));
	return text;
}

/* Characters that are not ASCII. */
static gsize count_wide(const char *utf8, gsize len)
{
	gsize wide = 0;

	for (gsize i = 0; i < len; i++)
		wide += (guchar)utf8[i] >= 0xc0;
	return wide;
}

/* UTF-8, and each byte that is not in it as windows-1252, which may be a quotation; but if this is
 * most of it, all is windows-1252, and what looks like UTF-8 in it does so by chance. */
static GString *convert_undeclared(const char *bytes, gsize len)
{
	g_autoptr(GString) text = g_string_sized_new(len + 1);
	const char *p = bytes, *end = bytes + len;
	gsize bad = 0;

	while (p < end) {
		const char *valid;

		g_utf8_validate_len(p, (gsize)(end - p), &valid);
		g_string_append_len(text, p, valid - p);
		if (valid == end)
			break;
		if (*valid) {
			g_string_append_unichar(text, charset_windows((guchar)*valid));
			bad++;
		}
		p = valid + 1;
	}
	if (bad && count_wide(text->str, text->len) < 2 * bad)
		return convert_windows(bytes, len);
	return g_steal_pointer(&text);
}

static bool is_utf8(const char *bytes, gsize len)
{
	return g_utf8_validate_len(bytes, len, NULL);
}

/* ---- Declared ---- */

/* In lower case, without the quotation marks that some put around it. false: it is no name. */
static bool clean_name(const char *charset, char ret[static NAME_BYTES])
{
	gsize n = 0;

	for (const char *p = charset; *p; p++) {
		if (*p == '"' || *p == '\'' || *p == ' ')
			continue;
		if (n + 1 == NAME_BYTES || !(g_ascii_isalnum(*p) || strchr("-_.:+()", *p)))
			return false;
		ret[n++] = g_ascii_tolower(*p);
	}
	ret[n] = '\0';
	return n > 0;
}

static const char *iconv_name(const char *name)
{
	for (gsize i = 0; i < G_N_ELEMENTS(undeclared); i++) {
		if (strcmp(name, undeclared[i]) == 0)
			return NULL;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(aliases); i++) {
		if (strcmp(name, aliases[i].name) == 0)
			return aliases[i].iconv_name;
	}
	return name;
}

/* Bytes of what is passed over when it is invalid. */
static gsize unit_of(const char *name)
{
	if (g_str_has_prefix(name, "utf-16") || g_str_has_prefix(name, "ucs-2"))
		return 2;
	return g_str_has_prefix(name, "utf-32") || g_str_has_prefix(name, "ucs-4") ? 4 : 1;
}

bool charset_is_wide(const char *charset)
{
	char buffer[NAME_BYTES];
	const char *name = charset && clean_name(charset, buffer) ? iconv_name(buffer) : NULL;

	return name && unit_of(name) > 1;
}

static bool has_utf16_mark(const char *bytes, gsize len)
{
	return len >= 2 && (memcmp(bytes, "\xff\xfe", 2) == 0 || memcmp(bytes, "\xfe\xff", 2) == 0);
}

/* The byte order by the mark (RFC 2781 section 4.3); without one the order that gives more ASCII.
 */
static const char *utf16_order(const char *bytes, gsize len)
{
	gsize zeros[2] = {0};

	if (has_utf16_mark(bytes, len))
		return bytes[0] == '\xff' ? "utf-16le" : "utf-16be";
	for (gsize i = 0; i < len; i++)
		zeros[i & 1] += !bytes[i];
	return zeros[0] > zeros[1] ? "utf-16be" : "utf-16le";
}

/* What iconv is to take the bytes for. NULL: nothing is said that is any use. */
static const char *choose(
	const char *bytes, gsize len, const char *charset, char buffer[static NAME_BYTES])
{
	const char *name;

	if (!charset)
		return has_utf16_mark(bytes, len) ? utf16_order(bytes, len) : NULL;
	name = clean_name(charset, buffer) ? iconv_name(buffer) : NULL;
	if (!name)
		return NULL;

	/* Text in units of two or four has NULs, but for the ideographs. */
	if (unit_of(name) > 1 && is_utf8(bytes, len))
		return NULL;
	return strcmp(name, "utf-16") == 0 ? utf16_order(bytes, len) : name;
}

typedef struct {
	GIConv iconv;
	const char *at; /* what is not converted yet */
	gsize left, unit;
	gsize bad; /* replacements so far */
} Input;

/* ASCII that does not fit into its surroundings is itself. */
static void pass_invalid(Input *input, GString *text)
{
	gsize n = MIN(input->unit, input->left);

	if (input->unit == 1 && (guchar)*input->at < 0x80) {
		g_string_append_c(text, *input->at);
	} else {
		g_string_append(text, REPLACEMENT);
		input->bad++;
	}
	input->at += n;
	input->left -= n;
}

/* false: that is all. */
static bool convert_some(Input *input, GString *text)
{
	char out[4096], *to = out;
	gsize room = sizeof(out);
	char *from = (char *)input->at;
	gsize done, before = input->left;
	bool stuck;

	/* At the end a charset may have kept a character to combine it with the next. */
	done = before ? g_iconv(input->iconv, &from, &input->left, &to, &room)
		      : g_iconv(input->iconv, NULL, NULL, &to, &room);
	input->at = from;
	stuck = done == (gsize)-1 && errno != E2BIG;
	g_string_append_len(text, out, to - out);
	if (!before)
		return false;
	if (stuck || (input->left == before && to == out))
		pass_invalid(input, text);
	return true;
}

/* Whether more went wrong than right, ASCII aside, which is right in nearly all charsets; or
 * whether what has a character for each byte is UTF-8, which other text is by no chance. */
static bool is_wrong(const Input *input, const char *bytes, gsize len, const GString *text)
{
	gsize wide = count_wide(text->str, text->len);

	if (input->bad == 0)
		return wide && (gsize)g_utf8_strlen(text->str, (gssize)text->len) == len &&
		       is_utf8(bytes, len);
	if (is_utf8(bytes, len))
		return true;
	return (input->unit > 1 ? text->len : wide) < 2 * input->bad;
}

/* "koi8_r" is what some call "koi8-r". */
static GIConv open_charset(const char *name)
{
	GIConv iconv = g_iconv_open("UTF-8", name);
	g_autofree char *other = NULL;

	if (iconv != (GIConv)-1 || !strchr(name, '_'))
		return iconv;
	other = g_strdelimit(g_strdup(name), "_", '-');
	return g_iconv_open("UTF-8", other);
}

/* NULL: it is unknown, or it is not what the bytes are in. */
static GString *convert_declared(const char *bytes, gsize len, const char *name)
{
	Input input = {open_charset(name), bytes, len, unit_of(name), 0};
	g_autoptr(GString) text = NULL;

	if (input.iconv == (GIConv)-1)
		return NULL;
	text = g_string_sized_new(len + 1);
	while (convert_some(&input, text) && text->len <= GROWTH * len) {
	}
	g_iconv_close(input.iconv);
	if (text->len > GROWTH * len || is_wrong(&input, bytes, len, text))
		return NULL;
	return g_steal_pointer(&text);
}

/* What says ISO-2022-JP and is not is in one of the other two that Japan used. */
static GString *convert_japanese(const char *bytes, gsize len)
{
	static const char *const names[] = {"euc-jp", "cp932"};

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autoptr(GString) text = convert_declared(bytes, len, names[i]);

		if (text && !strstr(text->str, REPLACEMENT))
			return g_steal_pointer(&text);
	}
	return NULL;
}

/* ---- */

/* Without NULs and the mark at the beginning. */
static char *finish(GString *text)
{
	gsize from = 0, to = 0;

	if (g_str_has_prefix(text->str, BYTE_ORDER_MARK))
		from = strlen(BYTE_ORDER_MARK);
	if (from || strlen(text->str) < text->len) {
		for (; from < text->len; from++) {
			if (text->str[from])
				text->str[to++] = text->str[from];
		}
		g_string_truncate(text, to);
	}
	return g_string_free(text, FALSE);
}

char *mime_to_utf8(const char *bytes, gsize len, const char *charset)
{
	char buffer[NAME_BYTES];
	const char *name = choose(bytes, len, charset, buffer);
	GString *text = name ? convert_declared(bytes, len, name) : NULL;

	if (!text && name && strcmp(name, "iso-2022-jp") == 0 && !is_utf8(bytes, len))
		text = convert_japanese(bytes, len);
	return finish(text ? text : convert_undeclared(bytes, len));
}
