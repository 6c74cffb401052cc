/* The program is killed before each single change of a file: of intents and texts there is what it
 * had said to keep, and nothing of what it had let go, and an index of an earlier version is read
 * on. Only in builds with fault points (base/fault.h). */
#include "store-fixture.h"
#include "store/intent.h"
#include "store/unsent.h"

#include <fcntl.h>
#include <unistd.h>

enum { TEXT = 30000 };

static char *text_of(guint64 number)
{
	g_autofree char *lines = g_strnfill(TEXT, 'x');

	return g_strdup_printf("Subject: %" G_GUINT64_FORMAT "\r\n\r\n%s", number, lines);
}

/* ---- a mount that is killed ---- */

/* What was done is written down, each step a line, in a file that is none of the cache's. */
static void say(int log, char kind, guint64 number, const char *step)
{
	g_autofree char *line = g_strdup_printf("%c%" G_GUINT64_FORMAT " %s\n", kind, number, step);

	g_assert_cmpint((int)write(log, line, strlen(line)), ==, (int)strlen(line));
}

static guint64 write_text(Store *store, int log, bool keep)
{
	guint64 number = 0;
	g_auto(AutoFd) fd = store_unsent_new(store, &number);
	g_autofree char *text = text_of(number);

	g_assert_cmpint(fd, >=, 0);
	say(log, 'f', number, "begun");
	g_assert_cmpint((int)write(fd, text, strlen(text)), ==, (int)strlen(text));
	say(log, 'f', number, "written");
	if (!keep)
		return number;
	g_assert_true(store_unsent_keep(store, number, fd, true));
	say(log, 'f', number, "kept");
	return number;
}

static void send_text(Store *store, int log, bool done)
{
	Intents *intents = store_intents(store);
	Intent intent = {.kind = INTENT_APPEND, .target = (char *)"INBOX"};

	intent.file = write_text(store, log, true);
	g_assert_true(store_intents_add(intents, &intent));
	say(log, 'i', intent.id, "queued");
	intent.step = INTENT_SENT;
	g_assert_true(store_intents_update(intents, &intent));
	say(log, 'i', intent.id, "sent");
	if (!done)
		return;
	say(log, 'i', intent.id, "removing");
	store_intents_remove(intents, intent.id);
	say(log, 'i', intent.id, "removed");
	say(log, 'f', intent.file, "dropping");
	store_unsent_drop(store, intent.file);
	say(log, 'f', intent.file, "dropped");
}

static char *in(const char *folder, const char *name)
{
	return g_build_filename(folder, name, NULL);
}

static void live(const char *folder)
{
	g_autofree char *cachedir = in(folder, "account");
	g_autofree char *path = in(folder, "log");
	g_auto(AutoFd) log = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);

	/* What the mount before left is told to the log. */
	g_log_set_always_fatal(G_LOG_FATAL_MASK);

	g_autoptr(Store) store = store_new(cachedir, 1 << 30, false, NULL);

	send_text(store, log, true);
	send_text(store, log, false);
	write_text(store, log, false);
	g_assert_true(store_intents_flush(store_intents(store)));
	send_text(store, log, true);
}

/* ---- what is left of it ---- */

/* The last step of each, "i<id>" or "f<number>". */
static GHashTable *read_log(const char *folder)
{
	GHashTable *steps = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_autofree char *path = in(folder, "log");
	g_autofree char *text = NULL;

	if (!g_file_get_contents(path, &text, NULL, NULL))
		return steps;

	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (char **line = lines; **line; line++) {
		g_auto(GStrv) words = g_strsplit(*line, " ", 2);

		g_hash_table_replace(steps, g_strdup(words[0]), g_strdup(words[1]));
	}
	return steps;
}

static bool is_one_of(const char *step, const char *const *steps)
{
	return g_strv_contains(steps, step);
}

static void collect(const Intent *intent, gpointer data)
{
	g_assert_cmpstr(intent->target, ==, "INBOX");
	g_hash_table_insert(data, g_strdup_printf("i%" G_GUINT64_FORMAT, intent->id),
		GINT_TO_POINTER((int)intent->step));
}

static void check_intent(GHashTable *found, const char *key, const char *step)
{
	static const char *const kept[] = {"queued", "sent", NULL};
	gpointer is;
	bool there = g_hash_table_lookup_extended(found, key, NULL, &is);

	if (is_one_of(step, kept))
		g_assert_true(there);
	if (g_str_equal(step, "removed"))
		g_assert_false(there);
	if (g_str_equal(step, "sent"))
		g_assert_cmpint(GPOINTER_TO_INT(is), ==, INTENT_SENT);
}

static void check_text(const Fixture *f, guint64 number, const char *step)
{
	static const char *const whole[] = {"written", "kept", NULL};
	g_autofree char *name = g_strdup_printf("unsent/%" G_GUINT64_FORMAT ".lost", number);
	g_autofree char *lost_path = in(f->cachedir, name);
	g_autofree char *expected = text_of(number);
	g_autofree char *lost = NULL;
	g_autoptr(GBytes) bytes = store_unsent_read(f->store, number);
	gsize len = 0;

	g_file_get_contents(lost_path, &lost, &len, NULL);
	if (bytes) {
		g_assert_null(lost);
		g_assert_cmpmem(g_bytes_get_data(bytes, NULL), (int)g_bytes_get_size(bytes),
			expected, (int)strlen(expected));
	}
	if (g_str_equal(step, "kept"))
		g_assert_nonnull(bytes);
	if (is_one_of(step, whole) && !bytes)
		g_assert_cmpstr(lost, ==, expected);
	if (g_str_equal(step, "dropped"))
		g_assert_true(!bytes && !lost);
}

