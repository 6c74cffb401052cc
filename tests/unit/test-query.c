#include "imap/query.h"

#include "base/error.h"
#include "base/limits.h"

#include <string.h>

/* The command as it goes out at once. */
static char *wire(const ImapQuery *query)
{
	g_autoptr(ImapCommand) command = imap_command_new("UID SEARCH");
	g_autoptr(GArray) pieces = NULL;
	GString *out = g_string_new(NULL);

	imap_query_append(query, command);
	g_assert_true(imap_command_valid(command));
	pieces = imap_command_pieces(command, "A1", true);
	for (guint i = 0; i < pieces->len; i++) {
		gsize len;
		const char *bytes =
			g_bytes_get_data(g_array_index(pieces, ImapPiece, i).bytes, &len);

		g_string_append_len(out, bytes, (gssize)len);
	}
	return g_string_free(out, FALSE);
}

/* text: the query. sent: what follows "A1 UID SEARCH ". */
static void assert_sent(const char *text, const char *sent)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(ImapQuery) query = imap_query_parse(text, &error);
	g_autofree char *expected = g_strdup_printf("A1 UID SEARCH %s\r\n", sent);
	g_autofree char *line = NULL;

	g_assert_no_error(error);
	g_assert_nonnull(query);
	line = wire(query);
	g_assert_cmpstr(line, ==, expected);
}

static void assert_refused(const char *text, const char *reason)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(ImapQuery) query = imap_query_parse(text, &error);

	g_assert_null(query);
	g_assert_error(error, MAIL_ERROR, MAIL_ERROR_INVALID);
	if (!strstr(error->message, reason))
		g_error("\"%s\" is refused with: %s", text, error->message);
}

static void test_keys(void)
{
	static const struct {
		const char *text, *sent;
	} cases[] = {
		{"unseen", "UNSEEN"},
		{"from alice since 1-Jan-2026 unseen", "FROM alice SINCE 1-Jan-2026 UNSEEN"},
		{" From  alice ", "FROM alice"},
		{"TEXT \"two words\"", "TEXT \"two words\""},
		{"text two words", NULL},
		{"or from a (to b not seen)", "OR FROM a (TO b NOT SEEN)"},
		{"((seen)(not(deleted)))", "((SEEN) (NOT (DELETED)))"},
		{"not not or old new", "NOT NOT OR OLD NEW"},
		{"recent", "RECENT"},
		{"before \"01-feb-2024\" on 29-FEB-2024", "BEFORE 1-Feb-2024 ON 29-Feb-2024"},
		{"since 2026-02-01 before \"2026-12-31\" on 2024-02-29",
			"SINCE 1-Feb-2026 BEFORE 31-Dec-2026 ON 29-Feb-2024"},
		{"sentsince 1999-12-09 sentbefore 2000-01-01 senton 0001-01-02",
			"SENTSINCE 9-Dec-1999 SENTBEFORE 1-Jan-2000 SENTON 2-Jan-0001"},
		{"sentsince 9-Dec-1999 sentbefore 1-Jan-2000 senton 2-Jan-2000",
			"SENTSINCE 9-Dec-1999 SENTBEFORE 1-Jan-2000 SENTON 2-Jan-2000"},
		{"larger 1000000 smaller 4294967295", "LARGER 1000000 SMALLER 4294967295"},
		{"keyword $Forwarded unkeyword work", "KEYWORD $Forwarded UNKEYWORD work"},
		{"uid 57", "UID 57"},
		{"uid 1:3,7,*:9 seen", "UID 1:3,7,*:9 SEEN"},
		{"header X-Spam-Flag YES", "HEADER X-Spam-Flag YES"},
		{"header Message-ID <a@b>", "HEADER Message-ID \"<a@b>\""},
		{"header List-Id \"\"", "HEADER List-Id \"\""},
		{"subject \"say \\\"hi\\\" \\\\ \\x\"", "SUBJECT \"say \\\"hi\\\" \\\\ \\\\x\""},
		{"subject 5\"", "SUBJECT \"5\\\"\""},
		{"subject seen", "SUBJECT seen"},
		{"subject \"(a)\"(seen)", "SUBJECT \"(a)\" (SEEN)"},
		{"body f\xc3\xbcr", "CHARSET UTF-8 BODY {4+}\r\nf\xc3\xbcr"},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		if (cases[i].sent)
			assert_sent(cases[i].text, cases[i].sent);
		else
			assert_refused(cases[i].text, "words is no search key");
	}
}

