#include "store-fixture.h"

#include <malloc.h>

static Fixture plain(bool show_deleted)
{
	Fixture f = {0};

	fixture_open(&f, false, 1 << 20, show_deleted);
	return f;
}

static const StoreFields all_fields = {true, true, true};

static void set_attributes(Store *store, Gen gen, guint32 uid, guint64 size, guint flags)
{
	StoreMessage m = {.uid = uid, .size = size, .date = uid * 10, .flags = flags};

	store_set_attributes(store, gen, &m, all_fields, NULL);
}

static bool set_flags(Store *store, Gen gen, guint32 uid, guint flags)
{
	StoreMessage m = {.uid = uid, .flags = flags};
	bool changed;

	store_set_attributes(store, gen, &m, (StoreFields){.has_flags = true}, &changed);
	return changed;
}

static StoreAnswer answer(Store *store, Gen gen, guint32 uid)
{
	StoreMessage m;

	return store_try_message(store, gen, uid, &m);
}

/* The listing as "uid" or "uid=size" words, taken in chunks. */
static char *listing(Store *store, Gen gen, gsize chunk)
{
	g_autofree StoreMessage *rows = g_new(StoreMessage, chunk);
	GString *text = g_string_new(NULL);
	guint32 after = 0;

	for (gsize n; (n = store_list(store, gen, after, rows, chunk)) > 0;
		after = rows[n - 1].uid) {
		for (gsize i = 0; i < n; i++) {
			g_string_append_printf(text, "%s%u", text->len ? " " : "", rows[i].uid);
			if (rows[i].known)
				g_string_append_printf(text, "=%" G_GUINT64_FORMAT, rows[i].size);
		}
		if (n < chunk)
			break;
	}
	return g_string_free(text, FALSE);
}

static void assert_listing(Store *store, Gen gen, const char *expected)
{
	for (gsize chunk = 1; chunk < 5; chunk++) {
		g_autofree char *text = listing(store, gen, chunk);

		g_assert_cmpstr(text, ==, expected);
	}
}

/* ---- generations ---- */

static void test_generations(void)
{
	Fixture f = plain(false);
	StoreMessage m;

	g_assert_cmpuint(store_gen_open(f.store, f.mailbox, 1), ==, f.gen);
	set_names(f.store, f.gen, "1:3", "");
	set_attributes(f.store, f.gen, 2, 100, 0);
	g_assert_cmpint(answer(f.store, f.gen, 2), ==, STORE_HIT);

	Gen next = store_gen_open(f.store, f.mailbox, 2);

	g_assert_cmpuint(next, !=, f.gen);
	g_assert_cmpuint(store_gen(f.store, f.mailbox), ==, next);
	g_assert_cmpuint(store_gen_mailbox(f.store, next), ==, f.mailbox);
	g_assert_cmpuint(store_gen_mailbox(f.store, f.gen), ==, 0);
	g_assert_cmpint(answer(f.store, f.gen, 2), ==, STORE_ABSENT);
	g_assert_false(store_peek_message(f.store, f.gen, 2, &m));
	g_assert_cmpuint(store_list(f.store, f.gen, 0, &m, 1), ==, 0);
	g_assert_false(store_names_known(f.store, f.gen));

	/* Nothing that arrives late for the old one does anything, and the new one knows no names
	 * yet. */
	set_names(f.store, f.gen, "1:3", "");
	set_attributes(f.store, f.gen, 2, 100, 0);
	g_assert_false(store_verify_size(f.store, f.gen, 2, 50));
	g_assert_cmpint(answer(f.store, f.gen, 2), ==, STORE_ABSENT);
	g_assert_cmpint(answer(f.store, next, 2), ==, STORE_MISS);

	/* Back to the first UIDVALIDITY: still a new generation. */
	g_assert_cmpuint(store_gen_open(f.store, f.mailbox, 1), >, next);
	fixture_close(&f);
}

