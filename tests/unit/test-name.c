#include "fs/name.h"

#include <string.h>

static void test_components(void)
{
	static const char *const names[][2] = {
		/* as it is */
		{"INBOX", "INBOX"},
		{"Work", "Work"},
		{" leading and trailing ", " leading and trailing "},
		{"a\\b", "a\\b"},
		{"{5+}", "{5+}"},
		{".hidden", ".hidden"},
		{"...", "..."},
		{"~", "~"},
		{"a~0123456789abcde", "a~0123456789abcde"},
		{"a~0123456789abcdeF", "a~0123456789abcdeF"},
		{"57.EML", "57.EML"},
		{"57.eml~", "57.eml~"},
		{"x57.eml", "x57.eml"},
		{".eml", ".eml"},
		{".imapfs2", ".imapfs2"},

		/* decoded */
		{"Entw&APw-rfe", "Entw\303\274rfe"},
		{"a &- b", "a & b"},
		{"&2D3d3g-", "\360\237\227\236"},

		/* escaped */
		{"", "%"},
		{".", "%2E"},
		{"..", "%2E."},
		{"a/b", "a%2Fb"},
		{"/", "%2F"},
		{"100%", "100%25"},
		{"%2E.", "%252E."},
		{"&AAE-", "%01"},
		{"&AH8-", "%7F"},
		{"&AIU-", "%C2%85"},
		{".imapfs", "%2Eimapfs"},
		{".text", "%2Etext"},
		{".parts", "%2Eparts"},
		{".search", "%2Esearch"},
		{".names", "%2Enames"},
		{"57.eml", "57%2Eeml"},
		{"0.eml", "0%2Eeml"},
		{"057.eml", "057%2Eeml"},
		{"99999999999999999999.eml", "99999999999999999999%2Eeml"},
		{"a~0123456789abcdef", "a%7E0123456789abcdef"},
		{"~0123456789abcdef", "%7E0123456789abcdef"},

		/* not properly encoded */
		{"a & b", "a & b%"},
		{"&", "&%"},
		{"&Jjo", "&Jjo%"},
		{"&Jjo!", "&Jjo!%"},
		{"&AGE-", "&AGE-%"},
		{"&2D0-", "&2D0-%"},
		{"gr\303\274n", "gr\303\274n%"},
		{"\374ber", "%FCber%"},
		{"cut \342\202", "cut %E2%82%"},
		{"\300\200", "%C0%80%"},
		{"tab\there", "tab%09here%"},
		{"cr\rlf\n", "cr%0Dlf%0A%"},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *name = name_from_component(names[i][0], strlen(names[i][0]));

		g_assert_cmpstr(name, ==, names[i][1]);
	}
}

static void test_nul_is_escaped(void)
{
	g_autofree char *name = name_from_component("a\0b", 3);

	g_assert_cmpstr(name, ==, "a%00b%");
}

static char *repeat(const char *text, gsize times)
{
	GString *string = g_string_new(NULL);

	while (times-- > 0)
		g_string_append(string, text);
	return g_string_free(string, FALSE);
}

static void assert_cut(const char *name, gsize len)
{
	g_assert_cmpuint(strlen(name), ==, len);
	g_assert_cmpint(name[len - 17], ==, '~');
	g_assert_cmpuint(strspn(name + len - 16, "0123456789abcdef"), ==, 16);
	g_assert_true(g_utf8_validate(name, -1, NULL));
}

static void test_long_names_are_cut_between_characters(void)
{
	static const struct {
		const char *wire, *start;
		gsize times, len;
	} cases[] = {
		{"x", "xxxx", 256, 255},
		{"x", "xxxx", 4000, 255},
		{"\303\274", "\303\274\303\274", 128, 255}, /* 2 bytes each: 238 fit */
		{"%", "%25%25", 100, 254}, /* 3 bytes each: 237 fit */
		{"&-", "&&", 300, 255},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *wire = repeat(cases[i].wire, cases[i].times);
		g_autofree char *name = name_from_component(wire, strlen(wire));

		assert_cut(name, cases[i].len);
		g_assert_true(g_str_has_prefix(name, cases[i].start));
	}
}

static void test_names_that_fit_are_whole(void)
{
	g_autofree char *wire = repeat("y", NAME_MAX_BYTES);
	g_autofree char *name = name_from_component(wire, strlen(wire));

	g_assert_cmpstr(name, ==, wire);
}

static void test_long_names_stay_apart(void)
{
	g_autofree char *a = repeat("x", 300);
	g_autofree char *b = repeat("x", 301);
	g_autofree char *cut_a = name_from_component(a, strlen(a));
	g_autofree char *cut_b = name_from_component(b, strlen(b));
	g_autofree char *copy = name_from_component(cut_a, strlen(cut_a));

	g_assert_cmpstr(cut_a, !=, cut_b);
	g_assert_cmpstr(copy, !=, cut_a); /* a mailbox that has the other's file name */
}

static void test_distinct(void)
{
	g_autofree char *long_name = repeat("x", 255);
	g_autofree char *first = name_distinct("b", "a.b", 3);
	g_autofree char *second = name_distinct("b", "a/b", 3);
	g_autofree char *cut = name_distinct(long_name, "a.b", 3);

	g_assert_cmpstr(first, !=, second);
	g_assert_true(g_str_has_prefix(first, "b~"));
	assert_cut(first, 18);
	assert_cut(cut, 255);
}

static void test_messages(void)
{
	static const guint32 uids[] = {1, 9, 10, 57, 4294967295};

	for (gsize i = 0; i < G_N_ELEMENTS(uids); i++) {
		char name[NAME_MESSAGE_BYTES];

		name_of_message(uids[i], name);
		g_assert_cmpuint(name_to_uid(name), ==, uids[i]);
	}
	char name[NAME_MESSAGE_BYTES];

	name_of_message(4294967295, name);
	g_assert_cmpstr(name, ==, "4294967295.eml");
}

