/* What outlives a mount: all of it, as it was, or nothing that is wrong. */
#include "store-fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SMALL = 5000, PAGE = 4096 };

static Fixture with_names(const char *uids)
{
	Fixture f = {0};

	fixture_open(&f, true, 1 << 30, false);
	set_names(f.store, f.gen, uids, "");
	return f;
}

static void test_keywords(void)
{
	static const char *const work[] = {"$Work", "$Label1", NULL}, *const odd[] = {
									      "\303\274", NULL};
	static const struct {
		guint32 uid;
		const char *const *names;
		const char *expected;
	} all[] = {{3, work, "$Label1 $Work"}, {5, NULL, ""}, {7, odd, "\303\274"},
		{9, work, "$Label1 $Work"}};
	Fixture f = with_names("1:10");

	for (gsize i = 0; i < G_N_ELEMENTS(all); i++) {
		StoreMessage message = {.uid = all[i].uid, .size = 10};

		store_set_attributes(f.store, f.gen, &message,
			(StoreFields){true, true, true, all[i].names}, NULL);
	}
	open_again(&f);
	store_recall(f.store, f.gen);
	for (gsize i = 0; i < G_N_ELEMENTS(all); i++) {
		g_autofree char *text = store_keywords(f.store, f.gen, all[i].uid);

		g_assert_cmpstr(text, ==, all[i].expected);
	}
	fixture_close(&f);
}

/* ---- all of it ---- */

static void test_mailboxes(void)
{
	Fixture f = with_names("1");
	ImapList lists[] = {list_of("INBOX"), list_of("a.b"), list_of("&AOQ-")};
	StoreMailbox mailbox;

	lists[1].delimiter = '.';
	lists[1].attributes = IMAP_LIST_NOSELECT;
	store_set_mailboxes(f.store, lists, G_N_ELEMENTS(lists));
	open_again(&f);
	g_assert_true(store_mailbox(f.store, id_of(f.store, "a.b"), &mailbox));
	g_assert_cmpint(mailbox.delimiter, ==, '.');
	g_assert_cmpuint(mailbox.attributes, ==, IMAP_LIST_NOSELECT);
	g_assert_cmpuint(id_of(f.store, "&AOQ-"), !=, 0);

	store_set_mailboxes(f.store, lists, 1);
	open_again(&f);
	g_assert_cmpuint(id_of(f.store, "a.b"), ==, 0);
	g_assert_cmpuint(f.gen, !=, 0);
	fixture_close(&f);
}

static void test_names(void)
{
	Fixture f = with_names("1:10,20,4294967295");
	Gen gen = f.gen;

	set_names(f.store, f.gen, "1:10,20,4294967295", "3:4");
	store_set_mark(f.store, f.gen, (StoreMark){21, G_MAXINT64});
	store_flags_doubt(f.store, f.gen);
	put_message(&f, 5, 10, 0);
	open_again(&f);
	g_assert_cmpuint(f.gen, ==, gen);
	g_assert_cmpuint(store_gen_uidvalidity(f.store, gen), ==, 1);
	g_assert_true(store_names_known(f.store, gen));
	g_assert_cmpint(store_names_time(f.store, gen), ==, 0);
	assert_names(&f, "1:10,20,4294967295");

	StoreMessage message;
	StoreMark mark = store_mark(f.store, gen);

	g_assert_cmpint(store_try_message(f.store, gen, 3, &message), ==, STORE_ABSENT);
	g_assert_cmpuint(mark.uidnext, ==, 21);
	g_assert_cmpuint(mark.highestmodseq, ==, G_MAXINT64);
	assert_message(&f, 5, 10, 0);
	g_assert_true(store_peek_message(f.store, gen, 5, &message));
	g_assert_false(message.flags_stale);
	g_assert_true(store_peek_message(f.store, gen, 6, &message));
	g_assert_true(message.flags_stale);
	fixture_close(&f);
}

