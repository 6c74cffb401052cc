/* Mounts that did not end as they should: the power went, the disk was full. What of the cache's
 * files reached the disk then, and in which order, is anyone's guess; what is read of it is true.
 */
#include "store-fixture.h"
#include "store/db.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { UIDS = 60, SMALL = 5000, LARGE = OWN_FILE + 300000, MOMENTS = 5, FIELDS = 300 };

static Fixture with_names(const char *uids)
{
	Fixture f = {0};

	fixture_open(&f, true, 1 << 30, false);
	set_names(f.store, f.gen, uids, "");
	return f;
}

/* ---- files of any moment ---- */

static char *moment_path(const Fixture *f, guint moment, const char *name)
{
	g_autofree char *folder = g_strdup_printf("moment-%u", moment);

	return g_build_filename(f->parent, folder, name, NULL);
}

/* The cache from now on: the index of one moment and the bodies of another. */
static void use_moments(Fixture *f, guint index, guint bodies)
{
	g_autofree char *all = moment_path(f, bodies, NULL);
	g_autofree char *from = moment_path(f, index, "index.db");
	g_autofree char *to = g_build_filename(f->cachedir, "index.db", NULL);

	g_clear_pointer(&f->store, store_free);
	remove_tree(f->cachedir);
	copy_tree(all, f->cachedir);
	copy_tree(from, to);
}

static void commit_all(const Fixture *f, guint32 first, guint32 last)
{
	for (guint32 uid = first; uid <= last; uid++) {
		g_assert_true(commit_whole(f->store, f->gen, uid, SMALL + uid));
		g_assert_true(commit_item(f->store, f->gen, uid, STORE_FIELDS, FIELDS));
	}
}

/* What one mount does. Each writes to packs and files that are there already, lets some go, and
 * makes new ones. */
static void do_moment(const Fixture *f, guint moment)
{
	Store *store = f->store;

	commit_all(f, 1 + moment * 10, 8 + moment * 10);
	g_assert_true(commit_part(store, f->gen, 59, LARGE, moment * 200000, 70000));
	if (moment % 2 == 0)
		g_assert_true(commit_whole(store, f->gen, 60, LARGE));
	if (moment == 2)
		remove_names(store, f->gen, "1:5,12");
	if (moment == 3) {
		/* Shorter than the last mount was told: all of it anew. */
		g_assert_true(commit_part(store, f->gen, 59, 300000, 250000, 70000));
		g_assert_true(commit_part(store, f->gen, 59, 300000, 0, 70000));
	}
	for (guint32 uid = 1; uid <= UIDS; uid++)
		if (store_index_has(store, f->gen, uid))
			put_message(f, uid, uid, 0);
}

static Fixture with_moments(void)
{
	Fixture f = with_names("1:60");

	for (guint moment = 0; moment < MOMENTS; moment++) {
		g_autofree char *path = moment_path(&f, moment, NULL);

		do_moment(&f, moment);
		g_clear_pointer(&f.store, store_free);
		copy_tree(f.cachedir, path);
		open_again(&f);
	}
	return f;
}

/* Every byte that is read is true, and how many messages are read whole. */
static guint count_hits(const Fixture *f)
{
	guint hits = 0;
	gsize n;

	for (guint32 uid = 1; uid < 59; uid++)
		if (read_checked(f->store, f->gen, uid, 0, 2 * SMALL, &n) == STORE_HIT) {
			g_assert_cmpuint(n, ==, SMALL + uid);
			hits++;
		}
	for (guint32 uid = 1; uid < 59; uid++)
		if (read_item(f->store, f->gen, uid, STORE_FIELDS, 0, SMALL, &n) == STORE_HIT)
			g_assert_cmpuint(n, ==, FIELDS);
	for (guint64 at = 0; at < LARGE; at += 10000) {
		read_checked(f->store, f->gen, 59, at, 10000, &n);
		read_checked(f->store, f->gen, 60, at, 10000, &n);
	}
	return hits;
}

