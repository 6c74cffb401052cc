/* Bodies: every test runs over files and over memory. */
#include "store-fixture.h"
#include "store/ranges.h"
#include "base/limits.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

static bool over_files(gconstpointer data)
{
	return GPOINTER_TO_INT(data) != 0;
}

static Fixture with_names(gconstpointer data, guint64 cache_size)
{
	Fixture f = {0};

	fixture_open(&f, over_files(data), cache_size, false);
	set_names(f.store, f.gen, "1:1000", "");
	return f;
}

static guint64 usage(Store *store)
{
	guint64 bytes, limit;

	store_usage(store, &bytes, &limit);
	return bytes;
}

/* The path of the only file under bodies/<gen>, or NULL. */
static char *only_file(const Fixture *f)
{
	g_autofree char *gen = g_strdup_printf("%u", f->gen);
	g_autofree char *path = g_build_filename(f->cachedir, "bodies", gen, NULL);
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	const char *name = dir ? g_dir_read_name(dir) : NULL;
	char *file = name ? g_build_filename(path, name, NULL) : NULL;

	g_assert_true(!name || !g_dir_read_name(dir));
	return file;
}

/* ---- ranges ---- */

static void test_ranges(void)
{
	enum { N = 300 };

	for (int round = 0; round < 200; round++) {
		g_autoptr(ByteRanges) ranges = store_ranges_new();
		bool model[N] = {0};

		for (int step = 0; step < 30; step++) {
			guint64 base = G_MAXUINT64 - N, held = 0, first = 0, last = 0;
			int start = g_test_rand_int_range(0, N), end = g_test_rand_int_range(0, N);

			store_ranges_add(ranges, base + (guint64)start, base + (guint64)end);
			for (int i = start; i < end; i++)
				model[i] = true;
			for (guint64 i = 0; i < N; i++) {
				held += model[i];
				first = model[i] && !first ? base + i : first;
				last = model[i] ? base + i + 1 : last;
				g_assert_cmpint(store_ranges_cover(ranges, base + i, base + i + 1),
					==, model[i]);
			}
			start = g_test_rand_int_range(0, N);
			end = start;
			while (end < N && model[end])
				end++;
			g_assert_true(store_ranges_cover(
				ranges, base + (guint64)start, base + (guint64)end));
			g_assert_cmpuint(store_ranges_gap(ranges, base + (guint64)start), ==,
				base + (guint64)end);
			g_assert_cmpuint(store_ranges_bytes(ranges), ==, held);
			g_assert_cmpuint(store_ranges_start(ranges), ==, first);
			g_assert_cmpuint(store_ranges_end(ranges), ==, last);
		}
	}
}

/* ---- whole bodies ---- */

static void test_whole(gconstpointer data)
{
	static const guint64 sizes[] = {0, 1, 4096, LIMIT_SINK_MEMORY - 1, LIMIT_SINK_MEMORY,
		LIMIT_SINK_MEMORY + 1, 3 * LIMIT_SINK_MEMORY, 1000003};
	Fixture f = with_names(data, 100 << 20);
	guint64 total = 0;

	for (guint32 i = 0; i < G_N_ELEMENTS(sizes); i++) {
		guint32 uid = i + 1;

		assert_no_read(f.store, f.gen, uid, 0, 10, STORE_MISS);
		g_assert_false(store_has_body(f.store, f.gen, uid, STORE_MESSAGE));
		g_assert_true(commit_whole(f.store, f.gen, uid, sizes[i]));
		g_assert_true(store_has_body(f.store, f.gen, uid, STORE_MESSAGE));
		total += sizes[i];
		g_assert_cmpuint(usage(f.store), ==, total);
	}
	for (guint32 i = 0; i < G_N_ELEMENTS(sizes); i++) {
		guint32 uid = i + 1;

		assert_read(f.store, f.gen, uid, 0, 4 * LIMIT_SINK_MEMORY, sizes[i]);
		assert_read(f.store, f.gen, uid, sizes[i], 100, 0);
		assert_read(f.store, f.gen, uid, G_MAXUINT64, 100, 0);
		assert_read(f.store, f.gen, uid, sizes[i] / 2, 4 * LIMIT_SINK_MEMORY,
			sizes[i] - sizes[i] / 2);
		assert_read(f.store, f.gen, uid, sizes[i] / 3, 1, sizes[i] > 0);
	}
	fixture_close(&f);
}

