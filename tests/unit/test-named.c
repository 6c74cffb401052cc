#include "fs/named.h"

#include <string.h>

#include "base/limits.h"

static ImapSet *set_of(const char *text)
{
	return imap_set_parse(text, strlen(text), 100);
}

static int compare(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Takes them, sorted, between blanks. */
static char *take(Named *named, Gen gen, const char *uids)
{
	g_autoptr(ImapSet) set = uids ? set_of(uids) : NULL;
	g_autoptr(GPtrArray) names = named_take(named, gen, set);
	if (!names)
		return NULL;
	g_ptr_array_sort(names, compare);
	g_ptr_array_set_free_func(names, NULL);
	g_ptr_array_add(names, NULL);
	g_auto(GStrv) strings = (char **)g_ptr_array_steal(names, NULL);
	return g_strjoinv(" ", strings);
}

static void assert_taken(Named *named, Gen gen, const char *uids, const char *wanted)
{
	g_autofree char *taken = take(named, gen, uids);
	g_assert_cmpstr(taken, ==, wanted);
}

static void test_taken_once(void)
{
	Named *named = named_new();
	g_assert_true(named_add(named, 1, 1, "a"));
	g_assert_true(named_add(named, 1, 2, "b"));
	g_assert_true(named_add(named, 1, 3, "c"));
	g_assert_true(named_add(named, 2, 1, "d"));
	g_assert_true(named_is(named, 1, 2, "b"));
	g_assert_false(named_is(named, 1, 2, "a"));
	g_assert_false(named_is(named, 2, 2, "b"));
	assert_taken(named, 1, "4:9", NULL);
	assert_taken(named, 1, "2:3", "b c");
	g_assert_false(named_is(named, 1, 2, "b"));
	assert_taken(named, 1, "2:3", NULL);
	/* More UIDs than there are names. */
	assert_taken(named, 1, "1:4294967295", "a");
	assert_taken(named, 1, NULL, NULL);
	assert_taken(named, 2, NULL, "d");
	named_free(named);
}

/* What the kernel has by one name is not told of by another. */
static void test_one_name(void)
{
	Named *named = named_new();
	g_assert_true(named_add(named, 1, 1, "a"));
	g_assert_true(named_add(named, 1, 1, "a"));
	g_assert_false(named_add(named, 1, 1, "b"));
	assert_taken(named, 1, NULL, "a");
	g_assert_true(named_add(named, 1, 1, "b"));
	named_free(named);
}

static void test_bound(void)
{
	Named *named = named_new();
	for (guint32 uid = 1; uid <= LIMIT_NAMED; uid++)
		g_assert_true(named_add(named, 1 + uid % 3, uid, "x"));
	g_assert_false(named_add(named, 1, G_MAXUINT32, "x"));
	g_assert_true(named_add(named, 1 + 7 % 3, 7, "x"));
	assert_taken(named, 1 + 7 % 3, "7", "x");
	g_assert_true(named_add(named, 1, G_MAXUINT32, "x"));
	g_assert_false(named_add(named, 9, 1, "x"));
	named_free(named);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/named/taken-once", test_taken_once);
	g_test_add_func("/named/one-name", test_one_name);
	g_test_add_func("/named/bound", test_bound);
	return g_test_run();
}
