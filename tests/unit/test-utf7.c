#include "imap/utf7.h"

#include <string.h>

static void test_both_ways(void)
{
	static const char *const pairs[][2] = {
		{"", ""},
		{"INBOX", "INBOX"},
		{"a&-b", "a&b"},
		{"&-&-", "&&"},
		{"Entw&APw-rfe", "Entw\xc3\xbcrfe"},
		{"~peter/mail/&U,BTFw-/&ZeVnLIqe-",
			"~peter/mail/\xe5\x8f\xb0\xe5\x8c\x97/\xe6\x97\xa5"
			"\xe6\x9c\xac\xe8\xaa\x9e"},
		{"&2D3eAA-", "\xf0\x9f\x98\x80"},
		{"&2D3eANg93gE-", "\xf0\x9f\x98\x80\xf0\x9f\x98\x81"},
		{"a&AAk-b", "a\tb"},
		{"&AAoADQB,-", "\n\r\x7f"},
		{"&AOkA6Q-", "\xc3\xa9\xc3\xa9"},
		{"&AOk-&-&AOk-", "\xc3\xa9&\xc3\xa9"},
		{"&,,8-", "\xef\xbf\xbf"},
		{"a b\"\\%*{}", "a b\"\\%*{}"},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(pairs); i++) {
		g_autofree char *utf8 = imap_utf7_decode(pairs[i][0], strlen(pairs[i][0]));
		g_autofree char *name = imap_utf7_encode(pairs[i][1], strlen(pairs[i][1]));

		g_assert_cmpstr(utf8, ==, pairs[i][1]);
		g_assert_cmpstr(name, ==, pairs[i][0]);
	}
}

/* What no encoder makes has no Unicode name, or two names on the wire would become one file. */
static void test_no_name(void)
{
	static const struct {
		const char *why, *name;
	} bad[] = {
		{"lone ampersand", "&"},
		{"lone ampersand at the end", "a&"},
		{"run without end", "&Jjo"},
		{"run without end, then text", "&Jjo!"},
		{"foreign character", "&Jj/-"},
		{"space in a run", "&Jj o-"},
		{"printable ASCII encoded", "&AGE-"},
		{"ampersand encoded", "&ACY-"},
		{"shift out and in again", "&AOk-&AOk-"},
		{"bits left over", "&AOl-"},
		{"more than a unit, less than two", "&AOkA-"},
		{"single character", "&A-"},
		{"a sextet of zeros too many", "&AOkA6QA-"},
		{"lone high surrogate", "&2D0-"},
		{"lone low surrogate", "&3gA-"},
		{"surrogates swapped", "&3gDYPQ-"},
		{"high surrogate, then a character", "&2D0A6Q-"},
		{"NUL encoded", "&AAA-"},
		{"8-bit byte", "Entw\xc3\xbcrfe"},
		{"TAB as it is", "a\tb"},
		{"DEL as it is", "a\x7f"},
		{"8-bit byte in a run", "&AO\xe9-"},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autofree char *utf8 = imap_utf7_decode(bad[i].name, strlen(bad[i].name));

		if (utf8)
			g_error("%s: %s was decoded to %s", bad[i].why, bad[i].name, utf8);
	}
	g_assert_null(imap_utf7_decode("a\0b", 3));
	g_assert_null(imap_utf7_decode("&A\0k-", 5));
}

static void test_not_utf8(void)
{
	g_assert_null(imap_utf7_encode("\xff", 1));
	g_assert_null(imap_utf7_encode("\xed\xa0\x80", 3));
	g_assert_null(imap_utf7_encode("\xc3", 1));
	g_assert_null(imap_utf7_encode("a\0b", 3));
}

static void test_every_character(void)
{
	for (gunichar c = 1; c <= 0x10ffff; c++) {
		char utf8[7] = {0};
		gsize len = (gsize)g_unichar_to_utf8(c, utf8);
		g_autofree char *name = NULL, *again = NULL;

		if (!g_unichar_validate(c))
			continue;
		name = imap_utf7_encode(utf8, len);
		again = imap_utf7_decode(name, strlen(name));
		g_assert_cmpstr(again, ==, utf8);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/utf7/both-ways", test_both_ways);
	g_test_add_func("/utf7/no-name", test_no_name);
	g_test_add_func("/utf7/not-utf8", test_not_utf8);
	g_test_add_func("/utf7/every-character", test_every_character);
	return g_test_run();
}