static void test_refused(gconstpointer data)
{
	Fixture f = with_names(data, 1 << 20);
	StoreSink *sink = store_sink_new(f.store);

	g_assert_false(commit_whole(f.store, f.gen, 1001, 10));
	g_assert_false(commit_whole(f.store, f.gen + 1, 1, 10));
	g_assert_false(commit_whole(f.store, 0, 1, 10));
	g_assert_false(commit_part(f.store, f.gen, 1, 10, 0, 0));
	assert_no_read(f.store, f.gen, 1001, 0, 10, STORE_ABSENT);
	assert_no_read(f.store, f.gen + 1, 1, 0, 10, STORE_ABSENT);

	write_bytes(sink, 1, 0, 11);
	g_assert_false(store_sink_commit(sink, f.gen, 1, STORE_MESSAGE, 0, 10, false));
	sink = store_sink_new(f.store);
	write_bytes(sink, 1, 0, 11);
	g_assert_false(store_sink_commit(sink, f.gen, 1, STORE_MESSAGE, 5, 11, true));
	sink = store_sink_new(f.store);
	write_bytes(sink, 1, 0, 11);
	g_assert_false(
		store_sink_commit(sink, f.gen, 1, STORE_MESSAGE, G_MAXUINT64 - 5, 20, false));

	sink = store_sink_new(f.store);
	write_bytes(sink, 1, 0, 3 * LIMIT_SINK_MEMORY);
	store_sink_free(sink);
	assert_no_read(f.store, f.gen, 1, 0, 10, STORE_MISS);
	g_assert_cmpuint(usage(f.store), ==, 0);
	fixture_close(&f);
}

static void test_nothing_left_behind(void)
{
	Fixture f = with_names(GINT_TO_POINTER(1), 1 << 20);
	g_autofree char *bodies = g_build_filename(f.cachedir, "bodies", NULL);
	StoreSink *sink = store_sink_new(f.store);

	write_bytes(sink, 1, 0, 3 * LIMIT_SINK_MEMORY);
	store_sink_free(sink);
	g_assert_cmpint(g_rmdir(bodies), ==, 0);
	g_assert_cmpint(g_mkdir(bodies, 0700), ==, 0);
	fixture_close(&f);
}

/* ---- pieces ---- */

static void test_pieces(gconstpointer data)
{
	Fixture f = with_names(data, 100 << 20);
	guint64 size = 1000000;

	g_assert_true(commit_part(f.store, f.gen, 1, size, 0, 1000));
	assert_read(f.store, f.gen, 1, 0, 1000, 1000);
	assert_read(f.store, f.gen, 1, 900, 100, 100);
	assert_no_read(f.store, f.gen, 1, 0, 1001, STORE_MISS);
	assert_no_read(f.store, f.gen, 1, 1000, 1, STORE_MISS);
	g_assert_cmpuint(usage(f.store), ==, 1000);

	/* Overlapping; then a large one, which goes through a file of its own. */
	g_assert_true(commit_part(f.store, f.gen, 1, size, 500, 1000));
	assert_read(f.store, f.gen, 1, 0, 1500, 1500);
	g_assert_true(commit_part(f.store, f.gen, 1, size, 1500, 600000));
	assert_read(f.store, f.gen, 1, 0, 601500, 601500);
	g_assert_cmpuint(usage(f.store), ==, 601500);
	g_assert_false(store_has_body(f.store, f.gen, 1, STORE_MESSAGE));

	/* The end, by an answer shorter than asked for. */
	guint64 length = 0;
	g_assert_false(store_length(f.store, f.gen, 1, STORE_MESSAGE, &length));
	g_assert_true(commit_part(f.store, f.gen, 1, size, 601500, 1000000));
	g_assert_true(store_length(f.store, f.gen, 1, STORE_MESSAGE, &length));
	g_assert_cmpuint(length, ==, size);
	assert_read(f.store, f.gen, 1, 0, 2000000, size);
	g_assert_true(commit_part(f.store, f.gen, 1, size, 100, 100));
	g_assert_true(store_has_body(f.store, f.gen, 1, STORE_MESSAGE));
	g_assert_cmpuint(usage(f.store), ==, size);
	fixture_close(&f);
}

static void test_first_piece_large(gconstpointer data)
{
	Fixture f = with_names(data, 100 << 20);

	g_assert_true(commit_part(f.store, f.gen, 1, 900000, 0, 500000));
	g_assert_true(commit_part(f.store, f.gen, 1, 900000, 500000, 500000));
	g_assert_true(store_has_body(f.store, f.gen, 1, STORE_MESSAGE));
	assert_read(f.store, f.gen, 1, 0, 1000000, 900000);
	g_assert_true(commit_part(f.store, f.gen, 2, 900000, 400000, 500000));
	assert_read(f.store, f.gen, 2, 400000, 500000, 500000);
	assert_no_read(f.store, f.gen, 2, 399999, 2, STORE_MISS);
	fixture_close(&f);
}