/* Every save is a difference to the one before. */
static void test_changes(void)
{
	Fixture f = with_names("1:1000");

	for (guint32 uid = 1; uid <= 1000; uid += 3)
		put_message(&f, uid, uid * 10, IMAP_FLAG_SEEN);
	open_again(&f);
	remove_names(f.store, f.gen, "1:10,500,999:1000");
	set_names(f.store, f.gen, "11:499,501:998,1001:1005", "22");
	put_message(&f, 13, 777, IMAP_FLAG_DRAFT);
	put_message(&f, 1003, 99, 0);
	open_again(&f);
	assert_names(&f, "11:499,501:998,1001:1005");
	assert_message(&f, 13, 777, IMAP_FLAG_DRAFT);
	assert_message(&f, 16, 160, IMAP_FLAG_SEEN);
	assert_message(&f, 997, 9970, IMAP_FLAG_SEEN);
	assert_message(&f, 1003, 99, 0);
	assert_unknown(&f, 12);
	assert_unknown(&f, 1004);

	/* A UID that came back would have no row of before. */
	set_names(f.store, f.gen, "10:20", "");
	open_again(&f);
	assert_names(&f, "10:20");
	assert_unknown(&f, 10);
	assert_message(&f, 19, 190, IMAP_FLAG_SEEN);
	fixture_close(&f);
}

/* A message that goes and comes back, within one save, has none of its attributes of before: those
 * may have changed while it was away. */
static void test_back_again(void)
{
	Fixture f = with_names("1:10");

	for (guint32 uid = 1; uid <= 10; uid++)
		put_message(&f, uid, uid * 10, IMAP_FLAG_SEEN);
	open_again(&f);
	remove_names(f.store, f.gen, "5");
	set_names(f.store, f.gen, "1:10", "");
	assert_unknown(&f, 5);
	assert_message(&f, 6, 60, IMAP_FLAG_SEEN);
	open_again(&f);
	assert_unknown(&f, 5);
	assert_message(&f, 6, 60, IMAP_FLAG_SEEN);

	/* Known again in the same moment, and gone for good. */
	remove_names(f.store, f.gen, "6:7");
	set_names(f.store, f.gen, "1:6,8:10", "");
	put_message(&f, 6, 66, 0);
	open_again(&f);
	assert_message(&f, 6, 66, 0);
	set_names(f.store, f.gen, "1:10", "");
	assert_unknown(&f, 7);
	fixture_close(&f);
}

static void test_verified(void)
{
	Fixture f = with_names("1:2");

	put_message(&f, 1, 100, 0);
	put_message(&f, 2, 100, 0);
	g_assert_true(store_verify_size(f.store, f.gen, 1, 150));
	open_again(&f);
	assert_message(&f, 1, 150, 0);

	/* The server was caught: what is not verified is not shown by a later mount either. */
	assert_unknown(&f, 2);
	fixture_close(&f);
}

static void test_uidvalidity(void)
{
	Fixture f = with_names("1:3");
	Gen old = f.gen;

	put_message(&f, 1, 100, 0);
	g_assert_true(commit_whole(f.store, f.gen, 1, SMALL));
	open_again(&f);
	f.gen = store_gen_open(f.store, f.mailbox, 2);
	g_assert_cmpuint(f.gen, !=, old);
	set_names(f.store, f.gen, "1:2", "");
	assert_no_read(f.store, f.gen, 1, 0, 10, STORE_MISS);
	open_again(&f);
	g_assert_cmpuint(store_gen_uidvalidity(f.store, f.gen), ==, 2);
	assert_names(&f, "1:2");
	assert_unknown(&f, 1);
	assert_no_read(f.store, f.gen, 1, 0, 10, STORE_MISS);
	fixture_close(&f);
}

