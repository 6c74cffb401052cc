#include "mime/text.h"

#include <string.h>

#include "long-input.h"

#define FFFD "\xef\xbf\xbd"

typedef struct {
	const char *why, *charset, *bytes, *utf8;
} Case;

static void check(const Case *cases, gsize n)
{
	for (gsize i = 0; i < n; i++) {
		const Case *c = &cases[i];
		g_autofree char *utf8 = mime_to_utf8(c->bytes, strlen(c->bytes), c->charset);

		if (strcmp(utf8, c->utf8) != 0)
			g_error("%s: \"%s\", not \"%s\"", c->why, utf8, c->utf8);
	}
}

static void test_declared(void)
{
	static const Case cases[] = {
		{"ISO-2022-JP", "ISO-2022-JP", "a \x1b$B;3ED\x1b(B b",
			"a \xe5\xb1\xb1\xe7\x94\xb0 b"},
		{"KOI8-R", "koi8-r", "\xf0\xd2\xc9\xd7\xc5\xd4", "Привет"},
		{"KOI8-U", "koi8-u", "\xa4", "є"},
		{"windows-1251", "windows-1251", "\xcf\xf0\xe8\xe2\xe5\xf2", "Привет"},
		{"its other name", "cp1251", "\xcf\xf0", "Пр"},
		{"ISO-8859-2", "iso-8859-2", "\xb1\xe6", "ąć"},
		{"ISO-8859-15", "iso-8859-15", "\xa4", "€"},
		{"ISO-8859-8-I", "ISO-8859-8-I", "\xf9\xec", "של"},
		{"GB2312 as it is used", "gb2312", "\xc4\xe3\xba\xc3 \x80\x81", "你好 " FFFD FFFD},
		{"GBK, beyond GB2312", "gb2312", "\xe9\x46", "镕"},
		{"GB18030", "GB18030", "\x81\x30\x81\x30", "\xc2\x80"},
		{"Big5", "big5", "\xa4\xa4\xa4\xe5", "中文"},
		{"EUC-KR", "ks_c_5601-1987", "\xc7\xd1\xb1\xdb", "한글"},
		{"UHC, beyond EUC-KR", "euc-kr", "\x8c\x63", "똠"},
		{"Shift_JIS", "Shift_JIS", "\x93\xfa\x96\x7b \x87\x40", "日本 ①"},
		{"EUC-JP", "euc-jp", "\xc6\xfc\xcb\xdc", "日本"},
		{"UTF-7", "utf-7", "Gr+APYA3w-e +-", "Größe +"},
		{"its old name", "unicode-1-1-utf-7", "+APY-", "ö"},
		{"Latin-1 is windows-1252", "iso-8859-1", "\x93\xe4\x94 \x80", "“ä” €"},
		{"with a _", "koi8_r", "\xf0", "П"},
		{"in quotation marks", "'KOI8-R'", "\xf0", "П"},
		{"Macintosh", "macintosh", "\x8a", "ä"},
		{"UTF-8", "utf-8", "ä€😀", "ä€😀"},
		{"UTF-8 with its mark", "utf-8",
			"\xef\xbb\xbf"
			"a",
			"a"},
	};

	check(cases, G_N_ELEMENTS(cases));
}

static void test_undeclared(void)
{
	static const Case cases[] = {
		{"nothing", NULL, "", ""},
		{"ASCII", NULL, "abc\r\n", "abc\r\n"},
		{"UTF-8", NULL, "ä€", "ä€"},
		{"windows-1252", NULL, "\x80 \xe4\xf6\xfc \x9f", "€ äöü Ÿ"},
		{"undefined there", NULL,
			"a\x81"
			"b\x8d\x8f\x90\x9d",
			"a" FFFD "b" FFFD FFFD FFFD FFFD},
		{"UTF-8 that was cut", NULL, "ä ö \xc3", "ä ö Ã"},
		{"mostly windows-1252", NULL, "\xcf\xb8\xf2\xf0", "Ï¸òð"},
		{"both", NULL, "ä \xe4 ö", "ä ä ö"},
		{"ASCII, they say", "us-ascii", "ä", "ä"},
		{"ASCII, they say of another", "us-ascii", "\xe4", "ä"},
		{"unknown", "x-nobody", "\xe4", "ä"},
		{"unknown, of UTF-8", "x-nobody", "ä", "ä"},
		{"no name", "//TRANSLIT", "\xe4", "ä"},
		{"empty", "", "\xe4", "ä"},
		{"too long", "iso-8859-5-of-a-name-that-is-longer-than-any", "\xe4", "ä"},
	};

	check(cases, G_N_ELEMENTS(cases));
}