static void test_generation_without_uidvalidity(void)
{
	Fixture f = plain(false);
	Gen a = store_gen_open(f.store, f.mailbox, 0);
	Gen b = store_gen_open(f.store, f.mailbox, 0);

	g_assert_cmpuint(a, !=, b);
	g_assert_cmpuint(store_gen_mailbox(f.store, a), ==, 0);
	g_assert_cmpuint(store_gen_mailbox(f.store, b), ==, f.mailbox);
	g_assert_cmpuint(store_gen_open(f.store, 0, 1), ==, 0);
	g_assert_cmpuint(store_gen_open(f.store, 77, 1), ==, 0);
	g_assert_cmpuint(store_gen(f.store, 77), ==, 0);
	fixture_close(&f);
}

/* ---- names ---- */

static void test_names(void)
{
	Fixture f = plain(false);
	g_autoptr(ImapSet) uids = set_of("5,7:9,4294967295");
	g_autoptr(ImapSet) deleted = set_of("3,8");
	g_autoptr(ImapSet) gone = NULL;
	g_autoptr(ImapSet) fresh = NULL;
	StoreMessage m;

	g_assert_cmpint(answer(f.store, f.gen, 5), ==, STORE_MISS);
	g_assert_false(store_names_known(f.store, f.gen));
	g_assert_cmpint(store_names_time(f.store, f.gen), ==, 0);
	store_names_confirm(f.store, f.gen, true);
	g_assert_cmpint(store_names_time(f.store, f.gen), ==, 0);
	remove_names(f.store, f.gen, "5");
	g_assert_false(store_names_known(f.store, f.gen));

	store_set_names(f.store, f.gen, uids, deleted, &gone, &fresh);
	assert_set(gone, "");
	assert_set(fresh, "5,7,9,4294967295");
	g_assert_true(store_names_known(f.store, f.gen));
	g_assert_true(store_peek_message(f.store, f.gen, 8, &m));
	g_assert_false(store_peek_message(f.store, f.gen, 3, &m));
	assert_listing(f.store, f.gen, "5 7 9 4294967295");
	g_assert_cmpint(answer(f.store, f.gen, 8), ==, STORE_ABSENT);
	g_assert_cmpint(answer(f.store, f.gen, 6), ==, STORE_ABSENT);
	g_assert_cmpint(answer(f.store, f.gen, 0), ==, STORE_ABSENT);
	g_assert_cmpint(answer(f.store, f.gen, 4294967295), ==, STORE_MISS);

	g_assert_cmpint(store_names_time(f.store, f.gen), >, 0);
	store_names_confirm(f.store, f.gen, false);
	g_assert_cmpint(store_names_time(f.store, f.gen), ==, 0);
	store_names_confirm(f.store, f.gen, true);
	g_assert_cmpint(store_names_time(f.store, f.gen), >, 0);
	fixture_close(&f);
}

static void test_names_keep_attributes(void)
{
	Fixture f = plain(false);
	g_autoptr(ImapSet) uids = set_of("2,4:6,9");
	g_autoptr(ImapSet) gone = NULL;
	g_autoptr(ImapSet) fresh = NULL;

	set_names(f.store, f.gen, "1:5", "1");
	for (guint32 uid = 1; uid <= 4; uid++)
		set_attributes(f.store, f.gen, uid, uid * 100, uid == 1 ? IMAP_FLAG_DELETED : 0);
	assert_listing(f.store, f.gen, "2=200 3=300 4=400 5");

	/* NULL: what is \Deleted was not asked for. */
	store_set_names(f.store, f.gen, uids, NULL, &gone, &fresh);
	assert_set(gone, "3");
	assert_set(fresh, "6,9");
	assert_listing(f.store, f.gen, "2=200 4=400 5 6 9");

	remove_names(f.store, f.gen, "1,4,77");
	assert_listing(f.store, f.gen, "2=200 5 6 9");
	set_names(f.store, f.gen, "2:3,5:6,9:11", "");
	assert_listing(f.store, f.gen, "2=200 3 5 6 9 10 11");
	set_names(f.store, f.gen, "2:3,5:6,9:12", "");
	assert_listing(f.store, f.gen, "2=200 3 5 6 9 10 11 12");
	remove_names(f.store, f.gen, "1:4294967295");
	assert_listing(f.store, f.gen, "");
	g_assert_cmpint(answer(f.store, f.gen, 2), ==, STORE_ABSENT);
	set_names(f.store, f.gen, "12", "");
	assert_listing(f.store, f.gen, "12");
	fixture_close(&f);
}