/* UIDs of a mailbox without UIDVALIDITY mean nothing to the next mount. */
static void test_without_uidvalidity(void)
{
	Fixture f = with_names("1:3");

	f.gen = store_gen_open(f.store, f.mailbox, 0);
	set_names(f.store, f.gen, "1:9", "");
	put_message(&f, 1, 100, 0);
	g_assert_true(commit_whole(f.store, f.gen, 1, SMALL));
	open_again(&f);
	g_assert_cmpuint(f.gen, ==, 0);
	fixture_close(&f);
}

/* ---- bodies ---- */

static Fixture with_bodies(void)
{
	Fixture f = with_names("1:100");

	for (guint32 uid = 1; uid <= 50; uid++)
		g_assert_true(commit_whole(f.store, f.gen, uid, SMALL));
	g_assert_true(commit_whole(f.store, f.gen, 51, 3 * OWN_FILE));
	g_assert_true(commit_part(f.store, f.gen, 52, 1 << 20, 0, 100000));
	g_assert_true(commit_part(f.store, f.gen, 52, 1 << 20, 500000, 100000));
	g_assert_true(commit_part(f.store, f.gen, 52, 1 << 20, 100000, 50000));
	g_assert_true(commit_whole(f.store, f.gen, 53, 0));
	return f;
}

static void assert_bodies(const Fixture *f)
{
	for (guint32 uid = 1; uid <= 50; uid++)
		assert_read(f->store, f->gen, uid, 0, 2 * SMALL, SMALL);
	assert_read(f->store, f->gen, 51, 1 << 20, 1 << 20, 1 << 20);
	assert_read(f->store, f->gen, 51, 3 * OWN_FILE - 10, 100, 10);
	assert_read(f->store, f->gen, 52, 99000, 2000, 2000);
	assert_read(f->store, f->gen, 52, 500000, 100000, 100000);
	assert_no_read(f->store, f->gen, 52, 150000, 10, STORE_MISS);
	assert_read(f->store, f->gen, 53, 0, 10, 0);
}

static void test_bodies(void)
{
	Fixture f = with_bodies();
	guint64 before, after, limit;

	store_usage(f.store, &before, &limit);
	open_again(&f);
	store_usage(f.store, &after, &limit);
	g_assert_cmpuint(after, ==, before);
	assert_bodies(&f);

	/* What is fetched now lies beside it. */
	g_assert_true(commit_part(f.store, f.gen, 52, 1 << 20, 150000, 350000));
	g_assert_true(commit_whole(f.store, f.gen, 54, SMALL));
	open_again(&f);
	assert_read(f.store, f.gen, 52, 100000, 400000, 400000);
	assert_read(f.store, f.gen, 54, 0, SMALL, SMALL);
	for (guint32 uid = 1; uid <= 50; uid++)
		assert_read(f.store, f.gen, uid, 0, 2 * SMALL, SMALL);
	fixture_close(&f);
}

static void test_gone_bodies(void)
{
	Fixture f = with_bodies();

	remove_names(f.store, f.gen, "1:50");
	g_assert_true(store_has_body(f.store, f.gen, 1, STORE_MESSAGE));
	open_again(&f);
	set_names(f.store, f.gen, "1:100", "");
	assert_no_read(f.store, f.gen, 1, 0, 10, STORE_MISS);
	assert_read(f.store, f.gen, 51, 0, 10, 10);
	fixture_close(&f);
}

/* The order in which bodies go is kept, and a lower bound holds at once or soon. */
static void test_lower_bound(void)
{
	Fixture f = with_bodies();
	g_autoptr(GError) error = NULL;
	guint64 bytes, limit;

	g_clear_pointer(&f.store, store_free);
	f.store = store_new(f.cachedir, 100 * SMALL, false, &error);
	g_assert_no_error(error);
	g_assert_true(commit_whole(f.store, f.gen, 60, SMALL));
	store_usage(f.store, &bytes, &limit);
	g_assert_cmpuint(bytes, <=, limit);
	assert_read(f.store, f.gen, 60, 0, SMALL, SMALL);
	fixture_close(&f);
}