static void assert_true_and_usable(Fixture *f)
{
	StoreMessage message;

	store_recall(f->store, f->gen);
	for (guint32 uid = 1; uid <= UIDS; uid++)
		if (store_try_message(f->store, f->gen, uid, &message) == STORE_HIT)
			g_assert_cmpuint(message.size, ==, uid);
	count_hits(f);

	set_names(f->store, f->gen, "1:60", "");
	commit_all(f, 1, 58);
	g_assert_true(commit_part(f->store, f->gen, 59, LARGE, 40000, 500000));
	open_again(f);
	g_assert_cmpuint(count_hits(f), ==, 58);
	assert_read(f->store, f->gen, 59, 40000, 500000, 500000);
}

/* The last saves were lost, or the last bodies were. */
static void test_any_moment(void)
{
	Fixture f = with_moments();

	for (guint index = 0; index < MOMENTS; index++)
		for (guint bodies = 0; bodies < MOMENTS; bodies++) {
			use_moments(&f, index, bodies);
			open_again(&f);
			if (index == bodies)
				g_assert_cmpuint(count_hits(&f), >, 0);
			assert_true_and_usable(&f);
		}
	fixture_close(&f);
}

/* Gives the files of an earlier moment, also those that were not there, the size that they have in
 * a later one: a file system may keep the size of a file and lose what was written last. */
static void stretch(const char *now, const char *later)
{
	g_autoptr(GDir) entries = g_dir_open(later, 0, NULL);
	const char *name;

	g_mkdir(now, 0700);
	while ((name = g_dir_read_name(entries))) {
		g_autofree char *from = g_build_filename(later, name, NULL);
		g_autofree char *to = g_build_filename(now, name, NULL);
		struct stat st;

		g_assert_cmpint(stat(from, &st), ==, 0);
		if (S_ISDIR(st.st_mode)) {
			stretch(to, from);
			continue;
		}

		int fd = open(to, O_WRONLY | O_CREAT, 0600);

		g_assert_cmpint(ftruncate(fd, st.st_size), ==, 0);
		close(fd);
	}
}

static void test_lost_writes(void)
{
	Fixture f = with_moments();
	g_autofree char *bodies = g_build_filename(f.cachedir, "bodies", NULL);

	for (guint index = 1; index < MOMENTS; index++)
		for (guint before = 0; before < index; before++) {
			g_autofree char *later = moment_path(&f, index, "bodies");

			use_moments(&f, index, before);
			stretch(bodies, later);
			open_again(&f);
			assert_true_and_usable(&f);
		}
	fixture_close(&f);
}

/* What a mount wrote to a pack that the index never named gives its blocks back. */
static void test_unnamed_rest_of_pack(void)
{
	Fixture f = with_names("1:60");
	g_autofree char *index = g_build_filename(f.cachedir, "index.db", NULL);
	g_autofree char *kept = g_build_filename(f.parent, "kept", NULL);
	g_autofree char *name = serial_name(&f, "pack", 1);
	g_autofree char *pack = g_build_filename(f.cachedir, "bodies", name, NULL);
	struct stat st;

	commit_all(&f, 1, 2);
	g_clear_pointer(&f.store, store_free);
	copy_tree(index, kept);
	open_again(&f);
	commit_all(&f, 3, 58);
	g_clear_pointer(&f.store, store_free);
	copy_tree(kept, index);
	open_again(&f);
	g_assert_cmpint(stat(pack, &st), ==, 0);
	g_assert_cmpuint(st.st_size, >, 50 * SMALL);
	g_assert_cmpuint((guint64)st.st_blocks * 512, <=, 2 * SMALL + 2 * 4096);
	commit_all(&f, 3, 58);
	open_again(&f);
	g_assert_cmpuint(count_hits(&f), ==, 58);
	fixture_close(&f);
}

