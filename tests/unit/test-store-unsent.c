/* Texts that are on their way to the server. */
#include "base/limits.h"
#include "store-fixture.h"
#include "store/unsent.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static guint64 make(const Fixture *f, const char *text, bool keep)
{
	guint64 number = 0;
	int fd = store_unsent_new(f->store, &number);

	g_assert_cmpint(fd, >=, 0);
	g_assert_cmpuint(number, !=, 0);
	g_assert_cmpint((int)write(fd, text, strlen(text)), ==, (int)strlen(text));
	if (keep)
		g_assert_true(store_unsent_keep(f->store, number, fd, true));
	close(fd);
	return number;
}

static void assert_text(const Fixture *f, guint64 number, const char *expected)
{
	g_autoptr(GBytes) bytes = store_unsent_read(f->store, number);
	gsize len;

	g_assert_nonnull(bytes);

	const char *data = g_bytes_get_data(bytes, &len);

	g_assert_cmpmem(data, (int)len, expected, (int)strlen(expected));
}

static void assert_none(const Fixture *f, guint64 number)
{
	errno = 0;
	g_assert_null(store_unsent_read(f->store, number));
	g_assert_cmpint(errno, ==, ENOENT);
}

static char *path_of(const Fixture *f, guint64 number, const char *suffix)
{
	g_autofree char *name = g_strdup_printf("%" G_GUINT64_FORMAT ".%s", number, suffix);

	return g_build_filename(f->cachedir, "unsent", name, NULL);
}

static bool there_is(const Fixture *f, guint64 number, const char *suffix)
{
	g_autofree char *path = path_of(f, number, suffix);

	return access(path, F_OK) == 0;
}

/* With a directory and without. */
static void test_life(gconstpointer files)
{
	Fixture f = {0};

	fixture_open(&f, files != NULL, 1 << 30, false);
	g_assert_cmpuint(store_unsent_count(f.store), ==, 0);

	guint64 kept = make(&f, "one", true), other = make(&f, "two", true);
	guint64 part = make(&f, "three", false), empty = make(&f, "", true);

	g_assert_true(kept < other && other < part && part < empty);
	g_assert_cmpuint(store_unsent_count(f.store), ==, 3);
	assert_text(&f, kept, "one");
	assert_text(&f, other, "two");
	assert_text(&f, empty, "");
	assert_none(&f, part);

	g_autoptr(GBytes) held = store_unsent_read(f.store, kept);

	store_unsent_drop(f.store, kept);
	store_unsent_drop(f.store, kept);
	store_unsent_drop(f.store, part);
	assert_none(&f, kept);
	assert_text(&f, other, "two");
	g_assert_cmpmem(g_bytes_get_data(held, NULL), (int)g_bytes_get_size(held), "one", 3);
	g_assert_cmpuint(store_unsent_count(f.store), ==, 2);
	g_assert_false(store_unsent_keep(f.store, part, -1, false));
	g_assert_cmpint(errno, ==, ENOENT);
	fixture_close(&f);
}

static bool keep_large(const Fixture *f, guint64 size, guint64 *ret_number)
{
	int fd = store_unsent_new(f->store, ret_number);

	g_assert_cmpint(ftruncate(fd, (off_t)size), ==, 0);

	bool kept = store_unsent_keep(f->store, *ret_number, fd, false);
	int why = errno;

	close(fd);
	errno = why;
	return kept;
}

static void test_memory_is_bounded(void)
{
	Fixture f = {0};
	guint64 one, other, third;

	fixture_open(&f, false, 1 << 30, false);
	g_assert_true(keep_large(&f, LIMIT_MEMORY_TEXTS - 1, &one));
	g_assert_false(keep_large(&f, 2, &other));
	g_assert_cmpint(errno, ==, ENOSPC);
	g_assert_true(keep_large(&f, 1, &third));
	store_unsent_drop(f.store, other);
	g_assert_false(keep_large(&f, 1, &other));
	store_unsent_drop(f.store, one);
	g_assert_true(keep_large(&f, LIMIT_MEMORY_TEXTS - 1, &other));
	fixture_close(&f);
}

static void test_private(void)
{
	Fixture f = {0};

	fixture_open(&f, true, 1 << 30, false);

	g_autofree char *folder = g_build_filename(f.cachedir, "unsent", NULL);
	struct stat st;
	mode_t before = umask(0);

	g_assert_cmpint(stat(folder, &st), <, 0);

	guint64 number = make(&f, "x", true);
	g_autofree char *path = store_unsent_path(f.store, number);
	g_autofree char *expected = path_of(&f, number, "eml");

	umask(before);
	g_assert_cmpstr(path, ==, expected);
	g_assert_cmpint(stat(folder, &st), ==, 0);
	g_assert_cmpuint(st.st_mode & 07777, ==, 0700);
	g_assert_cmpint(stat(path, &st), ==, 0);
	g_assert_cmpuint(st.st_mode & 07777, ==, 0600);

	g_assert_cmpint(g_chmod(folder, 0755), ==, 0);
	g_assert_cmpint(store_unsent_new(f.store, &number), ==, -1);
	g_assert_cmpint(errno, ==, EACCES);
	fixture_close(&f);
}

