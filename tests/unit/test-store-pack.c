/* Bodies that share a file: their blocks come back when they go, and what was given back is never
 * read as theirs. */
#include "store/private.h"
#include "store-fixture.h"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SIZE = 40000, BLOCK = 4096, PACK = 16 << 20 };

static Fixture with_names(guint64 cache_size)
{
	Fixture f = {0};

	fixture_open(&f, true, cache_size, false);
	set_names(f.store, f.gen, "1:1000", "");
	return f;
}

static char *pack_path(const Fixture *f, guint serial)
{
	g_autofree char *name = serial_name(f, "pack", serial);

	return g_build_filename(f->cachedir, "bodies", name, NULL);
}

static bool has_pack(const Fixture *f, guint serial)
{
	g_autofree char *path = pack_path(f, serial);

	return g_file_test(path, G_FILE_TEST_EXISTS);
}

/* Bytes that the pack takes on the disk. */
static guint64 on_disk(const Fixture *f, guint serial)
{
	g_autofree char *path = pack_path(f, serial);
	struct stat st;

	g_assert_cmpint(stat(path, &st), ==, 0);
	return (guint64)st.st_blocks * 512;
}

static void commit(Fixture *f, guint32 first, guint32 last, guint64 size)
{
	for (guint32 uid = first; uid <= last; uid++)
		g_assert_true(commit_whole(f->store, f->gen, uid, size));
}

static void test_share(void)
{
	Fixture f = with_names(1 << 30);

	commit(&f, 1, 100, SIZE);
	commit(&f, 101, 200, 0);
	g_assert_true(commit_part(f.store, f.gen, 201, SIZE, 0, SIZE + 1));
	g_assert_true(has_pack(&f, 1));
	g_assert_false(has_pack(&f, 2));
	for (guint32 uid = 1; uid <= 100; uid++) {
		assert_read(f.store, f.gen, uid, 0, 2 * SIZE, SIZE);
		assert_read(f.store, f.gen, uid, SIZE - 10, 20, 10);
	}
	assert_read(f.store, f.gen, 150, 0, 10, 0);
	assert_read(f.store, f.gen, 201, 0, 2 * SIZE, SIZE);
	fixture_close(&f);
}

/* What goes gives its blocks back, also those that two bodies shared. */
static void test_blocks_come_back(void)
{
	Fixture f = with_names(10 * SIZE);

	commit(&f, 1, 100, SIZE);
	g_assert_cmpuint(on_disk(&f, 1), <=, 10 * SIZE + 2 * BLOCK);
	for (guint32 uid = 95; uid <= 100; uid++)
		assert_read(f.store, f.gen, uid, 0, SIZE, SIZE);
	store_gen_open(f.store, f.mailbox, 2);
	g_assert_cmpuint(on_disk(&f, 1), <=, BLOCK);
	fixture_close(&f);
}

/* Every second one goes first: the others keep what they share with them. */
static void test_neighbours_stay(void)
{
	Fixture f = with_names(100000);
	g_autoptr(GString) odd = g_string_new("1");

	commit(&f, 1, 99, 1000);
	for (guint32 uid = 3; uid < 100; uid += 2)
		g_string_append_printf(odd, ",%u", uid);
	remove_names(f.store, f.gen, odd->str);
	commit(&f, 200, 200, SIZE);
	assert_no_read(f.store, f.gen, 51, 0, 10, STORE_ABSENT);
	for (guint32 uid = 2; uid < 100; uid += 2)
		assert_read(f.store, f.gen, uid, 0, 1000, 1000);
	fixture_close(&f);
}