/* An answer with no byte: the message ends at its origin or before. */
static void test_empty_piece(gconstpointer data)
{
	Fixture f = with_names(data, 1 << 20);

	g_assert_true(commit_part(f.store, f.gen, 1, 300, 1000, 100));
	assert_read(f.store, f.gen, 1, 1000, 100, 0);
	assert_read(f.store, f.gen, 1, 2000, 100, 0);
	assert_no_read(f.store, f.gen, 1, 999, 1, STORE_MISS);
	assert_no_read(f.store, f.gen, 1, 999, 100, STORE_MISS);
	assert_no_read(f.store, f.gen, 1, 0, 10, STORE_MISS);
	g_assert_false(store_has_body(f.store, f.gen, 1, STORE_MESSAGE));

	/* Bytes in between; the end is still not known. */
	g_assert_true(commit_part(f.store, f.gen, 1, 300, 0, 200));
	assert_no_read(f.store, f.gen, 1, 0, 500, STORE_MISS);
	assert_read(f.store, f.gen, 1, 0, 200, 200);
	assert_read(f.store, f.gen, 1, 1000, 100, 0);
	g_assert_true(commit_part(f.store, f.gen, 1, 300, 200, 200));
	assert_read(f.store, f.gen, 1, 0, 500, 300);
	g_assert_true(store_has_body(f.store, f.gen, 1, STORE_MESSAGE));

	/* The empty piece lies right behind what is here: then that is all. */
	g_assert_true(commit_part(f.store, f.gen, 2, 200, 0, 200));
	g_assert_false(store_has_body(f.store, f.gen, 2, STORE_MESSAGE));
	g_assert_true(commit_part(f.store, f.gen, 2, 200, 200, 200));
	g_assert_true(store_has_body(f.store, f.gen, 2, STORE_MESSAGE));
	assert_read(f.store, f.gen, 2, 100, 500, 100);

	g_assert_true(commit_part(f.store, f.gen, 3, 0, 0, 200));
	assert_read(f.store, f.gen, 3, 0, 500, 0);
	g_assert_true(store_has_body(f.store, f.gen, 3, STORE_MESSAGE));
	fixture_close(&f);
}

/* The server tells another length than before: the later answer stands alone. */
static void test_contradiction(gconstpointer data)
{
	Fixture f = with_names(data, 1 << 20);

	g_assert_true(commit_whole(f.store, f.gen, 1, 5000));
	g_assert_true(commit_part(f.store, f.gen, 1, 6000, 4900, 200));
	assert_read(f.store, f.gen, 1, 4900, 200, 200);
	assert_no_read(f.store, f.gen, 1, 0, 10, STORE_MISS);
	g_assert_cmpuint(usage(f.store), ==, 200);

	g_assert_true(commit_part(f.store, f.gen, 1, 4000, 3900, 200));
	assert_read(f.store, f.gen, 1, 3900, 200, 100);
	assert_no_read(f.store, f.gen, 1, 0, 10, STORE_MISS);
	g_assert_true(commit_part(f.store, f.gen, 1, 1000, 1000, 200));
	assert_read(f.store, f.gen, 1, 1000, 200, 0);
	g_assert_cmpuint(usage(f.store), ==, 0);
	g_assert_true(commit_whole(f.store, f.gen, 1, 7));
	assert_read(f.store, f.gen, 1, 0, 200, 7);
	fixture_close(&f);
}

/* The first missing byte is one, and all before it are here. */
static void assert_first_missing(const Fixture *f, guint64 start, gsize len, StoreAnswer expected)
{
	guint64 missing = 0;
	gsize n;

	g_assert_cmpint(
		store_first_missing(f->store, f->gen, 1, STORE_MESSAGE, start, len, &missing), ==,
		expected);
	if (expected != STORE_MISS)
		return;
	g_assert_cmpuint(missing, >=, start);
	g_assert_cmpuint(missing, <, start + len);
	g_assert_cmpint(read_checked(f->store, f->gen, 1, missing, 1, &n), ==, STORE_MISS);
	if (missing > start)
		assert_read(f->store, f->gen, 1, start, (gsize)(missing - start), missing - start);
}