/* ---- nothing that is wrong ---- */

static void each_file(const char *dir, void (*fn)(const char *path))
{
	g_autoptr(GDir) entries = g_dir_open(dir, 0, NULL);
	const char *name;

	while ((name = g_dir_read_name(entries))) {
		g_autofree char *path = g_build_filename(dir, name, NULL);

		if (g_file_test(path, G_FILE_TEST_IS_DIR))
			each_file(path, fn);
		else
			fn(path);
	}
}

static void flip(const char *path)
{
	int fd = open(path, O_RDWR);
	struct stat st;
	guint8 byte;

	g_assert_cmpint(fstat(fd, &st), ==, 0);
	for (off_t at = 100; at < st.st_size; at += SMALL / 2) {
		g_assert_cmpint(pread(fd, &byte, 1, at), ==, 1);
		byte ^= 0x10;
		g_assert_cmpint(pwrite(fd, &byte, 1, at), ==, 1);
	}
	close(fd);
}

static void cut(const char *path)
{
	struct stat st;

	g_assert_cmpint(stat(path, &st), ==, 0);
	g_assert_cmpint(truncate(path, st.st_size / 2), ==, 0);
}

static void zero(const char *path)
{
	struct stat st;

	g_assert_cmpint(stat(path, &st), ==, 0);
	g_assert_cmpint(truncate(path, 0), ==, 0);
	g_assert_cmpint(truncate(path, st.st_size), ==, 0);
}

static void drop(const char *path)
{
	g_assert_cmpint(g_unlink(path), ==, 0);
}

/* Whatever happened to the files of bodies: a read gets the true bytes or none. */
static void test_altered_bodies(gconstpointer data)
{
	void (*harm)(const char *path) = *(void (*const *)(const char *))data;
	Fixture f = with_bodies();
	g_autofree char *bodies = g_build_filename(f.cachedir, "bodies", NULL);
	guint missing = 0;
	gsize n;

	g_clear_pointer(&f.store, store_free);
	each_file(bodies, harm);
	open_again(&f);
	for (guint32 uid = 1; uid <= 52; uid++)
		missing += read_checked(f.store, f.gen, uid, 0, SMALL, &n) == STORE_MISS;
	g_assert_cmpuint(missing, >, 20);
	for (guint32 uid = 1; uid <= 52; uid++) {
		g_assert_true(commit_whole(f.store, f.gen, uid, SMALL));
		assert_read(f.store, f.gen, uid, 0, 2 * SMALL, SMALL);
	}
	open_again(&f);
	for (guint32 uid = 1; uid <= 52; uid++)
		assert_read(f.store, f.gen, uid, 0, 2 * SMALL, SMALL);
	fixture_close(&f);
}

/* What is read of a harmed index is true, if anything is. */
static void assert_true_or_unknown(const Fixture *f)
{
	StoreMessage message;
	gsize n;

	if (f->gen == 0)
		return;
	store_recall(f->store, f->gen);
	for (guint32 uid = 1; uid <= 100; uid++) {
		if (store_try_message(f->store, f->gen, uid, &message) == STORE_HIT) {
			g_assert_cmpuint(message.size, ==, uid);
			g_assert_cmpint(message.date, ==, 1000000 + uid);
		}
		read_checked(f->store, f->gen, uid, 0, SMALL, &n);
	}
}

static void harm_page(const char *copy, const char *path, gsize at)
{
	g_autofree char *bytes = NULL;
	gsize len;

	g_assert_true(g_file_get_contents(copy, &bytes, &len, NULL));
	memset(bytes + at, 0xff, PAGE);
	g_assert_true(g_file_set_contents(path, bytes, (gssize)len, NULL));
}

