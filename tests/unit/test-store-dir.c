/* The cache directory: whose it must be, what is wiped, and what happens when it cannot be written.
 */
#include "store/private.h"
#include "store-fixture.h"
#include "base/limits.h"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { NOBODY = 65534 };

static Fixture directories(void)
{
	Fixture f = {0};

	fixture_dirs(&f);
	return f;
}

static void open_store(Fixture *f, guint64 cache_size)
{
	g_autoptr(GError) error = NULL;

	f->store = store_new(f->cachedir, cache_size, false, &error);
	g_assert_no_error(error);
	open_inbox(f);
	set_names(f->store, f->gen, "1:100", "");
}

static char *below(const Fixture *f, const char *name)
{
	return g_build_filename(f->cachedir, name, NULL);
}

static void make_dir(const Fixture *f, const char *name)
{
	g_autofree char *path = below(f, name);

	g_assert_cmpint(g_mkdir_with_parents(path, 0700), ==, 0);
}

static void make_file(const Fixture *f, const char *name)
{
	g_autofree char *path = below(f, name);

	g_assert_true(g_file_set_contents(path, "x", 1, NULL));
}

static void make_link(const Fixture *f, const char *target, const char *name)
{
	g_autofree char *path = below(f, name);

	g_assert_cmpint(symlink(target, path), ==, 0);
}

static bool exists(const Fixture *f, const char *name)
{
	g_autofree char *path = below(f, name);
	struct stat st;

	return lstat(path, &st) == 0;
}

static void assert_mode(const Fixture *f, const char *name, mode_t mode)
{
	g_autofree char *path = below(f, name);
	struct stat st;

	g_assert_cmpint(lstat(path, &st), ==, 0);
	g_assert_cmpint(st.st_mode & 07777, ==, mode);
}

static void assert_refused(const char *path, MailError code, const char *pattern)
{
	g_autoptr(GError) error = NULL;

	g_assert_null(store_new(path, 1000, false, &error));
	g_assert_error(error, MAIL_ERROR, (gint)code);
	if (!g_pattern_match_simple(pattern, error->message))
		g_error("%s is not like %s", error->message, pattern);
}

/* From here on an ordinary user, whom permissions stop: false when that cannot be arranged. Root's
 * tests are run so; any other user's are as they are. */
static bool become_ordinary(const Fixture *f)
{
	if (geteuid() != 0)
		return true;
	return chown(f->parent, NOBODY, NOBODY) == 0 && seteuid(NOBODY) == 0;
}

static void become_self(void)
{
	if (getuid() == 0)
		g_assert_cmpint(seteuid(0), ==, 0);
}

/* ---- made and kept private ---- */

static void test_private(gconstpointer data)
{
	Fixture f = directories();

	g_free(f.cachedir);
	f.cachedir = g_build_filename(f.parent, "a", "b", "account", NULL);
	if (!become_ordinary(&f)) {
		g_test_skip("no other user");
		fixture_close(&f);
		return;
	}

	mode_t old = umask((mode_t)GPOINTER_TO_INT(data));

	open_store(&f, 1 << 30);
	g_assert_true(commit_whole(f.store, f.gen, 1, 100));
	g_assert_true(commit_part(f.store, f.gen, 2, 900000, 0, 500000));
	assert_read(f.store, f.gen, 1, 0, 1000, 100);
	assert_read(f.store, f.gen, 2, 0, 1000, 1000);
	assert_mode(&f, "../..", 0700);
	assert_mode(&f, "..", 0700);
	assert_mode(&f, ".", 0700);
	assert_mode(&f, "lock", 0600);
	assert_mode(&f, "bodies", 0700);
	g_autofree char *pack = serial_name(&f, "bodies/pack", 1);
	g_autofree char *file = serial_name(&f, "bodies/1/2", 2);

	assert_mode(&f, "bodies/1", 0700);
	assert_mode(&f, pack, 0600);
	assert_mode(&f, file, 0600);

	/* And what is there already is taken over. */
	g_clear_pointer(&f.store, store_free);
	open_store(&f, 1 << 30);
	umask(old);
	become_self();
	fixture_close(&f);
}

/* ---- refused ---- */