static void test_show_deleted(void)
{
	Fixture f = plain(true);
	StoreMessage m;

	set_names(f.store, f.gen, "1:3", "2");
	assert_listing(f.store, f.gen, "1 2 3");
	set_attributes(f.store, f.gen, 2, 20, IMAP_FLAG_DELETED | IMAP_FLAG_SEEN);
	g_assert_cmpint(store_try_message(f.store, f.gen, 2, &m), ==, STORE_HIT);
	g_assert_cmpuint(m.flags, ==, IMAP_FLAG_DELETED | IMAP_FLAG_SEEN);
	fixture_close(&f);
}

static void test_deleted_flag_hides(void)
{
	Fixture f = plain(false);
	g_autoptr(ImapSet) unknown = NULL;
	StoreMessage m;

	set_names(f.store, f.gen, "1:3", "");
	set_attributes(f.store, f.gen, 2, 20, IMAP_FLAG_SEEN);
	g_assert_true(set_flags(f.store, f.gen, 2, IMAP_FLAG_SEEN | IMAP_FLAG_DELETED));
	g_assert_false(set_flags(f.store, f.gen, 2, IMAP_FLAG_SEEN | IMAP_FLAG_DELETED));
	assert_listing(f.store, f.gen, "1 3");
	g_assert_cmpint(answer(f.store, f.gen, 2), ==, STORE_ABSENT);
	g_assert_true(store_peek_message(f.store, f.gen, 2, &m));
	g_assert_true(m.known);
	g_assert_cmpuint(m.flags, ==, IMAP_FLAG_SEEN | IMAP_FLAG_DELETED);

	/* One whose attributes are not known changes the listing too. */
	g_assert_true(set_flags(f.store, f.gen, 3, IMAP_FLAG_DELETED));
	unknown = store_unknown(f.store, f.gen, 1, 10);
	assert_set(unknown, "1");
	g_assert_true(set_flags(f.store, f.gen, 2, 0));
	g_assert_true(set_flags(f.store, f.gen, 3, 0));
	g_assert_true(set_flags(f.store, f.gen, 3, IMAP_FLAG_FLAGGED));
	assert_listing(f.store, f.gen, "1 2=20 3");
	fixture_close(&f);
}

/* ---- attributes ---- */

static void test_attributes(void)
{
	Fixture f = plain(false);
	StoreMessage m = {.uid = 7, .size = 1234, .date = 1000, .flags = IMAP_FLAG_SEEN};
	StoreMessage got = {0};
	bool changed = true;

	set_names(f.store, f.gen, "7:8", "");
	g_assert_true(store_peek_message(f.store, f.gen, 7, &got));
	g_assert_false(got.known);
	store_set_attributes(f.store, f.gen, &m, (StoreFields){.has_size = true}, &changed);
	g_assert_false(changed);
	store_set_attributes(f.store, f.gen, &m, (StoreFields){.has_date = true}, &changed);
	g_assert_cmpint(answer(f.store, f.gen, 7), ==, STORE_MISS);
	store_set_attributes(f.store, f.gen, &m, (StoreFields){.has_flags = true}, &changed);
	g_assert_false(changed);

	g_assert_cmpint(store_try_message(f.store, f.gen, 7, &got), ==, STORE_HIT);
	g_assert_true(got.known);
	g_assert_false(got.size_verified);
	g_assert_cmpuint(got.uid, ==, 7);
	g_assert_cmpuint(got.size, ==, 1234);
	g_assert_cmpint(got.date, ==, 1000);
	g_assert_cmpuint(got.flags, ==, IMAP_FLAG_SEEN);

	g_assert_true(set_flags(f.store, f.gen, 7, IMAP_FLAG_FLAGGED));
	g_assert_false(set_flags(f.store, f.gen, 7, IMAP_FLAG_FLAGGED));
	g_assert_false(set_flags(f.store, f.gen, 9, IMAP_FLAG_FLAGGED));
	g_assert_cmpint(answer(f.store, f.gen, 9), ==, STORE_ABSENT);
	fixture_close(&f);
}

