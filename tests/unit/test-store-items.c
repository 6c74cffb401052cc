/* What is kept of a message beside the message itself: each item has bytes of its own, and goes
 * where its message goes. Tests with a choice run over files and over memory. */
#include "store-fixture.h"
#include "store/sqlfile.h"

enum { PART = STORE_PARTS + 2 * LIMIT_PARTS - 1, N_ITEMS = 6 };

/* Of each item of a message another length, one of them in a file of its own, one empty. */
static const struct {
	StoreItem item;
	guint64 size;
} items[N_ITEMS] = {
	{STORE_STRUCTURE, 700},
	{STORE_MESSAGE, OWN_FILE + 5000},
	{STORE_FIELDS, 200},
	{STORE_HEADER, 3000},
	{STORE_PARTS, 0},
	{PART, 9000},
};

static Fixture with_names(gconstpointer files)
{
	Fixture f = {0};

	fixture_open(&f, GPOINTER_TO_INT(files) != 0, 100 << 20, false);
	set_names(f.store, f.gen, "1:100", "");
	return f;
}

static void commit_items(const Fixture *f, guint32 uid)
{
	for (gsize i = 0; i < N_ITEMS; i++)
		g_assert_true(
			commit_item(f->store, f->gen, uid, items[i].item, items[i].size + uid % 2));
}

/* Whether it is whole here, with its own bytes. */
static bool is_whole(const Fixture *f, Gen gen, guint32 uid, StoreItem item, guint64 size)
{
	g_autoptr(GBytes) bytes = store_try_whole(f->store, gen, uid, item);
	gsize n;

	g_assert_cmpint(store_has_body(f->store, gen, uid, item), ==, bytes != NULL);
	if (!bytes)
		return false;
	g_assert_cmpuint(g_bytes_get_size(bytes), ==, size);
	g_assert_cmpint(read_item(f->store, gen, uid, item, 0, size + 1, &n), ==, STORE_HIT);
	g_assert_cmpuint(n, ==, size);
	g_assert_cmpint(read_item(f->store, gen, uid, item, size, 100, &n), ==, STORE_HIT);
	g_assert_cmpuint(n, ==, 0);
	return true;
}

static guint count_whole(const Fixture *f, guint32 uid)
{
	guint n = 0;

	for (gsize i = 0; i < N_ITEMS; i++)
		n += is_whole(f, f->gen, uid, items[i].item, items[i].size + uid % 2);
	return n;
}

static guint64 usage(const Fixture *f)
{
	guint64 bytes, limit;

	store_usage(f->store, &bytes, &limit);
	return bytes;
}

/* Of so many messages with all items. */
static guint64 usage_of(guint messages)
{
	guint64 bytes = 0;

	for (gsize i = 0; i < N_ITEMS; i++)
		bytes += items[i].size;
	return bytes * messages;
}

static void test_apart(gconstpointer files)
{
	Fixture f = with_names(files);

	for (gsize i = 0; i < N_ITEMS; i++) {
		g_assert_false(is_whole(&f, f.gen, 2, items[i].item, 0));
		g_assert_true(commit_item(f.store, f.gen, 2, items[i].item, items[i].size));
		g_assert_true(is_whole(&f, f.gen, 2, items[i].item, items[i].size));
	}
	g_assert_cmpuint(count_whole(&f, 2), ==, N_ITEMS);
	g_assert_cmpuint(count_whole(&f, 4), ==, 0);
	g_assert_cmpuint(usage(&f), ==, usage_of(1));
	g_assert_cmpuint(store_bodies_count(f.store), ==, 1);

	/* Neither of its neighbours. */
	g_assert_false(is_whole(&f, f.gen, 2, STORE_PARTS + 1, 0));
	g_assert_false(is_whole(&f, f.gen, 2, PART - 1, 0));
	fixture_close(&f);
}