/* What went with its mount, and had its blocks until then, gives them back at the next one. */
static void test_orphans_of_a_mount(void)
{
	Fixture f = with_names("1:60");
	g_autofree char *name = serial_name(&f, "pack", 1);
	g_autofree char *pack = g_build_filename(f.cachedir, "bodies", name, NULL);
	struct stat st;

	commit_all(&f, 1, 58);
	remove_names(f.store, f.gen, "2:20,22:57");
	open_again(&f);
	g_assert_cmpint(stat(pack, &st), ==, 0);
	g_assert_cmpuint((guint64)st.st_blocks * 512, <=, 3 * (SMALL + 2 * 4096));
	g_assert_cmpuint(count_hits(&f), ==, 3);
	fixture_close(&f);
}

/* The record of a generation in the index, as it is once it was saved long ago. */
static void age(const Fixture *f, const DbGeneration *generation)
{
	enum { LONG_S = 31 * 24 * 60 * 60 };
	g_autoptr(StoreDir) dir = store_dir_open(f->cachedir, NULL);
	g_autoptr(Db) db = store_db_open(dir->fd, dir->path, NULL);
	DbGeneration old = *generation;

	old.names_known = true;
	old.used = g_get_real_time() / G_USEC_PER_SEC - LONG_S;
	g_assert_true(store_db_begin(db));
	g_assert_true(store_db_put_generation(db, &old));
	g_assert_true(store_db_end(db));
}

/* A mailbox that is not listed for a while is known when it is back: for a mount it was left out,
 * or the server had it out of reach. */
static void test_unlisted_for_a_while(void)
{
	Fixture f = with_names("1:3");
	ImapList lists[] = {list_of("INBOX"), list_of("shared")};

	store_set_mailboxes(f.store, lists, 2);
	f.gen = store_gen_open(f.store, id_of(f.store, "shared"), 7);
	set_names(f.store, f.gen, "1:60", "");
	put_message(&f, 50, 500, 0);
	commit_all(&f, 1, 58);
	g_clear_pointer(&f.store, store_free);
	/* What did not change for long was listed all the time. */
	age(&f, &(DbGeneration){.gen = f.gen, .mailbox = lists[1].name, .uidvalidity = 7});
	open_again(&f);
	store_set_mailboxes(f.store, lists, 1);
	open_again(&f);
	open_again(&f);
	g_assert_cmpuint(id_of(f.store, "shared"), ==, 0);
	store_set_mailboxes(f.store, lists, 2);
	f.gen = store_gen(f.store, id_of(f.store, "shared"));
	g_assert_cmpuint(store_gen_uidvalidity(f.store, f.gen), ==, 7);
	assert_names(&f, "1:60");
	assert_message(&f, 50, 500, 0);
	g_assert_cmpuint(count_hits(&f), ==, 58);
	fixture_close(&f);
}

/* A mailbox that was not listed for long, and one that comes before the index was told so: the
 * second has nothing of the first. */
static void test_generation_let_go(void)
{
	Fixture f = with_names("1:3");
	ImapList before[] = {list_of("INBOX"), list_of("old")};
	ImapList after[] = {list_of("INBOX"), list_of("new")};

	store_set_mailboxes(f.store, before, 2);
	f.gen = store_gen_open(f.store, id_of(f.store, "old"), 7);
	set_names(f.store, f.gen, "1:5,50:60", "");
	put_message(&f, 50, 500, 0);
	g_assert_true(commit_whole(f.store, f.gen, 51, SMALL));
	store_set_mailboxes(f.store, after, 2);
	g_clear_pointer(&f.store, store_free);
	age(&f, &(DbGeneration){.gen = f.gen, .mailbox = before[1].name, .uidvalidity = 7});

	Gen old = f.gen;

	open_again(&f);
	g_assert_cmpuint(store_gen_mailbox(f.store, old), ==, 0);
	f.gen = store_gen_open(f.store, id_of(f.store, "new"), 8);
	set_names(f.store, f.gen, "2:3,50:51", "");
	open_again(&f);
	f.gen = store_gen(f.store, id_of(f.store, "new"));
	g_assert_cmpuint(store_gen_uidvalidity(f.store, f.gen), ==, 8);
	assert_names(&f, "2:3,50:51");
	assert_unknown(&f, 50);
	assert_no_read(f.store, f.gen, 51, 0, 10, STORE_MISS);
	fixture_close(&f);
}