/* Random pieces against a map of bytes: files keep them all; memory keeps what it answers right. */
static void test_random_pieces(gconstpointer data)
{
	enum { SIZE = 3000 };

	for (int round = 0; round < 40; round++) {
		Fixture f = with_names(data, 100 << 20);
		bool model[SIZE + 1] = {0};
		gsize limit = G_MAXSIZE;

		for (int step = 0; step < 40; step++) {
			gsize origin = (gsize)g_test_rand_int_range(0, SIZE + 200);
			gsize asked = (gsize)g_test_rand_int_range(1, 400);
			gsize start = (gsize)g_test_rand_int_range(0, SIZE + 100);
			gsize len = (gsize)g_test_rand_int_range(1, 300), n, end;
			bool here = true;

			g_assert_true(commit_part(f.store, f.gen, 1, SIZE, origin, asked));
			for (gsize i = origin; i < MIN(origin + asked, SIZE); i++)
				model[i] = true;
			if (origin + asked > SIZE)
				limit = MIN(limit, MAX(origin, SIZE));

			StoreAnswer got = read_checked(f.store, f.gen, 1, start, len, &n);

			end = MIN(start + len, limit);
			for (gsize i = start; i < end; i++)
				here &= i < SIZE && model[i];
			if (over_files(data))
				g_assert_cmpint(got, ==, here ? STORE_HIT : STORE_MISS);
			assert_first_missing(&f, start, len, got);
			if (got == STORE_HIT) {
				g_assert_true(here);
				g_assert_cmpuint(n, ==, start < end ? end - start : 0);
			}
			/* What just came is always there. */
			if (origin < SIZE)
				assert_read(f.store, f.gen, 1, origin, asked,
					MIN(asked, SIZE - origin));
		}
		fixture_close(&f);
	}
}

/* ---- eviction ---- */

static void test_eviction(gconstpointer data)
{
	Fixture f = with_names(data, 100000);

	for (guint32 uid = 1; uid <= 10; uid++)
		g_assert_true(commit_whole(f.store, f.gen, uid, 10000));
	g_assert_cmpuint(usage(f.store), ==, 100000);
	assert_read(f.store, f.gen, 1, 0, 10, 10); /* 2 is the oldest now */
	g_assert_true(commit_whole(f.store, f.gen, 11, 10000));
	g_assert_cmpuint(usage(f.store), ==, 90000);
	assert_no_read(f.store, f.gen, 2, 0, 10, STORE_MISS);
	assert_no_read(f.store, f.gen, 3, 0, 10, STORE_MISS);
	assert_read(f.store, f.gen, 1, 0, 10, 10);
	assert_read(f.store, f.gen, 4, 0, 10, 10);

	/* One that is larger than everything stays until the next. */
	g_assert_true(commit_whole(f.store, f.gen, 12, 150000));
	g_assert_cmpuint(usage(f.store), ==, 150000);
	assert_read(f.store, f.gen, 12, 0, 150000, 150000);
	g_assert_true(commit_whole(f.store, f.gen, 13, 10));
	g_assert_cmpuint(usage(f.store), ==, 10);
	assert_no_read(f.store, f.gen, 12, 0, 10, STORE_MISS);
	fixture_close(&f);
}

static void test_evicted_files_are_gone(void)
{
	Fixture f = with_names(GINT_TO_POINTER(1), OWN_FILE + 1000);

	for (guint32 uid = 1; uid <= 10; uid++)
		g_assert_true(commit_whole(f.store, f.gen, uid, OWN_FILE + 900));
	g_assert_true(commit_whole(f.store, f.gen, 10, OWN_FILE + 800));

	g_autofree char *file = only_file(&f);
	g_autofree char *contents = NULL;
	gsize len;

	g_assert_true(g_file_get_contents(file, &contents, &len, NULL));
	g_assert_cmpuint(len, ==, OWN_FILE + 800);
	fixture_close(&f);
}

/* ---- messages that go ---- */

static void assert_gone(const Fixture *f, guint32 uid, guint64 size, gint64 date)
{
	StoreMessage m;

	g_assert_true(store_peek_gone(f->store, f->gen, uid, &m));
	g_assert_cmpuint(m.uid, ==, uid);
	g_assert_true(m.gone && m.known && m.size_verified);
	g_assert_cmpuint(m.size, ==, size);
	g_assert_cmpint(m.date, ==, date);
}

static void assert_not_gone(const Fixture *f, guint32 uid)
{
	StoreMessage m;

	g_assert_false(store_peek_gone(f->store, f->gen, uid, &m));
}

static void set_date(const Fixture *f, guint32 uid, gint64 date)
{
	StoreMessage m = {.uid = uid, .size = 1, .date = date};

	store_set_attributes(f->store, f->gen, &m, (StoreFields){true, true, true}, NULL);
}

