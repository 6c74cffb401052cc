/* Contents and lengths of files made of messages: made once, however many ask at a time. */
#include "fs/rendered.h"

#include "base/limits.h"

enum { INO = 57, OTHER = 58 };

static GBytes *bytes_of(gsize len)
{
	return g_bytes_new_take(g_malloc0(len), len);
}

static void put(Rendered *rendered, fuse_ino_t ino, gsize len)
{
	g_autoptr(GBytes) bytes = bytes_of(len);
	g_assert_null(rendered_begin(rendered, ino));
	rendered_end(rendered, ino, bytes);
}

static gboolean is_kept(Rendered *rendered, fuse_ino_t ino)
{
	g_autoptr(GBytes) bytes = rendered_begin(rendered, ino);
	if (!bytes)
		rendered_end(rendered, ino, NULL);
	return bytes != NULL;
}

static void test_a_length_outlives_its_content(void)
{
	Rendered *rendered = rendered_new();
	guint64 size = 0;
	g_assert_false(rendered_size(rendered, INO, &size));
	put(rendered, INO, 100);
	put(rendered, OTHER, LIMIT_RENDERED_BYTES);
	g_assert_false(is_kept(rendered, INO));
	g_assert_true(is_kept(rendered, OTHER));
	g_assert_true(rendered_size(rendered, INO, &size));
	g_assert_cmpuint(size, ==, 100);
	rendered_free(rendered);
}

static void test_what_cannot_be_made_is_tried_again(void)
{
	Rendered *rendered = rendered_new();
	g_assert_null(rendered_begin(rendered, INO));
	rendered_end(rendered, INO, NULL);
	g_assert_false(rendered_size(rendered, INO, NULL));
	put(rendered, INO, 0);
	g_assert_true(rendered_size(rendered, INO, NULL));
	rendered_free(rendered);
}

static void test_what_is_forgotten_while_it_is_made_is_not_kept(void)
{
	Rendered *rendered = rendered_new();
	g_autoptr(GBytes) bytes = bytes_of(100);
	g_assert_null(rendered_begin(rendered, INO));
	rendered_forget(rendered, INO);
	rendered_end(rendered, INO, bytes);
	g_assert_false(rendered_size(rendered, INO, NULL));
	g_assert_false(is_kept(rendered, INO));
	put(rendered, INO, 100);
	g_assert_true(is_kept(rendered, INO));
	rendered_free(rendered);
}

static void test_a_grid_tells_the_length(void)
{
	Rendered *rendered = rendered_new();
	MimeGrid grid = {.line = 76, .ends = 2, .size = 9};
	guint64 size = 0;
	g_assert_false(rendered_grid(rendered, INO, &grid));
	rendered_set_grid(rendered, INO, &grid);
	g_assert_true(rendered_size(rendered, INO, &size));
	g_assert_cmpuint(size, ==, 9);

	/* The lines are not as it says: its length is worth nothing, either. */
	rendered_set_grid(rendered, INO, &(MimeGrid){0});
	g_assert_true(rendered_grid(rendered, INO, &grid));
	g_assert_cmpuint(grid.line, ==, 0);
	g_assert_false(rendered_size(rendered, INO, &size));
	rendered_free(rendered);
}

static void test_what_the_kernel_was_told(void)
{
	Rendered *rendered = rendered_new();
	g_assert_cmpuint(rendered_told(rendered, INO), ==, 0);
	rendered_tell(rendered, INO, 12);
	g_assert_cmpuint(rendered_told(rendered, INO), ==, 12);
	g_assert_false(rendered_size(rendered, INO, NULL));
	rendered_free(rendered);
}

typedef struct {
	Rendered *rendered;
	gint asked, got; /* atomic */
} Reader;

static gpointer ask(gpointer data)
{
	Reader *reader = data;
	g_atomic_int_set(&reader->asked, 1);
	g_autoptr(GBytes) bytes = rendered_begin(reader->rendered, INO);
	g_assert_nonnull(bytes);
	g_atomic_int_set(&reader->got, 1);
	return NULL;
}

static void test_who_asks_meanwhile_waits(void)
{
	Reader reader = {.rendered = rendered_new()};
	g_autoptr(GBytes) bytes = bytes_of(10);
	g_assert_null(rendered_begin(reader.rendered, INO));
	GThread *thread = g_thread_new("reader", ask, &reader);
	while (!g_atomic_int_get(&reader.asked))
		g_thread_yield();
	/* Another one is not held up. */
	put(reader.rendered, OTHER, 1);
	g_assert_false(g_atomic_int_get(&reader.got));
	rendered_end(reader.rendered, INO, bytes);
	g_thread_join(thread);
	g_assert_true(g_atomic_int_get(&reader.got));
	rendered_free(reader.rendered);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/rendered/length", test_a_length_outlives_its_content);
	g_test_add_func("/rendered/failed", test_what_cannot_be_made_is_tried_again);
	g_test_add_func("/rendered/forgotten", test_what_is_forgotten_while_it_is_made_is_not_kept);
	g_test_add_func("/rendered/grid", test_a_grid_tells_the_length);
	g_test_add_func("/rendered/told", test_what_the_kernel_was_told);
	g_test_add_func("/rendered/meanwhile", test_who_asks_meanwhile_waits);
	return g_test_run();
}
