/* The body of one message as that of another one. */
#include "store-fixture.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SMALL = 5000, LARGE = OWN_FILE + 300000, TO = 12 };

/* Bodies of one message tell their UID: reads of the copy are checked as those of the original. */
static guint32 read_as;

static StoreAnswer read_copy(const Fixture *f, Gen gen, guint32 uid, guint64 size)
{
	g_autofree guint8 *buf = g_malloc(size + 1);
	gsize n = 0;
	StoreAnswer answer =
		store_try_read(f->store, gen, uid, STORE_MESSAGE, 0, buf, size + 1, &n);

	if (answer != STORE_HIT)
		return answer;
	g_assert_cmpuint(n, ==, size);
	for (gsize i = 0; i < n; i++)
		g_assert_cmpuint(buf[i], ==, body_byte(read_as, i));
	return answer;
}

static Fixture with_names(bool files)
{
	Fixture f = {0};

	fixture_open(&f, files, 1 << 30, false);
	set_names(f.store, f.gen, "1:20", "");
	return f;
}

static Gen other_mailbox(const Fixture *f)
{
	ImapList lists[] = {list_of("INBOX"), list_of("Archive")};
	Gen gen;

	store_set_mailboxes(f->store, lists, G_N_ELEMENTS(lists));
	gen = store_gen_open(f->store, id_of(f->store, "Archive"), 7);
	set_names(f->store, gen, "1:20", "");
	return gen;
}

static void assert_copied(Fixture *f, guint32 uid, guint64 size)
{
	Gen to = other_mailbox(f);

	read_as = uid;
	g_assert_false(store_has_body(f->store, to, TO, STORE_MESSAGE));
	store_copy_body(f->store, f->gen, uid, to, TO);
	g_assert_true(store_has_body(f->store, to, TO, STORE_MESSAGE));
	g_assert_cmpint(read_copy(f, to, TO, size), ==, STORE_HIT);
	assert_read(f->store, f->gen, uid, 0, size, size);
}

typedef struct {
	bool files;
	guint64 size;
} Case;

/* The copy outlives the original, and the mount where there are files. */
static void test_copy(gconstpointer data)
{
	const Case *c = data;
	Fixture f = with_names(c->files);

	g_assert_true(commit_whole(f.store, f.gen, 5, c->size));
	assert_copied(&f, 5, c->size);
	store_gen_open(f.store, f.mailbox, 2);

	Gen to = store_gen(f.store, id_of(f.store, "Archive"));

	g_assert_cmpint(read_copy(&f, to, TO, c->size), ==, STORE_HIT);
	if (c->files) {
		open_again(&f);
		to = store_gen(f.store, id_of(f.store, "Archive"));
		g_assert_cmpint(read_copy(&f, to, TO, c->size), ==, STORE_HIT);
		g_assert_cmpint(read_copy(&f, to, TO, c->size), ==, STORE_HIT);
	}
	fixture_close(&f);
}

/* One that came in parts, and is the whole of a file of its own. */
static void test_of_parts(void)
{
	Fixture f = with_names(true);

	g_assert_true(commit_part(f.store, f.gen, 5, LARGE, 0, 700000));
	g_assert_true(commit_part(f.store, f.gen, 5, LARGE, 700000, LARGE));
	g_assert_true(store_has_body(f.store, f.gen, 5, STORE_MESSAGE));
	assert_copied(&f, 5, LARGE);
	open_again(&f);
	g_assert_cmpint(read_copy(&f, store_gen(f.store, id_of(f.store, "Archive")), TO, LARGE), ==,
		STORE_HIT);
	fixture_close(&f);
}

static void test_from_orphan(gconstpointer data)
{
	const Case *c = data;
	Fixture f = with_names(c->files);
	Gen to = other_mailbox(&f);

	read_as = 5;
	g_assert_true(commit_whole(f.store, f.gen, 5, c->size));
	remove_names(f.store, f.gen, "5");
	store_copy_body(f.store, f.gen, 5, to, TO);
	g_assert_cmpint(read_copy(&f, to, TO, c->size), ==, STORE_HIT);
	fixture_close(&f);
}

static void test_nothing_to_copy(void)
{
	Fixture f = with_names(true);
	Gen to = other_mailbox(&f);
	gsize n;

	store_copy_body(f.store, f.gen, 5, to, TO);
	g_assert_cmpuint(store_bodies_count(f.store), ==, 0);
	/* In part; for a message that is not there; of an old generation. */
	g_assert_true(commit_part(f.store, f.gen, 6, LARGE, 0, 700000));
	store_copy_body(f.store, f.gen, 6, to, TO);
	g_assert_cmpuint(store_bodies_count(f.store), ==, 1);
	g_assert_true(commit_whole(f.store, f.gen, 7, LARGE));
	store_copy_body(f.store, f.gen, 7, to, 99);
	store_copy_body(f.store, f.gen, 7, 99, TO);
	g_assert_cmpuint(store_bodies_count(f.store), ==, 2);
	/* One that is there stays. */
	g_assert_true(commit_whole(f.store, to, TO, SMALL));
	store_copy_body(f.store, f.gen, 7, to, TO);
	g_assert_cmpint(read_checked(f.store, to, TO, 0, SMALL, &n), ==, STORE_HIT);
	fixture_close(&f);
}