static void test_removed(gconstpointer data)
{
	Fixture f = with_names(data, 100000);

	for (guint32 uid = 1; uid <= 5; uid++)
		set_date(&f, uid, 1700000000 + uid);
	for (guint32 uid = 1; uid <= 3; uid++)
		g_assert_true(commit_whole(f.store, f.gen, uid, 10000));
	g_assert_true(commit_part(f.store, f.gen, 4, 20000, 0, 10000));
	assert_not_gone(&f, 2);
	remove_names(f.store, f.gen, "2,4:1000");
	assert_gone(&f, 2, 10000, 1700000002);
	for (guint32 uid = 3; uid <= 5; uid++)
		assert_not_gone(&f, uid);

	/* What is whole can be read on, what is not is gone. */
	assert_read(f.store, f.gen, 2, 0, 20000, 10000);
	assert_no_read(f.store, f.gen, 4, 0, 10, STORE_ABSENT);
	g_assert_false(commit_whole(f.store, f.gen, 2, 10000));
	g_assert_cmpuint(usage(f.store), ==, 30000);

	/* It goes first, however often it was read. */
	g_assert_true(commit_whole(f.store, f.gen, 3, 75000));
	assert_read(f.store, f.gen, 2, 0, 10, 10);
	g_assert_true(commit_whole(f.store, f.gen, 1, 25001));
	assert_no_read(f.store, f.gen, 2, 0, 10, STORE_ABSENT);
	assert_not_gone(&f, 2);
	assert_read(f.store, f.gen, 1, 0, 10, 10);
	fixture_close(&f);
}

static void test_removed_by_set(gconstpointer data)
{
	Fixture f = with_names(data, 100000);

	set_date(&f, 500, 1800000000);
	g_assert_true(commit_whole(f.store, f.gen, 500, 100));
	g_assert_true(commit_part(f.store, f.gen, 501, 200, 0, 100));
	set_names(f.store, f.gen, "1", "");
	assert_gone(&f, 500, 100, 1800000000);
	assert_read(f.store, f.gen, 500, 0, 1000, 100);
	assert_no_read(f.store, f.gen, 501, 0, 10, STORE_ABSENT);
	g_assert_cmpuint(usage(f.store), ==, 100);

	/* What comes under its UID is another message. */
	set_names(f.store, f.gen, "1,500", "");
	assert_no_read(f.store, f.gen, 500, 0, 1000, STORE_MISS);
	assert_not_gone(&f, 500);
	fixture_close(&f);
}

static void test_hidden_is_read(gconstpointer data)
{
	Fixture f = with_names(data, 100000);

	set_names(f.store, f.gen, "1:1000", "1:2");
	g_assert_true(commit_whole(f.store, f.gen, 1, 100));
	assert_read(f.store, f.gen, 1, 0, 1000, 100);
	assert_no_read(f.store, f.gen, 2, 0, 1000, STORE_MISS);
	fixture_close(&f);
}

static void test_new_generation(gconstpointer data)
{
	Fixture f = with_names(data, 100000);
	Gen next;

	g_assert_true(commit_whole(f.store, f.gen, 1, 100));
	g_assert_true(commit_whole(f.store, f.gen, 2, 100));
	remove_names(f.store, f.gen, "2");

	StoreSink *late = store_sink_new(f.store);

	write_bytes(late, 3, 0, 1000);
	next = store_gen_open(f.store, f.mailbox, 2);
	assert_no_read(f.store, f.gen, 1, 0, 10, STORE_ABSENT);
	assert_no_read(f.store, f.gen, 2, 0, 10, STORE_ABSENT);
	g_assert_false(store_has_body(f.store, f.gen, 1, STORE_MESSAGE));
	assert_no_read(f.store, next, 1, 0, 10, STORE_MISS);
	g_assert_cmpuint(usage(f.store), ==, 0);
	g_assert_false(store_sink_commit(late, f.gen, 3, STORE_MESSAGE, 0, 0, true));
	if (over_files(data))
		g_assert_null(only_file(&f));
	fixture_close(&f);
}

/* ---- files that were tampered with ---- */

static void test_file_vanished(void)
{
	Fixture f = with_names(GINT_TO_POINTER(1), 100 << 20);

	g_assert_true(commit_whole(f.store, f.gen, 1, OWN_FILE));
	g_autofree char *file = only_file(&f);

	g_assert_cmpint(g_unlink(file), ==, 0);
	assert_no_read(f.store, f.gen, 1, 0, 10, STORE_MISS);
	g_assert_false(store_has_body(f.store, f.gen, 1, STORE_MESSAGE));
	g_assert_cmpuint(usage(f.store), ==, 0);
	g_assert_true(commit_whole(f.store, f.gen, 1, OWN_FILE));
	assert_read(f.store, f.gen, 1, 0, 1000, 1000);
	fixture_close(&f);
}

