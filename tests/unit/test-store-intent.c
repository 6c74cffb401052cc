/* Intents: what is asked of them is that they are there after whatever became of the mount. */
#include "store-fixture.h"
#include "store/intent.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static Intent full_intent(void)
{
	return (Intent){
		.kind = INTENT_MOVE,
		.step = INTENT_SENT,
		.mailbox = (char *)"INBOX",
		.uidvalidity = 4294967295,
		.uid = 4294967294,
		.target = (char *)"Archive/\xff&-",
		.name = (char *)"a\nb.eml",
		.target_uidvalidity = 4000000000,
		.target_uidnext = 4000000001,
		.target_uid = 4000000002,
		.of = (guint64)1 << 63,
		.flags_add = IMAP_FLAG_SEEN,
		.flags_remove = IMAP_FLAG_FLAGGED,
		.keywords_add = (char *)"a b",
		.keywords_remove = (char *)"",
		.file = G_MAXUINT64,
		.size = (guint64)1 << 40,
		.date = -5,
		.message_id = (char *)"<x@y>",
	};
}

static void assert_same(const Intent *a, const Intent *b)
{
	g_assert_cmpuint(a->id, ==, b->id);
	g_assert_cmpint(a->kind, ==, b->kind);
	g_assert_cmpint(a->step, ==, b->step);
	g_assert_cmpstr(a->mailbox, ==, b->mailbox);
	g_assert_cmpuint(a->uidvalidity, ==, b->uidvalidity);
	g_assert_cmpuint(a->uid, ==, b->uid);
	g_assert_cmpstr(a->target, ==, b->target);
	g_assert_cmpstr(a->name, ==, b->name);
	g_assert_cmpuint(a->target_uidvalidity, ==, b->target_uidvalidity);
	g_assert_cmpuint(a->target_uidnext, ==, b->target_uidnext);
	g_assert_cmpuint(a->target_uid, ==, b->target_uid);
	g_assert_cmpuint(a->of, ==, b->of);
	g_assert_cmpuint(a->flags_add, ==, b->flags_add);
	g_assert_cmpuint(a->flags_remove, ==, b->flags_remove);
	g_assert_cmpstr(a->keywords_add, ==, b->keywords_add);
	g_assert_cmpstr(a->keywords_remove, ==, b->keywords_remove);
	g_assert_cmpuint(a->file, ==, b->file);
	g_assert_cmpuint(a->size, ==, b->size);
	g_assert_cmpint(a->date, ==, b->date);
	g_assert_cmpstr(a->message_id, ==, b->message_id);
}

static void collect(const Intent *intent, gpointer data)
{
	g_ptr_array_add(data, intent_copy(intent));
}

static GPtrArray *all_of(const Fixture *f)
{
	GPtrArray *all = g_ptr_array_new_with_free_func((GDestroyNotify)intent_free);

	store_intents_each(store_intents(f->store), collect, all);
	return all;
}

static guint count_of(const Fixture *f)
{
	g_autoptr(GPtrArray) all = all_of(f);

	return all->len;
}

/* The UIDs of all, in their order. */
static void assert_uids(const Fixture *f, const char *expected)
{
	g_autoptr(GPtrArray) all = all_of(f);
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < all->len; i++)
		g_string_append_printf(
			text, "%s%u", i > 0 ? " " : "", ((const Intent *)all->pdata[i])->uid);
	g_assert_cmpstr(text->str, ==, expected);
}

static guint64 add_in(const Fixture *f, const char *mailbox, guint32 uid)
{
	Intent intent = {
		.kind = INTENT_REMOVE, .mailbox = (char *)mailbox, .uidvalidity = 1, .uid = uid};

	g_assert_true(store_intents_add(store_intents(f->store), &intent));
	g_assert_cmpuint(intent.id, !=, 0);
	return intent.id;
}

static guint64 add(const Fixture *f, guint32 uid)
{
	return add_in(f, "INBOX", uid);
}