static void harm_index(const char *copy, const char *path, gsize at, guint step)
{
	g_autofree char *bytes = NULL;
	gsize len;

	g_assert_true(g_file_get_contents(copy, &bytes, &len, NULL));
	if (step == 0)
		len = at;
	else
		for (gsize i = at; i < len; i += step)
			bytes[i] = (char)(bytes[i] ^ 1 << (i % 8));
	g_assert_true(g_file_set_contents(path, bytes, (gssize)len, NULL));
}

static gboolean not_fatal(
	const char *domain, GLogLevelFlags level, const char *message, gpointer data)
{
	return FALSE;
}

static void do_some(const Fixture *f)
{
	set_names(f->store, f->gen, "1:100", "");
	for (guint32 uid = 1; uid <= 100; uid++)
		put_message(f, uid, uid, 0);
	g_assert_true(commit_whole(f->store, f->gen, 60, SMALL));
}

/* It begins anew, now or, when the harm shows with a write only, with the next mount: what comes
 * from then on is kept as ever. */
static void assert_goes_on(Fixture *f)
{
	open_inbox(f);
	do_some(f);
	open_again(f);
	open_inbox(f);
	do_some(f);
	open_again(f);
	assert_names(f, "1:100");
	assert_read(f->store, f->gen, 60, 0, SMALL, SMALL);
	for (guint32 uid = 1; uid <= 100; uid++)
		assert_message(f, uid, uid, 0);
}

static void test_harmed_index(void)
{
	Fixture f = with_bodies();
	g_autofree char *path = g_build_filename(f.cachedir, "index.db", NULL);
	g_autofree char *copy = g_build_filename(f.parent, "copy", NULL);
	g_autofree char *bytes = NULL;
	gsize len;

	g_test_log_set_fatal_handler(not_fatal, NULL);
	for (guint32 uid = 1; uid <= 100; uid++)
		put_message(&f, uid, uid, 0);
	g_clear_pointer(&f.store, store_free);
	g_assert_true(g_file_get_contents(path, &bytes, &len, NULL));
	g_assert_true(g_file_set_contents(copy, bytes, (gssize)len, NULL));
	for (gsize at = 0; at < len; at += len / 61) {
		harm_index(copy, path, at, 0);
		open_again(&f);
		assert_true_or_unknown(&f);
		assert_goes_on(&f);
		g_clear_pointer(&f.store, store_free);
		harm_index(copy, path, at % PAGE, PAGE / 4);
		open_again(&f);
		assert_true_or_unknown(&f);
		assert_goes_on(&f);
		g_clear_pointer(&f.store, store_free);
		harm_index(copy, path, at, (guint)len);
		open_again(&f);
		assert_true_or_unknown(&f);
		assert_goes_on(&f);
		g_clear_pointer(&f.store, store_free);
	}
	for (gsize at = 0; at < len; at += PAGE) {
		harm_page(copy, path, at);
		open_again(&f);
		assert_true_or_unknown(&f);
		assert_goes_on(&f);
		g_clear_pointer(&f.store, store_free);
	}
	fixture_close(&f);
}

/* An index of a later version is left for what it is worth: nothing. */
static void test_later_version(void)
{
	Fixture f = with_bodies();
	g_autofree char *path = g_build_filename(f.cachedir, "index.db", NULL);
	g_autofree char *bytes = NULL;
	gsize len;

	g_clear_pointer(&f.store, store_free);
	g_assert_true(g_file_get_contents(path, &bytes, &len, NULL));
	bytes[63] = 99; /* the last byte of user_version */
	g_assert_true(g_file_set_contents(path, bytes, (gssize)len, NULL));
	open_again(&f);
	g_assert_cmpuint(f.gen, ==, 0);
	open_inbox(&f);
	set_names(f.store, f.gen, "1:3", "");
	open_again(&f);
	assert_names(&f, "1:3");
	fixture_close(&f);
}