static void test_file_torn(void)
{
	Fixture f = with_names(GINT_TO_POINTER(1), 100 << 20);

	g_assert_true(commit_whole(f.store, f.gen, 1, OWN_FILE));
	g_autofree char *file = only_file(&f);

	g_assert_cmpint(truncate(file, 50), ==, 0);
	assert_read(f.store, f.gen, 1, 0, 50, 50);
	assert_no_read(f.store, f.gen, 1, 0, 100, STORE_MISS);
	assert_no_read(f.store, f.gen, 1, 0, 50, STORE_MISS);
	fixture_close(&f);
}

/* A piece written behind the end of a file that lost its bytes would make up NULs before it. */
static void test_pieces_torn(gconstpointer data)
{
	bool vanished = GPOINTER_TO_INT(data);
	Fixture f = with_names(GINT_TO_POINTER(1), 100000);

	g_assert_true(commit_part(f.store, f.gen, 1, 5000, 0, 1000));
	g_autofree char *file = only_file(&f);

	if (vanished)
		g_assert_cmpint(g_unlink(file), ==, 0);
	else
		g_assert_cmpint(truncate(file, 10), ==, 0);
	g_assert_true(commit_part(f.store, f.gen, 1, 5000, 1000, 1000));
	assert_no_read(f.store, f.gen, 1, 0, 1000, STORE_MISS);
	assert_read(f.store, f.gen, 1, 1000, 1000, 1000);
	g_assert_cmpuint(usage(f.store), ==, 1000);
	fixture_close(&f);
}

static void test_file_is_symlink(void)
{
	Fixture f = with_names(GINT_TO_POINTER(1), 100 << 20);

	g_assert_true(commit_whole(f.store, f.gen, 1, OWN_FILE));
	g_autofree char *file = only_file(&f);
	g_autofree char *moved = g_build_filename(f.parent, "elsewhere", NULL);

	g_assert_cmpint(g_rename(file, moved), ==, 0);
	g_assert_cmpint(symlink(moved, file), ==, 0);
	assert_no_read(f.store, f.gen, 1, 0, 10, STORE_MISS);
	g_assert_true(g_file_test(moved, G_FILE_TEST_EXISTS));
	fixture_close(&f);
}

/* ---- memory ---- */

static void test_memory_bound(void)
{
	Fixture f = with_names(GINT_TO_POINTER(0), (guint64)1 << 40);
	guint64 bytes, limit;

	store_usage(f.store, &bytes, &limit);
	g_assert_cmpuint(limit, ==, LIMIT_MEMORY_BODIES);
	for (guint32 uid = 1; uid <= 20; uid++)
		g_assert_true(commit_whole(f.store, f.gen, uid, 5 << 20));
	g_assert_cmpuint(usage(f.store), <=, LIMIT_MEMORY_BODIES);
	assert_read(f.store, f.gen, 20, 1 << 20, 100, 100);

	/* More than memory may hold is not kept whole, but can be read in pieces to its end. */
	guint64 size = LIMIT_MEMORY_BODIES + 1;

	g_assert_false(commit_whole(f.store, f.gen, 21, size));
	for (guint64 at = 0; at < size; at += 4 << 20) {
		g_assert_true(commit_part(f.store, f.gen, 21, size, at, 4 << 20));
		assert_read(f.store, f.gen, 21, at, 1000, MIN(1000, size - at));
	}
	g_assert_cmpuint(usage(f.store), <=, LIMIT_MEMORY_BODIES);
	fixture_close(&f);
}

/* ---- threads ---- */

typedef struct {
	const Fixture *f;
	gint stop, hits;
	guint32 seed;
} Hammer;

static gpointer hammer(gpointer data)
{
	Hammer *h = data;
	StoreMessage rows[64];
	g_autoptr(GBytes) whole = NULL;
	guint32 random = h->seed;

	while (!g_atomic_int_get(&h->stop)) {
		gsize n;

		random = random * 1664525 + 1013904223;

		Gen gen = store_gen(h->f->store, h->f->mailbox);
		guint32 uid = (random >> 8) % 50 + 1;
		guint64 offset = (random >> 4) % 3000;

		if (read_checked(h->f->store, gen, uid, offset, 500, &n) == STORE_HIT)
			g_atomic_int_inc(&h->hits);
		read_item(h->f->store, gen, uid, STORE_FIELDS, offset, 500, &n);
		g_clear_pointer(&whole, g_bytes_unref);
		whole = store_try_whole(h->f->store, gen, uid, STORE_FIELDS);
		g_assert_true(!whole || g_bytes_get_size(whole) == 300);
		store_try_message(h->f->store, gen, uid, rows);
		n = store_list(h->f->store, gen, uid, rows, G_N_ELEMENTS(rows));
		for (gsize i = 0; i < n; i++)
			g_assert_cmpuint(rows[i].uid, >, i ? rows[i - 1].uid : uid);
		imap_set_free(store_unknown(h->f->store, gen, uid, 50));
		store_has_body(h->f->store, gen, uid, STORE_MESSAGE);
		g_array_unref(store_mailboxes(h->f->store));
	}
	return NULL;
}