static void test_names_of_no_message(void)
{
	static const char *const names[] = {"", ".", ".eml", "0.eml", "057.eml", "57", "57.",
		"57.em", "57.eml.", "57.EML", "57.eml ", " 57.eml", "+57.eml", "-57.eml",
		"4294967296.eml", "18446744073709551617.eml", "99999999999999999999999999.eml",
		"5 7.eml", "0x5.eml", "57.txt", "57%2Eeml"};

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
		g_assert_cmpuint(name_to_uid(names[i]), ==, 0);
}

static void test_components_of_names(void)
{
	static const struct {
		const char *name, *component;
		char delimiter;
	} names[] = {
		{"Work", "Work", '/'},
		{"Entw\303\274rfe", "Entw&APw-rfe", '/'},
		{"a & b", "a &- b", '/'},
		{"a%2Fb", "a/b", '.'},
		{"100%25", "100%", '/'},
		{"57%2Eeml", "57.eml", '/'},
		{"%01", "&AAE-", '/'},
		{"{5+}", "{5+}", '/'},
		{"a.b", "a.b", '/'},
		{"a.b", "a.b", 0},

		/* shown of nothing, or not of one component */
		{"", NULL, '/'},
		{"%", NULL, '/'},
		{"100%", NULL, '/'},
		{"a%2fb", NULL, '.'},
		{"a%2Fb", NULL, '/'},
		{"a.b", NULL, '.'},
		{"57.eml", NULL, '/'},
		{"057.eml", NULL, '/'},
		{".imapfs", NULL, '/'},
		{"a\nA1 DELETE INBOX", NULL, '/'},
		{"a\r\nb", NULL, '/'},
		{"a%00b", NULL, '/'},
		{"a%4", NULL, '/'},
		{"a%G0", NULL, '/'},
		{"\374ber", NULL, '/'},
		{"%FCber%", NULL, '/'},
		{"a~0123456789abcdef", NULL, '/'},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *component = name_to_component(names[i].name, names[i].delimiter);

		g_assert_cmpstr(component, ==, names[i].component);
	}
}

static void test_scratch(void)
{
	static const char *const scratch[] = {".x", ".57.eml.swp", ".", "57.eml~", "~",
		".57.eml.Xa3fz1", "sedAb12xY", "#57.eml#"};
	static const char *const others[] = {"", "57.eml", "x", "4913", "sed", "sedAb12x",
		"sedAb12xYz", "sed-b12xY", "xedAb12xY", "a~b", "a.b", "#", "##", "#57.eml",
		"57.eml#"};

	for (gsize i = 0; i < G_N_ELEMENTS(scratch); i++)
		g_assert_true(name_is_scratch(scratch[i]));
	for (gsize i = 0; i < G_N_ELEMENTS(others); i++)
		g_assert_false(name_is_scratch(others[i]));
}

static void test_numbered(void)
{
	static const char *const names[][2] = {
		{"57.eml", "57 (2).eml"},
		{"letter", "letter (2)"},
		{"a.tar.gz", "a.tar (2).gz"},
		{".hidden", ".hidden (2)"},
		{"Dear Ada. How are you, and when", "Dear Ada. How are you, and when (2)"},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *name = name_numbered(names[i][0], 2);

		g_assert_cmpstr(name, ==, names[i][1]);
	}
	g_autofree char *full = repeat("x", 255);
	g_autofree char *cut = name_numbered(full, 4294967295);

	g_assert_cmpuint(strlen(cut), ==, 255);
	g_assert_true(g_str_has_suffix(cut, " (4294967295)"));
}

static void test_paths(void)
{
	static const char *const paths[][2] = {
		{"INBOX", "INBOX"},
		{"INBOX/Lists", "INBOX%2FLists"},
		{"a:b", "a:b"},
		{"100%25", "100%2525"},
		{"Entw\303\274rfe", "Entw\303\274rfe"},
		{"a/~0123456789abcdef", "a%2F%7E0123456789abcdef"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
		g_autofree char *name = name_of_path(paths[i][0]);
		g_assert_cmpstr(name, ==, paths[i][1]);
	}
	/* Two long ones that begin alike, and the name of a message fits behind each. */
	g_autofree char *path = g_strnfill(400, '/');
	g_autofree char *one = name_of_path(path);
	path[399] = 'x';
	g_autofree char *other = name_of_path(path);
	g_assert_cmpstr(one, !=, other);
	g_assert_cmpuint(strlen(one) + strlen(":4294967295.eml"), <=, NAME_MAX_BYTES);
	g_assert_cmpuint(strlen(other) + strlen(":4294967295.eml"), <=, NAME_MAX_BYTES);
	g_assert_cmpuint(strlen(one), >, NAME_MAX_BYTES - 20);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/name/components", test_components);
	g_test_add_func("/name/nul", test_nul_is_escaped);
	g_test_add_func("/name/cut", test_long_names_are_cut_between_characters);
	g_test_add_func("/name/whole", test_names_that_fit_are_whole);
	g_test_add_func("/name/apart", test_long_names_stay_apart);
	g_test_add_func("/name/distinct", test_distinct);
	g_test_add_func("/name/messages", test_messages);
	g_test_add_func("/name/no-messages", test_names_of_no_message);
	g_test_add_func("/name/to-component", test_components_of_names);
	g_test_add_func("/name/scratch", test_scratch);
	g_test_add_func("/name/numbered", test_numbered);
	g_test_add_func("/name/paths", test_paths);
	return g_test_run();
}
