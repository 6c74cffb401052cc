/* Staged files on their way to the server: what is asked of the engine, when, and who is told. The
 * engine is in the hands of the tests, and so is the clock. */
#include "fs/staging.h"
#include "store/unsent.h"
#include "store-fixture.h"

#include <unistd.h>

#define LETTER "Subject: x\n\nText.\n"
#define WIRE "Subject: x\r\n\r\nText.\r\n"

enum {
	PATIENCE_US = 20 * G_USEC_PER_SEC,
	DEFERRED_US = 5 * G_USEC_PER_SEC,
};

/* ---- the engine ---- */

typedef struct {
	EngineChange change; /* the name is owned */
	EngineUntil until;
	EngineDone done;
	gpointer data;
} Asked;

static GMutex lock;
static GCond changed;
static GPtrArray *asked; /* lock: of Asked */

void __wrap_engine_change(Engine *engine, const EngineChange *change, EngineUntil until,
	EngineDone done, gpointer data);
void __wrap_engine_change(Engine *engine, const EngineChange *change, EngineUntil until,
	EngineDone done, gpointer data)
{
	Asked *one = g_new(Asked, 1);
	*one = (Asked){*change, until, done, data};
	one->change.name = g_strdup(change->name);
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&lock);
	g_ptr_array_add(asked, one);
	g_cond_signal(&changed);
}

guint64 __wrap_engine_caps(Engine *engine);
guint64 __wrap_engine_caps(Engine *engine)
{
	return IMAP_CAP_BIT(IMAP_CAP_IMAP4REV1);
}

/* Microseconds by which the program's clock is behind. */
static gint late;

gint64 __real_g_get_monotonic_time(void);
gint64 __wrap_g_get_monotonic_time(void);
gint64 __wrap_g_get_monotonic_time(void)
{
	return __real_g_get_monotonic_time() - g_atomic_int_get(&late);
}

/* A copy that gets its text while it is truncated. */
static Staged *filled;

static void on_filled(const GError *error, gpointer data)
{
	g_assert_no_error(error);
	filled = NULL;
}

static int fill_after(int truncated)
{
	if (filled)
		staged_fill(filled, on_filled, NULL);
	return truncated;
}

int __real_ftruncate(int fd, off_t len);
int __wrap_ftruncate(int fd, off_t len);
int __wrap_ftruncate(int fd, off_t len)
{
	return fill_after(__real_ftruncate(fd, len));
}

int __real_ftruncate64(int fd, off_t len);
int __wrap_ftruncate64(int fd, off_t len);
int __wrap_ftruncate64(int fd, off_t len)
{
	return fill_after(__real_ftruncate64(fd, len));
}

static void asked_free(gpointer data)
{
	Asked *one = data;
	g_free((char *)one->change.name);
	g_free(one);
}

/* The nth that was asked for, from 0 on, waited for. */
static const Asked *wait_for(guint n)
{
	gint64 end = __real_g_get_monotonic_time() + PATIENCE_US;
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&lock);
	while (asked->len <= n)
		g_assert_true(g_cond_wait_until(&changed, &lock, end));
	return g_ptr_array_index(asked, n);
}

static guint n_asked(void)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&lock);
	return asked->len;
}

/* ---- the file system ---- */

typedef struct {
	Fixture fixture;
	Fs *fs;
	guint32 dir;
	Staged *staged;
} Case;

static void begin(Case *c, bool releases)
{
	FsConfig config = {.source = "test", .account = "test"};
	g_atomic_int_set(&late, 0);
	asked = g_ptr_array_new_with_free_func(asked_free);
	fixture_open(&c->fixture, true, 1 << 20, false);
	c->fs = fs_new(c->fixture.store, &config);
	c->fs->releases = releases;
	fs_tree_update(c->fs);
	g_autoptr(Tree) tree = fs_tree(c->fs);
	c->dir = tree_find(tree, "INBOX")->id;
	c->staged = staged_create(c->fs->staged, c->dir, "x.eml", getpid());
	g_assert_nonnull(c->staged);
	staged_looked_up(c->staged);
	staged_opened(c->staged);
}

static void write_text(Case *c, const char *text)
{
	g_assert_cmpint(staged_write(c->staged, text, strlen(text), staged_size(c->staged)), ==, 0);
}

static bool is_named(const Case *c, const char *name)
{
	g_autoptr(Staged) staged = staged_find(c->fs->staged, c->dir, name);
	return staged == c->staged;
}

static void forget(Case *c)
{
	guint32 number = staged_number(c->staged);
	g_clear_pointer(&c->staged, staged_unref);
	staged_forget(c->fs->staged, number, 1);
}

