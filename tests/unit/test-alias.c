/* Names that users gave to messages: while their change waits, when it is over, and when the
 * message goes. */
#include "fs/alias.h"

#include <string.h>

enum { DIR_A = 1, DIR_B = 2, GEN_A = 11, GEN_B = 12 };

static ImapSet *set_of(const char *text)
{
	return imap_set_parse(text, strlen(text), 1000);
}

static void move(Aliases *aliases, guint32 dir, const char *name, guint64 intent, guint32 uid)
{
	Alias alias = {.intent = intent, .gen = GEN_A, .uid = uid, .size = 10, .date = 1};

	aliases_set(aliases, dir, name, &alias);
}

static void give(
	Aliases *aliases, guint32 dir, const char *name, Gen gen, guint32 uid, bool instead)
{
	Alias alias = {.gen = gen, .uid = uid, .instead = instead};

	aliases_set(aliases, dir, name, &alias);
}

static void assert_means(Aliases *aliases, guint32 dir, const char *name, Gen gen, guint32 uid)
{
	Alias alias;

	g_assert_true(aliases_find(aliases, dir, name, &alias));
	g_assert_cmpuint(alias.gen, ==, gen);
	g_assert_cmpuint(alias.uid, ==, uid);
}

static void assert_nothing(Aliases *aliases, guint32 dir, const char *name)
{
	Alias alias;

	g_assert_false(aliases_find(aliases, dir, name, &alias));
}

/* The names that wait, as a listing in pieces of one finds them. */
static char *waiting(Aliases *aliases, guint32 dir)
{
	GString *names = g_string_new(NULL);
	Alias alias = {0};
	char *name;

	while (aliases_waiting_after(aliases, dir, alias.number, &alias, &name)) {
		g_string_append_printf(names, "%s%s", names->len > 0 ? " " : "", name);
		g_free(name);
	}
	return g_string_free(names, FALSE);
}

static void assert_waiting(Aliases *aliases, guint32 dir, const char *expected)
{
	g_autofree char *names = waiting(aliases, dir);

	g_assert_cmpstr(names, ==, expected);
}

static void settle(Aliases *aliases, guint64 intent, guint32 uid, guint32 dir, const char *name)
{
	guint32 found_dir = 0;
	g_autofree char *found = NULL;

	g_assert_true(aliases_settle(aliases, intent, GEN_B, uid, &found_dir, &found));
	g_assert_cmpuint(found_dir, ==, dir);
	g_assert_cmpstr(found, ==, name);
}

static void assert_instead(Aliases *aliases, Gen gen, guint32 uid, const char *expected)
{
	g_autofree char *name = aliases_instead(aliases, gen, uid);

	g_assert_cmpstr(name, ==, expected);
}

static void test_move(void)
{
	Aliases *aliases = aliases_new();
	Alias before, after;

	move(aliases, DIR_B, "57.eml", 5, 57);
	assert_means(aliases, DIR_B, "57.eml", GEN_A, 57);
	assert_nothing(aliases, DIR_A, "57.eml");
	assert_waiting(aliases, DIR_B, "57.eml");
	assert_waiting(aliases, DIR_A, "");
	g_assert_true(aliases_find(aliases, DIR_B, "57.eml", &before));
	g_assert_true(aliases_leaving(aliases, GEN_A, 57, &after));
	g_assert_cmpuint(after.intent, ==, 5);
	g_assert_false(aliases_leaving(aliases, GEN_A, 58, &after));

	settle(aliases, 5, 312, DIR_B, "57.eml");
	assert_means(aliases, DIR_B, "57.eml", GEN_B, 312);
	assert_waiting(aliases, DIR_B, "");
	assert_instead(aliases, GEN_B, 312, NULL);
	g_assert_true(aliases_numbered(aliases, before.number, &after));
	g_assert_cmpuint(after.uid, ==, 312);
	g_assert_cmpuint(after.intent, ==, 0);
	g_assert_false(aliases_settle(aliases, 5, GEN_B, 312, NULL, NULL));
	aliases_free(aliases);
}

static void test_what_was_moved_is_found(void)
{
	Aliases *aliases = aliases_new();
	Alias alias = {.intent = 6, .gen = GEN_A, .uid = 58, .copied = true};

	move(aliases, DIR_B, "57.eml", 5, 57);
	aliases_set(aliases, DIR_B, "copy", &alias);
	g_assert_false(aliases_moved(aliases, GEN_A, 57, &alias));
	g_assert_false(aliases_leaving(aliases, GEN_A, 58, &alias)); /* only copied */
	settle(aliases, 5, 312, DIR_B, "57.eml");
	g_assert_false(aliases_leaving(aliases, GEN_B, 312, &alias));
	settle(aliases, 6, 313, DIR_B, "copy");
	aliases_rename(aliases, DIR_B, "57.eml", "letter", true);
	g_assert_true(aliases_moved(aliases, GEN_A, 57, &alias));
	g_assert_cmpuint(alias.gen, ==, GEN_B);
	g_assert_cmpuint(alias.uid, ==, 312);
	g_assert_false(aliases_moved(aliases, GEN_A, 58, &alias)); /* it is where it was */
	aliases_forget(aliases, GEN_B, NULL);
	g_assert_false(aliases_moved(aliases, GEN_A, 57, &alias));
	aliases_free(aliases);
}

