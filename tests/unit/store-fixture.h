/* What the tests of the store share: a store in a directory of its own, and short forms. */
#pragma once

#include "store/private.h"
#include "base/limits.h"

#include <glib/gstdio.h>
#include <sqlite3.h>
#include <string.h>

typedef struct {
	char *parent; /* removed with all that is in it */
	char *cachedir;
	Store *store;
	MailboxId mailbox;
	Gen gen; /* of mailbox, with UIDVALIDITY 1 */
} Fixture;

/* A body that gets a file of its own: the smallest that shares none. */
enum { OWN_FILE = LIMIT_SINK_MEMORY };

static inline ImapSet *set_of(const char *text)
{
	ImapSet *set = *text ? imap_set_parse(text, strlen(text), 1000) : imap_set_new();

	g_assert_nonnull(set);
	return set;
}

static inline void assert_set(const ImapSet *set, const char *expected)
{
	g_autofree char *text = imap_set_to_string(set);

	g_assert_cmpstr(text, ==, expected);
}

static inline void set_names(Store *store, Gen gen, const char *uids, const char *deleted)
{
	g_autoptr(ImapSet) all = set_of(uids);
	g_autoptr(ImapSet) marked = set_of(deleted);

	store_set_names(store, gen, all, marked, NULL, NULL);
}

static inline void remove_names(Store *store, Gen gen, const char *uids)
{
	g_autoptr(ImapSet) set = set_of(uids);

	store_remove_names(store, gen, set, NULL);
}

static inline ImapList list_of(const char *name)
{
	return (ImapList){.delimiter = '/', .name = {name, strlen(name)}};
}

static inline MailboxId id_of(Store *store, const char *name)
{
	g_autoptr(GArray) all = store_mailboxes(store);

	for (guint i = 0; i < all->len; i++)
		if (g_str_equal(g_array_index(all, StoreMailbox, i).name, name))
			return g_array_index(all, StoreMailbox, i).id;
	return 0;
}

static inline void open_inbox(Fixture *f)
{
	ImapList lists[] = {list_of("INBOX")};

	store_set_mailboxes(f->store, lists, G_N_ELEMENTS(lists));
	f->mailbox = id_of(f->store, "INBOX");
	f->gen = store_gen_open(f->store, f->mailbox, 1);
	g_assert_cmpuint(f->gen, !=, 0);
}

static inline void fixture_dirs(Fixture *f)
{
	f->parent = g_dir_make_tmp("imapfs-store-XXXXXX", NULL);
	g_assert_nonnull(f->parent);
	f->cachedir = g_build_filename(f->parent, "account", NULL);
}

static inline void fixture_open(Fixture *f, bool files, guint64 cache_size, bool show_deleted)
{
	g_autoptr(GError) error = NULL;

	fixture_dirs(f);
	f->store = store_new(files ? f->cachedir : NULL, cache_size, show_deleted, &error);
	g_assert_no_error(error);
	open_inbox(f);
}

/* Ends the mount, if it was not ended, and begins the next over the same cache. */
static inline void open_again(Fixture *f)
{
	g_autoptr(GError) error = NULL;

	g_clear_pointer(&f->store, store_free);
	f->store = store_new(f->cachedir, 1 << 30, false, &error);
	g_assert_no_error(error);
	f->mailbox = id_of(f->store, "INBOX");
	f->gen = store_gen(f->store, f->mailbox);
}

static inline void put_message(const Fixture *f, guint32 uid, guint64 size, guint flags)
{
	StoreMessage message = {.uid = uid, .size = size, .date = 1000000 + uid, .flags = flags};
	StoreFields all = {true, true, true};

	store_set_attributes(f->store, f->gen, &message, all, NULL);
}

static inline void assert_message(const Fixture *f, guint32 uid, guint64 size, guint flags)
{
	StoreMessage message;

	store_recall(f->store, f->gen);
	g_assert_cmpint(store_try_message(f->store, f->gen, uid, &message), ==, STORE_HIT);
	g_assert_cmpuint(message.size, ==, size);
	g_assert_cmpint(message.date, ==, 1000000 + uid);
	g_assert_cmpuint(message.flags, ==, flags);
}

static inline void assert_names(const Fixture *f, const char *expected)
{
	g_autoptr(ImapSet) names = store_names(f->store, f->gen);

	g_assert_nonnull(names);
	assert_set(names, expected);
}

static inline void assert_unknown(const Fixture *f, guint32 uid)
{
	StoreMessage message;

	store_recall(f->store, f->gen);
	g_assert_cmpint(store_try_message(f->store, f->gen, uid, &message), ==, STORE_MISS);
}