static bool commit_range(
	const Fixture *f, StoreItem item, guint64 size, guint64 origin, guint64 asked)
{
	StoreSink *sink = store_sink_new(f->store);

	write_bytes(sink, item_seed(1, item), origin, MIN(asked, size - origin));
	return store_sink_commit(sink, f->gen, 1, item, origin, asked, false);
}

/* A part in ranges; what contradicts them replaces that part alone. */
static void test_ranges(gconstpointer files)
{
	Fixture f = with_names(files);
	guint64 missing = 0;
	gsize n;

	commit_items(&f, 1);
	g_assert_true(commit_range(&f, 7, 5000, 0, 1000));
	g_assert_true(commit_range(&f, 7, 5000, 1000, 1000));
	g_assert_null(store_try_whole(f.store, f.gen, 1, 7));
	g_assert_cmpint(
		store_first_missing(f.store, f.gen, 1, 7, 500, 5000, &missing), ==, STORE_MISS);
	g_assert_cmpuint(missing, ==, 2000);
	g_assert_cmpint(read_item(f.store, f.gen, 1, 7, 500, 1500, &n), ==, STORE_HIT);
	g_assert_true(commit_range(&f, 7, 5000, 2000, 9000));
	g_assert_true(is_whole(&f, f.gen, 1, 7, 5000));

	g_assert_true(commit_range(&f, 7, 6000, 5500, 500));
	g_assert_false(is_whole(&f, f.gen, 1, 7, 0));
	g_assert_cmpuint(count_whole(&f, 1), ==, N_ITEMS);
	fixture_close(&f);
}

/* Whole items of a message that went can be read on, until the UID is another message's. */
static void test_removed(gconstpointer files)
{
	Fixture f = with_names(files);

	for (guint32 uid = 1; uid <= 4; uid++)
		commit_items(&f, uid);
	g_assert_true(commit_range(&f, 7, 5000, 0, 1000));
	remove_names(f.store, f.gen, "1");
	g_assert_cmpuint(count_whole(&f, 1), ==, N_ITEMS);
	set_names(f.store, f.gen, "2:100", "");
	g_assert_cmpuint(usage(&f), ==, usage_of(4) + 2 * N_ITEMS);
	set_names(f.store, f.gen, "1:100", "");
	g_assert_cmpuint(count_whole(&f, 1), ==, 0);
	g_assert_cmpuint(usage(&f), ==, usage_of(3) + N_ITEMS);

	/* More UIDs than there are messages in the cache. */
	remove_names(f.store, f.gen, "3:100");
	set_names(f.store, f.gen, "1:100", "");
	g_assert_cmpuint(usage(&f), ==, usage_of(1));
	g_assert_cmpuint(count_whole(&f, 2), ==, N_ITEMS);

	f.gen = store_gen_open(f.store, f.mailbox, 2);
	set_names(f.store, f.gen, "1:100", "");
	g_assert_cmpuint(count_whole(&f, 2), ==, 0);
	g_assert_cmpuint(usage(&f), ==, 0);
	g_assert_cmpuint(store_bodies_count(f.store), ==, 0);
	fixture_close(&f);
}

/* Items go one by one, whichever of a message was used last, and none takes another with it. */
static void test_eviction(gconstpointer files)
{
	enum { SIZE = 1000 };
	Fixture f = {0};

	fixture_open(&f, GPOINTER_TO_INT(files) != 0, 100 * SIZE, false);
	set_names(f.store, f.gen, "1:100", "");
	for (StoreItem item = 0; item < 10; item++)
		for (guint32 uid = 1; uid <= 10; uid++)
			g_assert_true(commit_item(f.store, f.gen, uid, item, SIZE));
	for (guint32 uid = 1; uid <= 10; uid++) {
		g_assert_true(is_whole(&f, f.gen, uid, 0, SIZE));
		g_assert_true(is_whole(&f, f.gen, uid, 5, SIZE));
	}
	for (guint32 uid = 11; uid <= 80; uid++)
		g_assert_true(commit_item(f.store, f.gen, uid, STORE_FIELDS, SIZE));
	for (guint32 uid = 1; uid <= 10; uid++) {
		g_assert_true(is_whole(&f, f.gen, uid, 0, SIZE));
		g_assert_true(is_whole(&f, f.gen, uid, 5, SIZE));
		g_assert_false(is_whole(&f, f.gen, uid, 1, SIZE));
		g_assert_false(is_whole(&f, f.gen, uid, 8, SIZE));
	}
	g_assert_cmpuint(usage(&f), <=, 100 * SIZE);
	g_assert_cmpuint(store_bodies_count(f.store), ==, 80);
	fixture_close(&f);
}