static void test_clamps(void)
{
	Fixture f = plain(false);
	StoreMessage m = {.uid = 1, .size = G_MAXUINT64, .date = -5};

	set_names(f.store, f.gen, "1", "");
	store_set_attributes(f.store, f.gen, &m, all_fields, NULL);
	g_assert_cmpint(store_try_message(f.store, f.gen, 1, &m), ==, STORE_HIT);
	g_assert_cmpuint(m.size, ==, ((guint64)1 << 44) - 1);
	g_assert_cmpint(m.date, ==, 0);
	m.date = G_MAXINT64;
	m.size = (guint64)5 << 32;
	store_set_attributes(f.store, f.gen, &m, all_fields, NULL);
	g_assert_cmpint(store_try_message(f.store, f.gen, 1, &m), ==, STORE_HIT);
	g_assert_cmpint(m.date, ==, G_MAXUINT32);
	g_assert_cmpuint(m.size, ==, (guint64)5 << 32);
	fixture_close(&f);
}

static void test_zero_size_is_verified(void)
{
	Fixture f = plain(false);
	StoreMessage m;

	set_names(f.store, f.gen, "1:4", "");
	set_attributes(f.store, f.gen, 1, 0, 0);
	set_attributes(f.store, f.gen, 2, 0, 0);
	g_assert_cmpint(answer(f.store, f.gen, 1), ==, STORE_MISS);
	set_attributes(f.store, f.gen, 4, 30, 0);
	assert_listing(f.store, f.gen, "1 2 3 4=30");
	g_assert_true(store_peek_message(f.store, f.gen, 1, &m));
	g_assert_true(m.known);

	/* An empty message is shown as one; a 0 that was wrong says nothing about others. */
	g_assert_false(store_verify_size(f.store, f.gen, 1, 0));
	g_assert_false(store_verify_size(f.store, f.gen, 2, 70));
	assert_listing(f.store, f.gen, "1=0 2=70 3 4=30");

	/* No RFC822.SIZE at all: the body says it. */
	m = (StoreMessage){.uid = 3};
	store_set_attributes(f.store, f.gen, &m, (StoreFields){true, false, true}, NULL);
	g_assert_cmpint(answer(f.store, f.gen, 3), ==, STORE_MISS);
	g_assert_false(store_verify_size(f.store, f.gen, 3, 9));
	g_assert_cmpint(answer(f.store, f.gen, 3), ==, STORE_HIT);
	fixture_close(&f);
}

static void test_wrong_size_is_distrusted(void)
{
	Fixture f = plain(false);
	StoreMessage m;

	set_names(f.store, f.gen, "1:3", "");
	for (guint32 uid = 1; uid <= 3; uid++)
		set_attributes(f.store, f.gen, uid, 100, 0);
	g_assert_false(store_verify_size(f.store, f.gen, 1, 100));
	assert_listing(f.store, f.gen, "1=100 2=100 3=100");

	g_assert_true(store_verify_size(f.store, f.gen, 2, 90));
	assert_listing(f.store, f.gen, "1=100 2=90 3");
	g_assert_cmpint(answer(f.store, f.gen, 3), ==, STORE_MISS);
	g_assert_true(store_peek_message(f.store, f.gen, 3, &m));
	g_assert_true(m.known && !m.size_verified);

	/* What was seen is not overwritten by what is said, and is shown. */
	set_attributes(f.store, f.gen, 2, 100, 0);
	g_assert_cmpint(store_try_message(f.store, f.gen, 2, &m), ==, STORE_HIT);
	g_assert_cmpuint(m.size, ==, 90);
	g_assert_true(m.size_verified);
	g_assert_false(store_verify_size(f.store, f.gen, 2, 90));
	g_assert_true(store_verify_size(f.store, f.gen, 2, 91));
	g_assert_false(store_verify_size(f.store, f.gen, 9, 91));
	fixture_close(&f);
}

static void test_unknown(void)
{
	Fixture f = plain(false);
	g_autoptr(ImapSet) ranges = NULL;
	g_autoptr(ImapSet) rows = NULL;
	g_autoptr(ImapSet) none = NULL;

	set_names(f.store, f.gen, "1:4,10:20", "11");
	ranges = store_unknown(f.store, f.gen, 3, 4);
	assert_set(ranges, "3:4,10,12");
	set_attributes(f.store, f.gen, 4, 1, 0);
	rows = store_unknown(f.store, f.gen, 3, 4);
	assert_set(rows, "3,10,12:13");
	none = store_unknown(f.store, f.gen, 21, 4);
	assert_set(none, "");
	fixture_close(&f);
}