static void test_symlink(void)
{
	Fixture f = directories();
	g_autofree char *link = g_build_filename(f.parent, "link", NULL);
	g_autofree char *slash = g_strconcat(link, "/", NULL);
	g_autofree char *slash_dot = g_strconcat(link, "/.", NULL);

	make_dir(&f, "");
	g_assert_cmpint(symlink(f.cachedir, link), ==, 0);
	assert_refused(link, MAIL_ERROR_ACCESS, "*/link*symbolic link*");
	assert_refused(slash, MAIL_ERROR_ACCESS, "*symbolic link*");
	assert_refused(slash_dot, MAIL_ERROR_ACCESS, "*symbolic link*");
	g_assert_false(exists(&f, "lock"));
	fixture_close(&f);
}

static void test_symlinks_inside(void)
{
	Fixture f = directories();
	g_autofree char *outside = g_build_filename(f.parent, "outside", NULL);

	make_dir(&f, "");
	make_link(&f, outside, "lock");
	assert_refused(f.cachedir, MAIL_ERROR_ACCESS, "*lock*symbolic link*");
	g_assert_false(g_file_test(outside, G_FILE_TEST_EXISTS));

	g_autofree char *lock = below(&f, "lock");

	g_assert_cmpint(g_unlink(lock), ==, 0);
	g_assert_cmpint(g_mkdir(outside, 0700), ==, 0);
	make_link(&f, outside, "bodies");
	assert_refused(f.cachedir, MAIL_ERROR_ACCESS, "*/bodies*symbolic link*");
	fixture_close(&f);
}

static void test_open_to_others(void)
{
	static const mode_t modes[] = {0755, 0710, 0701, 0720, 0777};
	Fixture f = directories();

	make_dir(&f, "bodies");
	for (gsize i = 0; i < G_N_ELEMENTS(modes); i++) {
		g_autofree char *bodies = below(&f, "bodies");

		g_assert_cmpint(g_chmod(f.cachedir, (int)modes[i]), ==, 0);
		assert_refused(f.cachedir, MAIL_ERROR_ACCESS, "*other users*0700*");
		g_assert_cmpint(g_chmod(f.cachedir, 0700), ==, 0);
		g_assert_cmpint(g_chmod(bodies, (int)modes[i]), ==, 0);
		assert_refused(f.cachedir, MAIL_ERROR_ACCESS, "*bodies*other users*");
		g_assert_cmpint(g_chmod(bodies, 0700), ==, 0);
	}
	open_store(&f, 1000);
	fixture_close(&f);
}

static void test_foreign(void)
{
	Fixture f = directories();

	make_dir(&f, "");
	if (geteuid() != 0 || chown(f.cachedir, NOBODY, NOBODY) < 0) {
		g_test_skip("only root can give a directory away");
	} else {
		assert_refused(f.cachedir, MAIL_ERROR_ACCESS, "*another user*");
		g_assert_cmpint(chown(f.cachedir, 0, 0), ==, 0);

		/* One that cannot even be opened. */
		g_assert_true(become_ordinary(&f));
		assert_refused(f.cachedir, MAIL_ERROR_ACCESS, "*another user*");
		become_self();
	}
	fixture_close(&f);
}

static void test_busy(void)
{
	Fixture f = directories();

	open_store(&f, 1000);
	g_assert_true(commit_whole(f.store, f.gen, 1, 100));
	assert_refused(f.cachedir, MAIL_ERROR_BUSY, "*another mount*");
	assert_read(f.store, f.gen, 1, 0, 1000, 100);
	g_clear_pointer(&f.store, store_free);
	open_store(&f, 1000);
	fixture_close(&f);
}

/* ---- swept ---- */

/* Waits until what an earlier mount left is unlinked. */
static void settle(const Fixture *f)
{
	g_clear_pointer(&f->store->dir->sweeper, g_thread_join);
}

static void next_second(void)
{
	gint64 now = g_get_real_time() / G_USEC_PER_SEC;

	while (g_get_real_time() / G_USEC_PER_SEC == now)
		g_thread_yield();
}