/* ---- copies ---- */

static void test_copy(gconstpointer files)
{
	Fixture f = with_names(files);
	ImapList lists[] = {list_of("INBOX"), list_of("Archive")};

	store_set_mailboxes(f.store, lists, G_N_ELEMENTS(lists));

	Gen to = store_gen_open(f.store, id_of(f.store, "Archive"), 7);

	set_names(f.store, to, "1:100", "");
	commit_items(&f, 1);
	g_assert_true(commit_range(&f, 7, 5000, 0, 1000));
	/* What is there already stays. */
	g_assert_true(commit_item(f.store, to, 1, STORE_HEADER, 77));
	store_copy_body(f.store, f.gen, 1, to, 1);
	for (gsize i = 0; i < N_ITEMS; i++) {
		guint64 size = items[i].item == STORE_HEADER ? 77 : items[i].size + 1;

		g_assert_true(is_whole(&f, to, 1, items[i].item, size));
	}
	g_assert_cmpuint(count_whole(&f, 1), ==, N_ITEMS);
	g_assert_false(is_whole(&f, to, 1, 7, 0));
	fixture_close(&f);
}

/* Of a message that itself is not here. */
static void test_copy_without_message(gconstpointer files)
{
	Fixture f = with_names(files);

	g_assert_true(commit_item(f.store, f.gen, 1, STORE_FIELDS, 300));
	store_copy_body(f.store, f.gen, 1, f.gen, 62);
	g_assert_true(store_has_body(f.store, f.gen, 62, STORE_FIELDS));
	g_assert_false(store_has_body(f.store, f.gen, 62, STORE_MESSAGE));
	fixture_close(&f);
}

/* ---- what outlives the mount ---- */

static void test_kept(void)
{
	Fixture f = with_names(GINT_TO_POINTER(1));
	guint64 before;

	for (guint32 uid = 1; uid <= 20; uid++)
		commit_items(&f, uid);
	g_assert_true(commit_range(&f, 7, 5000, 0, 1000));
	before = usage(&f);
	open_again(&f);
	g_assert_cmpuint(usage(&f), ==, before);
	for (guint32 uid = 1; uid <= 20; uid++)
		g_assert_cmpuint(count_whole(&f, uid), ==, N_ITEMS);
	g_assert_true(commit_range(&f, 7, 5000, 1000, 9000));
	g_assert_true(is_whole(&f, f.gen, 1, 7, 5000));

	/* What is replaced, and what goes, is so after another mount. */
	g_assert_true(commit_item(f.store, f.gen, 3, STORE_FIELDS, 555));
	remove_names(f.store, f.gen, "5");
	open_again(&f);
	set_names(f.store, f.gen, "1:100", "");
	g_assert_true(is_whole(&f, f.gen, 1, 7, 5000));
	g_assert_true(is_whole(&f, f.gen, 3, STORE_FIELDS, 555));
	g_assert_cmpuint(count_whole(&f, 5), ==, 0);
	g_assert_cmpuint(count_whole(&f, 20), ==, N_ITEMS);
	fixture_close(&f);
}

