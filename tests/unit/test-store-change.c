/* What the tree shows of changes before the server confirmed them: everyone who looks must see the
 * same. */
#include "store-fixture.h"

static void set_leaving(const Fixture *f, const char *uids, bool leaving, const char *expected)
{
	g_autoptr(ImapSet) set = set_of(uids);
	g_autoptr(ImapSet) changed = NULL;

	store_set_leaving(f->store, f->gen, set, leaving, &changed);
	g_assert_nonnull(changed);
	assert_set(changed, expected);
}

/* All that tells which messages are listed. */
static void assert_listed(const Fixture *f, const char *expected)
{
	enum { MANY = 100 };
	g_autoptr(ImapSet) set = set_of(expected);
	g_autoptr(ImapSet) listed = imap_set_new();
	g_autoptr(ImapSet) rows = imap_set_new();
	g_autoptr(ImapSet) tried = imap_set_new();
	g_autoptr(ImapSet) unknown = store_unknown(f->store, f->gen, 1, MANY);
	StoreMessage messages[MANY];
	g_autoptr(ImapSet) all = imap_set_new();
	gsize n = store_list(f->store, f->gen, 0, messages, MANY);

	imap_set_add(all, 1, MANY);
	for (gsize i = 0; i < n; i++)
		imap_set_add(listed, messages[i].uid, messages[i].uid);
	n = store_list_rows(f->store, f->gen, 0, messages, MANY);
	for (gsize i = 0; i < n; i++)
		imap_set_add(rows, messages[i].uid, messages[i].uid);
	for (guint32 uid = 1; uid <= MANY; uid++)
		if (store_try_message(f->store, f->gen, uid, messages) != STORE_ABSENT)
			imap_set_add(tried, uid, uid);
	assert_set(listed, expected);
	assert_set(rows, expected);
	assert_set(tried, expected);
	store_keep_listed(f->store, f->gen, all);
	assert_set(all, expected);
	g_assert_cmpuint(store_count(f->store, f->gen), ==, imap_set_count(set));
	imap_set_subtract(unknown, set);
	assert_set(unknown, "");
}

static Fixture with_names(bool show_deleted)
{
	Fixture f = {0};

	fixture_open(&f, true, 1 << 30, show_deleted);
	set_names(f.store, f.gen, "1:9,20", "3");
	return f;
}

static void test_leaving(gconstpointer with_rows)
{
	Fixture f = with_names(false);
	StoreMessage message;

	if (with_rows)
		put_message(&f, 4, 10, 0);
	assert_listed(&f, "1:2,4:9,20");
	/* 3 was hidden before, and 30 is not there. */
	set_leaving(&f, "2:4,30", true, "2,4");
	assert_listed(&f, "1,5:9,20");
	set_leaving(&f, "4:5", true, "5");
	assert_listed(&f, "1,6:9,20");
	assert_names(&f, "1:9,20");
	g_assert_true(store_peek_message(f.store, f.gen, 4, &message));
	g_assert_true(message.leaving);
	g_assert_true(store_peek_message(f.store, f.gen, 6, &message));
	g_assert_false(message.leaving);
	set_leaving(&f, "2:5,30", false, "2,4:5");
	assert_listed(&f, "1:2,4:9,20");
	fixture_close(&f);
}

/* Its body is read on, by those who have it open. */
static void test_leaving_is_read(void)
{
	Fixture f = with_names(false);

	g_assert_true(commit_whole(f.store, f.gen, 4, 5000));
	set_leaving(&f, "4", true, "4");
	assert_read(f.store, f.gen, 4, 0, 5000, 5000);
	fixture_close(&f);
}

static void test_shown_deleted_leaves(void)
{
	Fixture f = with_names(true);

	assert_listed(&f, "1:9,20");
	set_leaving(&f, "3:4", true, "3:4");
	assert_listed(&f, "1:2,5:9,20");
	set_leaving(&f, "3:4", false, "3:4");
	assert_listed(&f, "1:9,20");
	fixture_close(&f);
}