/* Files that no index names: without it, all of an earlier mount. */
static void test_swept(void)
{
	Fixture f = directories();
	g_autofree char *index = below(&f, "index.db");

	open_store(&f, 1 << 20);
	for (guint32 uid = 1; uid <= 20; uid++) {
		g_assert_true(commit_whole(f.store, f.gen, uid, 100));
		g_assert_true(commit_part(f.store, f.gen, uid + 20, 1000, 0, 100));
	}

	g_autofree char *pack = serial_name(&f, "bodies/pack", 1);
	g_autofree char *file = serial_name(&f, "bodies/1/21", 2);

	g_assert_true(exists(&f, pack));
	g_assert_true(exists(&f, file));
	g_clear_pointer(&f.store, store_free);
	make_file(&f, "bodies/new-77");
	g_assert_cmpint(g_unlink(index), ==, 0);
	/* The number of a mount after a lost index is its second. */
	next_second();

	open_store(&f, 1 << 20);
	settle(&f);
	g_assert_false(exists(&f, "bodies/1"));
	g_assert_false(exists(&f, pack));
	g_assert_false(exists(&f, "bodies/new-77"));
	assert_no_read(f.store, f.gen, 1, 0, 10, STORE_MISS);
	g_assert_true(commit_whole(f.store, f.gen, 1, 100));
	assert_read(f.store, f.gen, 1, 0, 1000, 100);
	fixture_close(&f);
}

static void test_sweep_follows_nothing(void)
{
	Fixture f = directories();
	g_autofree char *outside = g_build_filename(f.parent, "outside", NULL);

	make_dir(&f, "../outside");
	make_dir(&f, "bodies/1");
	make_dir(&f, "bodies/notes");
	make_file(&f, "../outside/1-1");
	make_file(&f, "bodies/7");
	make_file(&f, "bodies/notes/1-1");
	make_file(&f, "bodies/1/mine");
	make_link(&f, outside, "bodies/2");
	make_link(&f, "../../../outside/1-1", "bodies/1/5-5");
	make_link(&f, "/nowhere", "bodies/new-1");

	open_store(&f, 1 << 20);
	settle(&f);
	g_assert_true(exists(&f, "../outside/1-1"));
	g_assert_false(exists(&f, "bodies/2"));
	g_assert_false(exists(&f, "bodies/7"));
	g_assert_false(exists(&f, "bodies/new-1"));
	g_assert_false(exists(&f, "bodies/1/5-5"));

	/* What has no name of ours is not ours. */
	g_assert_true(exists(&f, "bodies/notes/1-1"));
	g_assert_true(exists(&f, "bodies/1/mine"));
	fixture_close(&f);
}

/* ---- not writable ---- */

static void use_bodies(Fixture *f)
{
	g_assert_true(commit_whole(f->store, f->gen, 1, 100000));
	g_assert_true(commit_whole(f->store, f->gen, 2, 900000));
	g_assert_true(commit_part(f->store, f->gen, 3, 900000, 0, 100000));
	g_assert_true(commit_part(f->store, f->gen, 3, 900000, 100000, 500000));
	g_assert_true(commit_part(f->store, f->gen, 3, 900000, 600000, 500000));
	assert_read(f->store, f->gen, 1, 0, 1000000, 100000);
	assert_read(f->store, f->gen, 2, 0, 1000000, 900000);
	assert_read(f->store, f->gen, 3, 600000, 1000000, 300000);
}

static void expect_warning(const char *pattern)
{
	g_test_expect_message("imapfs", G_LOG_LEVEL_WARNING, pattern);
}

static void test_cannot_be_made(void)
{
	Fixture f = directories();

	g_assert_true(g_file_set_contents(f.cachedir, "x", 1, NULL));
	expect_warning("*account: Not a directory*memory*");
	open_store(&f, 1 << 30);
	g_test_assert_expected_messages();
	use_bodies(&f);
	g_clear_pointer(&f.store, store_free);

	g_autofree char *inside = below(&f, "deeper/still");

	g_free(f.cachedir);
	f.cachedir = g_steal_pointer(&inside);
	expect_warning("*deeper/still: Not a directory*memory*");
	open_store(&f, 1 << 30);
	g_test_assert_expected_messages();
	fixture_close(&f);
}