static void test_refused(void)
{
	Aliases *aliases = aliases_new();
	Alias alias;

	move(aliases, DIR_B, "57.eml", 5, 57);
	g_assert_true(aliases_find(aliases, DIR_B, "57.eml", &alias));
	settle(aliases, 5, 0, DIR_B, "57.eml");
	assert_nothing(aliases, DIR_B, "57.eml");
	assert_waiting(aliases, DIR_B, "");
	g_assert_false(aliases_numbered(aliases, alias.number, &alias));
	aliases_free(aliases);
}

static void test_listing_in_order_of_the_changes(void)
{
	Aliases *aliases = aliases_new();

	move(aliases, DIR_B, "z", 3, 1);
	move(aliases, DIR_A, "other", 4, 2);
	move(aliases, DIR_B, "a", 5, 3);
	move(aliases, DIR_B, "m", 6, 4);
	give(aliases, DIR_B, "here", GEN_B, 9, false);
	assert_waiting(aliases, DIR_B, "z a m");
	settle(aliases, 5, 100, DIR_B, "a");
	assert_waiting(aliases, DIR_B, "z m");
	assert_waiting(aliases, DIR_A, "other");
	aliases_free(aliases);
}

static void test_the_last_one_has_the_name(void)
{
	Aliases *aliases = aliases_new();

	move(aliases, DIR_B, "x", 5, 57);
	move(aliases, DIR_B, "x", 6, 58);
	assert_means(aliases, DIR_B, "x", GEN_A, 58);
	assert_waiting(aliases, DIR_B, "x");
	g_assert_false(aliases_settle(aliases, 5, GEN_B, 300, NULL, NULL));
	settle(aliases, 6, 301, DIR_B, "x");
	assert_means(aliases, DIR_B, "x", GEN_B, 301);
	aliases_free(aliases);
}

static void test_renamed_while_it_waits(void)
{
	Aliases *aliases = aliases_new();

	move(aliases, DIR_B, "57.eml", 5, 57);
	aliases_rename(aliases, DIR_B, "57.eml", "letter", true);
	aliases_rename(aliases, DIR_B, "nothing", "else", true);
	assert_nothing(aliases, DIR_B, "57.eml");
	assert_nothing(aliases, DIR_B, "else");
	assert_waiting(aliases, DIR_B, "letter");
	assert_instead(aliases, GEN_A, 57, NULL); /* not of the source */
	settle(aliases, 5, 312, DIR_B, "letter");
	assert_instead(aliases, GEN_B, 312, "letter");
	aliases_free(aliases);
}

static void test_moved_on_while_it_waits(void)
{
	Aliases *aliases = aliases_new();
	Alias before, after;
	guint32 dir = 0;
	guint flags = 0;
	g_autofree char *name = NULL;

	move(aliases, DIR_B, "57.eml", 5, 57);
	give(aliases, DIR_A, "on", GEN_A, 1, false);
	g_assert_true(aliases_find(aliases, DIR_B, "57.eml", &before));
	aliases_set_flags(aliases, 5, IMAP_FLAG_SEEN, "work");
	g_assert_false(aliases_pass_on(aliases, 4, 6, DIR_A, "on", &dir, &name));
	g_assert_true(aliases_pass_on(aliases, 5, 6, DIR_A, "on", &dir, &name));
	g_assert_cmpuint(dir, ==, DIR_B);
	g_assert_cmpstr(name, ==, "57.eml");
	assert_nothing(aliases, DIR_B, "57.eml");
	assert_waiting(aliases, DIR_B, "");
	assert_waiting(aliases, DIR_A, "on");

	g_assert_true(aliases_numbered(aliases, before.number, &after));
	g_assert_cmpuint(after.intent, ==, 6);
	g_autofree char *keywords = aliases_flags(aliases, 6, &flags);
	g_assert_cmpstr(keywords, ==, "work");
	g_assert_cmpuint(flags, ==, IMAP_FLAG_SEEN);
	g_assert_false(aliases_settle(aliases, 5, GEN_B, 312, NULL, NULL));
	aliases_follow(aliases, 4, GEN_B, 1);
	assert_means(aliases, DIR_A, "on", GEN_A, 57);
	aliases_follow(aliases, 5, GEN_B, 312);
	assert_means(aliases, DIR_A, "on", GEN_B, 312);
	assert_waiting(aliases, DIR_A, "on");
	aliases_forget(aliases, GEN_A, NULL);
	aliases_forget(aliases, GEN_B, NULL); /* as it has left there by now */
	settle(aliases, 6, 58, DIR_A, "on");
	aliases_free(aliases);
}