static guint n_unsent(const Case *c)
{
	g_autofree char *path = g_build_filename(c->fixture.cachedir, "unsent", NULL);
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	guint n = 0;
	while (dir && g_dir_read_name(dir))
		n++;
	return n;
}

static void end(Case *c)
{
	if (c->staged)
		forget(c);
	staged_files_close(c->fs->staged);
	fs_free(c->fs);
	fixture_close(&c->fixture);
	g_clear_pointer(&asked, g_ptr_array_unref);
}

/* What the engine says of the nth, which made this UID of it; 0: nothing, it is refused. */
static Intent intent_of(const Asked *one, guint64 id)
{
	return (Intent){
		.id = id,
		.kind = one->change.kind,
		.name = (char *)one->change.name,
		.file = one->change.file,
	};
}

static void engine_begins(Case *c, guint n)
{
	Intent intent = intent_of(wait_for(n), n + 100);
	staged_begun(c->fs->staged, &intent, c->dir);
}

static void engine_ends(Case *c, guint n, guint32 uid)
{
	const Asked *one = wait_for(n);
	Intent intent = intent_of(one, n + 100);
	g_autoptr(GError) error =
		uid ? NULL : g_error_new_literal(MAIL_ERROR, MAIL_ERROR_QUOTA, "full");
	staged_ended(c->fs->staged, &intent, c->dir, uid ? c->fixture.gen : 0, uid, error);
	if (uid != 0)
		store_unsent_drop(c->fs->store, intent.file);
	one->done(error, one->data);
}

static void assert_text(Case *c, guint n, const char *expected)
{
	const Asked *one = wait_for(n);
	g_autoptr(GBytes) text = store_unsent_read(c->fs->store, one->change.file);
	g_assert_nonnull(text);
	g_assert_cmpuint(g_bytes_get_size(text), ==, strlen(expected));
	g_assert_true(memcmp(g_bytes_get_data(text, NULL), expected, strlen(expected)) == 0);
}

/* ---- who waits ---- */

typedef struct {
	guint times;
	int code; /* of the error; -1: none */
} Told;

static void on_told(const GError *error, gpointer data)
{
	Told *told = data;
	told->times++;
	told->code = error ? error->code : -1;
}

static void assert_told(const Told *told, guint times, int code)
{
	g_assert_cmpuint(told->times, ==, times);
	if (times > 0)
		g_assert_cmpint(told->code, ==, code);
}

/* ---- the cases ---- */

static void test_close(void)
{
	Case c;
	Told first = {0}, second = {0}, third = {0};
	begin(&c, true);
	write_text(&c, LETTER);
	g_assert_true(staged_closes(c.staged, getpid()));
	staged_flush(c.staged, false, on_told, &first);
	assert_text(&c, 0, WIRE);
	g_assert_cmpint(wait_for(0)->until, ==, ENGINE_UNTIL_ANSWERED);
	g_assert_cmpstr(wait_for(0)->change.name, ==, "x.eml");

	/* Once more before the answer, and after it. */
	staged_flush(c.staged, false, on_told, &second);
	engine_begins(&c, 0);
	g_autofree char *name = NULL;
	g_assert_null(staged_after(c.fs->staged, c.dir, 0, &name));
	assert_told(&first, 0, 0);
	engine_ends(&c, 0, 7);
	assert_told(&first, 1, -1);
	assert_told(&second, 1, -1);
	staged_flush(c.staged, true, on_told, &third);
	assert_told(&third, 1, -1);
	staged_released(c.staged);
	forget(&c);
	g_assert_cmpuint(n_asked(), ==, 1);
	g_assert_cmpuint(n_unsent(&c), ==, 0);
	end(&c);
}