/* The last thing that is read of an index is damaged: nothing of what was read before it stays, and
 * no pack of before grows on, which is about to be swept. */
static void test_damaged_number(void)
{
	enum { PAGE = 4096, NUMBERS = 1 };
	Fixture f = with_names("1:60");
	g_autofree char *index = g_build_filename(f.cachedir, "index.db", NULL);
	guint8 garbage[PAGE];
	struct stat st;

	commit_all(&f, 1, 58);
	g_clear_pointer(&f.store, store_free);
	memset(garbage, 0xff, PAGE);

	int fd = open(index, O_WRONLY);

	g_assert_cmpint(pwrite(fd, garbage, PAGE, NUMBERS * PAGE), ==, PAGE);
	close(fd);
	open_again(&f);
	g_assert_cmpuint(f.gen, ==, 0);
	open_inbox(&f);
	set_names(f.store, f.gen, "1:60", "");
	g_assert_cmpuint(count_hits(&f), ==, 0);
	g_assert_true(commit_whole(f.store, f.gen, 1, SMALL + 1));

	g_autofree char *name = serial_name(&f, "pack", 1);
	g_autofree char *pack = g_build_filename(f.cachedir, "bodies", name, NULL);

	g_assert_cmpint(stat(pack, &st), ==, 0);
	g_assert_cmpint(st.st_size, ==, SMALL + 1);
	open_again(&f);
	g_assert_cmpuint(count_hits(&f), ==, 1);
	fixture_close(&f);
}

static void set_version(const char *index, int version)
{
	g_autofree char *statement = g_strdup_printf("PRAGMA user_version = %d", version);
	sqlite3 *db;

	g_assert_cmpint(sqlite3_open(index, &db), ==, SQLITE_OK);
	g_assert_cmpint(sqlite3_exec(db, statement, NULL, NULL, NULL), ==, SQLITE_OK);
	sqlite3_close(db);
}

static void alter(const char *index, const char *statement)
{
	sqlite3 *db;

	g_assert_cmpint(sqlite3_open(index, &db), ==, SQLITE_OK);
	g_assert_cmpint(sqlite3_exec(db, statement, NULL, NULL, NULL), ==, SQLITE_OK);
	g_assert_cmpint(sqlite3_changes(db), ==, 1);
	sqlite3_close(db);
}

/* A record that was altered is never believed, and no index lives on around it. */
static void test_altered_record(gconstpointer statement)
{
	Fixture f = with_names("1:60");
	g_autofree char *index = g_build_filename(f.cachedir, "index.db", NULL);

	commit_all(&f, 1, 58);
	put_message(&f, 4, 40, 0);
	put_message(&f, 5, 50, 0);
	g_clear_pointer(&f.store, store_free);
	alter(index, statement);
	open_again(&f);
	if (f.gen != 0) {
		/* Attributes are not looked at before they are wanted. */
		assert_unknown(&f, 5);
		open_again(&f);
	}
	g_assert_cmpuint(f.gen, ==, 0);
	fixture_close(&f);
}

/* A server without UIDVALIDITY uses one id after the other up: one that is too high for the next
 * mount goes alone. */
static void test_high_generation(void)
{
	Fixture f = with_names("1:9");
	ImapList lists[] = {list_of("INBOX"), list_of("none"), list_of("late")};

	store_set_mailboxes(f.store, lists, G_N_ELEMENTS(lists));
	commit_all(&f, 1, 9);
	while (f.gen < LIMIT_GENERATIONS / 2)
		f.gen = store_gen_open(f.store, id_of(f.store, "none"), 0);
	f.gen = store_gen_open(f.store, id_of(f.store, "late"), 3);
	set_names(f.store, f.gen, "1:3", "");
	open_again(&f);
	assert_names(&f, "1:9");
	g_assert_cmpuint(count_hits(&f), ==, 9);
	g_assert_cmpuint(store_gen(f.store, id_of(f.store, "late")), ==, 0);
	fixture_close(&f);
}

/* ---- a full disk ---- */

typedef struct {
	GMutex mutex;
	GCond cond;
	guint warnings;
} Warnings;

