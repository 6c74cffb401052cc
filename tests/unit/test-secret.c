#include <glib/gstdio.h>

#include "base/error.h"
#include "cli/secret.h"

typedef struct {
	char *dir, *path;
	Options options;
	Secret *secret;
} Fixture;

static void write_file(const Fixture *f, const char *text)
{
	g_assert_true(g_file_set_contents_full(
		f->path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, NULL));
}

static void set_up(Fixture *f, gconstpointer data)
{
	f->dir = g_dir_make_tmp("imapfs-secret-XXXXXX", NULL);
	f->path = g_build_filename(f->dir, "password", NULL);
	f->options.passfile = f->path;
	f->secret = secret_new(&f->options);
	write_file(f, "pencil\n");
}

static void tear_down(Fixture *f, gconstpointer data)
{
	secret_free(f->secret);
	g_unlink(f->path);
	g_rmdir(f->dir);
	g_free(f->path);
	g_free(f->dir);
}

static void assert_secret(const Fixture *f, const char *expected)
{
	g_autofree char *secret = secret_get(f->secret, NULL, NULL);

	g_assert_cmpstr(secret, ==, expected);
}

/* Since it was read, and since it was looked at: each change is told once. */
static void test_changed(Fixture *f, gconstpointer data)
{
	assert_secret(f, "pencil");
	g_assert_false(secret_changed(f->secret));
	write_file(f, "crayon\n");
	g_assert_true(secret_changed(f->secret));
	g_assert_false(secret_changed(f->secret));
	assert_secret(f, "crayon");
	g_assert_false(secret_changed(f->secret));
}

static void test_gone_and_back(Fixture *f, gconstpointer data)
{
	assert_secret(f, "pencil");
	g_unlink(f->path);
	g_assert_true(secret_changed(f->secret));
	assert_secret(f, NULL);
	g_assert_false(secret_changed(f->secret));
	write_file(f, "pencil\n");
	g_assert_true(secret_changed(f->secret));
	assert_secret(f, "pencil");
}

/* Nobody can tell what a command will say. */
static void test_of_a_command(Fixture *f, gconstpointer data)
{
	f->options.passcmd = "echo crayon";
	assert_secret(f, "crayon");
	g_assert_false(secret_changed(f->secret));
	write_file(f, "chalk\n");
	g_assert_false(secret_changed(f->secret));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add("/secret/changed", Fixture, NULL, set_up, test_changed, tear_down);
	g_test_add("/secret/gone-and-back", Fixture, NULL, set_up, test_gone_and_back, tear_down);
	g_test_add("/secret/of-a-command", Fixture, NULL, set_up, test_of_a_command, tear_down);
	return g_test_run();
}