/* The file of an item that is damaged goes alone. */
static void test_damaged(void)
{
	Fixture f = with_names(GINT_TO_POINTER(1));
	g_autofree char *gen = g_strdup_printf("%u", f.gen);
	g_autofree char *folder = g_build_filename(f.cachedir, "bodies", gen, NULL);

	commit_items(&f, 2);
	open_again(&f);
	remove_tree(folder);
	g_assert_null(store_try_whole(f.store, f.gen, 2, STORE_MESSAGE));
	g_assert_cmpuint(count_whole(&f, 2), ==, N_ITEMS - 1);
	g_assert_false(store_has_body(f.store, f.gen, 2, STORE_MESSAGE));
	fixture_close(&f);
}

/* ---- an index from before there were items ---- */

/* The sums of records of messages are what they were: the step to this version copies them. */
static void check_sums(const Fixture *f)
{
	enum { NUMBERS = 7 };
	g_autofree char *index = g_build_filename(f->cachedir, "index.db", NULL);
	sqlite3_stmt *row;
	sqlite3 *db;
	guint n = 0;

	g_assert_cmpint(sqlite3_open(index, &db), ==, SQLITE_OK);
	g_assert_cmpint(
		sqlite3_prepare_v2(db, "SELECT * FROM bodies", -1, &row, NULL), ==, SQLITE_OK);
	for (; sqlite3_step(row) == SQLITE_ROW; n++) {
		gint64 values[NUMBERS];
		ImapBytes pieces = store_sql_bytes(row, NUMBERS);

		store_sql_numbers(row, 0, values, NUMBERS);
		g_assert_cmpint(store_sql_sum(values, NUMBERS, pieces.data, pieces.len), ==,
			sqlite3_column_int64(row, NUMBERS + 1));
	}
	g_assert_cmpuint(n, ==, 22);
	sqlite3_finalize(row);
	sqlite3_close(db);
}

static void test_earlier_version(void)
{
	Fixture f = with_names(GINT_TO_POINTER(1));

	for (guint32 uid = 1; uid <= 20; uid++)
		g_assert_true(commit_whole(f.store, f.gen, uid, 5000));
	g_assert_true(commit_whole(f.store, f.gen, 21, 3 * OWN_FILE));
	g_assert_true(commit_part(f.store, f.gen, 22, 1 << 20, 500000, 100000));
	g_clear_pointer(&f.store, store_free);
	make_earlier(&f);
	check_sums(&f);
	for (int mount = 0; mount < 2; mount++) {
		open_again(&f);
		for (guint32 uid = 1; uid <= 20; uid++)
			assert_read(f.store, f.gen, uid, 0, 10000, 5000);
		g_assert_true(is_whole(&f, f.gen, 21, STORE_MESSAGE, 3 * OWN_FILE));
		assert_read(f.store, f.gen, 22, 500000, 100000, 100000);
		g_assert_cmpint(is_whole(&f, f.gen, 1, STORE_FIELDS, 300), ==, mount > 0);
		g_assert_true(commit_item(f.store, f.gen, 1, STORE_FIELDS, 300));
	}
	fixture_close(&f);
}

static void add_both(const char *name, GTestDataFunc func)
{
	g_autofree char *files = g_strdup_printf("/store/items/files/%s", name);
	g_autofree char *memory = g_strdup_printf("/store/items/memory/%s", name);

	g_test_add_data_func(files, GINT_TO_POINTER(1), func);
	g_test_add_data_func(memory, GINT_TO_POINTER(0), func);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	add_both("apart", test_apart);
	add_both("ranges", test_ranges);
	add_both("removed", test_removed);
	add_both("eviction", test_eviction);
	add_both("copy", test_copy);
	add_both("copy-without-message", test_copy_without_message);
	g_test_add_func("/store/items/kept", test_kept);
	g_test_add_func("/store/items/damaged", test_damaged);
	g_test_add_func("/store/items/earlier-version", test_earlier_version);
	return g_test_run();
}