static Warnings warnings;

static void note_warning(
	const char *domain, GLogLevelFlags level, const char *message, gpointer data)
{
	if (!(level & G_LOG_LEVEL_WARNING))
		return;
	g_mutex_lock(&warnings.mutex);
	warnings.warnings++;
	g_cond_signal(&warnings.cond);
	g_mutex_unlock(&warnings.mutex);
}

static void wait_for_warning(void)
{
	gint64 until = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;

	g_mutex_lock(&warnings.mutex);
	while (warnings.warnings == 0)
		g_assert_true(g_cond_wait_until(&warnings.cond, &warnings.mutex, until));
	g_mutex_unlock(&warnings.mutex);
}

static gboolean not_fatal(
	const char *domain, GLogLevelFlags level, const char *message, gpointer data)
{
	return FALSE;
}

/* No file may grow past so much. */
static void limit_files(rlim_t size)
{
	struct rlimit limit;

	warnings.warnings = 0;
	g_test_log_set_fatal_handler(not_fatal, NULL);
	g_log_set_default_handler(note_warning, NULL);
	g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &limit), ==, 0);
	limit.rlim_cur = size;
	g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &limit), ==, 0);
}

static void no_limit(void)
{
	limit_files(RLIM_INFINITY);
	g_log_set_default_handler(g_log_default_handler, NULL);
}

/* A mount that cannot write from the beginning shows all that is there. */
static void test_full_at_mount(void)
{
	Fixture f = with_names("1:60");

	commit_all(&f, 1, 58);
	put_message(&f, 5, 10, 0);
	g_clear_pointer(&f.store, store_free);
	limit_files(0);
	open_again(&f);
	g_assert_cmpuint(warnings.warnings, ==, 1);
	assert_names(&f, "1:60");
	assert_message(&f, 5, 10, 0);
	g_assert_cmpuint(count_hits(&f), ==, 58);
	g_assert_true(commit_whole(f.store, f.gen, 59, SMALL));
	assert_read(f.store, f.gen, 59, 0, SMALL, SMALL);
	put_message(&f, 6, 20, 0);
	no_limit();
	open_again(&f);
	assert_message(&f, 5, 10, 0);
	assert_message(&f, 6, 20, 0);
	g_assert_cmpuint(count_hits(&f), ==, 58);
	fixture_close(&f);
}

/* A save that failed is made up for, before what changed since. */
static void test_full_for_a_while(void)
{
	Fixture f = with_names("1:60");

	commit_all(&f, 1, 30);
	put_message(&f, 5, 10, 0);
	open_again(&f);
	limit_files(0);
	remove_names(f.store, f.gen, "1:2,40");
	put_message(&f, 6, 60, IMAP_FLAG_SEEN);
	put_message(&f, 7, 70, 0);
	wait_for_warning();
	remove_names(f.store, f.gen, "3,41:42");
	put_message(&f, 7, 70, IMAP_FLAG_DRAFT);
	put_message(&f, 8, 80, 0);
	no_limit();
	open_again(&f);
	assert_names(&f, "4:39,43:60");
	assert_message(&f, 5, 10, 0);
	assert_message(&f, 6, 60, IMAP_FLAG_SEEN);
	assert_message(&f, 7, 70, IMAP_FLAG_DRAFT);
	assert_message(&f, 8, 80, 0);
	g_assert_cmpuint(count_hits(&f), ==, 27);
	fixture_close(&f);
}

/* The number of a mount that began on a full disk is not given again: it is in the names of the
 * files that were made when there was room. */
static void test_number_after_full_disk(void)
{
	Fixture f = with_names("1:60");

	g_clear_pointer(&f.store, store_free);
	limit_files(0);
	open_again(&f);
	no_limit();

	guint64 mount = f.store->last_serial >> 32;

	commit_all(&f, 1, 58);
	open_again(&f);
	g_assert_cmpuint(f.store->last_serial >> 32, >, mount);
	g_assert_cmpuint(count_hits(&f), ==, 58);
	fixture_close(&f);
}