static void write_something(Fixture *f, guint32 *validity)
{
	guint32 uid = (guint32)g_test_rand_int_range(1, 51);
	ImapList lists[] = {list_of("INBOX"), list_of("Sent")};
	StoreMessage m = {.uid = uid, .size = 3000, .date = uid};
	g_autofree char *text = g_strdup_printf("%u", uid);

	switch (g_test_rand_int_range(0, 40)) {
	case 0:
		f->gen = store_gen_open(f->store, f->mailbox, ++*validity);
		set_names(f->store, f->gen, "1:50", "");
		break;
	case 1:
		set_names(f->store, f->gen, "1:10,15:50", text);
		break;
	case 2:
	case 3:
		remove_names(f->store, f->gen, text);
		break;
	case 4:
	case 5:
	case 6:
		set_names(f->store, f->gen, "1:50", "");
		break;
	case 7:
		store_set_mailboxes(f->store, lists, (gsize)g_test_rand_int_range(1, 3));
		break;
	case 8:
		store_verify_size(f->store, f->gen, uid, 3000);
		break;
	default:
		store_set_attributes(f->store, f->gen, &m, (StoreFields){true, true, true}, NULL);
		commit_item(f->store, f->gen, uid, STORE_FIELDS, 300);
		if (uid % 2)
			commit_whole(f->store, f->gen, uid, 3000);
		else
			commit_part(f->store, f->gen, uid, 3000,
				(guint64)g_test_rand_int_range(0, 30) * 100, 500);
	}
}

static void test_threads(gconstpointer data)
{
	Fixture f = with_names(data, 50000);
	Hammer hammers[3] = {0};
	GThread *threads[G_N_ELEMENTS(hammers)];
	guint32 validity = 1;

	for (guint32 i = 0; i < G_N_ELEMENTS(hammers); i++) {
		hammers[i] = (Hammer){.f = &f, .seed = i + 1};
		threads[i] = g_thread_new("hammer", hammer, &hammers[i]);
	}

	/* On until every reader got something. */
	for (int step = 0; step < 3000; step++)
		write_something(&f, &validity);
	for (gsize i = 0; i < G_N_ELEMENTS(hammers); i++) {
		while (g_atomic_int_get(&hammers[i].hits) == 0)
			write_something(&f, &validity);
		g_atomic_int_set(&hammers[i].stop, 1);
		g_thread_join(threads[i]);
	}
	fixture_close(&f);
}

static void test_speed(void)
{
	enum { N = 10000, SIZE = 39000 };
	Fixture f = {0};
	g_autofree guint8 *bytes = g_malloc0(SIZE);
	gsize n;

	fixture_open(&f, true, (guint64)1 << 40, false);
	set_names(f.store, f.gen, "1:10000", "");
	g_test_timer_start();
	for (guint32 uid = 1; uid <= N; uid++) {
		StoreSink *sink = store_sink_new(f.store);

		store_sink_write(sink, bytes, SIZE);
		g_assert_true(store_sink_commit(sink, f.gen, uid, STORE_MESSAGE, 0, 0, true));
	}
	g_test_message("commit: %.1f us", g_test_timer_elapsed() / N * 1e6);
	g_test_timer_start();
	for (guint32 uid = 1; uid <= N; uid++)
		g_assert_cmpint(
			store_try_read(f.store, f.gen, uid, STORE_MESSAGE, 0, bytes, SIZE, &n), ==,
			STORE_HIT);
	g_test_message("read: %.1f us", g_test_timer_elapsed() / N * 1e6);
	g_test_timer_start();
	store_gen_open(f.store, f.mailbox, 2);
	g_test_message("drop: %.1f us", g_test_timer_elapsed() / N * 1e6);
	fixture_close(&f);
}

static void add_both(const char *name, GTestDataFunc func)
{
	g_autofree char *files = g_strdup_printf("/store/body/files/%s", name);
	g_autofree char *memory = g_strdup_printf("/store/body/memory/%s", name);

	g_test_add_data_func(files, GINT_TO_POINTER(1), func);
	g_test_add_data_func(memory, GINT_TO_POINTER(0), func);
}