/* Any order of coming and going: what is here is right. */
static void test_random(void)
{
	enum { ROUNDS = 3000, UIDS = 60 };
	Fixture f = with_names(100000);
	guint64 sizes[UIDS + 1] = {0};
	guint hits = 0;

	for (int round = 0; round < ROUNDS; round++) {
		guint32 uid = (guint32)g_test_rand_int_range(1, UIDS + 1);
		gsize n;

		if (read_checked(f.store, f.gen, uid, 0, 20000, &n) == STORE_HIT) {
			g_assert_cmpuint(n, ==, sizes[uid]);
			hits++;
			continue;
		}
		sizes[uid] = (guint64)g_test_rand_int_range(0, 9000);
		commit(&f, uid, uid, sizes[uid]);
	}
	g_assert_cmpuint(hits, >, ROUNDS / 10);
	g_assert_cmpuint(on_disk(&f, 1), <=, 100000 + UIDS * 2 * BLOCK);
	fixture_close(&f);
}

static void test_full_ones_are_unlinked(void)
{
	Fixture f = with_names(PACK);
	guint32 each = PACK / 1000000;

	commit(&f, 1, each, 1000000);
	g_assert_false(has_pack(&f, 2));
	commit(&f, each + 1, 2 * each, 1000000);
	g_assert_true(has_pack(&f, 2));
	g_assert_false(has_pack(&f, 1));
	assert_read(f.store, f.gen, 2 * each, 0, 1000, 1000);
	fixture_close(&f);
}

/* A pack that lost bytes does not grow again: what is behind its end is never made up. */
static void test_torn(void)
{
	Fixture f = with_names(1 << 30);
	g_autofree char *path = pack_path(&f, 1);

	commit(&f, 1, 3, SIZE);
	g_assert_cmpint(truncate(path, SIZE + 10), ==, 0);
	commit(&f, 4, 4, SIZE);
	g_assert_true(has_pack(&f, 2));
	assert_read(f.store, f.gen, 1, 0, SIZE, SIZE);
	assert_no_read(f.store, f.gen, 2, 0, SIZE, STORE_MISS);
	assert_no_read(f.store, f.gen, 3, 0, SIZE, STORE_MISS);
	assert_read(f.store, f.gen, 4, 0, SIZE, SIZE);
	fixture_close(&f);
}

/* Descriptors of packs, unlinked ones too. */
static guint descriptors(void)
{
	g_autoptr(GDir) dir = g_dir_open("/proc/self/fd", 0, NULL);
	guint n = 0;

	for (const char *name; (name = g_dir_read_name(dir));) {
		g_autofree char *path = g_build_filename("/proc/self/fd", name, NULL);
		g_autofree char *target = g_file_read_link(path, NULL);

		n += target && strstr(target, "/bodies/pack-");
	}
	return n;
}

/* Each pack costs a descriptor until all of it went; past the bound bodies have files of their own,
 * which cost none. */
static void test_bound(void)
{
	Fixture f = with_names(1 << 30);

	for (guint32 uid = 1; uid <= LIMIT_PACKS + 44; uid++) {
		g_autofree char *path = pack_path(&f, uid);

		commit(&f, uid, uid, SIZE);
		/* A pack that lost bytes does not grow: the next body needs another. */
		if (uid <= LIMIT_PACKS)
			g_assert_cmpint(truncate(path, 10), ==, 0);
	}
	g_assert_true(has_pack(&f, LIMIT_PACKS));
	g_assert_false(has_pack(&f, LIMIT_PACKS + 1));
	g_assert_cmpuint(descriptors(), ==, LIMIT_PACKS);
	assert_read(f.store, f.gen, LIMIT_PACKS + 44, 0, 2 * SIZE, SIZE);

	f.gen = store_gen_open(f.store, f.mailbox, 2);
	g_assert_cmpuint(descriptors(), <=, 1);
	set_names(f.store, f.gen, "1:1000", "");
	commit(&f, 1, 1, SIZE);
	g_assert_true(has_pack(&f, LIMIT_PACKS + 1));
	for (guint serial = 1; serial < LIMIT_PACKS; serial++)
		g_assert_false(has_pack(&f, serial));
	fixture_close(&f);
}

/* A disk that is full for a while costs no pack: the same one goes on, without what half a write
 * left in it. */