static void test_plain_words(void)
{
	static const struct {
		const char *text, *sent;
	} cases[] = {
		{"needle", "TEXT needle"},
		{"  two  words ", "TEXT \"two  words\""},
		{"57", "TEXT 57"},
		{"1:5 seen", "TEXT \"1:5 seen\""},
		{"fromage seen", "TEXT \"fromage seen\""},
		{"\"from here\"", "TEXT \"from here\""},
		{" \"seen\" ", "TEXT seen"},
		{"\"a\" b", "TEXT \"\\\"a\\\" b\""},
		{"\"open", "TEXT \"\\\"open\""},
		{"a (b", "TEXT \"a (b\""},
		{"gr\xc3\xbc\xc3\x9f", "CHARSET UTF-8 TEXT {6+}\r\ngr\xc3\xbc\xc3\x9f"},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
		assert_sent(cases[i].text, cases[i].sent);
}

/* Hazard 26: what a name of a file holds stays one argument. */
static void test_injection(void)
{
	static const struct {
		const char *text, *sent;
	} cases[] = {
		{"text {5+}", "TEXT \"{5+}\""},
		{"x {5}", "TEXT \"x {5}\""},
		{"subject \"\\\" DELETED\"", "SUBJECT \"\\\" DELETED\""},
		{"subject a\\", "SUBJECT \"a\\\\\""},
		{"header {3+} x", "HEADER \"{3+}\" x"},
		{"text NIL", "TEXT \"NIL\""},
		{"text *", "TEXT \"*\""},
		{"text $", "TEXT \"$\""},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
		assert_sent(cases[i].text, cases[i].sent);
	assert_refused("a\r\nA2 DELETE INBOX", "control");
	assert_refused("text \"a\r\nA2 DELETE INBOX\"", "control");
	assert_refused("text a\tb", "control");
	assert_refused("text a\x7f", "control");
	assert_refused("keyword a{5+}", "no keyword");
	assert_refused("keyword \"a SEEN\"", "no keyword");
	assert_refused("keyword \\Seen", "no keyword");
	assert_refused("keyword a)", "parentheses");
	assert_refused("uid 1,{3+}", "no set of UIDs");
	assert_refused("uid \"1 SEEN\"", "no set of UIDs");
	assert_refused("header \"a b\" c", "no name of a header field");
	assert_refused("since \"1-Jan-2026 SEEN\"", "no date");
}

static void test_refused(void)
{
	static const struct {
		const char *text, *reason;
	} cases[] = {
		{"", "empty"},
		{"   ", "empty"},
		{"text \xff", "UTF-8"},
		{"seen foo", "foo is no search key"},
		{"(foo)", "foo is no search key"},
		{"seen \"foo\"", "foo is no search key"},
		{"seen 57", "message numbers"},
		{"unseen 1:*", "\"uid 1:*\""},
		{"from", "FROM: what"},
		{"from (seen)", "FROM: what"},
		{"header a", "HEADER: what"},
		{"header a:b c", "HEADER: a:b is no name"},
		{"text \"a", "quotes"},
		{"text \"a\"b", "quotes"},
		{"seen \"a\"b", "quotes"},
		{"since 2026-02-30", "2026-02-30 is no date"},
		{"since 2023-02-29", "no date"},
		{"since 2026-00-01", "no date"},
		{"since 2026-13-01", "no date"},
		{"since 2026-01-00", "no date"},
		{"since 0000-01-01", "no date"},
		{"since 2026-1-1", "no date"},
		{"since 2026-01-011", "no date"},
		{"since 2026-01-1", "no date"},
		{"since 2026-01", "no date"},
		{"since 20260101", "no date"},
		{"since 2026/01/01", "no date"},
		{"since 2026-01/01", "no date"},
		{"since 26-01-01", "no date"},
		{"since 01-02-2026", "no date"},
		{"since -026-01-01", "no date"},
		{"since 2026-Jan-01", "no date"},
		{"since 30-Feb-2026", "no date"},
		{"since 29-Feb-2023", "no date"},
		{"since 1-Jan-26", "no date"},
		{"since 1-Foo-2026", "no date"},
		{"since 001-Jan-2026", "no date"},
		{"larger 10M", "10M is no number"},
		{"larger -1", "no number"},
		{"larger 4294967296", "no number"},
		{"uid 0", "no set of UIDs"},
		{"uid 1,", "no set of UIDs"},
		{"uid 1::2", "no set of UIDs"},
		{"uid :2", "no set of UIDs"},
		{"uid $", "no set of UIDs"},
		{"uid 4294967296", "no set of UIDs"},
		{"keyword \\Recent", "no keyword"},
		{"not", "NOT: the key"},
		{"or seen", "OR: the key"},
		{"(not)", "NOT: the key"},
		{"(seen", "parentheses"},
		{"seen)", "parentheses"},
		{"()", "parentheses"},
		{"(", "parentheses"},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
		assert_refused(cases[i].text, cases[i].reason);
}

static void test_bounds(void)
{
	g_autofree char *longest = g_strnfill(LIMIT_QUERY, 'x');
	g_autofree char *longer = g_strnfill(LIMIT_QUERY + 1, 'x');
	g_autofree char *quotes = g_strnfill(LIMIT_QUERY, '"');
	g_autofree char *open = g_strnfill(LIMIT_NESTING - 1, '(');
	g_autofree char *close = g_strnfill(LIMIT_NESTING - 1, ')');
	g_autofree char *deepest = g_strdup_printf("%sseen%s", open, close);
	g_autofree char *deeper = g_strdup_printf("(%s)", deepest);
	g_autoptr(ImapQuery) query = imap_query_parse(longest, NULL);
	g_autoptr(ImapQuery) quoted = imap_query_parse(quotes, NULL);
	g_autoptr(ImapQuery) deep = imap_query_parse(deepest, NULL);
	g_autofree char *line = NULL;

	g_assert_nonnull(query);
	g_assert_nonnull(deep);
	g_assert_nonnull(quoted);
	line = wire(quoted);
	g_assert_cmpuint(strlen(line), <, LIMIT_COMMAND_LINE);
	assert_refused(longer, "longer than");
	assert_refused(deeper, "too deep");
}

/* Equal ones, however they are written, and only those. */
static void test_text(void)
{
	static const struct {
		const char *text, *canonical;
	} cases[] = {
		{"needle", "TEXT \"needle\""},
		{"text needle", "TEXT \"needle\""},
		{"Text \"needle\" ", "TEXT \"needle\""},
		{"Needle", "TEXT \"Needle\""},
		{"since 01-JAN-2026 ( not  seen )", "SINCE 1-Jan-2026 (NOT SEEN)"},
		{"since 2026-01-01 (not seen)", "SINCE 1-Jan-2026 (NOT SEEN)"},
		{"2026-01-01", "TEXT \"2026-01-01\""},
		{"header \"X\" \"\\\"\\\\\"", "HEADER \"X\" \"\\\"\\\\\""},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(ImapQuery) query = imap_query_parse(cases[i].text, NULL);
		g_autoptr(ImapQuery) copy = imap_query_copy(query);
		g_autoptr(ImapQuery) again = imap_query_parse(cases[i].canonical, NULL);

		g_assert_cmpstr(imap_query_text(query), ==, cases[i].canonical);
		g_assert_cmpstr(imap_query_text(copy), ==, cases[i].canonical);
		g_assert_cmpstr(imap_query_text(again), ==, cases[i].canonical);
		g_assert_true(imap_query_is_ascii(copy));
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/query/keys", test_keys);
	g_test_add_func("/query/plain-words", test_plain_words);
	g_test_add_func("/query/injection", test_injection);
	g_test_add_func("/query/refused", test_refused);
	g_test_add_func("/query/bounds", test_bounds);
	g_test_add_func("/query/text", test_text);
	return g_test_run();
}