static void test_all_fields(void)
{
	Fixture f = {0};
	Intent full = full_intent(), empty = {.kind = INTENT_APPEND, .target = (char *)""};

	fixture_open(&f, true, 1 << 30, false);
	g_assert_true(store_intents_add(store_intents(f.store), &full));
	g_assert_true(store_intents_add(store_intents(f.store), &empty));
	g_assert_cmpuint(empty.id, >, full.id);
	open_again(&f);

	g_autoptr(GPtrArray) all = all_of(&f);

	g_assert_cmpuint(all->len, ==, 2);
	assert_same(all->pdata[0], &full);
	assert_same(all->pdata[1], &empty);
	fixture_close(&f);
}

static void test_update_and_remove(void)
{
	Fixture f = {0};

	fixture_open(&f, true, 1 << 30, false);

	Intents *intents = store_intents(f.store);
	guint64 first = add(&f, 1), second = add(&f, 2), third = add(&f, 3);
	Intent changed = full_intent();

	g_assert_true(first < second && second < third);
	changed.id = second;
	g_assert_true(store_intents_update(intents, &changed));
	store_intents_remove(intents, first);
	store_intents_remove(intents, first);
	changed.id = first;
	g_assert_false(store_intents_update(intents, &changed));
	g_assert_cmpint(errno, ==, ENOENT);
	assert_uids(&f, "4294967294 3");
	open_again(&f);
	assert_uids(&f, "4294967294 3");

	g_autoptr(GPtrArray) all = all_of(&f);

	changed.id = second;
	assert_same(all->pdata[0], &changed);
	fixture_close(&f);
}

/* What was done may be named in a journal: no id comes back. */
static void test_ids_are_new(void)
{
	Fixture f = {0};
	guint64 last;

	fixture_open(&f, true, 1 << 30, false);
	last = add(&f, 1);
	store_intents_remove(store_intents(f.store), last);
	g_assert_cmpuint(add(&f, 2), >, last);
	last = add(&f, 3);
	store_intents_remove(store_intents(f.store), last);
	open_again(&f);
	g_assert_cmpuint(add(&f, 4), >, last);
	fixture_close(&f);
}

/* Nor after the index is lost, and with it the number of the mount. */
static void test_ids_without_index(void)
{
	enum { MOUNTS = 100 };
	Fixture f = {0};

	fixture_open(&f, true, 1 << 30, false);
	for (int i = 0; i < MOUNTS; i++)
		open_again(&f);

	g_autofree char *index = g_build_filename(f.cachedir, "index.db", NULL);
	guint64 last = add(&f, 1);

	g_clear_pointer(&f.store, store_free);
	g_assert_cmpint(unlink(index), ==, 0);
	open_again(&f);
	g_assert_cmpuint(add(&f, 2), >, last);
	assert_uids(&f, "1 2");
	fixture_close(&f);
}

static void test_in_memory(void)
{
	Fixture f = {0};

	fixture_open(&f, false, 1 << 30, false);

	guint64 id = add(&f, 1);
	Intent changed = full_intent();

	add(&f, 2);
	changed.id = id;
	g_assert_true(store_intents_update(store_intents(f.store), &changed));
	assert_uids(&f, "4294967294 2");
	store_intents_remove(store_intents(f.store), id);
	assert_uids(&f, "2");
	g_assert_true(store_intents_flush(store_intents(f.store)));
	fixture_close(&f);
}

/* Who changes nothing has no such file. */
static void test_no_file_before(void)
{
	Fixture f = {0};

	fixture_open(&f, true, 1 << 30, false);

	g_autofree char *path = g_build_filename(f.cachedir, "intents.db", NULL);
	struct stat st;

	g_assert_cmpint(stat(path, &st), <, 0);
	open_again(&f);
	g_assert_cmpint(stat(path, &st), <, 0);
	add(&f, 1);
	g_assert_cmpint(stat(path, &st), ==, 0);
	g_assert_cmpuint(st.st_mode & 0777, ==, 0600);
	fixture_close(&f);
}

/* ---- crashes ---- */

/* The mount goes on with the files as they are now: what it did not write it did not keep. */
static void crash(Fixture *f)
{
	g_autofree char *kept = g_build_filename(f->parent, "kept", NULL);

	copy_tree(f->cachedir, kept);
	g_clear_pointer(&f->store, store_free);
	remove_tree(f->cachedir);
	g_assert_cmpint(g_rename(kept, f->cachedir), ==, 0);
	open_again(f);
}