/* A folder that somebody deleted is made again, and a symbolic link not followed. */
static void test_folder_changes(void)
{
	Fixture f = {0};

	fixture_open(&f, true, 1 << 30, false);

	g_autofree char *folder = g_build_filename(f.cachedir, "unsent", NULL);
	guint64 gone = make(&f, "gone", true), number;

	remove_tree(folder);
	assert_none(&f, gone);
	g_assert_cmpuint(store_unsent_count(f.store), ==, 0);
	assert_text(&f, make(&f, "new", true), "new");
	remove_tree(folder);
	g_assert_cmpint(symlink(f.parent, folder), ==, 0);
	g_assert_cmpint(store_unsent_new(f.store, &number), ==, -1);
	fixture_close(&f);
}

static void test_next_mount(void)
{
	Fixture f = {0};

	fixture_open(&f, true, 1 << 30, false);

	guint64 kept = make(&f, "one", true), part = make(&f, "tw", false);
	guint64 empty = make(&f, "", false), dropped = make(&f, "x", true);

	store_unsent_drop(f.store, dropped);
	g_test_expect_message("imapfs", G_LOG_LEVEL_WARNING, "1 messages*unsent/*.lost");
	open_again(&f);
	g_test_assert_expected_messages();
	assert_text(&f, kept, "one");
	g_assert_true(there_is(&f, part, "lost"));
	g_assert_false(there_is(&f, part, "part"));
	g_assert_false(there_is(&f, empty, "part"));
	g_assert_false(there_is(&f, empty, "lost"));
	g_assert_cmpuint(store_unsent_count(f.store), ==, 2);
	g_assert_cmpuint(make(&f, "y", true), >, dropped);

	/* Said once, kept for ever. */
	open_again(&f);
	g_assert_true(there_is(&f, part, "lost"));
	g_assert_cmpuint(store_unsent_count(f.store), ==, 3);
	fixture_close(&f);
}

/* Where the index was lost with the number of the last mount. */
static void test_numbers_without_index(void)
{
	Fixture f = {0};

	fixture_open(&f, true, 1 << 30, false);

	guint64 number = G_MAXUINT64 - 100;
	g_autofree char *path = path_of(&f, number, "eml");

	make(&f, "x", false);
	g_assert_true(g_file_set_contents(path, "x", 1, NULL));
	g_test_expect_message("imapfs", G_LOG_LEVEL_WARNING, "*.lost");
	open_again(&f);
	g_assert_cmpuint(make(&f, "y", true), >, number);
	assert_text(&f, number, "x");
	fixture_close(&f);
}

/* ---- threads ---- */

enum { THREADS = 4, TEXTS = 50 };

static gpointer make_many(gpointer data)
{
	const Fixture *f = data;

	for (guint i = 0; i < TEXTS; i++) {
		g_autofree char *text = g_strdup_printf("%p %u", g_thread_self(), i);
		guint64 number = make(f, text, true);

		assert_text(f, number, text);
		if (i % 2 == 0)
			store_unsent_drop(f->store, number);
	}
	return NULL;
}

static void test_threads(gconstpointer files)
{
	Fixture f = {0};
	GThread *threads[THREADS];

	fixture_open(&f, files != NULL, 1 << 30, false);
	for (guint i = 0; i < THREADS; i++)
		threads[i] = g_thread_new("writer", make_many, &f);
	for (guint i = 0; i < THREADS; i++)
		g_thread_join(threads[i]);
	g_assert_cmpuint(store_unsent_count(f.store), ==, THREADS * TEXTS / 2);
	fixture_close(&f);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_data_func("/store/unsent/life", "files", test_life);
	g_test_add_data_func("/store/unsent/life-in-memory", NULL, test_life);
	g_test_add_func("/store-unsent/memory-is-bounded", test_memory_is_bounded);
	g_test_add_func("/store/unsent/private", test_private);
	g_test_add_func("/store/unsent/folder-changes", test_folder_changes);
	g_test_add_func("/store/unsent/next-mount", test_next_mount);
	g_test_add_func("/store/unsent/numbers-without-index", test_numbers_without_index);
	g_test_add_data_func("/store/unsent/threads", "files", test_threads);
	g_test_add_data_func("/store/unsent/threads-in-memory", NULL, test_threads);
	return g_test_run();
}
