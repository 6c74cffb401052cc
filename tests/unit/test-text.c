/* What a text must be to be a message: its first line, its line ends, its date. */
#include <glib.h>
#include <string.h>

#include "fs/text.h"

static void test_is_message(void)
{
	static const struct {
		const char *text;
		bool is;
	} cases[] = {
		{"From: a@b\r\n", true},
		{"X-Thing:\n", true},
		{"a:", true},
		{"!#$%&'*+-/9;<=>?@Z[]^_`{|}~: x", true},
		{"", false},
		{":", false},
		{": x", false},
		{"From a@b Mon Jan  1 00:00:00 2026\nFrom: a@b\n", false},
		{"Subject \t: x\n", true},
		{"Subject \n: x\n", false},
		{"\nFrom: a@b\n", false},
		{"no header at all", false},
		{"line\nFrom: a@b\n", false},
		{"Sch\xc3\xb6n: a\n", false},
		{"a\x7f: b\n", false},
		{" From: a@b\n", false},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_test_message("%s", cases[i].text);
		g_assert_cmpint(
			text_is_message(cases[i].text, strlen(cases[i].text)), ==, cases[i].is);
	}
	/* The end of what was read, not of a string. */
	g_assert_false(text_is_message("From: a", 4));
	g_assert_true(text_is_message("From: a", 5));
}

/* In pieces of `step` bytes. */
static char *lines_in_pieces(const char *text, gsize len, gsize step, bool *ret_nul)
{
	TextLines lines = {0};
	g_autofree char *out = g_malloc(2 * step);
	GString *all = g_string_new(NULL);
	for (gsize i = 0; i < len; i += step) {
		gsize n = text_lines(&lines, text + i, MIN(step, len - i), out);
		g_string_append_len(all, out, (gssize)n);
	}
	*ret_nul = lines.nul;
	return g_string_free(all, FALSE);
}

static void test_lines(void)
{
	static const struct {
		const char *text, *sent;
	} cases[] = {
		{"", ""},
		{"a\nb\n", "a\r\nb\r\n"},
		{"a\r\nb\r\n", "a\r\nb\r\n"},
		{"a\rb", "a\rb"},
		{"a\r\r\nb", "a\r\r\nb"},
		{"\n\n\n", "\r\n\r\n\r\n"},
		{"\r\n\n\r", "\r\n\r\n\r"},
		{"no end", "no end"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		for (gsize step = 1; step < 5; step++) {
			bool nul;
			g_autofree char *sent =
				lines_in_pieces(cases[i].text, strlen(cases[i].text), step, &nul);
			g_assert_cmpstr(sent, ==, cases[i].sent);
			g_assert_false(nul);
		}
	}
	bool nul;
	g_free(lines_in_pieces("a\0b\n", 4, 2, &nul));
	g_assert_true(nul);
}

static void assert_date(const char *header, gint64 expected)
{
	gint64 date = -1;
	g_test_message("%s", header);
	g_assert_true(text_date(header, strlen(header), &date));
	g_assert_cmpint(date, ==, expected);
}

static void test_date(void)
{
	static const gint64 at = 837596665; /* 1996-07-17 09:44:25 UTC */
	assert_date("Date: Wed, 17 Jul 1996 02:44:25 -0700\r\n", at);
	assert_date("Subject: x\nDATE:17 jul 1996 09:44:25 +0000\n\n", at);
	assert_date("A: b\r\nDate:\r\n Wed,\r\n\t17 Jul 1996\r\n 02:44:25\r\n -0700\r\nC: d", at);
	assert_date("Date: Wed, 17 Jul 1996 02:44:25 -0700 (PDT)\n", at);
	assert_date("Date: (a (b) \\) c) Wed (x), 17 (y) Jul 1996 02:44:25 -0700\n", at);
	assert_date("Date: Wed, 17 Jul 96 02:44:25 PDT\n", at);
	assert_date("Date: 17 Jul 096 09:44:25 GMT\n", at);
	assert_date("Date: Wed, 17-Jul-96 09:44:25 Z\n", at);
	assert_date("Date: Wednesday, 17 July 1996 09:44:25\n", at);
	assert_date("Date: Wed, 17 Jul 1996 09:44 UT\n", at - 25);
	assert_date("Date: 1 Jan 49 00:00:00 +0000\n", 2493072000);
	assert_date("Date: 29 Feb 2024 23:59:59 +0000\n", 1709251199);
	/* What is no date of a message, and can be understood. */
	assert_date("Date: Wed Jul 17 09:44:25 1996\n", at);
	assert_date("Date: 17-07-1996 09:44:25\n", at);
	assert_date("Date: 17 Jul 1996\n", at - at % 86400);
}

static void test_no_date(void)
{
	static const char *const headers[] = {
		"",
		"Subject: Date: Wed, 17 Jul 1996 02:44:25 -0700\n",
		"Subject: x\n\nDate: Wed, 17 Jul 1996 02:44:25 -0700\n",
		"Subject: x\r\n\r\nDate: Wed, 17 Jul 1996 02:44:25 -0700\r\n",
		"Dates: Wed, 17 Jul 1996 02:44:25 -0700\n",
		"Date: yesterday\n",
		"Date:",
		"Date: (\n",
		"Date: 17 Jul\n",
		"Date: 30 Feb 1996 00:00:00 +0000\n",
		"Date: 17 Jul 1996 24:00:00 +0000\n",
		"Date: 17 Jul 1996 00:60:00 +0000\n",
		"Date: 17 Foo 1996 00:00:00 +0000\n",
		"Date: 17 Jul 19966 00:00:00 +0000\n",
		"Date: 0 Jul 1996 00:00:00 +0000\n",
	};
	for (gsize i = 0; i < G_N_ELEMENTS(headers); i++) {
		gint64 date;
		g_test_message("%s", headers[i]);
		g_assert_false(text_date(headers[i], strlen(headers[i]), &date));
	}
}

/* No byte past the end is looked at: each prefix, in memory of just that size. */
static void test_date_cut(void)
{
	static const char header[] = "Date: Wed, (a\\) 17 Jul 96 02:44:25\r\n -0700 (PDT)\r\n";
	for (gsize n = 1; n <= strlen(header); n++) {
		g_autofree char *cut = g_memdup2(header, n);
		gint64 date;
		text_date(cut, n, &date);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/text/is-message", test_is_message);
	g_test_add_func("/text/lines", test_lines);
	g_test_add_func("/text/date", test_date);
	g_test_add_func("/text/no-date", test_no_date);
	g_test_add_func("/text/date-cut", test_date_cut);
	return g_test_run();
}