/* Opens no further file, or as many as before. */
static void forbid_files(bool forbid)
{
	static struct rlimit before;
	struct rlimit none;

	if (forbid) {
		g_assert_cmpint(getrlimit(RLIMIT_NOFILE, &before), ==, 0);
		none = (struct rlimit){.rlim_max = before.rlim_max};
	}
	g_assert_cmpint(setrlimit(RLIMIT_NOFILE, forbid ? &none : &before), ==, 0);
}

/* No descriptor is left: the body is asked for again, but stays until it comes, and is there as
 * before when it can be read. */
static void test_unreadable(void)
{
	Fixture f = with_names(GINT_TO_POINTER(1), 8 * OWN_FILE);
	guint64 missing = 0;

	g_assert_true(commit_whole(f.store, f.gen, 1, OWN_FILE));
	forbid_files(true);
	assert_no_read(f.store, f.gen, 1, 100, 10, STORE_MISS);
	forbid_files(false);
	g_assert_false(store_has_body(f.store, f.gen, 1, STORE_MESSAGE));
	g_assert_cmpint(store_first_missing(f.store, f.gen, 1, STORE_MESSAGE, 100, 10, &missing),
		==, STORE_MISS);
	g_assert_cmpuint(missing, ==, 100);
	g_assert_cmpint(
		store_first_missing(f.store, f.gen, 1, STORE_MESSAGE, OWN_FILE, 10, &missing), ==,
		STORE_HIT);

	assert_read(f.store, f.gen, 1, 100, 10, 10);
	g_assert_true(store_has_body(f.store, f.gen, 1, STORE_MESSAGE));
	g_assert_cmpint(store_first_missing(f.store, f.gen, 1, STORE_MESSAGE, 100, 10, &missing),
		==, STORE_HIT);
	fixture_close(&f);
}

/* What is fetched instead takes its place, and is not mixed with it. */
static void test_unreadable_replaced(void)
{
	Fixture f = with_names(GINT_TO_POINTER(1), 8 * OWN_FILE);

	g_assert_true(commit_whole(f.store, f.gen, 1, OWN_FILE));
	forbid_files(true);
	assert_no_read(f.store, f.gen, 1, 100, 10, STORE_MISS);
	forbid_files(false);
	g_assert_true(commit_part(f.store, f.gen, 1, OWN_FILE, OWN_FILE, 10));
	assert_read(f.store, f.gen, 1, 100, 10, 10);

	forbid_files(true);
	assert_no_read(f.store, f.gen, 1, 100, 10, STORE_MISS);
	forbid_files(false);
	g_assert_true(commit_part(f.store, f.gen, 1, OWN_FILE, 0, 1000));
	assert_read(f.store, f.gen, 1, 100, 10, 10);
	assert_no_read(f.store, f.gen, 1, 1000, 10, STORE_MISS);
	fixture_close(&f);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/store/ranges", test_ranges);
	add_both("whole", test_whole);
	add_both("refused", test_refused);
	add_both("pieces", test_pieces);
	add_both("first-piece-large", test_first_piece_large);
	add_both("empty-piece", test_empty_piece);
	add_both("contradiction", test_contradiction);
	add_both("random-pieces", test_random_pieces);
	add_both("eviction", test_eviction);
	add_both("removed", test_removed);
	add_both("removed-by-set", test_removed_by_set);
	add_both("hidden", test_hidden_is_read);
	add_both("new-generation", test_new_generation);
	add_both("threads", test_threads);
	g_test_add_func("/store/body/nothing-left", test_nothing_left_behind);
	g_test_add_func("/store/body/evicted-files", test_evicted_files_are_gone);
	g_test_add_func("/store/body/vanished", test_file_vanished);
	g_test_add_func("/store/body/torn", test_file_torn);
	g_test_add_data_func("/store/body/pieces-torn", GINT_TO_POINTER(0), test_pieces_torn);
	g_test_add_data_func("/store/body/pieces-vanished", GINT_TO_POINTER(1), test_pieces_torn);
	g_test_add_func("/store/body/symlink", test_file_is_symlink);
	g_test_add_func("/store/body/unreadable", test_unreadable);
	g_test_add_func("/store/body/unreadable-replaced", test_unreadable_replaced);
	g_test_add_func("/store/body/memory-bound", test_memory_bound);
	if (g_test_perf())
		g_test_add_func("/store/body/speed", test_speed);
	return g_test_run();
}