static void test_crash(void)
{
	Fixture f = {0};

	fixture_open(&f, true, 1 << 30, false);
	add(&f, 1);
	store_intents_remove(store_intents(f.store), add(&f, 2));
	add(&f, 3);
	crash(&f);
	assert_uids(&f, "1 3");
	fixture_close(&f);
}

/* After a flush the file alone is enough. */
static void test_flush(void)
{
	Fixture f = {0};

	fixture_open(&f, true, 1 << 30, false);

	g_autofree char *file = g_build_filename(f.cachedir, "intents.db", NULL);
	g_autofree char *kept = g_build_filename(f.parent, "kept.db", NULL);

	add(&f, 1);
	g_assert_true(store_intents_flush(store_intents(f.store)));
	copy_tree(file, kept);
	g_clear_pointer(&f.store, store_free);
	g_assert_cmpint(g_rename(kept, file), ==, 0);
	open_again(&f);
	assert_uids(&f, "1");

	g_assert_cmpint(unlink(file), ==, 0);
	g_assert_false(store_intents_flush(store_intents(f.store)));
	g_assert_cmpint(errno, ==, ENOENT);
	fixture_close(&f);
}

/* ---- files that make no sense, disks that are full ---- */

static gint warnings; /* atomic: the saver warns, too */

static void count_warning(
	const char *domain, GLogLevelFlags level, const char *message, gpointer data)
{
	if (level & G_LOG_LEVEL_WARNING)
		g_atomic_int_inc(&warnings);
}

static gboolean not_fatal(
	const char *domain, GLogLevelFlags level, const char *message, gpointer data)
{
	return FALSE;
}

static void expect_warnings(void)
{
	g_atomic_int_set(&warnings, 0);
	g_test_log_set_fatal_handler(not_fatal, NULL);
	g_log_set_default_handler(count_warning, NULL);
}

static guint files_set_aside(const Fixture *f)
{
	g_autoptr(GDir) entries = g_dir_open(f->cachedir, 0, NULL);
	const char *name;
	guint n = 0;

	while ((name = g_dir_read_name(entries)))
		n += g_str_has_suffix(name, ".damaged");
	return n;
}

/* It may name mail: it is never deleted. */
static void test_makes_no_sense(gconstpointer statement)
{
	Fixture f = {0};

	fixture_open(&f, true, 1 << 30, false);

	g_autofree char *path = g_build_filename(f.cachedir, "intents.db", NULL);
	sqlite3 *db;

	add(&f, 1);
	add(&f, 2);

	guint64 last = add(&f, 3);

	g_clear_pointer(&f.store, store_free);
	g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
	g_assert_cmpint(sqlite3_exec(db, statement, NULL, NULL, NULL), ==, SQLITE_OK);
	sqlite3_close(db);
	expect_warnings();
	open_again(&f);
	g_assert_cmpint(g_atomic_int_get(&warnings), ==, 1);
	g_assert_cmpuint(count_of(&f), ==, 0);
	g_assert_cmpuint(files_set_aside(&f), ==, 1);
	g_assert_cmpuint(add(&f, 9), >, last);
	open_again(&f);
	assert_uids(&f, "9");
	g_assert_cmpint(g_atomic_int_get(&warnings), ==, 1);
	fixture_close(&f);
}

static void overwrite(const char *path, off_t at)
{
	guint8 garbage[4096];
	int fd = open(path, O_WRONLY);

	memset(garbage, 0xff, sizeof garbage);
	g_assert_cmpint(pwrite(fd, garbage, sizeof garbage, at), ==, sizeof garbage);
	close(fd);
}

static void test_damaged_at_mount(void)
{
	Fixture f = {0};

	fixture_open(&f, true, 1 << 30, false);

	g_autofree char *path = g_build_filename(f.cachedir, "intents.db", NULL);

	add(&f, 1);
	g_clear_pointer(&f.store, store_free);
	overwrite(path, 0);
	expect_warnings();
	open_again(&f);
	g_assert_cmpint(g_atomic_int_get(&warnings), ==, 1);
	g_assert_cmpuint(files_set_aside(&f), ==, 1);
	g_assert_cmpuint(count_of(&f), ==, 0);
	fixture_close(&f);
}