/* ---- an index that is out of reach for a while ---- */

static ssize_t (*real_pread)(int fd, void *bytes, size_t len, off_t offset);

/* Past the page that opening looks at. (To SQLite EIO is damage for good.) */
static ssize_t failing_pread(int fd, void *bytes, size_t len, off_t offset)
{
	if (offset < 4096)
		return real_pread(fd, bytes, len, offset);
	errno = ENOMEM;
	return -1;
}

static void fail_reads(bool fail)
{
	static const char *const names[] = {"pread", "pread64"};
	sqlite3_vfs *vfs = sqlite3_vfs_find("unix");

	real_pread = pread;
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
		vfs->xSetSystemCall(
			vfs, names[i], fail ? (sqlite3_syscall_ptr)failing_pread : NULL);
}

/* An index that cannot be read for now is not a damaged one: this mount leaves all as it is. */
static void test_unreadable_for_a_while(void)
{
	Fixture f = with_names("1:60");

	commit_all(&f, 1, 58);
	put_message(&f, 5, 10, 0);
	g_clear_pointer(&f.store, store_free);
	no_limit();
	fail_reads(true);
	open_again(&f);
	fail_reads(false);
	g_assert_cmpuint(f.gen, ==, 0);
	open_inbox(&f);
	set_names(f.store, f.gen, "1:60", "");
	g_assert_cmpuint(count_hits(&f), ==, 0);
	g_assert_true(commit_whole(f.store, f.gen, 3, SMALL));
	assert_read(f.store, f.gen, 3, 0, 2 * SMALL, SMALL);
	open_again(&f);
	assert_message(&f, 5, 10, 0);
	g_assert_cmpuint(count_hits(&f), ==, 58);
	fixture_close(&f);
}

/* Files of the mount of the same second are taken for its own. */
static void wait_for_next_second(void)
{
	gint64 now = g_get_real_time() / G_USEC_PER_SEC;

	while (g_get_real_time() / G_USEC_PER_SEC == now)
		g_thread_yield();
}

static void wait_for_sweeper(Fixture *f)
{
	if (f->store->dir)
		g_clear_pointer(&f->store->dir->sweeper, g_thread_join);
}

/* Nor is one that cannot be opened for now. */
static void test_unopened_for_a_while(void)
{
	Fixture f = with_names("1:60");
	g_autofree char *log = g_build_filename(f.cachedir, "index.db-wal", NULL);

	commit_all(&f, 1, 58);
	g_clear_pointer(&f.store, store_free);
	no_limit();
	g_assert_cmpint(g_mkdir(log, 0700), ==, 0);
	wait_for_next_second();
	open_again(&f);
	wait_for_sweeper(&f);
	g_assert_cmpuint(f.gen, ==, 0);
	g_assert_cmpint(g_rmdir(log), ==, 0);
	open_again(&f);
	g_assert_cmpuint(count_hits(&f), ==, 58);
	fixture_close(&f);
}

/* A cache on a file system that is read-only for a while. */
static void test_read_only_for_a_while(void)
{
	Fixture f = {0};

	fixture_dirs(&f);
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount("tmpfs", f.parent, "tmpfs", 0, NULL) < 0) {
		g_test_skip("cannot mount a tmpfs");
		fixture_close(&f);
		return;
	}
	f.store = store_new(f.cachedir, 1 << 30, false, NULL);
	open_inbox(&f);
	set_names(f.store, f.gen, "1:60", "");
	commit_all(&f, 1, 58);
	g_clear_pointer(&f.store, store_free);
	no_limit();
	g_assert_cmpint(mount(NULL, f.parent, NULL, MS_REMOUNT | MS_RDONLY, NULL), ==, 0);
	open_again(&f);
	open_inbox(&f);
	set_names(f.store, f.gen, "1:60", "");
	g_assert_true(commit_whole(f.store, f.gen, 3, SMALL));
	assert_read(f.store, f.gen, 3, 0, 2 * SMALL, SMALL);
	g_clear_pointer(&f.store, store_free);
	g_assert_cmpint(mount(NULL, f.parent, NULL, MS_REMOUNT, NULL), ==, 0);
	open_again(&f);
	g_assert_cmpuint(count_hits(&f), ==, 58);
	g_clear_pointer(&f.store, store_free);
	g_assert_cmpint(umount2(f.parent, MNT_DETACH), ==, 0);
	fixture_close(&f);
}