static void test_parent_not_writable(void)
{
	Fixture f = directories();
	g_autofree char *deeper = below(&f, "deeper");

	if (!become_ordinary(&f)) {
		g_test_skip("no other user");
		fixture_close(&f);
		return;
	}
	g_free(f.cachedir);
	f.cachedir = g_steal_pointer(&deeper);
	g_assert_cmpint(g_chmod(f.parent, 0500), ==, 0);
	expect_warning("*deeper: Permission denied*memory*");
	open_store(&f, 1 << 30);
	g_test_assert_expected_messages();
	g_assert_cmpint(g_chmod(f.parent, 0700), ==, 0);
	become_self();
	fixture_close(&f);
}

static void test_read_only(void)
{
	Fixture f = directories();
	g_autofree char *bodies = below(&f, "bodies");

	if (!become_ordinary(&f)) {
		g_test_skip("no other user");
		fixture_close(&f);
		return;
	}
	make_dir(&f, "bodies");
	g_assert_cmpint(g_chmod(f.cachedir, 0500), ==, 0);
	expect_warning("*Permission denied*memory*");
	open_store(&f, 1 << 30);
	use_bodies(&f);
	g_clear_pointer(&f.store, store_free);

	g_assert_cmpint(g_chmod(f.cachedir, 0700), ==, 0);
	g_assert_cmpint(g_chmod(bodies, 0500), ==, 0);
	expect_warning("*bodies: Permission denied*memory*");
	open_store(&f, 1 << 30);
	use_bodies(&f);
	g_clear_pointer(&f.store, store_free);

	/* Only after the mount. */
	g_assert_cmpint(g_chmod(bodies, 0700), ==, 0);
	open_store(&f, 1 << 30);
	g_assert_cmpint(g_chmod(bodies, 0500), ==, 0);
	expect_warning("*cannot write*Permission denied*");
	use_bodies(&f);
	g_test_assert_expected_messages();
	become_self();
	fixture_close(&f);
}

static void test_directory_removed(void)
{
	Fixture f = directories();

	open_store(&f, 1 << 30);
	g_assert_true(commit_whole(f.store, f.gen, 4, OWN_FILE));
	remove_tree(f.cachedir);
	expect_warning("*cannot write*"); /* of a body or of the index */
	use_bodies(&f);
	assert_no_read(f.store, f.gen, 4, 0, 10, STORE_MISS);
	g_test_assert_expected_messages();
	fixture_close(&f);
}

/* The lengths of all files in a directory. */
static guint64 bytes_in(const Fixture *f, const char *name)
{
	g_autofree char *path = below(f, name);
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	guint64 bytes = 0;

	for (const char *entry = dir ? g_dir_read_name(dir) : NULL; entry;
		entry = g_dir_read_name(dir)) {
		g_autofree char *file = g_build_filename(path, entry, NULL);
		struct stat st;

		g_assert_cmpint(stat(file, &st), ==, 0);
		bytes += S_ISREG(st.st_mode) ? (guint64)st.st_size : 0;
	}
	return bytes;
}

static void assert_unwritable(const Fixture *f, const char *expected)
{
	gint64 since_us = 0;
	g_autofree char *why = store_unwritable(f->store, &since_us);

	g_assert_cmpstr(why, ==, expected);
	g_assert_cmpint(since_us != 0, ==, expected != NULL);
}

/* Writes fail in the middle of a file. */
static void test_file_too_large(void)
{
	Fixture f = directories();
	struct rlimit old, low;
	guint64 bytes, limit;

	g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &old), ==, 0);
	low = (struct rlimit){300000, old.rlim_max};
	signal(SIGXFSZ, SIG_IGN);
	open_store(&f, 1 << 30);
	g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &low), ==, 0);
	expect_warning("*cannot write*File too large*");
	use_bodies(&f);
	g_assert_true(commit_part(f.store, f.gen, 5, 4000000, 0, 200000));
	g_assert_true(commit_part(f.store, f.gen, 5, 4000000, 3000000, 200000));
	assert_read(f.store, f.gen, 5, 3000000, 1000, 1000);
	g_test_assert_expected_messages();
	assert_unwritable(&f, "File too large");
	g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &old), ==, 0);

	/* Files again as soon as they can be written; no half file stays behind. */
	g_assert_true(commit_whole(f.store, f.gen, 2, 900000));
	g_assert_true(commit_whole(f.store, f.gen, 3, 900000));
	g_assert_true(commit_whole(f.store, f.gen, 5, 900000));
	assert_unwritable(&f, NULL);
	store_usage(f.store, &bytes, &limit);

	g_assert_cmpuint(bytes_in(&f, "bodies") + bytes_in(&f, "bodies/1"), ==, bytes);
	fixture_close(&f);
}