static void test_wrong(void)
{
	static const Case cases[] = {
		{"UTF-8 that is windows-1252", "utf-8",
			"Gr\xf6\xdf"
			"e",
			"Größe"},
		{"ISO-2022-JP that is UTF-8", "iso-2022-jp", "山田", "山田"},
		{"ISO-2022-JP that is windows-1252", "iso-2022-jp", "\xe4", "ä"},
		{"ISO-2022-JP that is EUC-JP", "iso-2022-jp", "\xc6\xfc\xcb\xdc a", "日本 a"},
		{"ISO-2022-JP that is Shift_JIS", "iso-2022-jp", "\x93\xfa\x96\x7b a", "日本 a"},
		{"GB2312 that is UTF-8", "gb2312", "Größe 中文字", "Größe 中文字"},
		{"Shift_JIS that is windows-1252", "shift_jis", "a\xa0 \xfd\xfe\xff",
			"a\xc2\xa0 ýþÿ"},
		{"KOI8-R that is UTF-8", "koi8-r", "Größe", "Größe"},
		{"ISO-8859-1 that is UTF-8", "iso-8859-1", "Größe", "Größe"},
		{"UTF-16 that is ASCII", "utf-16", "plain text", "plain text"},
		{"UTF-7 that is windows-1252", "utf-7", "\xe4\xf6 +APY-", "äö +APY-"},
	};

	check(cases, G_N_ELEMENTS(cases));
}

/* What is invalid costs itself alone. */
static void test_invalid(void)
{
	static const Case cases[] = {
		{"UTF-8", "utf-8",
			"äö\xff"
			"üß",
			"äöÿüß"},
		{"EUC-JP", "euc-jp", "\xc6\xfc\xff\xcb\xdc\xc6\xfc", "日" FFFD "本日"},
		{"a lead byte before ASCII", "euc-jp",
			"\xc6\xfc\xcb"
			"a\xc6\xfc",
			"日" FFFD "a日"},
		{"a lead byte at the end", "gb2312", "\xc4\xe3\xba\xc3\xc4", "你好" FFFD},
		{"windows-1251", "windows-1251", "\xcf\xf0\x98\xe8", "Пр" FFFD "и"},
		{"ASCII in UTF-7", "utf-7", "~ +APY- \\", "~ ö \\"},
	};

	check(cases, G_N_ELEMENTS(cases));
}

static void check_bytes(const char *charset, const char *bytes, gsize len, const char *expected)
{
	g_autofree char *utf8 = mime_to_utf8(bytes, len, charset);

	g_assert_cmpstr(utf8, ==, expected);
}

static void test_wide(void)
{
	check_bytes("utf-16",
		"\xff\xfe"
		"a\0\xe4\0",
		6, "aä");
	check_bytes("utf-16", "\xfe\xff\0a\0\xe4", 6, "aä");
	check_bytes(NULL,
		"\xff\xfe"
		"a\0\xe4\0",
		6, "aä");
	check_bytes(NULL, "\xfe\xff\0a\0\xe4", 6, "aä");
	check_bytes("utf-16", "a\0\xe4\0", 4, "aä");
	check_bytes("utf-16", "\0a\0\xe4", 4, "aä");
	check_bytes("utf-16le", "a\0\x3d\xd8\x00\xde", 6, "a😀");
	check_bytes("utf-16be", "\0a\0b\0", 5, "ab" FFFD);
	check_bytes("utf-16le",
		"a\0\xe4\0\xf6\0\x3d\xd8"
		"b\0",
		10, "aäö" FFFD "b");
	check_bytes("utf-32le", "a\0\0\0\xe4\0\0\0", 8, "aä");
}

static void test_nul(void)
{
	check_bytes(NULL, "a\0b\0", 4, "ab");
	check_bytes("utf-8", "\0\xc3\xa4\0", 4, "ä");
	check_bytes("koi8-r", "\0\xf0\0a", 4, "Пa");
	check_bytes(NULL, "\0", 1, "");
}

/* Half a megabyte of what is invalid, in each charset, takes no time to speak of. */
static void test_linear(void)
{
	static const char *const charsets[] = {
		NULL, "utf-8", "iso-2022-jp", "gb18030", "utf-7", "utf-16", "euc-jp"};
	g_autofree char *bytes = g_malloc(LONG_INPUT);

	memset(bytes, 0xff, LONG_INPUT);
	for (gsize i = 0; i < G_N_ELEMENTS(charsets); i++) {
		g_autofree char *utf8 = mime_to_utf8(bytes, LONG_INPUT, charsets[i]);

		g_assert_true(g_utf8_validate(utf8, -1, NULL));
		g_assert_cmpuint(strlen(utf8), >=, LONG_INPUT);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/mime-charset/declared", test_declared);
	g_test_add_func("/mime-charset/undeclared", test_undeclared);
	g_test_add_func("/mime-charset/wrong", test_wrong);
	g_test_add_func("/mime-charset/invalid", test_invalid);
	g_test_add_func("/mime-charset/wide", test_wide);
	g_test_add_func("/mime-charset/nul", test_nul);
	g_test_add_func("/mime-charset/linear", test_linear);
	return g_test_run();
}