/* Parts of it were here: the whole takes their place. */
static void test_over_parts(void)
{
	Fixture f = with_names(true);
	Gen to = other_mailbox(&f);

	read_as = 5;
	g_assert_true(commit_whole(f.store, f.gen, 5, LARGE));
	g_assert_true(commit_part(f.store, to, TO, LARGE, 0, 1000));
	store_copy_body(f.store, f.gen, 5, to, TO);
	g_assert_cmpint(read_copy(&f, to, TO, LARGE), ==, STORE_HIT);
	fixture_close(&f);
}

static void damage(const char *folder)
{
	g_autoptr(GDir) entries = g_dir_open(folder, 0, NULL);
	const char *name;

	while ((name = g_dir_read_name(entries))) {
		g_autofree char *path = g_build_filename(folder, name, NULL);
		struct stat st;
		int fd;

		g_assert_cmpint(stat(path, &st), ==, 0);
		if (S_ISDIR(st.st_mode)) {
			damage(path);
			continue;
		}
		fd = open(path, O_WRONLY);
		g_assert_cmpint((int)pwrite(fd, "\x01\x02\x03", 3, 100), ==, 3);
		close(fd);
	}
}

/* What an earlier mount left and somebody altered is nobody's body. */
static void test_altered(gconstpointer data)
{
	const Case *c = data;
	Fixture f = with_names(true);
	g_autofree char *bodies = g_build_filename(f.cachedir, "bodies", NULL);

	g_assert_true(commit_whole(f.store, f.gen, 5, c->size));
	g_clear_pointer(&f.store, store_free);
	damage(bodies);
	open_again(&f);

	Gen to = other_mailbox(&f);

	store_copy_body(f.store, f.gen, 5, to, TO);
	g_assert_cmpint(read_copy(&f, to, TO, c->size), ==, STORE_MISS);
	fixture_close(&f);
}

/* A message of some size costs no second one. */
static void test_takes_no_room(void)
{
	Fixture f = with_names(true);
	Gen to = other_mailbox(&f);
	g_autofree char *folder = g_strdup_printf("%s/bodies/%u", f.cachedir, to);
	struct stat st;

	g_assert_true(commit_whole(f.store, f.gen, 5, LARGE));
	store_copy_body(f.store, f.gen, 5, to, TO);

	g_autoptr(GDir) entries = g_dir_open(folder, 0, NULL);
	g_autofree char *path = g_build_filename(folder, g_dir_read_name(entries), NULL);

	g_assert_cmpint(stat(path, &st), ==, 0);
	g_assert_cmpuint(st.st_nlink, ==, 2);
	fixture_close(&f);
}

/* ---- threads ---- */

static gpointer read_all_along(gpointer data)
{
	const Fixture *f = data;

	while (store_has_body(f->store, f->gen, 5, STORE_MESSAGE))
		read_copy(f, f->gen, 5, LARGE);
	return NULL;
}

/* Readers of the original, and of the copies, while there come more and it goes. */
static void test_readers(void)
{
	Fixture f = with_names(true);
	Gen to = other_mailbox(&f);
	GThread *reader;

	read_as = 5;
	g_assert_true(commit_whole(f.store, f.gen, 5, LARGE));
	reader = g_thread_new("reader", read_all_along, &f);
	for (guint32 uid = 1; uid <= 10; uid++) {
		store_copy_body(f.store, f.gen, 5, to, uid);
		g_assert_cmpint(read_copy(&f, to, uid, LARGE), ==, STORE_HIT);
	}
	store_gen_open(f.store, f.mailbox, 2);
	g_thread_join(reader);
	for (guint32 uid = 1; uid <= 10; uid++)
		g_assert_cmpint(read_copy(&f, to, uid, LARGE), ==, STORE_HIT);
	fixture_close(&f);
}

int main(int argc, char **argv)
{
	static const Case pack = {true, SMALL}, file = {true, LARGE}, none = {true, 0},
			  memory = {false, SMALL}, large_memory = {false, LARGE};

	g_test_init(&argc, &argv, NULL);
	g_test_add_data_func("/store/copy/pack", &pack, test_copy);
	g_test_add_data_func("/store/copy/file", &file, test_copy);
	g_test_add_data_func("/store/copy/empty", &none, test_copy);
	g_test_add_data_func("/store/copy/memory", &memory, test_copy);
	g_test_add_data_func("/store/copy/large-memory", &large_memory, test_copy);
	g_test_add_func("/store/copy/of-parts", test_of_parts);
	g_test_add_data_func("/store/copy/from-orphan-in-pack", &pack, test_from_orphan);
	g_test_add_data_func("/store/copy/from-orphan-in-file", &file, test_from_orphan);
	g_test_add_data_func("/store/copy/from-orphan-in-memory", &memory, test_from_orphan);
	g_test_add_func("/store/copy/nothing", test_nothing_to_copy);
	g_test_add_func("/store/copy/over-parts", test_over_parts);
	g_test_add_data_func("/store/copy/altered-pack", &pack, test_altered);
	g_test_add_data_func("/store/copy/altered-file", &file, test_altered);
	g_test_add_func("/store/copy/takes-no-room", test_takes_no_room);
	g_test_add_func("/store/copy/readers", test_readers);
	return g_test_run();
}
