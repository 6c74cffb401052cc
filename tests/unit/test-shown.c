/* What the kernel was shown: an invalidation of all of it names those messages and no other. */
#include "fs/shown.h"

#include <string.h>

static ImapSet *set_of(const char *text)
{
	ImapSet *set = *text ? imap_set_parse(text, strlen(text), 1000) : imap_set_new();

	g_assert_nonnull(set);
	return set;
}

static void show(Shown *shown, Gen gen, const char *uids)
{
	g_autoptr(ImapSet) set = set_of(uids);

	shown_add(shown, gen, set);
}

/* uids NULL: all of the generation. expected NULL: there is none. */
static void assert_among(Shown *shown, Gen gen, const char *uids, const char *expected)
{
	g_autoptr(ImapSet) set = uids ? set_of(uids) : NULL;
	g_autoptr(ImapSet) among = shown_among(shown, gen, set);
	g_autofree char *text = among ? imap_set_to_string(among) : NULL;

	g_assert_cmpstr(text, ==, expected);
}

static void test_few_far_apart(void)
{
	Shown *shown = shown_new();

	show(shown, 1, "1,2,4294967294");
	assert_among(shown, 1, NULL, "1:2,4294967294");
	show(shown, 1, "4294967295");
	show(shown, 1, "300,600,599");
	assert_among(shown, 1, NULL, "1:2,300,599:600,4294967294:4294967295");
	assert_among(shown, 1, "2:599", "2,300,599");
	assert_among(shown, 1, "1:4294967295", "1:2,300,599:600,4294967294:4294967295");
	assert_among(shown, 1, "3:299", "");
	assert_among(shown, 1, "4294967295", "4294967295");
	shown_free(shown);
}

static void test_rims_of_blocks(void)
{
	static const char *const sets[] = {"63", "64", "63:64", "1:1000", "64:127", "31:32,96,128"};

	for (gsize i = 0; i < G_N_ELEMENTS(sets); i++) {
		Shown *shown = shown_new();

		show(shown, 7, sets[i]);
		show(shown, 7, sets[i]);
		assert_among(shown, 7, NULL, sets[i]);
		assert_among(shown, 7, "1:5000", sets[i]);
		assert_among(shown, 7, sets[i], sets[i]);
		shown_free(shown);
	}
}

static void test_generations(void)
{
	Shown *shown = shown_new();

	assert_among(shown, 1, NULL, NULL);
	g_assert_null(shown_take(shown, 1));
	show(shown, 1, "5:7");
	show(shown, 2, "6");
	show(shown, 3, "");

	g_autoptr(GArray) gens = shown_gens(shown);
	g_autoptr(ImapSet) taken = shown_take(shown, 1);
	g_autofree char *text = imap_set_to_string(taken);

	g_assert_cmpuint(gens->len, ==, 2);
	g_assert_cmpstr(text, ==, "5:7");
	assert_among(shown, 1, NULL, NULL);
	assert_among(shown, 2, NULL, "6");
	shown_free(shown);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/shown/few-far-apart", test_few_far_apart);
	g_test_add_func("/shown/rims-of-blocks", test_rims_of_blocks);
	g_test_add_func("/shown/generations", test_generations);
	return g_test_run();
}