/* In the middle of a mount: all that is known is in another file then. More than SQLite keeps in
 * memory. */
static void test_damaged_later(void)
{
	enum { MANY = 5000, LONG = 1000 };
	Fixture f = {0};
	struct stat st;

	fixture_open(&f, true, 1 << 30, false);

	g_autofree char *path = g_build_filename(f.cachedir, "intents.db", NULL);
	g_autofree char *mailbox = g_strnfill(LONG, 'x');
	guint64 first = add(&f, 1);

	for (guint32 uid = 2; uid <= MANY; uid++)
		add_in(&f, mailbox, uid);
	g_assert_true(store_intents_flush(store_intents(f.store)));
	g_assert_cmpint(stat(path, &st), ==, 0);
	for (off_t at = 4096; at < st.st_size; at += 4096)
		overwrite(path, at);
	expect_warnings();
	store_intents_remove(store_intents(f.store), first);
	g_assert_cmpint(g_atomic_int_get(&warnings), ==, 1);
	g_assert_cmpuint(files_set_aside(&f), ==, 1);
	add(&f, MANY + 1);
	crash(&f);
	g_assert_cmpuint(count_of(&f), ==, MANY);
	g_assert_cmpint(g_atomic_int_get(&warnings), ==, 1);
	fixture_close(&f);
}

static void limit_files(rlim_t size)
{
	struct rlimit limit;

	g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &limit), ==, 0);
	limit.rlim_cur = size;
	g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &limit), ==, 0);
}

/* What cannot be kept is refused, and what is done is not done again by the next mount. */
static void test_full_disk(void)
{
	Fixture f = {0};
	Intent intent = full_intent();

	fixture_open(&f, true, 1 << 30, false);

	Intents *intents = store_intents(f.store);
	guint64 first = add(&f, 1);

	add(&f, 2);
	expect_warnings();
	limit_files(0);
	errno = 0;
	g_assert_false(store_intents_add(intents, &intent));
	g_assert_cmpint(errno, !=, 0);
	g_assert_cmpuint(intent.id, ==, 0);
	intent.id = first;
	g_assert_false(store_intents_update(intents, &intent));
	assert_uids(&f, "1 2");
	store_intents_remove(intents, first);
	limit_files(RLIM_INFINITY);
	add(&f, 3);
	crash(&f);
	assert_uids(&f, "2 3");
	g_log_set_default_handler(g_log_default_handler, NULL);
	fixture_close(&f);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	signal(SIGXFSZ, SIG_IGN);
	g_test_add_func("/store/intent/all-fields", test_all_fields);
	g_test_add_func("/store/intent/update-and-remove", test_update_and_remove);
	g_test_add_func("/store/intent/ids-are-new", test_ids_are_new);
	g_test_add_func("/store/intent/ids-without-index", test_ids_without_index);
	g_test_add_func("/store/intent/in-memory", test_in_memory);
	g_test_add_func("/store/intent/no-file-before", test_no_file_before);
	g_test_add_func("/store/intent/crash", test_crash);
	g_test_add_func("/store/intent/flush", test_flush);
	g_test_add_data_func(
		"/store/intent/later-version", "PRAGMA user_version = 99", test_makes_no_sense);
	g_test_add_data_func("/store/intent/altered-number",
		"UPDATE intents SET uid = 7 WHERE uid = 3", test_makes_no_sense);
	g_test_add_data_func("/store/intent/altered-text",
		"UPDATE intents SET mailbox = NULL WHERE uid = 3", test_makes_no_sense);
	g_test_add_data_func("/store/intent/altered-id",
		"UPDATE intents SET id = id + 1 WHERE uid = 3", test_makes_no_sense);
	g_test_add_data_func("/store/intent/no-table", "DROP TABLE intents", test_makes_no_sense);
	g_test_add_func("/store/intent/damaged-at-mount", test_damaged_at_mount);
	g_test_add_func("/store/intent/damaged-later", test_damaged_later);
	g_test_add_func("/store/intent/full-disk", test_full_disk);
	return g_test_run();
}