/* ---- a model ---- */

enum { MODEL_UIDS = 150 };

typedef struct {
	bool present, deleted, known;
	guint64 size;
} ModelRow;

static void assert_like_model(Store *store, Gen gen, const ModelRow *model)
{
	g_autofree char *text = listing(store, gen, 7);
	g_autoptr(GString) expected = g_string_new(NULL);

	for (guint32 uid = 1; uid < MODEL_UIDS; uid++) {
		const ModelRow *row = &model[uid];
		bool shown = row->present && !row->deleted;

		g_assert_cmpint(answer(store, gen, uid), ==,
			!shown       ? STORE_ABSENT
			: row->known ? STORE_HIT
				     : STORE_MISS);
		if (!shown)
			continue;
		g_string_append_printf(expected, "%s%u", expected->len ? " " : "", uid);
		if (row->known)
			g_string_append_printf(expected, "=%" G_GUINT64_FORMAT, row->size);
	}
	g_assert_cmpstr(text, ==, expected->str);
}

static ImapSet *random_set(void)
{
	ImapSet *set = imap_set_new();

	for (int n = g_test_rand_int_range(0, 6); n > 0; n--) {
		guint32 lo = (guint32)g_test_rand_int_range(1, MODEL_UIDS);

		guint32 hi = lo + (guint32)g_test_rand_int_range(0, 20);

		imap_set_add(set, lo, MIN(hi, MODEL_UIDS - 1));
	}
	return set;
}

/* New mail: the names there are, and those of uids. */
static void random_arrival(Store *store, Gen gen, const ModelRow *model, const ImapSet *uids)
{
	g_autoptr(ImapSet) all = imap_set_copy(uids);

	for (guint32 uid = 1; uid < MODEL_UIDS; uid++)
		if (model[uid].present)
			imap_set_add(all, uid, uid);
	store_set_names(store, gen, all, NULL, NULL, NULL);
}

static void random_step(Store *store, Gen gen, ModelRow *model)
{
	g_autoptr(ImapSet) uids = random_set();
	g_autoptr(ImapSet) deleted = random_set();
	guint32 uid = (guint32)g_test_rand_int_range(1, MODEL_UIDS);
	bool mark = g_test_rand_int_range(0, 5) == 0;
	int what = g_test_rand_int_range(0, 40);

	if (what == 0)
		store_set_names(store, gen, uids, deleted, NULL, NULL);
	else if (what < 5)
		random_arrival(store, gen, model, uids);
	else if (what < 8)
		store_remove_names(store, gen, uids, NULL);
	else
		set_attributes(store, gen, uid, uid + (guint32)what, mark ? IMAP_FLAG_DELETED : 0);
	for (guint32 i = 1; i < MODEL_UIDS; i++) {
		bool in = imap_set_contains(uids, i), was = model[i].present;

		if (what == 0)
			model[i].present = in;
		else if (what < 8 && in)
			model[i].present = what < 5;
		if (!model[i].present || !was)
			model[i] = (ModelRow){.present = model[i].present};
		if (what == 0)
			model[i].deleted = in && imap_set_contains(deleted, i);
	}
	if (what >= 8 && model[uid].present)
		model[uid] = (ModelRow){true, mark, true, uid + (guint32)what};
}

static void test_model(void)
{
	for (int round = 0; round < 20; round++) {
		Fixture f = plain(false);
		ModelRow model[MODEL_UIDS] = {0};

		set_names(f.store, f.gen, "", "");
		for (int step = 0; step < 150; step++) {
			random_step(f.store, f.gen, model);
			assert_like_model(f.store, f.gen, model);
		}
		fixture_close(&f);
	}
}

/* ---- a million ---- */

enum { MILLION = 1000000 };