/* A version that no program wrote is damage. */
static void test_no_version(void)
{
	Fixture f = with_names("1:60");
	g_autofree char *index = g_build_filename(f.cachedir, "index.db", NULL);

	commit_all(&f, 1, 58);
	g_clear_pointer(&f.store, store_free);
	set_version(index, -1);
	open_again(&f);
	open_inbox(&f);
	set_names(f.store, f.gen, "1:60", "");
	commit_all(&f, 1, 58);
	open_again(&f);
	g_assert_cmpuint(count_hits(&f), ==, 58);
	fixture_close(&f);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	signal(SIGXFSZ, SIG_IGN);
	g_test_add_func("/store/crash/any-moment", test_any_moment);
	g_test_add_func("/store/crash/lost-writes", test_lost_writes);
	g_test_add_func("/store/crash/unnamed-rest-of-pack", test_unnamed_rest_of_pack);
	g_test_add_func("/store/crash/generation-let-go", test_generation_let_go);
	g_test_add_func("/store/crash/damaged-number", test_damaged_number);
	g_test_add_data_func("/store/crash/altered-mailbox",
		"UPDATE mailboxes SET attributes = attributes + 1", test_altered_record);
	g_test_add_data_func("/store/crash/altered-generation",
		"UPDATE generations SET uidnext = uidnext + 1", test_altered_record);
	g_test_add_data_func("/store/crash/altered-range",
		"UPDATE ranges SET hi = hi - 1 WHERE kind = 0", test_altered_record);
	g_test_add_data_func("/store/crash/altered-message",
		"UPDATE messages SET size = size + 1 WHERE uid = 5", test_altered_record);
	g_test_add_data_func("/store/crash/altered-uid",
		"UPDATE messages SET uid = 6 WHERE uid = 5", test_altered_record);
	g_test_add_data_func("/store/crash/altered-body",
		"UPDATE bodies SET at = at + 1 WHERE uid = 5 AND item = 0", test_altered_record);
	g_test_add_data_func("/store/crash/altered-item",
		"UPDATE bodies SET item = 2 WHERE uid = 5 AND item = 1", test_altered_record);
	g_test_add_data_func("/store/crash/altered-to-item",
		"UPDATE bodies SET item = 2 WHERE uid = 5 AND item = 0", test_altered_record);
	g_test_add_data_func("/store/crash/altered-to-message",
		"UPDATE OR REPLACE bodies SET item = 0 WHERE uid = 5 AND item = 1",
		test_altered_record);
	g_test_add_data_func("/store/crash/altered-distrust",
		"UPDATE numbers SET value = 1 WHERE key = 'distrusted'", test_altered_record);
	g_test_add_data_func("/store/crash/altered-mount",
		"UPDATE numbers SET value = value - 1 WHERE key = 'mounts'", test_altered_record);
	g_test_add_func("/store/crash/high-generation", test_high_generation);
	g_test_add_func("/store/crash/full-at-mount", test_full_at_mount);
	g_test_add_func("/store/crash/full-for-a-while", test_full_for_a_while);
	g_test_add_func("/store/crash/orphans-of-a-mount", test_orphans_of_a_mount);
	g_test_add_func("/store/crash/unlisted-for-a-while", test_unlisted_for_a_while);
	g_test_add_func("/store/crash/number-after-full-disk", test_number_after_full_disk);
	g_test_add_func("/store/crash/unreadable-for-a-while", test_unreadable_for_a_while);
	g_test_add_func("/store/crash/unopened-for-a-while", test_unopened_for_a_while);
	g_test_add_func("/store/crash/read-only-for-a-while", test_read_only_for_a_while);
	g_test_add_func("/store/crash/no-version", test_no_version);
	return g_test_run();
}
