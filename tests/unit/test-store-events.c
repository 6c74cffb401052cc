/* The journal of changes (store/events.h). */
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "store-fixture.h"

static char *below(const Fixture *f, const char *name)
{
	return g_build_filename(f->cachedir, name, NULL);
}

static void note(const Fixture *f, const char *line)
{
	store_note(f->store, line, strlen(line));
}

static void assert_file(const Fixture *f, const char *name, const char *expected)
{
	g_autofree char *path = below(f, name);
	g_autofree char *text = NULL;
	g_autoptr(GError) error = NULL;

	g_file_get_contents(path, &text, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(text, ==, expected);
}

static Fixture open_journal(void)
{
	Fixture f = {0};

	fixture_open(&f, true, 1 << 20, false);
	return f;
}

static void test_lines(void)
{
	mode_t before = umask(0);
	Fixture f = open_journal();
	g_autofree char *path = below(&f, "events");
	struct stat st;

	umask(before);
	g_assert_cmpstr(store_notes_path(f.store), ==, path);
	assert_file(&f, "events", "");
	note(&f, "one\n");
	note(&f, "two\n");
	assert_file(&f, "events", "one\ntwo\n");
	g_assert_cmpint(stat(path, &st), ==, 0);
	g_assert_cmpuint(st.st_mode & 0777, ==, 0600);
	fixture_close(&f);
}

static void test_goes_on_at_the_next_mount(void)
{
	Fixture f = open_journal();

	note(&f, "one\n");
	store_free(f.store);
	f.store = store_new(f.cachedir, 1 << 20, false, NULL);
	note(&f, "two\n");
	assert_file(&f, "events", "one\ntwo\n");
	fixture_close(&f);
}

static void test_rotation(void)
{
	Fixture f = open_journal();
	g_autofree char *line = g_strnfill(LIMIT_EVENTS_FILE / 2, 'x');

	line[LIMIT_EVENTS_FILE / 2 - 1] = '\n';
	note(&f, line);
	note(&f, line);
	note(&f, "two\n");
	assert_file(&f, "events", "two\n");
	note(&f, line);
	note(&f, "end\n");
	note(&f, line);
	assert_file(&f, "events", line);

	g_autofree char *old = g_strconcat("two\n", line, "end\n", NULL);

	assert_file(&f, "events.1", old);
	fixture_close(&f);
}

static void test_removed_by_somebody(void)
{
	Fixture f = open_journal();
	g_autofree char *path = below(&f, "events");

	note(&f, "one\n");
	g_assert_cmpint(g_remove(path), ==, 0);
	note(&f, "two\n");
	assert_file(&f, "events", "two\n");
	fixture_close(&f);
}

static void test_no_link_is_followed(void)
{
	Fixture f = {0};

	fixture_dirs(&f);
	g_autofree char *path = below(&f, "events");
	g_autofree char *target = g_build_filename(f.parent, "target", NULL);

	g_assert_true(g_file_set_contents(target, "mine", -1, NULL));
	g_assert_cmpint(g_mkdir(f.cachedir, 0700), ==, 0);
	g_assert_cmpint(symlink(target, path), ==, 0);
	f.store = store_new(f.cachedir, 1 << 20, false, NULL);
	g_assert_null(store_notes_path(f.store));
	note(&f, "one\n");
	assert_file(&f, "../target", "mine");
	fixture_close(&f);
}

static void test_no_fifo_is_waited_for(void)
{
	Fixture f = {0};

	fixture_dirs(&f);
	g_autofree char *path = below(&f, "events");

	g_assert_cmpint(g_mkdir(f.cachedir, 0700), ==, 0);
	g_assert_cmpint(mkfifo(path, 0600), ==, 0);
	f.store = store_new(f.cachedir, 1 << 20, false, NULL);
	g_assert_null(store_notes_path(f.store));
	fixture_close(&f);
}

/* A full disk: of a change that does not fit whole there is nothing. */
static void test_no_line_is_cut(void)
{
	Fixture f = open_journal();
	struct rlimit before, small;

	note(&f, "0123456789\n");
	signal(SIGXFSZ, SIG_IGN);
	g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &before), ==, 0);
	small = before;
	small.rlim_cur = 15;
	g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &small), ==, 0);
	note(&f, "0123456789\n");
	g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &before), ==, 0);
	assert_file(&f, "events", "0123456789\n");
	note(&f, "again\n");
	assert_file(&f, "events", "0123456789\nagain\n");
	fixture_close(&f);
}

static void test_without_a_directory(void)
{
	Fixture f = {0};

	fixture_open(&f, false, 1 << 20, false);
	g_assert_null(store_notes_path(f.store));
	note(&f, "one\n");
	fixture_close(&f);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/events/lines", test_lines);
	g_test_add_func("/events/next-mount", test_goes_on_at_the_next_mount);
	g_test_add_func("/events/rotation", test_rotation);
	g_test_add_func("/events/removed", test_removed_by_somebody);
	g_test_add_func("/events/link", test_no_link_is_followed);
	g_test_add_func("/events/whole", test_no_line_is_cut);
	g_test_add_func("/events/fifo", test_no_fifo_is_waited_for);
	g_test_add_func("/events/no-directory", test_without_a_directory);
	return g_test_run();
}