/* Waits until the log of the index is larger than that, or is not any more. */
static void wait_for_log(const Fixture *f, gint64 size, bool larger)
{
	g_autofree char *path = g_build_filename(f->cachedir, "index.db-wal", NULL);
	gint64 until = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
	struct stat st;

	do {
		g_assert_cmpint(g_get_monotonic_time(), <, until);
		g_thread_yield();
		g_assert_cmpint(stat(path, &st), ==, 0);
	} while ((st.st_size > size) != larger);
}

/* What a large save takes in the log is given back by the next one, not at the end of the mount. */
static void test_log_of_a_large_save(void)
{
	enum { MANY = 300000, LOG = 4 << 20 };
	Fixture f = with_names("1");
	g_autoptr(ImapSet) uids = imap_set_new();

	for (guint32 uid = 1; uid < 2 * MANY; uid += 2)
		imap_set_add(uids, uid, uid);
	store_set_names(f.store, f.gen, uids, NULL, NULL, NULL);
	wait_for_log(&f, LOG, true);
	put_message(&f, 1, 10, 0);
	wait_for_log(&f, LOG, false);
	fixture_close(&f);
}

/* ---- reading during a save ---- */

/* INBOX, and another mailbox with rows, in f->gen, that are in the index file only. */
static Fixture with_another(void)
{
	static const char *const keywords[] = {"recalled", NULL};
	Fixture f = with_names("1");
	ImapList lists[] = {list_of("INBOX"), list_of("Other")};

	store_set_mailboxes(f.store, lists, G_N_ELEMENTS(lists));
	f.gen = store_gen_open(f.store, id_of(f.store, "Other"), 1);
	set_names(f.store, f.gen, "1:100", "");
	for (guint32 uid = 1; uid <= 100; uid++) {
		StoreMessage message = {.uid = uid, .size = uid, .date = 1000000 + uid};

		store_set_attributes(
			f.store, f.gen, &message, (StoreFields){true, true, true, keywords}, NULL);
	}
	return f;
}

static off_t log_size(int fd)
{
	struct stat st;

	g_assert_cmpint(fstat(fd, &st), ==, 0);
	return st.st_size;
}