/* What was told to be gone once is not told again when it is, in whatever way it becomes known. */
static void test_told_once(void)
{
	Fixture f = with_names(false);
	g_autoptr(ImapSet) all = set_of("1,6:7,9,20:22");
	g_autoptr(ImapSet) marked = set_of("1,7");
	g_autoptr(ImapSet) expunged = set_of("4:6");
	g_autoptr(ImapSet) gone = NULL;
	g_autoptr(ImapSet) listed_gone = NULL;
	g_autoptr(ImapSet) listed_new = NULL;

	set_leaving(&f, "4:5,8", true, "4:5,8");
	store_remove_names(f.store, f.gen, expunged, &gone);
	assert_set(gone, "6");
	assert_listed(&f, "1:2,7,9,20");
	set_leaving(&f, "9,22", true, "9");
	store_set_names(f.store, f.gen, all, marked, &listed_gone, &listed_new);
	assert_set(listed_gone, "1:2,7");
	assert_set(listed_new, "6,21");
	assert_listed(&f, "6,20:21");
	/* Of those that are gone nothing is left to take back; one that comes back is there. */
	set_leaving(&f, "4,9", false, "9");
	set_names(f.store, f.gen, "4:6,8:9,20:21", "");
	assert_listed(&f, "4:6,8:9,20:21");
	fixture_close(&f);
}

static void set_flags(const Fixture *f, guint32 uid, guint flags)
{
	StoreMessage message = {.uid = uid, .flags = flags};

	store_set_attributes(f->store, f->gen, &message, (StoreFields){.has_flags = true}, NULL);
}

/* \Deleted comes and goes meanwhile. */
static void test_deleted_and_leaving(void)
{
	Fixture f = with_names(false);

	set_leaving(&f, "4:5", true, "4:5");
	set_flags(&f, 4, IMAP_FLAG_DELETED);
	assert_listed(&f, "1:2,6:9,20");
	set_leaving(&f, "4:5", false, "5");
	assert_listed(&f, "1:2,5:9,20");
	set_leaving(&f, "4", true, "");
	set_flags(&f, 4, 0);
	assert_listed(&f, "1:2,5:9,20");
	set_leaving(&f, "4", false, "4");
	set_flags(&f, 3, 0);
	assert_listed(&f, "1:9,20");
	fixture_close(&f);
}

/* It is for this mount; \Deleted is for the next one, too. */
static void test_next_mount(void)
{
	Fixture f = with_names(false);

	set_leaving(&f, "4:5", true, "4:5");
	set_flags(&f, 6, IMAP_FLAG_DELETED);
	open_again(&f);
	assert_listed(&f, "1:2,4:5,7:9,20");
	fixture_close(&f);
}

/* An intent of an earlier mount is known before the names are. */
static void test_leaving_before_names(void)
{
	Fixture f = {0};

	fixture_open(&f, true, 1 << 30, false);
	set_leaving(&f, "4", true, "");
	set_names(f.store, f.gen, "1:9", "");
	assert_listed(&f, "1:3,5:9");
	fixture_close(&f);
}

static void test_old_generation(void)
{
	Fixture f = with_names(false);
	g_autoptr(ImapSet) set = set_of("1:3");
	ImapSet *untouched = set;

	g_assert_cmpuint(store_gen_open(f.store, f.mailbox, 2), !=, f.gen);
	store_set_leaving(f.store, f.gen, set, true, &untouched);
	store_add_names(f.store, f.gen, set, &untouched);
	g_assert_true(untouched == set);
	store_keep_listed(f.store, f.gen, set);
	assert_set(set, "");
	fixture_close(&f);
}

/* ---- names ahead of the listing ---- */