/* Each change is asked for when the one before is over, and takes its place. */
static void test_written_on_its_way(void)
{
	Case c;
	Told first = {0}, second = {0}, third = {0};
	begin(&c, true);
	write_text(&c, LETTER);
	staged_flush(c.staged, false, on_told, &first);
	write_text(&c, "More.\n");
	staged_flush(c.staged, false, on_told, &second);
	engine_begins(&c, 0);
	g_assert_cmpuint(n_asked(), ==, 1);
	engine_ends(&c, 0, 7);
	assert_told(&first, 1, -1);
	assert_text(&c, 1, WIRE "More.\r\n");
	g_assert_cmpuint(wait_for(1)->change.uid, ==, 7);
	g_assert_cmpuint(wait_for(1)->change.gen, ==, c.fixture.gen);
	g_assert_cmpuint(wait_for(1)->change.of, ==, 0);
	assert_told(&second, 0, 0);

	/* Away: it is kept, and whoever waits is told so; what is written then replaces what is
	 * not there yet. */
	engine_begins(&c, 1);
	wait_for(1)->done(NULL, wait_for(1)->data);
	assert_told(&second, 1, -1);
	write_text(&c, "And more.\n");
	staged_flush(c.staged, false, on_told, &third);
	assert_text(&c, 2, WIRE "More.\r\nAnd more.\r\n");
	g_assert_cmpuint(wait_for(2)->change.uid, ==, 0);
	g_assert_cmpuint(wait_for(2)->change.of, ==, 101);
	engine_begins(&c, 2);
	engine_ends(&c, 2, 9);
	assert_told(&third, 1, -1);
	g_assert_cmpuint(n_asked(), ==, 3);
	end(&c);
}

/* The error is told to who closes, once, and to fsync each time, which tries again. */
static void test_refused(void)
{
	Case c;
	Told told = {0};
	begin(&c, true);
	write_text(&c, LETTER);
	staged_flush(c.staged, true, on_told, &told);
	engine_begins(&c, 0);
	engine_ends(&c, 0, 0);
	assert_told(&told, 1, MAIL_ERROR_QUOTA);
	g_assert_true(is_named(&c, "x.eml"));
	staged_flush(c.staged, false, on_told, &told);
	assert_told(&told, 2, MAIL_ERROR_QUOTA);
	staged_flush(c.staged, false, on_told, &told);
	assert_told(&told, 3, -1);
	staged_released(c.staged);
	g_assert_cmpuint(n_asked(), ==, 1);
	assert_text(&c, 0, WIRE);

	staged_flush(c.staged, true, on_told, &told);
	engine_begins(&c, 1);
	engine_ends(&c, 1, 7);
	assert_told(&told, 4, -1);
	g_assert_cmpuint(n_unsent(&c), ==, 0);
	end(&c);
}

/* Before anything has begun. */
static void test_refused_at_once(void)
{
	Case c;
	Told told = {0};
	begin(&c, true);
	write_text(&c, LETTER);
	staged_flush(c.staged, false, on_told, &told);
	g_autoptr(GError) error =
		g_error_new_literal(MAIL_ERROR, MAIL_ERROR_READ_ONLY, "read only");
	wait_for(0)->done(error, wait_for(0)->data);
	assert_told(&told, 1, MAIL_ERROR_READ_ONLY);
	assert_text(&c, 0, WIRE);
	g_assert_true(is_named(&c, "x.eml"));
	/* Whoever unlinks it does not want the text either. */
	staged_unlink(c.staged);
	forget(&c);
	g_assert_cmpuint(n_unsent(&c), ==, 0);
	end(&c);
}

static void test_no_message(void)
{
	Case c;
	Told told = {0};
	begin(&c, true);
	write_text(&c, "no header\n");
	staged_flush(c.staged, false, on_told, &told);
	assert_told(&told, 1, MAIL_ERROR_INVALID);
	staged_released(c.staged);
	g_assert_cmpuint(n_asked(), ==, 0);
	end(&c);
}

/* NUL has no place in a message where the server does not take it. */
static void test_nul(void)
{
	Case c;
	Told told = {0};
	begin(&c, true);
	write_text(&c, LETTER);
	g_assert_cmpint(staged_truncate(c.staged, 1000, getpid()), ==, 0);
	staged_flush(c.staged, false, on_told, &told);
	assert_told(&told, 1, MAIL_ERROR_INVALID);
	g_assert_cmpuint(n_asked(), ==, 0);
	end(&c);
}

/* Another process closes it while the one that made it lives: that closes it last. */
static void test_other_process(void)
{
	Case c;
	begin(&c, true);
	write_text(&c, LETTER);
	g_assert_false(staged_closes(c.staged, 1));
	g_assert_true(staged_closes(c.staged, getpid()));
	g_assert_true(staged_closes(c.staged, 0));
	g_assert_cmpuint(n_asked(), ==, 0);
	staged_released(c.staged);
	assert_text(&c, 0, WIRE);
	g_assert_cmpint(wait_for(0)->until, ==, ENGINE_UNTIL_KEPT);
	end(&c);
}

