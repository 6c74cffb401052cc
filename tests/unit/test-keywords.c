/* The keywords of messages: combinations (store/keywords.h), and as the store gives them. */
#include "store/keywords.h"

#include "store-fixture.h"

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

static void assert_join(const char *const *names, const char *expected)
{
	g_autofree char *joined = store_keywords_join(names);

	g_assert_cmpstr(joined, ==, expected);
}

static void test_join(void)
{
	assert_join(NULL, "");
	assert_join(NAMES(NULL), "");
	assert_join(NAMES("b", "a"), "a b");
	assert_join(NAMES("a", "b", "a"), "a b");
	assert_join(NAMES("no atom", "A", ""), "A");
}

static void test_numbers(void)
{
	g_autoptr(Keywords) keywords = store_keywords_new();

	g_assert_cmpuint(store_keywords_find(keywords, ""), ==, 0);
	g_assert_cmpuint(store_keywords_find(keywords, "a b"), ==, G_MAXUINT);
	guint number = store_keywords_add(keywords, "a b");

	g_assert_cmpuint(number, !=, 0);
	g_assert_cmpuint(store_keywords_find(keywords, "a b"), ==, number);
	g_assert_cmpstr(store_keywords_text(keywords, number), ==, "a b");
	g_assert_cmpuint(store_keywords_add(keywords, "c"), !=, number);
	g_assert_cmpstr(store_keywords_text(keywords, 0), ==, "");
}

static void test_as_many_as_rows_have_bits_for(void)
{
	g_autoptr(Keywords) keywords = store_keywords_new();

	for (guint i = 1; i <= KEYWORDS_MAX; i++) {
		g_autofree char *name = g_strdup_printf("k%u", i);

		g_assert_cmpuint(store_keywords_add(keywords, name), ==, i);
	}
	g_assert_cmpuint(store_keywords_add(keywords, "more"), ==, 0);
	g_assert_cmpuint(store_keywords_find(keywords, "k1023"), ==, 1023);
}

static void test_length_is_bounded(void)
{
	g_autoptr(Keywords) keywords = store_keywords_new();
	g_autofree char *half = g_strnfill(LIMIT_KEYWORDS / 2, 'x');
	g_autofree char *rest = g_strnfill(LIMIT_KEYWORDS / 2 + 1, 'y');

	g_assert_cmpuint(store_keywords_add(keywords, half), ==, 1);
	g_assert_cmpuint(store_keywords_add(keywords, rest), ==, 0);
	g_assert_cmpuint(store_keywords_add(keywords, rest + 1), ==, 2);
}

/* Whether it is news. */
static bool set_keywords(Fixture *f, guint32 uid, const char *const *names)
{
	StoreMessage message = {.uid = uid, .flags = IMAP_FLAG_SEEN};
	bool changed = false;

	store_set_attributes(f->store, f->gen, &message,
		(StoreFields){.has_flags = true, .keywords = names}, &changed);
	return changed;
}

static void assert_keywords(Fixture *f, guint32 uid, const char *expected)
{
	g_autofree char *text = store_keywords(f->store, f->gen, uid);

	g_assert_cmpstr(text, ==, expected);
}

static void test_store(void)
{
	Fixture f = {0};

	fixture_open(&f, false, 1 << 20, false);
	assert_keywords(&f, 1, NULL);
	set_names(f.store, f.gen, "1:3", "");
	assert_keywords(&f, 1, "");
	g_assert_false(set_keywords(&f, 1, NAMES("$Work", "$Label1")));
	assert_keywords(&f, 1, "$Label1 $Work");
	assert_keywords(&f, 2, "");
	g_assert_false(set_keywords(&f, 1, NAMES("$Label1", "$Work")));
	g_assert_true(set_keywords(&f, 1, NAMES("$Work")));
	assert_keywords(&f, 1, "$Work");
	g_assert_true(set_keywords(&f, 1, NULL));
	assert_keywords(&f, 1, "");
	fixture_close(&f);
}

static void test_rows_keep_theirs(void)
{
	Fixture f = {0};

	fixture_open(&f, false, 1 << 20, false);
	set_names(f.store, f.gen, "1:3", "");
	set_keywords(&f, 2, NAMES("a"));
	set_names(f.store, f.gen, "2,7:9", "");
	assert_keywords(&f, 2, "a");
	assert_keywords(&f, 7, "");
	assert_keywords(&f, 3, NULL);
	/* Attributes without flags say nothing of them. */
	StoreMessage message = {.uid = 2, .size = 10};

	store_set_attributes(f.store, f.gen, &message, (StoreFields){.has_size = true}, NULL);
	assert_keywords(&f, 2, "a");
	/* Another generation is another mailbox. */
	Gen old = f.gen;

	f.gen = store_gen_open(f.store, f.mailbox, 2);
	set_names(f.store, f.gen, "2", "");
	assert_keywords(&f, 2, "");
	g_assert_null(store_keywords(f.store, old, 2));
	fixture_close(&f);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/keywords/join", test_join);
	g_test_add_func("/keywords/numbers", test_numbers);
	g_test_add_func("/keywords/bits", test_as_many_as_rows_have_bits_for);
	g_test_add_func("/keywords/length", test_length_is_bounded);
	g_test_add_func("/keywords/store", test_store);
	g_test_add_func("/keywords/rows", test_rows_keep_theirs);
	return g_test_run();
}