/* Begins the next mount and a large save in it. Returns the log, open. */
static int begin_a_save(Fixture *f, guint32 first)
{
	enum { MANY = 300000, BEGUN = 256 << 10 };
	g_autofree char *path = g_build_filename(f->cachedir, "index.db-wal", NULL);
	g_autoptr(ImapSet) uids = imap_set_new();

	for (guint32 i = 0; i < MANY; i++)
		imap_set_add(uids, first + 2 * i, first + 2 * i);
	open_again(f);
	store_set_names(f->store, f->gen, uids, NULL, NULL, NULL);
	f->gen = store_gen(f->store, id_of(f->store, "Other"));
	wait_for_log(f, BEGUN, true);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* It does not wait for the save, which goes on after it, and all that that wrote is there. */
static void test_recall_during_a_save(void)
{
	Fixture f = with_another();
	bool during = false;

	/* The save may have been far on, on a machine that is busy elsewhere. */
	for (guint32 round = 0; !during && round < 10; round++) {
		g_auto(AutoFd) log = begin_a_save(&f, 1 + round % 2);

		off_t before = log_size(log);

		store_recall(f.store, f.gen);

		off_t after = log_size(log);

		for (guint32 uid = 1; uid <= 100; uid++)
			assert_message(&f, uid, uid, 0);
		open_again(&f);
		g_assert_cmpuint(store_count(f.store, f.gen), ==, 300000);
		during = after < before + (256 << 10) && log_size(log) > after + (1 << 20);
	}
	g_assert_true(during);
	fixture_close(&f);
}

static _Thread_local bool disk_fails;

static ssize_t failing_pread(int fd, void *buf, size_t len, off_t offset)
{
	if (!disk_fails)
		return pread(fd, buf, len, offset);
	errno = ENOMEM;
	return -1;
}

/* A read that fails may end the transaction under the save: it is made again. */
static void test_disk_fails_during_a_save(void)
{
	Fixture f = with_another();
	sqlite3_vfs *vfs = sqlite3_vfs_find("unix");

	g_test_log_set_fatal_handler(not_fatal, NULL);
	g_log_set_default_handler(g_log_default_handler, NULL);
	vfs->xSetSystemCall(vfs, "pread", (sqlite3_syscall_ptr)failing_pread);
	vfs->xSetSystemCall(vfs, "pread64", (sqlite3_syscall_ptr)failing_pread);
	store_file_close(begin_a_save(&f, 1));
	disk_fails = true;
	store_recall(f.store, f.gen);
	disk_fails = false;
	assert_unknown(&f, 1);
	open_again(&f);
	g_assert_cmpuint(store_count(f.store, f.gen), ==, 300000);
	f.gen = store_gen(f.store, id_of(f.store, "Other"));
	assert_message(&f, 1, 1, 0);
	vfs->xSetSystemCall(vfs, "pread", NULL);
	vfs->xSetSystemCall(vfs, "pread64", NULL);
	fixture_close(&f);
}

/* What is read beside a save is damaged: the save ends with the file. */
static void test_damage_during_a_save(void)
{
	Fixture f = with_another();
	g_autofree char *path = g_build_filename(f.cachedir, "index.db", NULL);
	g_autofree char *bytes = NULL;
	gsize len;

	g_clear_pointer(&f.store, store_free);
	g_assert_true(g_file_get_contents(path, &bytes, &len, NULL));

	char *word = memmem(bytes, len, "recalled", strlen("recalled"));

	g_assert_nonnull(word);
	*word = 'R';
	g_assert_true(g_file_set_contents(path, bytes, (gssize)len, NULL));
	store_file_close(begin_a_save(&f, 1));
	store_recall(f.store, f.gen);
	g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
	put_message(&f, 1, 1, 0);
	open_again(&f);
	g_assert_cmpuint(f.gen, ==, 0);
	fixture_close(&f);
}

int main(int argc, char **argv)
{
	static void (*const harms[])(const char *path) = {flip, cut, zero, drop};

	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/store/keep/mailboxes", test_mailboxes);
	g_test_add_func("/store/keep/names", test_names);
	g_test_add_func("/store/keep/keywords", test_keywords);
	g_test_add_func("/store/keep/changes", test_changes);
	g_test_add_func("/store/keep/back-again", test_back_again);
	g_test_add_func("/store/keep/verified", test_verified);
	g_test_add_func("/store/keep/uidvalidity", test_uidvalidity);
	g_test_add_func("/store/keep/without-uidvalidity", test_without_uidvalidity);
	g_test_add_func("/store/keep/bodies", test_bodies);
	g_test_add_func("/store/keep/gone-bodies", test_gone_bodies);
	g_test_add_func("/store/keep/lower-bound", test_lower_bound);
	g_test_add_data_func("/store/keep/flipped", &harms[0], test_altered_bodies);
	g_test_add_data_func("/store/keep/cut", &harms[1], test_altered_bodies);
	g_test_add_data_func("/store/keep/zeroed", &harms[2], test_altered_bodies);
	g_test_add_data_func("/store/keep/dropped", &harms[3], test_altered_bodies);
	g_test_add_func("/store/keep/harmed-index", test_harmed_index);
	g_test_add_func("/store/keep/later-version", test_later_version);
	g_test_add_func("/store/keep/log-of-a-large-save", test_log_of_a_large_save);
	g_test_add_func("/store/keep/recall-during-a-save", test_recall_during_a_save);
	g_test_add_func("/store/keep/disk-fails-during-a-save", test_disk_fails_during_a_save);
	g_test_add_func("/store/keep/damage-during-a-save", test_damage_during_a_save);
	return g_test_run();
}