/* Nothing that was given is given again. */
static void check_numbers(const Fixture *f, guint64 highest_id, guint64 highest_file)
{
	Intent intent = {.kind = INTENT_REMOVE, .mailbox = (char *)"INBOX"};
	guint64 number = 0;

	store_file_close(store_unsent_new(f->store, &number));
	g_assert_cmpuint(number, >, highest_file);
	g_assert_true(store_intents_add(store_intents(f->store), &intent));
	g_assert_cmpuint(intent.id, >, highest_id);
}

static void check(const char *folder)
{
	g_autoptr(GHashTable) steps = read_log(folder);
	g_autoptr(GHashTable) found = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autofree char *cachedir = in(folder, "account");
	g_autoptr(Store) store = store_new(cachedir, 1 << 30, false, NULL);
	Fixture f = {.cachedir = cachedir, .store = store};
	guint64 highest[2] = {0};
	GHashTableIter iter;
	gpointer key, step;

	store_intents_each(store_intents(store), collect, found);
	g_hash_table_iter_init(&iter, steps);
	while (g_hash_table_iter_next(&iter, &key, &step)) {
		guint64 number = g_ascii_strtoull((char *)key + 1, NULL, 10);
		bool is_file = *(char *)key == 'f';

		highest[is_file] = MAX(highest[is_file], number);
		if (is_file)
			check_text(&f, number, step);
		else
			check_intent(found, key, step);
	}
	check_numbers(&f, highest[0], highest[1]);
}

/* ---- all of it ---- */

/* false: the mount was killed. */
static bool live_until(const char *life, const char *folder, guint point)
{
	g_autofree char *number = g_strdup_printf("%u", point);

	g_setenv("IMAPFS_TEST_FOLDER", folder, TRUE);
	g_setenv("IMAPFS_FAULT_AT", number, TRUE);
	g_test_trap_subprocess(life, 0, 0);
	g_unsetenv("IMAPFS_FAULT_AT");
	return g_test_trap_has_passed();
}

/* Quiet: each mount tells of what was cut off. */
static void no_log(const char *domain, GLogLevelFlags level, const char *message, gpointer data)
{
}

static bool can_fault(void)
{
#if !IMAPFS_FAULTS
	g_test_skip("this build has no fault points (-Dfaults=true)");
	return false;
#endif
	g_log_set_always_fatal(G_LOG_FATAL_MASK);
	g_log_set_default_handler(no_log, NULL);
	return true;
}

/* What is in the folder `first` is lived on with, up to each point. Returns how many there are. */
static guint each_point(const Fixture *f, const char *life, void (*look)(const char *folder))
{
	g_autofree char *first = in(f->parent, "first");
	g_autofree char *second = in(f->parent, "second");
	guint point = 0;

	for (bool whole = false; !whole;) {
		copy_tree(first, second);
		whole = live_until(life, second, ++point);
		look(second);
		remove_tree(second);
	}
	g_test_message("%u points", point);
	return point;
}

/* The second mount of two: it has something of the first to settle. */
static void test_every_point(void)
{
	static const char life[] = "/store/fault/subprocess/live";
	Fixture f = {0};

	if (!can_fault())
		return;
	fixture_dirs(&f);

	g_autofree char *first = in(f.parent, "first");

	g_assert_cmpint(g_mkdir(first, 0700), ==, 0);
	g_assert_true(live_until(life, first, 0));
	g_assert_cmpuint(each_point(&f, life, check), >, 50);
	fixture_close(&f);
}

static void test_live(void)
{
	live(g_getenv("IMAPFS_TEST_FOLDER"));
}

/* ---- an index of an earlier version ---- */

enum { BODIES = 200, BODY = 3000 };

static void check_bodies(const char *folder)
{
	Fixture f = {.cachedir = in(folder, "account")};

	open_again(&f);
	for (guint32 uid = 1; uid <= BODIES; uid++)
		assert_read(f.store, f.gen, uid, 0, BODY + 1, BODY);
	store_free(f.store);
	g_free(f.cachedir);
}

static void test_earlier_version(void)
{
	Fixture f = {0};

	if (!can_fault())
		return;
	fixture_open(&f, true, 1 << 30, false);

	g_autofree char *first = in(f.parent, "first");
	g_autofree char *account = in(first, "account");

	set_names(f.store, f.gen, "1:200", "");
	for (guint32 uid = 1; uid <= BODIES; uid++)
		g_assert_true(commit_whole(f.store, f.gen, uid, BODY));
	g_clear_pointer(&f.store, store_free);
	make_earlier(&f);
	g_assert_cmpint(g_mkdir(first, 0700), ==, 0);
	copy_tree(f.cachedir, account);
	g_assert_cmpuint(each_point(&f, "/store/fault/subprocess/open", check_bodies), >, 10);
	fixture_close(&f);
}

static void test_open(void)
{
	g_autofree char *cachedir = in(g_getenv("IMAPFS_TEST_FOLDER"), "account");

	g_log_set_always_fatal(G_LOG_FATAL_MASK);
	store_free(store_new(cachedir, 1 << 30, false, NULL));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/store/fault/every-point", test_every_point);
	g_test_add_func("/store/fault/subprocess/live", test_live);
	g_test_add_func("/store/fault/earlier-version", test_earlier_version);
	g_test_add_func("/store/fault/subprocess/open", test_open);
	return g_test_run();
}
