/* What was brought here and not listed yet: forgotten one by one, by mailbox, and past a limit. */
#include "fs/unlisted.h"

#include "base/limits.h"

static void add(Unlisted *unlisted, Gen gen, guint32 lo, guint32 hi)
{
	g_autoptr(ImapSet) uids = imap_set_new();
	imap_set_add(uids, lo, hi);
	unlisted_add(unlisted, gen, uids);
}

static void test_listed_one_by_one(void)
{
	Unlisted *unlisted = unlisted_new();
	add(unlisted, 1, 5, 6);
	g_assert_true(unlisted_has(unlisted, 1, 5));
	g_assert_false(unlisted_has(unlisted, 1, 4));
	g_assert_false(unlisted_has(unlisted, 2, 5));
	g_assert_true(unlisted_remove(unlisted, 1, 5));
	g_assert_false(unlisted_remove(unlisted, 1, 5));
	g_assert_false(unlisted_has(unlisted, 1, 5));
	g_assert_true(unlisted_has(unlisted, 1, 6));
	unlisted_free(unlisted);
}

static void test_listed_at_once(void)
{
	Unlisted *unlisted = unlisted_new();
	g_assert_null(unlisted_take(unlisted, 1));
	add(unlisted, 1, 5, 6);
	add(unlisted, 1, 8, 8);
	add(unlisted, 2, 5, 5);
	g_autoptr(ImapSet) taken = unlisted_take(unlisted, 1);
	g_autofree char *text = imap_set_to_string(taken);
	g_assert_cmpstr(text, ==, "5:6,8");
	g_assert_null(unlisted_take(unlisted, 1));
	g_assert_false(unlisted_has(unlisted, 1, 5));
	g_assert_true(unlisted_has(unlisted, 2, 5));
	unlisted_free(unlisted);
}

static void test_limit(void)
{
	Unlisted *unlisted = unlisted_new();
	add(unlisted, 1, 1, LIMIT_UNLISTED);
	g_assert_true(unlisted_has(unlisted, 1, 1));
	add(unlisted, 2, 7, 7);
	g_assert_false(unlisted_has(unlisted, 1, 1));
	/* Counting begins anew. */
	add(unlisted, 2, 8, 8);
	g_assert_true(unlisted_has(unlisted, 2, 7));
	g_assert_true(unlisted_has(unlisted, 2, 8));
	unlisted_free(unlisted);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/unlisted/one-by-one", test_listed_one_by_one);
	g_test_add_func("/unlisted/at-once", test_listed_at_once);
	g_test_add_func("/unlisted/limit", test_limit);
	return g_test_run();
}
