/* Sets of flags as text, as users read and write them. */
#include "imap/response.h"

#include <string.h>

/* As imap_flags_text() shows what was parsed; NULL: it is no set of flags. */
static void assert_parsed(const char *text, const char *expected)
{
	guint system = 0;
	g_auto(GStrv) keywords = NULL;
	g_autofree char *shown = NULL;

	if (imap_flags_parse(text, &system, &keywords)) {
		g_autofree char *words = g_strjoinv(" ", keywords);

		shown = imap_flags_text(system, words);
	}
	g_assert_cmpstr(shown, ==, expected);
}

static void test_parsed(void)
{
	assert_parsed("", "");
	assert_parsed("  ", "");
	assert_parsed("\\Seen", "\\Seen");
	assert_parsed("\\DRAFT \\seen \\Seen", "\\Seen \\Draft");
	assert_parsed("work $Junk \\Flagged", "\\Flagged work $Junk");
	assert_parsed("work Work other", "work other"); /* keywords have no case */
	assert_parsed("\\Recent \\recent a,b a%2", NULL);
	assert_parsed("\\Recent \\recent a,b", "a,b");
	assert_parsed("Seen", "Seen");
}

static void test_refused(void)
{
	static const char *const texts[] = {"\\", "\\*", "\\Nonsense", "a(b", "a)b", "a{b", "a%b",
		"a*b", "a\"b", "a\\b", "a]b", "a\tb", "a\r\nA1 DELETE INBOX", "f\303\274r",
		"a\177"};

	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
		assert_parsed(texts[i], NULL);
}

static void test_nothing_is_written_on_failure(void)
{
	guint system = 77;
	char **keywords = NULL;

	g_assert_false(imap_flags_parse("\\Seen work a(b", &system, &keywords));
	g_assert_cmpuint(system, ==, 77);
	g_assert_null(keywords);
}

static void assert_changed(
	const char *keywords, const char *add, const char *remove, const char *expected)
{
	g_autofree char *changed = imap_keywords_change(keywords, add, remove);

	g_assert_cmpstr(changed, ==, expected);
}

static void test_keywords_change(void)
{
	assert_changed("", NULL, NULL, "");
	assert_changed("a b", NULL, NULL, "a b");
	assert_changed("a b", "c B", NULL, "a b c");
	assert_changed("a b c", NULL, "B x", "a c");
	assert_changed("a", "b", "A", "b");
	assert_changed("a", "a", "a", "a");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/flags/parsed", test_parsed);
	g_test_add_func("/flags/refused", test_refused);
	g_test_add_func("/flags/untouched", test_nothing_is_written_on_failure);
	g_test_add_func("/flags/keywords", test_keywords_change);
	return g_test_run();
}