/* A disk whose size is the one thing that bounds the cache. false: skipped. */
static bool small_disk(Fixture *f, const char *size)
{
	*f = directories();
	if (unshare(CLONE_NEWNS) == 0 &&
		mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0 &&
		mount("tmpfs", f->parent, "tmpfs", 0, size) == 0)
		return true;
	g_test_skip("cannot mount a tmpfs");
	fixture_close(f);
	return false;
}

static void close_disk(Fixture *f)
{
	g_clear_pointer(&f->store, store_free);
	g_assert_cmpint(umount2(f->parent, MNT_DETACH), ==, 0);
	fixture_close(f);
}

static void test_disk_full(void)
{
	Fixture f;

	if (!small_disk(&f, "size=400k"))
		return;
	open_store(&f, 1 << 30);
	expect_warning("*cannot write*No space left*");
	for (guint32 uid = 10; uid < 20; uid++)
		g_assert_true(commit_whole(f.store, f.gen, uid, 50000));
	for (guint32 uid = 10; uid < 20; uid++)
		assert_read(f.store, f.gen, uid, 0, 100000, 50000);
	use_bodies(&f);
	for (guint64 at = 0; at < 8000000; at += 1000000) {
		g_assert_true(commit_part(f.store, f.gen, 5, 7500000, at, 1000000));
		assert_read(f.store, f.gen, 5, at, 1000000, MIN(1000000, 7500000 - at));
	}
	g_test_assert_expected_messages();
	close_disk(&f);
}

static void commit_mail(const Fixture *f, guint32 n)
{
	g_autofree char *uids = g_strdup_printf("1:%u", n);

	set_names(f->store, f->gen, uids, "");
	for (guint32 uid = 1; uid <= n; uid++) {
		put_message(f, uid, 20000, 0);
		g_assert_true(commit_whole(f->store, f->gen, uid, 20000));
	}
}

static guint64 free_bytes(const Fixture *f)
{
	struct statvfs fs;

	g_assert_cmpint(statvfs(f->parent, &fs), ==, 0);
	return (guint64)fs.f_bavail * fs.f_frsize;
}

static guint count_bodies(const Fixture *f, guint32 n)
{
	guint here = 0;

	for (guint32 uid = 1; uid <= n; uid++)
		here += store_has_body(f->store, f->gen, uid, STORE_MESSAGE);
	return here;
}

/* Bodies leave room for the index, which then says at the next mount what they are. */
static void test_full_disk_keeps_the_index(void)
{
	enum { MESSAGES = 400 }; /* 8 MB */
	Fixture f;

	if (!small_disk(&f, "size=5m"))
		return;
	open_store(&f, 1 << 30);
	expect_warning("*cannot write*No space left*");
	commit_mail(&f, MESSAGES);
	g_test_assert_expected_messages();
	assert_unwritable(&f, "No space left on device");
	g_assert_cmpuint(store_memory_usage(f.store), >, 1000000);
	g_assert_cmpuint(free_bytes(&f), >, 900000);
	open_again(&f);
	assert_names(&f, "1:400");
	g_assert_cmpuint(count_bodies(&f, MESSAGES), >, 150);
	close_disk(&f);
}

static bool write_file(const Fixture *f, const char *name, gsize size)
{
	g_autofree char *path = g_build_filename(f->parent, name, NULL);
	g_autofree char *bytes = g_malloc0(size);

	return g_file_set_contents_full(path, bytes, (gssize)size, 0, 0600, NULL);
}