/* Where nothing tells that it was closed, time does. */
static void test_never_closed(void)
{
	Case c;
	begin(&c, false);
	g_atomic_int_set(&late, DEFERRED_US - 2 * G_USEC_PER_SEC);
	write_text(&c, LETTER);
	g_atomic_int_set(&late, 0);
	g_assert_false(staged_closes(c.staged, 1));
	g_atomic_int_set(&late, DEFERRED_US - G_USEC_PER_SEC / 20);
	write_text(&c, "More.\n");
	g_atomic_int_set(&late, 0);
	assert_text(&c, 0, WIRE "More.\r\n");
	engine_begins(&c, 0);
	engine_ends(&c, 0, 7);
	end(&c);
	/* Where RELEASE comes time does not count. */
	begin(&c, true);
	write_text(&c, LETTER);
	g_assert_cmpint(c.staged->due_us, ==, 0);
	end(&c);
}

static void test_forgotten_and_unmounted(void)
{
	Case c;
	begin(&c, true);
	write_text(&c, LETTER);
	forget(&c);
	g_assert_cmpuint(n_asked(), ==, 1);
	assert_text(&c, 0, WIRE);
	end(&c);

	begin(&c, true);
	write_text(&c, LETTER);
	staged_files_close(c.fs->staged);
	assert_text(&c, 0, WIRE);
	g_assert_cmpint(wait_for(0)->until, ==, ENGINE_UNTIL_KEPT);
	end(&c);
}

/* What was removed on its way is removed when it is there; what is not on its way is not sent. */
static void test_unlinked(void)
{
	Case c;
	Told told = {0};
	begin(&c, true);
	write_text(&c, LETTER);
	staged_flush(c.staged, false, on_told, &told);
	staged_unlink(c.staged);
	engine_begins(&c, 0);
	g_assert_cmpint(wait_for(1)->change.kind, ==, INTENT_REMOVE);
	g_assert_cmpuint(wait_for(1)->change.of, ==, 100);
	engine_ends(&c, 0, 7);
	write_text(&c, "More.\n");
	staged_flush(c.staged, false, on_told, &told);
	assert_told(&told, 2, -1);
	g_assert_cmpuint(n_asked(), ==, 2);
	end(&c);
}

static void test_renamed(void)
{
	Case c;
	Told told = {0};
	begin(&c, true);
	staged_rename(c.staged, c.dir, ".x");
	write_text(&c, LETTER);
	staged_closes(c.staged, getpid());
	staged_flush(c.staged, false, on_told, &told);
	staged_released(c.staged);
	assert_told(&told, 1, -1);
	g_assert_cmpuint(n_asked(), ==, 0);
	staged_upload(c.staged, c.dir, "y.eml", c.fixture.gen, 5, 0, on_told, &told);
	assert_text(&c, 0, WIRE);
	g_assert_cmpstr(wait_for(0)->change.name, ==, "y.eml");
	g_assert_cmpuint(wait_for(0)->change.uid, ==, 5);
	engine_begins(&c, 0);
	engine_ends(&c, 0, 0);
	/* It has its old name again. */
	assert_told(&told, 2, MAIL_ERROR_QUOTA);
	g_assert_true(is_named(&c, ".x"));

	/* Open for writing still: it goes when it is closed. */
	write_text(&c, "More.\n");
	staged_upload(c.staged, c.dir, "y.eml", c.fixture.gen, 5, 0, on_told, &told);
	assert_told(&told, 3, -1);
	g_assert_cmpuint(n_asked(), ==, 1);
	staged_closes(c.staged, getpid());
	staged_flush(c.staged, false, on_told, &told);
	g_assert_cmpuint(wait_for(1)->change.uid, ==, 5);
	engine_begins(&c, 1);
	engine_ends(&c, 1, 6);
	end(&c);
}

/* It is open still, and on its way under its old name. */
static void test_renamed_on_its_way(void)
{
	Case c;
	Told told = {0};
	begin(&c, true);
	write_text(&c, LETTER);
	staged_flush(c.staged, false, on_told, &told);
	assert_text(&c, 0, WIRE);
	write_text(&c, "More.\n");
	staged_upload(c.staged, c.dir, "y.eml", 0, 0, 0, on_told, &told);
	assert_told(&told, 1, MAIL_ERROR_BUSY);
	g_assert_false(staged_rename(c.staged, c.dir, ".x"));
	g_assert_true(is_named(&c, "x.eml"));

	/* What has its name now is a message. */
	engine_begins(&c, 0);
	wait_for(0)->done(NULL, wait_for(0)->data);
	g_assert_false(staged_rename(c.staged, c.dir, ".x"));
	staged_upload(c.staged, c.dir, "y.eml", 0, 0, 0, on_told, &told);
	assert_text(&c, 1, WIRE "More.\r\n");
	g_assert_cmpstr(wait_for(1)->change.name, ==, "y.eml");
	g_assert_cmpuint(wait_for(1)->change.of, ==, 100);
	engine_begins(&c, 1);
	engine_ends(&c, 1, 6);
	assert_told(&told, 3, -1);
	end(&c);
}