static void test_flags_of_what_waits(void)
{
	Aliases *aliases = aliases_new();
	guint flags = 77;

	aliases_set_flags(aliases, 5, IMAP_FLAG_SEEN, "");
	move(aliases, DIR_B, "57.eml", 5, 57);
	g_assert_null(aliases_flags(aliases, 5, &flags));
	g_assert_cmpuint(flags, ==, 77);
	aliases_set_flags(aliases, 5, IMAP_FLAG_SEEN, "");
	aliases_set_flags(aliases, 5, IMAP_FLAG_DRAFT, "a b");
	aliases_rename(aliases, DIR_B, "57.eml", "letter", true);
	g_autofree char *keywords = aliases_flags(aliases, 5, &flags);
	g_assert_cmpstr(keywords, ==, "a b");
	g_assert_cmpuint(flags, ==, IMAP_FLAG_DRAFT);
	settle(aliases, 5, 312, DIR_B, "letter");
	g_assert_null(aliases_flags(aliases, 5, &flags));
	aliases_free(aliases);
}

static void test_instead(void)
{
	Aliases *aliases = aliases_new();

	assert_instead(aliases, GEN_A, 57, NULL);
	give(aliases, DIR_A, "came as", GEN_A, 57, false);
	assert_instead(aliases, GEN_A, 57, NULL);
	give(aliases, DIR_A, "foo", GEN_A, 57, true);
	assert_instead(aliases, GEN_A, 57, "foo");
	assert_instead(aliases, GEN_B, 57, NULL);
	assert_instead(aliases, GEN_A, 58, NULL);
	aliases_remove(aliases, DIR_A, "foo");
	aliases_remove(aliases, DIR_A, "foo");
	assert_instead(aliases, GEN_A, 57, NULL);
	assert_means(aliases, DIR_A, "came as", GEN_A, 57);
	aliases_free(aliases);
}

static guint count_places(Aliases *aliases, Gen gen, const char *uids)
{
	g_autoptr(ImapSet) set = uids ? set_of(uids) : NULL;
	g_autoptr(GArray) places = aliases_places(aliases, gen, set);

	return places ? places->len : 0;
}

static void test_forget(void)
{
	Aliases *aliases = aliases_new();
	g_autoptr(ImapSet) some = set_of("2:3");

	give(aliases, DIR_A, "one", GEN_A, 1, false);
	give(aliases, DIR_A, "two", GEN_A, 2, true);
	give(aliases, DIR_A, "due", GEN_A, 2, false);
	give(aliases, DIR_A, "three", GEN_A, 3, false);
	give(aliases, DIR_B, "two", GEN_B, 2, false);
	move(aliases, DIR_B, "waits", 7, 3);
	g_assert_cmpuint(count_places(aliases, GEN_A, NULL), ==, 4);
	g_assert_cmpuint(count_places(aliases, GEN_A, "2"), ==, 2);
	g_assert_cmpuint(count_places(aliases, GEN_A, "4"), ==, 0);

	aliases_forget(aliases, GEN_A, some);
	assert_nothing(aliases, DIR_A, "two");
	assert_nothing(aliases, DIR_A, "due");
	assert_nothing(aliases, DIR_A, "three");
	assert_instead(aliases, GEN_A, 2, NULL);
	assert_means(aliases, DIR_A, "one", GEN_A, 1);
	assert_means(aliases, DIR_B, "two", GEN_B, 2);
	assert_means(aliases, DIR_B, "waits", GEN_A, 3);
	aliases_forget(aliases, GEN_A, NULL);
	assert_nothing(aliases, DIR_A, "one");
	assert_means(aliases, DIR_B, "waits", GEN_A, 3);
	aliases_free(aliases);
}

static void test_names_like_uids(void)
{
	Aliases *aliases = aliases_new();
	g_autoptr(ImapSet) fresh = set_of("50:60,4294967295");

	g_assert_null(aliases_like_uids(aliases, DIR_B, fresh));
	move(aliases, DIR_B, "57.eml", 5, 57);
	move(aliases, DIR_B, "059.eml", 6, 58);
	move(aliases, DIR_A, "58.eml", 7, 59);
	give(aliases, DIR_B, "4294967295.eml", GEN_B, 3, true);

	g_autoptr(ImapSet) like = aliases_like_uids(aliases, DIR_B, fresh);
	g_autofree char *text = imap_set_to_string(like);

	g_assert_cmpstr(text, ==, "57,4294967295");
	aliases_free(aliases);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/alias/move", test_move);
	g_test_add_func("/alias/moved", test_what_was_moved_is_found);
	g_test_add_func("/alias/refused", test_refused);
	g_test_add_func("/alias/listing", test_listing_in_order_of_the_changes);
	g_test_add_func("/alias/same-name", test_the_last_one_has_the_name);
	g_test_add_func("/alias/renamed", test_renamed_while_it_waits);
	g_test_add_func("/alias/moved-on", test_moved_on_while_it_waits);
	g_test_add_func("/alias/flags", test_flags_of_what_waits);
	g_test_add_func("/alias/instead", test_instead);
	g_test_add_func("/alias/forget", test_forget);
	g_test_add_func("/alias/like-uids", test_names_like_uids);
	return g_test_run();
}
