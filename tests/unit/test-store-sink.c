/* Bodies on their way in: how much of them there may be before anybody knows how long they are. */
#include "store-fixture.h"

#include <unistd.h>

enum { CACHE_SIZE = 3 * LIMIT_SINK_MEMORY };

static guint64 bytes_below(const char *path)
{
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	guint64 bytes = 0;

	for (const char *name; dir && (name = g_dir_read_name(dir));) {
		g_autofree char *inner = g_build_filename(path, name, NULL);
		GStatBuf found;

		if (g_lstat(inner, &found) != 0)
			continue;
		bytes += S_ISDIR(found.st_mode) ? bytes_below(inner) : (guint64)found.st_size;
	}
	return bytes;
}

static guint64 bytes_in_bodies(const Fixture *f)
{
	g_autofree char *path = g_build_filename(f->cachedir, "bodies", NULL);

	return bytes_below(path);
}

static guint64 largest_while_writing(const Fixture *f, StoreSink *sink, guint64 size)
{
	guint64 most = 0;

	for (guint64 done = 0; done < size; done += LIMIT_SINK_MEMORY) {
		write_bytes(sink, 1, done, LIMIT_SINK_MEMORY);
		most = MAX(most, bytes_in_bodies(f));
	}
	return most;
}

static void open_small(Fixture *f)
{
	fixture_open(f, true, CACHE_SIZE, false);
	set_names(f->store, f->gen, "1:10", "");
}

/* A server that goes on and on fills neither the disk nor the memory. */
static void test_endless(void)
{
	Fixture f = {0};

	open_small(&f);

	StoreSink *sink = store_sink_new(f.store);
	guint64 size = (guint64)LIMIT_MEMORY_BODIES + 4 * LIMIT_SINK_MEMORY;

	g_assert_cmpuint(largest_while_writing(&f, sink, size), <=, CACHE_SIZE);
	g_assert_cmpuint(bytes_in_bodies(&f), ==, 0);
	g_assert_cmpuint(store_sink_size(sink), ==, size);
	g_assert_false(store_sink_commit(sink, f.gen, 1, STORE_MESSAGE, 0, 0, true));
	/* In ranges it can be had all the same. */
	g_assert_true(commit_part(f.store, f.gen, 1, size, size / 2, LIMIT_LAST_RANGE));
	assert_read(f.store, f.gen, 1, size / 2, 10000, 10000);
	fixture_close(&f);
}

/* A message that is larger than the cache is read nevertheless, while it is the only one. */
static void test_larger_than_the_cache(void)
{
	Fixture f = {0};

	open_small(&f);
	g_assert_true(commit_whole(f.store, f.gen, 1, 3 * CACHE_SIZE));
	assert_read(f.store, f.gen, 1, 3 * CACHE_SIZE - 10000, 20000, 10000);
	assert_read(f.store, f.gen, 1, CACHE_SIZE - 5000, 10000, 10000);
	g_assert_true(commit_whole(f.store, f.gen, 2, 10));
	g_assert_cmpuint(bytes_in_bodies(&f), <=, CACHE_SIZE);
	assert_read(f.store, f.gen, 2, 0, 20, 10);
	assert_no_read(f.store, f.gen, 1, 0, 10, STORE_MISS);
	fixture_close(&f);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/store-sink/endless", test_endless);
	g_test_add_func("/store-sink/larger-than-the-cache", test_larger_than_the_cache);
	return g_test_run();
}
