/* The index file: SQLite, one connection, one transaction for each save. It remembers mailboxes,
 * generations with the sets of their UIDs, the attributes of messages and where bodies are; each
 * record carries its own sum, and where one does not add up the file is damaged. All functions
 * touch the disk; one thread at a time, which save.c sees to. Between two calls that save another
 * thread may read, and sees what was saved so far. */
#pragma once

#include "store/piece.h"
#include "store/rows.h"
#include "store/sqlfile.h"
#include "store/store.h"

typedef SqlFile Db; /* store_sql_close() ends it */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Db, store_sql_close)

/* The index file `name` in the directory, made (0600) or brought to the present schema; one that is
 * damaged or of a later version is replaced by a new one, and that is logged. NULL: it cannot be
 * made or written. */
Db *store_db_open(int dir_fd, const char *dir_path, GError **error);

/* The bytes of the index file in this directory; 0: there is none. And whether there is one: SQLite
 * goes on writing to a file that was deleted. */
guint64 store_db_size(int dir_fd);
bool store_db_is_there(int dir_fd);

/* Removes the file of a closed Db. */
void store_db_remove(int dir_fd);

/* ---- what is kept ---- */

typedef struct {
	ImapBytes name;
	char delimiter;
	guint attributes;
} DbMailbox;

/* The sets of UIDs of a generation. */
typedef enum {
	DB_UIDS, /* all */
	DB_DELETED, /* flagged \Deleted */
	DB_STALE, /* store_flags_doubt() */
	DB_SETS_,
} DbSet;

typedef struct {
	Gen gen;
	ImapBytes mailbox; /* its name */
	guint32 uidvalidity;
	bool names_known;
	StoreMark mark;
	gint64 used; /* when it was saved last, not before it was listed last; seconds since 1970 */
} DbGeneration;

/* A body in a file of its own (pack 0) or in a pack. */
typedef struct {
	Gen gen;
	guint32 uid;
	StoreItem item;
	guint64 serial, pack, at;
	guint64 limit; /* no byte at or past it; G_MAXUINT64: not known */
	gint64 used; /* seconds since 1970 */
	const Piece *pieces;
	gsize n_pieces;
} DbBody;

/* ---- saving: false when the transaction cannot go on; it must be ended all the same ---- */

bool store_db_begin(Db *db);
/* Whether it can go on, after others had their turn. */
bool store_db_goes_on(const Db *db);
/* Ends the transaction. false: nothing of it was kept; store_db_error() says why. */
bool store_db_end(Db *db);

/* What went wrong last, and whether trying again later may help (a full disk, one that fails);
 * false also when nothing did, so that it is what was read that makes no sense. */
const char *store_db_error(const Db *db);
bool store_db_may_recover(const Db *db);

bool store_db_set_number(Db *db, const char *key, gint64 value);
bool store_db_clear_mailboxes(Db *db);
bool store_db_put_mailbox(Db *db, const DbMailbox *mailbox);
bool store_db_put_generation(Db *db, const DbGeneration *generation);
/* With its sets, rows and bodies. */
bool store_db_drop_generation(Db *db, Gen gen);
bool store_db_put_range(Db *db, Gen gen, DbSet set, ImapRange range);
bool store_db_drop_range(Db *db, Gen gen, DbSet set, guint32 lo);
/* keywords: the combination that row->keywords stands for. */
bool store_db_put_row(Db *db, Gen gen, const Row *row, const char *keywords);
bool store_db_drop_rows(Db *db, Gen gen, ImapRange uids);
bool store_db_put_body(Db *db, const DbBody *body);
bool store_db_drop_body(Db *db, Gen gen, guint32 uid, StoreItem item);

/* ---- reading; what a callback is shown lives until it returns. false: the file is damaged, or
 * store_db_may_recover() ---- */

/* *ret stays as it is when there is none. */
bool store_db_number(Db *db, const char *key, gint64 *ret);
bool store_db_each_mailbox(
	Db *db, void (*fn)(const DbMailbox *mailbox, gpointer data), gpointer data);
bool store_db_each_generation(
	Db *db, void (*fn)(const DbGeneration *generation, gpointer data), gpointer data);
/* By generation and set, ascending. */
bool store_db_each_range(
	Db *db, void (*fn)(Gen gen, DbSet set, ImapRange range, gpointer data), gpointer data);
/* Ascending. row->keywords is 0, whatever the combination is. */
bool store_db_each_row(Db *db, Gen gen,
	void (*fn)(const Row *row, const char *keywords, gpointer data), gpointer data);
/* The one used last first. */
bool store_db_each_body(Db *db, void (*fn)(const DbBody *body, gpointer data), gpointer data);

/* ---- load.c ---- */

/* Puts all that is kept into a store that has nothing yet. false: store_db_may_recover(), or
 * the file is damaged; the store has a part of it. */
bool store_load(Store *store, Db *db);

/* Takes it out again: the store has nothing, as one without a past. */
void store_unload(Store *store);