static gsize heap_bytes(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

static gint64 list_all(Store *store, Gen gen, gsize expected)
{
	StoreMessage rows[512];
	gint64 start = g_get_monotonic_time();
	guint32 after = 0;
	gsize total = 0;

	for (gsize n; (n = store_list(store, gen, after, rows, G_N_ELEMENTS(rows))) > 0; total += n)
		after = rows[n - 1].uid;
	g_assert_cmpuint(total, ==, expected);
	return g_get_monotonic_time() - start;
}

static void test_million(void)
{
	Fixture f = plain(false);
	g_autoptr(ImapSet) unknown = NULL;
	gsize before = heap_bytes();

	set_names(f.store, f.gen, "1001:1001000", "");
	g_test_message(
		"ranges: %" G_GINT64_FORMAT " us a listing", list_all(f.store, f.gen, MILLION));

	gsize with_names = heap_bytes();

	for (guint32 uid = 1001; uid <= 1001000; uid++)
		set_attributes(f.store, f.gen, uid, uid, 0);
	g_test_message(
		"rows: %" G_GINT64_FORMAT " us a listing", list_all(f.store, f.gen, MILLION));

	gsize with_rows = heap_bytes();

	set_names(f.store, f.gen, "1001:1001010", "");
	remove_names(f.store, f.gen, "5000");
	list_all(f.store, f.gen, MILLION + 9);
	unknown = store_unknown(f.store, f.gen, 1, 100);
	assert_set(unknown, "1001001:1001010");

	/* A heap that sanitizers keep shows nothing here. */
	if (before == 0 && with_rows == 0) {
		g_test_skip("malloc is not counted");
	} else {
		g_assert_cmpuint(with_names - before, <, 64 << 10);
		g_assert_cmpuint(with_rows - before, <, 17 << 20);
		g_assert_cmpuint(heap_bytes() - before, <, 19 << 20);
		remove_names(f.store, f.gen, "1:901000");
		g_assert_cmpuint(heap_bytes() - before, <, 2 << 20);
	}
	fixture_close(&f);
}

static void test_too_many_for_rows(void)
{
	Fixture f = plain(false);

	set_names(f.store, f.gen, "1:4294967295", "");
	set_attributes(f.store, f.gen, 5, 1, 0);
	g_assert_cmpint(answer(f.store, f.gen, 5), ==, STORE_MISS);
	set_names(f.store, f.gen, "1:9", "");
	set_attributes(f.store, f.gen, 5, 1, 0);
	set_names(f.store, f.gen, "1:4294967295", "");
	g_assert_cmpint(answer(f.store, f.gen, 5), ==, STORE_MISS);
	fixture_close(&f);
}

static void test_speed(void)
{
	enum { N = 2000000 };
	Fixture f = plain(false);
	StoreMessage m;
	guint32 uid = 1;

	set_names(f.store, f.gen, "1:1000000", "");
	for (guint32 i = 1; i <= MILLION; i++)
		set_attributes(f.store, f.gen, i, i, 0);
	g_test_timer_start();
	for (int i = 0; i < N; i++) {
		uid = (uid * 7919 + 13) % MILLION;
		store_try_message(f.store, f.gen, uid + 1, &m);
	}
	g_test_message("try_message: %.0f ns", g_test_timer_elapsed() / N * 1e9);
	fixture_close(&f);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/store/generations", test_generations);
	g_test_add_func("/store/generations/no-uidvalidity", test_generation_without_uidvalidity);
	g_test_add_func("/store/names", test_names);
	g_test_add_func("/store/names/keep-attributes", test_names_keep_attributes);
	g_test_add_func("/store/names/show-deleted", test_show_deleted);
	g_test_add_func("/store/names/deleted-flag", test_deleted_flag_hides);
	g_test_add_func("/store/attributes", test_attributes);
	g_test_add_func("/store/attributes/clamps", test_clamps);
	g_test_add_func("/store/attributes/zero-size", test_zero_size_is_verified);
	g_test_add_func("/store/attributes/wrong-size", test_wrong_size_is_distrusted);
	g_test_add_func("/store/attributes/unknown", test_unknown);
	g_test_add_func("/store/model", test_model);
	g_test_add_func("/store/million", test_million);
	g_test_add_func("/store/too-many", test_too_many_for_rows);
	if (g_test_perf())
		g_test_add_func("/store/speed", test_speed);
	return g_test_run();
}