static void test_add_names(gconstpointer with_rows)
{
	Fixture f = with_names(false);
	g_autoptr(ImapSet) more = set_of("8:10,12,21");
	g_autoptr(ImapSet) added = NULL;
	g_autoptr(ImapSet) again = NULL;
	g_autoptr(ImapSet) gone = NULL;
	g_autoptr(ImapSet) fresh = NULL;
	g_autoptr(ImapSet) listing = set_of("1:10,12,20:22");

	if (with_rows)
		put_message(&f, 20, 77, 0);
	set_leaving(&f, "21", true, "");
	store_add_names(f.store, f.gen, more, &added);
	assert_set(added, "10,12");
	assert_listed(&f, "1:2,4:10,12,20");
	set_leaving(&f, "21", false, "21");
	assert_listed(&f, "1:2,4:10,12,20:21");
	store_add_names(f.store, f.gen, more, &again);
	assert_set(again, "");
	if (with_rows)
		assert_message(&f, 20, 77, 0);
	put_message(&f, 12, 99, 0);
	assert_message(&f, 12, 99, 0);

	/* Nor does the listing that names them tell of them again. */
	store_set_names(f.store, f.gen, listing, NULL, &gone, &fresh);
	assert_set(gone, "");
	assert_set(fresh, "22");
	assert_message(&f, 12, 99, 0);
	open_again(&f);
	assert_names(&f, "1:10,12,20:22");
	assert_message(&f, 12, 99, 0);
	fixture_close(&f);
}

static void test_add_names_unknown(void)
{
	Fixture f = {0};
	g_autoptr(ImapSet) set = set_of("1");

	fixture_open(&f, true, 1 << 30, false);
	store_add_names(f.store, f.gen, set, NULL);
	g_assert_false(store_names_known(f.store, f.gen));
	fixture_close(&f);
}

/* ---- flags ---- */

/* Ahead of the server's word: what is in doubt stays so. */
static void test_flags_ahead(void)
{
	Fixture f = with_names(false);
	StoreMessage message = {.uid = 5, .flags = IMAP_FLAG_SEEN};
	StoreFields fields = {.has_flags = true, .ahead = true};
	bool changed = false;

	put_message(&f, 5, 10, 0);
	store_flags_doubt(f.store, f.gen);
	store_set_attributes(f.store, f.gen, &message, fields, &changed);
	g_assert_true(changed);
	assert_message(&f, 5, 10, IMAP_FLAG_SEEN);
	g_assert_true(store_peek_message(f.store, f.gen, 5, &message));
	g_assert_true(message.flags_stale);
	set_flags(&f, 5, IMAP_FLAG_SEEN);
	g_assert_true(store_peek_message(f.store, f.gen, 5, &message));
	g_assert_false(message.flags_stale);
	fixture_close(&f);
}

/* Where none were known they are a guess. */
static void test_flags_ahead_of_any(void)
{
	Fixture f = with_names(false);
	StoreMessage message = {.uid = 5, .flags = IMAP_FLAG_SEEN};
	StoreFields fields = {.has_flags = true, .has_size = true, .has_date = true, .ahead = true};

	store_set_attributes(f.store, f.gen, &message, fields, NULL);
	g_assert_true(store_peek_message(f.store, f.gen, 5, &message));
	g_assert_true(message.known && message.flags_stale);
	g_assert_cmpuint(message.flags, ==, IMAP_FLAG_SEEN);
	fixture_close(&f);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_data_func("/store/change/leaving", NULL, test_leaving);
	g_test_add_data_func("/store/change/leaving-with-rows", "rows", test_leaving);
	g_test_add_func("/store/change/leaving-is-read", test_leaving_is_read);
	g_test_add_func("/store/change/shown-deleted-leaves", test_shown_deleted_leaves);
	g_test_add_func("/store/change/told-once", test_told_once);
	g_test_add_func("/store/change/deleted-and-leaving", test_deleted_and_leaving);
	g_test_add_func("/store/change/next-mount", test_next_mount);
	g_test_add_func("/store/change/leaving-before-names", test_leaving_before_names);
	g_test_add_func("/store/change/old-generation", test_old_generation);
	g_test_add_data_func("/store/change/add-names", NULL, test_add_names);
	g_test_add_data_func("/store/change/add-names-with-rows", "rows", test_add_names);
	g_test_add_func("/store/change/add-names-unknown", test_add_names_unknown);
	g_test_add_func("/store/change/flags-ahead", test_flags_ahead);
	g_test_add_func("/store/change/flags-ahead-of-any", test_flags_ahead_of_any);
	return g_test_run();
}