/* Makes the index, which no mount uses, one from before there were items: of messages alone. */
static inline void make_earlier(const Fixture *f)
{
	static const char statements[] =
		"CREATE TABLE old (gen INTEGER, uid INTEGER, serial INTEGER, pack INTEGER,"
		" at INTEGER, length INTEGER, used INTEGER, pieces BLOB, sum INTEGER,"
		" PRIMARY KEY (gen, uid)) WITHOUT ROWID;"
		"INSERT INTO old SELECT gen, uid, serial, pack, at, length, used, pieces, sum"
		" FROM bodies; DROP TABLE bodies; ALTER TABLE old RENAME TO bodies;"
		"PRAGMA user_version = 1";
	g_autofree char *index = g_build_filename(f->cachedir, "index.db", NULL);
	sqlite3 *db;

	g_assert_cmpint(sqlite3_open(index, &db), ==, SQLITE_OK);
	g_assert_cmpint(sqlite3_exec(db, statements, NULL, NULL, NULL), ==, SQLITE_OK);
	sqlite3_close(db);
}

/* The name of a file, "<prefix>-<serial>", that the store gave its nth serial in this mount. */
static inline char *serial_name(const Fixture *f, const char *prefix, guint n)
{
	guint64 mount = f->store->last_serial >> 32 << 32;

	return g_strdup_printf("%s-%" G_GUINT64_FORMAT, prefix, mount + n);
}

static inline void remove_tree(const char *path)
{
	const char *argv[] = {"rm", "-rf", path, NULL};

	g_spawn_sync(
		NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL);
}

static inline void copy_tree(const char *from, const char *to)
{
	const char *argv[] = {"cp", "-a", "--sparse=always", from, to, NULL};
	int status;

	g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
		NULL, &status, NULL));
	g_assert_cmpint(status, ==, 0);
}

static inline void fixture_close(Fixture *f)
{
	store_free(f->store);
	remove_tree(f->parent);
	g_free(f->parent);
	g_free(f->cachedir);
	*f = (Fixture){0};
}

/* The byte at a position of the body of a message: another sequence for each. */
static inline guint8 body_byte(guint32 uid, guint64 pos)
{
	return (guint8)((pos ^ (pos >> 8)) * 31 + uid * 7 + 1);
}

/* What stands for the UID there, of another item than the message itself. */
static inline guint32 item_seed(guint32 uid, StoreItem item)
{
	return uid + 61u * item;
}

static inline void write_bytes(StoreSink *sink, guint32 uid, guint64 start, guint64 len)
{
	guint8 chunk[10000];

	for (guint64 done = 0, n; done < len; done += n) {
		n = MIN(len - done, sizeof chunk);
		for (guint64 i = 0; i < n; i++)
			chunk[i] = body_byte(uid, start + done + i);
		store_sink_write(sink, chunk, n);
	}
}

static inline bool commit_item(Store *store, Gen gen, guint32 uid, StoreItem item, guint64 size)
{
	StoreSink *sink = store_sink_new(store);

	write_bytes(sink, item_seed(uid, item), 0, size);
	g_assert_cmpuint(store_sink_size(sink), ==, size);
	return store_sink_commit(sink, gen, uid, item, 0, 0, true);
}

static inline bool commit_whole(Store *store, Gen gen, guint32 uid, guint64 size)
{
	return commit_item(store, gen, uid, STORE_MESSAGE, size);
}

/* The answer to BODY[]<origin.asked> of a message with `size` bytes. */
static inline bool commit_part(
	Store *store, Gen gen, guint32 uid, guint64 size, guint64 origin, guint64 asked)
{
	StoreSink *sink = store_sink_new(store);

	if (origin < size)
		write_bytes(sink, uid, origin, MIN(asked, size - origin));
	return store_sink_commit(sink, gen, uid, STORE_MESSAGE, origin, asked, false);
}

/* Reads and, of a HIT, checks every byte. */
static inline StoreAnswer read_item(
	Store *store, Gen gen, guint32 uid, StoreItem item, guint64 offset, gsize len, gsize *ret_n)
{
	g_autofree guint8 *buf = g_malloc(MAX(len, 1));
	StoreAnswer answer;

	*ret_n = 0;
	answer = store_try_read(store, gen, uid, item, offset, buf, len, ret_n);
	if (answer == STORE_HIT)
		g_assert_cmpuint(*ret_n, <=, len);
	for (gsize i = 0; answer == STORE_HIT && i < *ret_n; i++)
		g_assert_cmpuint(buf[i], ==, body_byte(item_seed(uid, item), offset + i));
	return answer;
}

static inline StoreAnswer read_checked(
	Store *store, Gen gen, guint32 uid, guint64 offset, gsize len, gsize *ret_n)
{
	return read_item(store, gen, uid, STORE_MESSAGE, offset, len, ret_n);
}

#define assert_read(store, gen, uid, offset, len, expected)                                        \
	G_STMT_START                                                                               \
	{                                                                                          \
		gsize n_;                                                                          \
		g_assert_cmpint(read_checked(store, gen, uid, offset, len, &n_), ==, STORE_HIT);   \
		g_assert_cmpuint(n_, ==, expected);                                                \
	}                                                                                          \
	G_STMT_END

#define assert_no_read(store, gen, uid, offset, len, answer)                                       \
	G_STMT_START                                                                               \
	{                                                                                          \
		gsize n_;                                                                          \
		g_assert_cmpint(read_checked(store, gen, uid, offset, len, &n_), ==, answer);      \
	}                                                                                          \
	G_STMT_END