static void test_full_disk(void)
{
	Fixture f = with_names(1 << 30);
	g_autofree char *path = pack_path(&f, 1);
	struct rlimit before, full;
	struct stat st;

	commit(&f, 1, 3, SIZE);
	g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &before), ==, 0);
	full = (struct rlimit){.rlim_cur = 3 * SIZE + 100, .rlim_max = before.rlim_max};
	signal(SIGXFSZ, SIG_IGN);
	g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &full), ==, 0);
	commit(&f, 4, 6, SIZE);
	g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &before), ==, 0);
	g_assert_cmpint(stat(path, &st), ==, 0);
	g_assert_cmpint(st.st_size, ==, 3 * SIZE);
	commit(&f, 7, 7, SIZE);
	g_assert_cmpint(stat(path, &st), ==, 0);
	g_assert_cmpint(st.st_size, ==, 4 * SIZE);
	g_assert_false(has_pack(&f, 2));
	for (guint32 uid = 1; uid <= 7; uid++)
		assert_read(f.store, f.gen, uid, 0, 2 * SIZE, SIZE);
	fixture_close(&f);
}

/* Where blocks cannot be given back each body has a file of its own. */
static void test_no_holes(void)
{
	Fixture f = {0};

	fixture_dirs(&f);
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount("ramfs", f.parent, "ramfs", 0, NULL) < 0) {
		g_test_skip("cannot mount a ramfs");
		fixture_close(&f);
		return;
	}
	f.store = store_new(f.cachedir, 1 << 30, false, NULL);
	open_inbox(&f);
	set_names(f.store, f.gen, "1:10", "");
	commit(&f, 1, 10, SIZE);
	for (guint32 uid = 1; uid <= 10; uid++)
		assert_read(f.store, f.gen, uid, 0, 2 * SIZE, SIZE);
	g_assert_false(has_pack(&f, 1));
	g_clear_pointer(&f.store, store_free);
	g_assert_cmpint(umount2(f.parent, MNT_DETACH), ==, 0);
	fixture_close(&f);
}

/* Bodies go while others read them: the blocks that were given back are never taken for theirs. */
typedef struct {
	Store *store;
	Gen gen;
	gint latest, stop; /* atomic */
} Race;

static gpointer read_latest(gpointer data)
{
	Race *race = data;
	gsize n;

	while (!g_atomic_int_get(&race->stop))
		read_checked(race->store, race->gen, (guint32)g_atomic_int_get(&race->latest), 0,
			BLOCK, &n);
	return NULL;
}

static void test_read_while_going(void)
{
	enum { COMMITS = 30000, READERS = 2 };
	Fixture f = with_names(BLOCK + 10);
	Race race = {.store = f.store, .gen = f.gen, .latest = 1};
	GThread *readers[READERS];

	for (guint i = 0; i < READERS; i++)
		readers[i] = g_thread_new("reader", read_latest, &race);
	for (guint32 i = 1; i <= COMMITS; i++) {
		commit(&f, i % 1000 + 1, i % 1000 + 1, BLOCK);
		g_atomic_int_set(&race.latest, (gint)(i % 1000 + 1));
	}
	g_atomic_int_set(&race.stop, 1);
	for (guint i = 0; i < READERS; i++)
		g_thread_join(readers[i]);
	fixture_close(&f);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/store/pack/share", test_share);
	g_test_add_func("/store/pack/blocks-come-back", test_blocks_come_back);
	g_test_add_func("/store/pack/neighbours-stay", test_neighbours_stay);
	g_test_add_func("/store/pack/random", test_random);
	g_test_add_func("/store/pack/full", test_full_ones_are_unlinked);
	g_test_add_func("/store/pack/torn", test_torn);
	g_test_add_func("/store/pack/bound", test_bound);
	g_test_add_func("/store/pack/full-disk", test_full_disk);
	g_test_add_func("/store/pack/no-holes", test_no_holes);
	g_test_add_func("/store/pack/read-while-going", test_read_while_going);
	return g_test_run();
}