/* No bytes of its own. */
static void test_copy(void)
{
	Case c;
	Told told = {0};
	Gen gen;
	guint32 uid;
	begin(&c, true);
	g_assert_true(staged_copy(c.staged, c.fixture.gen, 3, 1000));
	g_assert_false(staged_copy(c.staged, c.fixture.gen, 4, 1000));
	g_assert_true(staged_is_copy(c.staged, &gen, &uid));
	g_assert_cmpuint(uid, ==, 3);
	staged_flush(c.staged, false, on_told, &told);
	g_assert_cmpint(wait_for(0)->change.kind, ==, INTENT_COPY);
	g_assert_cmpint(wait_for(0)->until, ==, ENGINE_UNTIL_KEPT);
	g_assert_cmpuint(wait_for(0)->change.uid, ==, 3);
	engine_begins(&c, 0);
	wait_for(0)->done(NULL, wait_for(0)->data);
	assert_told(&told, 1, -1);
	g_assert_cmpuint(n_unsent(&c), ==, 0);
	end(&c);
}

/* Who wanted its bytes is gone, and it is written anew as they come. */
static void test_filled_as_it_is_truncated(void)
{
	Case c;
	Told told = {0};
	begin(&c, true);
	set_names(c.fixture.store, c.fixture.gen, "3", "");
	g_assert_true(commit_whole(c.fixture.store, c.fixture.gen, 3, 1000));
	write_text(&c, "x");
	g_assert_cmpint(staged_truncate(c.staged, 0, getpid()), ==, 0);
	g_assert_true(staged_copy(c.staged, c.fixture.gen, 3, 1000));
	filled = c.staged;
	g_assert_cmpint(staged_truncate(c.staged, 0, getpid()), ==, 0);
	g_assert_null(filled);
	g_assert_cmpuint(staged_size(c.staged), ==, 0);
	write_text(&c, LETTER);
	staged_flush(c.staged, false, on_told, &told);
	assert_text(&c, 0, WIRE);
	end(&c);
}

/* The text of an earlier mount's change can be read under its number. */
static void test_text_of_a_change(void)
{
	Case c;
	char text[100];
	gsize n;
	Told told = {0};
	begin(&c, true);
	write_text(&c, LETTER);
	staged_flush(c.staged, false, on_told, &told);
	engine_begins(&c, 0);
	guint64 file = wait_for(0)->change.file;
	Staged *same = staged_of_text(c.fs->staged, &(Alias){.file = file, .date = 0});
	g_assert_true(same == c.staged);
	staged_unref(same);
	g_assert_null(staged_of_text(c.fs->staged, &(Alias){.file = file + 1000, .date = 0}));

	c.staged->sent = 0;
	Staged *other = staged_of_text(c.fs->staged, &(Alias){.file = file, .date = 17});
	g_assert_nonnull(other);
	g_assert_cmpint(staged_read(other, 2, text, sizeof text, &n), ==, 0);
	g_assert_cmpuint(n, ==, strlen(WIRE) - 2);
	g_assert_true(memcmp(text, &WIRE[2], n) == 0);
	g_assert_cmpint(staged_write(other, "x", 1, 0), ==, EPERM);
	g_assert_cmpint(staged_truncate(other, 0, 1), ==, EPERM);
	staged_unref(other);
	end(&c);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/staged/close", test_close);
	g_test_add_func("/staged/written-on-its-way", test_written_on_its_way);
	g_test_add_func("/staged/refused", test_refused);
	g_test_add_func("/staged/refused-at-once", test_refused_at_once);
	g_test_add_func("/staged/no-message", test_no_message);
	g_test_add_func("/staged/nul", test_nul);
	g_test_add_func("/staged/other-process", test_other_process);
	g_test_add_func("/staged/never-closed", test_never_closed);
	g_test_add_func("/staged/forgotten-and-unmounted", test_forgotten_and_unmounted);
	g_test_add_func("/staged/unlinked", test_unlinked);
	g_test_add_func("/staged/renamed", test_renamed);
	g_test_add_func("/staged/renamed-on-its-way", test_renamed_on_its_way);
	g_test_add_func("/staged/copy", test_copy);
	g_test_add_func("/staged/filled-as-it-is-truncated", test_filled_as_it_is_truncated);
	g_test_add_func("/staged/text-of-a-change", test_text_of_a_change);
	return g_test_run();
}