/* Another program takes all that is left, the reserve too: then bodies go for the index. */
static void test_bodies_go_for_the_index(void)
{
	enum { MESSAGES = 150 };
	Fixture f;
	guint64 before, after, limit;

	if (!small_disk(&f, "size=5m"))
		return;
	open_store(&f, 1 << 30);
	commit_mail(&f, MESSAGES);
	open_again(&f);
	store_usage(f.store, &before, &limit);
	g_assert_cmpuint(before, ==, MESSAGES * 20000);
	for (guint i = 0; i < 5000; i++) {
		g_autofree char *name = g_strdup_printf("foreign-%u", i);

		if (!write_file(&f, name, 4096))
			break;
	}
	set_names(f.store, f.gen, "1:9000", "");
	for (guint32 uid = 1; uid <= 9000; uid++)
		put_message(&f, uid, 20000, 0);
	open_again(&f);
	assert_names(&f, "1:9000");
	assert_message(&f, 8999, 20000, 0);
	store_usage(f.store, &after, &limit);
	g_assert_cmpuint(after, <, before);
	g_assert_cmpuint(after, >, 0);
	close_disk(&f);
}

/* As a snapshot of the file system does: what is deleted takes its room as before. */
static void keep_files(const Fixture *f)
{
	g_autofree char *path = g_strdup_printf("%s/bodies/%u", f->cachedir, f->gen);
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	guint n = 0;

	g_assert_nonnull(dir);
	for (const char *name; (name = g_dir_read_name(dir)); n++) {
		g_autofree char *from = g_build_filename(path, name, NULL);
		g_autofree char *to = g_strdup_printf("%s/kept-%u", f->parent, n);

		g_assert_cmpint(link(from, to), ==, 0);
	}
}

/* Where room does not come from it, no further body goes. */
static void test_bodies_do_not_go_in_vain(void)
{
	enum { MESSAGES = 20, SIZE = OWN_FILE + 1 };
	Fixture f;

	if (!small_disk(&f, "size=24m"))
		return;
	open_store(&f, 1 << 30);
	set_names(f.store, f.gen, "1:20", "");
	for (guint32 uid = 1; uid <= MESSAGES; uid++)
		g_assert_true(commit_whole(f.store, f.gen, uid, SIZE));
	keep_files(&f);
	for (guint i = 0; free_bytes(&f) > 500000; i++) {
		g_autofree char *name = g_strdup_printf("foreign-%u", i);

		g_assert_true(write_file(&f, name, 100000));
	}
	g_assert_true(store_disk_yield(f.store));
	g_assert_false(store_disk_yield(f.store));
	g_assert_cmpuint(count_bodies(&f, MESSAGES), ==, MESSAGES - 1);
	close_disk(&f);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_data_func("/store/dir/private/umask-0", GINT_TO_POINTER(0), test_private);
	g_test_add_data_func("/store/dir/private/umask-777", GINT_TO_POINTER(0777), test_private);
	g_test_add_func("/store/dir/symlink", test_symlink);
	g_test_add_func("/store/dir/symlinks-inside", test_symlinks_inside);
	g_test_add_func("/store/dir/open-to-others", test_open_to_others);
	g_test_add_func("/store/dir/foreign", test_foreign);
	g_test_add_func("/store/dir/busy", test_busy);
	g_test_add_func("/store/dir/swept", test_swept);
	g_test_add_func("/store/dir/sweep-follows-nothing", test_sweep_follows_nothing);
	g_test_add_func("/store/dir/cannot-be-made", test_cannot_be_made);
	g_test_add_func("/store/dir/parent-not-writable", test_parent_not_writable);
	g_test_add_func("/store/dir/read-only", test_read_only);
	g_test_add_func("/store/dir/removed", test_directory_removed);
	g_test_add_func("/store/dir/file-too-large", test_file_too_large);
	g_test_add_func("/store/dir/disk-full", test_disk_full);
	g_test_add_func("/store/dir/full-disk-keeps-the-index", test_full_disk_keeps_the_index);
	g_test_add_func("/store/dir/bodies-go-for-the-index", test_bodies_go_for_the_index);
	g_test_add_func("/store/dir/bodies-do-not-go-in-vain", test_bodies_do_not_go_in_vain);
	return g_test_run();
}
