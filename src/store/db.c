#include "store/db.h"
#include "store/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>

/* Each brings the file from the version of its place to the next. */
static const char *const migrations[] = {
	"CREATE TABLE numbers (key TEXT PRIMARY KEY, value INTEGER, sum INTEGER) WITHOUT ROWID;"
	"CREATE TABLE mailboxes (name BLOB PRIMARY KEY, delimiter INTEGER, attributes INTEGER,"
	" sum INTEGER) WITHOUT ROWID;"
	"CREATE TABLE generations (gen INTEGER PRIMARY KEY, mailbox BLOB, uidvalidity INTEGER,"
	" known INTEGER, uidnext INTEGER, modseq INTEGER, used INTEGER, sum INTEGER);"
	"CREATE TABLE ranges (gen INTEGER, kind INTEGER, lo INTEGER, hi INTEGER, sum INTEGER,"
	" PRIMARY KEY (gen, kind, lo)) WITHOUT ROWID;"
	"CREATE TABLE messages (gen INTEGER, uid INTEGER, size INTEGER, date INTEGER,"
	" flags INTEGER, has INTEGER, keywords TEXT, sum INTEGER, PRIMARY KEY (gen, uid))"
	" WITHOUT ROWID;"
	"CREATE TABLE bodies (gen INTEGER, uid INTEGER, serial INTEGER, pack INTEGER, at INTEGER,"
	" length INTEGER, used INTEGER, pieces BLOB, sum INTEGER, PRIMARY KEY (gen, uid))"
	" WITHOUT ROWID;",

	"CREATE TABLE items (gen INTEGER, uid INTEGER, serial INTEGER, pack INTEGER, at INTEGER,"
	" length INTEGER, used INTEGER, item INTEGER, pieces BLOB, sum INTEGER,"
	" PRIMARY KEY (gen, uid, item)) WITHOUT ROWID;"
	"INSERT INTO items SELECT gen, uid, serial, pack, at, length, used, 0, pieces, sum"
	" FROM bodies;"
	"DROP TABLE bodies;"
	"ALTER TABLE items RENAME TO bodies;",
};

typedef enum {
	SQL_BEGIN,
	SQL_COMMIT,
	SQL_ROLLBACK,
	SQL_SET_NUMBER,
	SQL_NUMBER,
	SQL_CLEAR_MAILBOXES,
	SQL_PUT_MAILBOX,
	SQL_MAILBOXES,
	SQL_PUT_GENERATION,
	SQL_DROP_GENERATION,
	SQL_GENERATIONS,
	SQL_PUT_RANGE,
	SQL_DROP_RANGE,
	SQL_DROP_RANGES,
	SQL_RANGES,
	SQL_PUT_ROW,
	SQL_DROP_ROWS,
	SQL_ROWS,
	SQL_PUT_BODY,
	SQL_DROP_BODY,
	SQL_DROP_BODIES,
	SQL_BODIES,
	SQL_COUNT_
} Sql;

static const char *const sql[SQL_COUNT_] = {
	[SQL_BEGIN] = "BEGIN IMMEDIATE",
	[SQL_COMMIT] = "COMMIT",
	[SQL_ROLLBACK] = "ROLLBACK",
	[SQL_SET_NUMBER] = "REPLACE INTO numbers VALUES (?1, ?2, ?3)",
	[SQL_NUMBER] = "SELECT value, sum FROM numbers WHERE key = ?1",
	[SQL_CLEAR_MAILBOXES] = "DELETE FROM mailboxes",
	[SQL_PUT_MAILBOX] = "REPLACE INTO mailboxes VALUES (?1, ?2, ?3, ?4)",
	[SQL_MAILBOXES] = "SELECT name, delimiter, attributes, sum FROM mailboxes",
	[SQL_PUT_GENERATION] = "REPLACE INTO generations VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[SQL_DROP_GENERATION] = "DELETE FROM generations WHERE gen = ?1",
	[SQL_GENERATIONS] = "SELECT gen, mailbox, uidvalidity, known, uidnext, modseq, used, sum"
			    " FROM generations ORDER BY gen",
	[SQL_PUT_RANGE] = "REPLACE INTO ranges VALUES (?1, ?2, ?3, ?4, ?5)",
	[SQL_DROP_RANGE] = "DELETE FROM ranges WHERE gen = ?1 AND kind = ?2 AND lo = ?3",
	[SQL_DROP_RANGES] = "DELETE FROM ranges WHERE gen = ?1",
	[SQL_RANGES] = "SELECT gen, kind, lo, hi, sum FROM ranges ORDER BY gen, kind, lo",
	[SQL_PUT_ROW] = "REPLACE INTO messages VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[SQL_DROP_ROWS] = "DELETE FROM messages WHERE gen = ?1 AND uid BETWEEN ?2 AND ?3",
	[SQL_ROWS] = "SELECT uid, size, date, flags, has, keywords, sum FROM messages"
		     " WHERE gen = ?1 ORDER BY uid",
	[SQL_PUT_BODY] = "REPLACE INTO bodies VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
	[SQL_DROP_BODY] = "DELETE FROM bodies WHERE gen = ?1 AND uid = ?2 AND item = ?3",
	[SQL_DROP_BODIES] = "DELETE FROM bodies WHERE gen = ?1",
	[SQL_BODIES] = "SELECT gen, uid, serial, pack, at, length, used, item, pieces, sum"
		       " FROM bodies ORDER BY used DESC",
};

static const SqlSchema schema = {
	.name = "index.db",
	.migrations = migrations,
	.n_migrations = G_N_ELEMENTS(migrations),
	.statements = sql,
	.n_statements = SQL_COUNT_,
};

/* ---- statements ---- */

#define RUN(db, which, ...)                                                                        \
	store_sql_run(db, which, (const gint64[]){__VA_ARGS__},                                    \
		G_N_ELEMENTS(((const gint64[]){__VA_ARGS__})))

/* Runs with the values and, behind them, their sum. */
#define RUN_SUMMED(db, which, ...)                                                                 \
	RUN(db, which, __VA_ARGS__,                                                                \
		store_sql_sum((const gint64[]){__VA_ARGS__},                                       \
			G_N_ELEMENTS(((const gint64[]){__VA_ARGS__})), NULL, 0))

/* ---- opening ---- */

guint64 store_db_size(int dir_fd)
{
	struct stat st;

	return fstatat(dir_fd, schema.name, &st, AT_SYMLINK_NOFOLLOW) == 0 ? (guint64)st.st_size
									   : 0;
}

bool store_db_is_there(int dir_fd)
{
	return store_sql_is_there(dir_fd, &schema);
}

void store_db_remove(int dir_fd)
{
	store_sql_remove(dir_fd, &schema);
}

Db *store_db_open(int dir_fd, const char *dir_path, GError **error)
{
	int why = 0;
	Db *db = store_sql_open(dir_fd, dir_path, &schema, &why);

	if (!db && store_sql_is_damage(why)) {
		g_message("%s/%s is damaged or of another version: it begins anew, and what was "
			  "fetched is fetched again",
			dir_path, schema.name);
		store_sql_remove(dir_fd, &schema);
		db = store_sql_open(dir_fd, dir_path, &schema, &why);
	}
	if (!db)
		g_set_error(error, MAIL_ERROR, MAIL_ERROR_IO, "%s/%s: %s", dir_path, schema.name,
			sqlite3_errstr(why));
	return db;
}

const char *store_db_error(const Db *db)
{
	return sqlite3_errstr(db->why);
}

bool store_db_may_recover(const Db *db)
{
	return db->why != SQLITE_OK && !store_sql_is_damage(db->why);
}

/* ---- saving ---- */

bool store_db_begin(Db *db)
{
	db->failed = false;
	return store_sql_run(db, SQL_BEGIN, NULL, 0);
}

bool store_db_goes_on(const Db *db)
{
	return !db->failed;
}

bool store_db_end(Db *db)
{
	if (!db->failed && store_sql_run(db, SQL_COMMIT, NULL, 0))
		return true;

	int why = db->why;

	store_sql_run(db, SQL_ROLLBACK, NULL, 0);
	db->why = why;
	return false;
}

bool store_db_set_number(Db *db, const char *key, gint64 value)
{
	sqlite3_stmt *statement = store_sql_use(db, SQL_SET_NUMBER, NULL, 0);

	if (!statement)
		return false;
	sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 2, value);
	sqlite3_bind_int64(statement, 3, store_sql_sum(&value, 1, key, strlen(key)));
	return store_sql_finish(db, statement);
}

bool store_db_clear_mailboxes(Db *db)
{
	return store_sql_run(db, SQL_CLEAR_MAILBOXES, NULL, 0);
}

bool store_db_put_mailbox(Db *db, const DbMailbox *mailbox)
{
	gint64 values[] = {(guchar)mailbox->delimiter, mailbox->attributes};
	ImapBytes name = mailbox->name;
	sqlite3_stmt *statement = store_sql_use(db, SQL_PUT_MAILBOX, NULL, 0);

	if (!statement)
		return false;
	sqlite3_bind_blob(statement, 1, name.data, (int)name.len, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 2, values[0]);
	sqlite3_bind_int64(statement, 3, values[1]);
	sqlite3_bind_int64(
		statement, 4, store_sql_sum(values, G_N_ELEMENTS(values), name.data, name.len));
	return store_sql_finish(db, statement);
}

enum { GENERATION_NUMBERS = 6 };

bool store_db_put_generation(Db *db, const DbGeneration *generation)
{
	const gint64 values[1 + GENERATION_NUMBERS] = {generation->gen, generation->uidvalidity,
		generation->names_known, generation->mark.uidnext,
		(gint64)generation->mark.highestmodseq, generation->used};
	ImapBytes name = generation->mailbox;
	sqlite3_stmt *statement = store_sql_use(db, SQL_PUT_GENERATION, values, 1);

	if (!statement)
		return false;
	sqlite3_bind_blob(statement, 2, name.data, (int)name.len, SQLITE_STATIC);
	for (int i = 1; i < GENERATION_NUMBERS; i++)
		sqlite3_bind_int64(statement, 2 + i, values[i]);
	sqlite3_bind_int64(
		statement, 8, store_sql_sum(values, GENERATION_NUMBERS, name.data, name.len));
	return store_sql_finish(db, statement);
}

bool store_db_drop_generation(Db *db, Gen gen)
{
	return RUN(db, SQL_DROP_GENERATION, gen) && RUN(db, SQL_DROP_RANGES, gen) &&
	       RUN(db, SQL_DROP_ROWS, gen, 0, G_MAXUINT32) && RUN(db, SQL_DROP_BODIES, gen);
}

bool store_db_put_range(Db *db, Gen gen, DbSet set, ImapRange range)
{
	return RUN_SUMMED(db, SQL_PUT_RANGE, gen, set, range.lo, range.hi);
}

bool store_db_drop_range(Db *db, Gen gen, DbSet set, guint32 lo)
{
	return RUN(db, SQL_DROP_RANGE, gen, set, lo);
}

/* What is known of a row, as one number. */
enum { HAS_SIZE = 1, HAS_DATE = 2, HAS_FLAGS = 4, VERIFIED = 8 };

static gint64 has_of(const Row *row)
{
	return (row->has_size ? HAS_SIZE : 0) | (row->has_date ? HAS_DATE : 0) |
	       (row->has_flags ? HAS_FLAGS : 0) | (row->verified ? VERIFIED : 0);
}

enum { ROW_NUMBERS = 6 };

bool store_db_put_row(Db *db, Gen gen, const Row *row, const char *keywords)
{
	const gint64 values[ROW_NUMBERS] = {
		gen, row->uid, (gint64)row->size, row->date, (gint64)row->flags, has_of(row)};
	gsize len = strlen(keywords);
	sqlite3_stmt *statement = store_sql_use(db, SQL_PUT_ROW, values, ROW_NUMBERS);

	if (!statement)
		return false;
	/* Most have none, which takes no room as NULL. */
	sqlite3_bind_text(
		statement, ROW_NUMBERS + 1, len > 0 ? keywords : NULL, (int)len, SQLITE_STATIC);
	sqlite3_bind_int64(
		statement, ROW_NUMBERS + 2, store_sql_sum(values, ROW_NUMBERS, keywords, len));
	return store_sql_finish(db, statement);
}

bool store_db_drop_rows(Db *db, Gen gen, ImapRange uids)
{
	return RUN(db, SQL_DROP_ROWS, gen, uids.lo, uids.hi);
}

enum { BODY_NUMBERS = 8 };

/* The item is the last of the numbers, and in the sum only where it is not the message: so the sums
 * of records from before there were items hold. */
static gint64 sum_of_body(const gint64 *values, const void *pieces, gsize len)
{
	gsize n = BODY_NUMBERS - (values[BODY_NUMBERS - 1] == STORE_MESSAGE);

	return store_sql_sum(values, n, pieces, len);
}

bool store_db_put_body(Db *db, const DbBody *body)
{
	const gint64 values[BODY_NUMBERS] = {body->gen, body->uid, (gint64)body->serial,
		(gint64)body->pack, (gint64)body->at, (gint64)body->limit, body->used, body->item};
	gsize len = body->n_pieces * sizeof(Piece);
	sqlite3_stmt *statement = store_sql_use(db, SQL_PUT_BODY, values, BODY_NUMBERS);

	if (!statement)
		return false;
	sqlite3_bind_blob(statement, BODY_NUMBERS + 1, body->pieces, (int)len, SQLITE_STATIC);
	sqlite3_bind_int64(statement, BODY_NUMBERS + 2, sum_of_body(values, body->pieces, len));
	return store_sql_finish(db, statement);
}

bool store_db_drop_body(Db *db, Gen gen, guint32 uid, StoreItem item)
{
	return RUN(db, SQL_DROP_BODY, gen, uid, item);
}

/* ---- reading ---- */

bool store_db_number(Db *db, const char *key, gint64 *ret)
{
	sqlite3_stmt *row = store_sql_read(db, SQL_NUMBER);

	if (row)
		sqlite3_bind_text(row, 1, key, -1, SQLITE_STATIC);
	while (row && store_sql_next(db, row)) {
		gint64 value = sqlite3_column_int64(row, 0);

		if (!store_sql_adds_up(db, row, 1, store_sql_sum(&value, 1, key, strlen(key))))
			return false;
		*ret = value;
	}
	return !db->unread;
}

bool store_db_each_mailbox(
	Db *db, void (*fn)(const DbMailbox *mailbox, gpointer data), gpointer data)
{
	sqlite3_stmt *row = store_sql_read(db, SQL_MAILBOXES);

	while (row && store_sql_next(db, row)) {
		gint64 values[2];
		ImapBytes name = store_sql_bytes(row, 0);
		DbMailbox mailbox = {.name = name};

		store_sql_numbers(row, 1, values, 2);
		if (!store_sql_adds_up(db, row, 3, store_sql_sum(values, 2, name.data, name.len)))
			return false;
		mailbox.delimiter = (char)values[0];
		mailbox.attributes = (guint)values[1];
		fn(&mailbox, data);
	}
	return !db->unread;
}

bool store_db_each_generation(
	Db *db, void (*fn)(const DbGeneration *generation, gpointer data), gpointer data)
{
	sqlite3_stmt *row = store_sql_read(db, SQL_GENERATIONS);

	while (row && store_sql_next(db, row)) {
		gint64 values[GENERATION_NUMBERS];
		ImapBytes name = store_sql_bytes(row, 1);

		store_sql_numbers(row, 0, values, 1);
		store_sql_numbers(row, 2, values + 1, GENERATION_NUMBERS - 1);
		if (!store_sql_adds_up(db, row, 7,
			    store_sql_sum(values, GENERATION_NUMBERS, name.data, name.len)))
			return false;

		DbGeneration generation = {
			.gen = (Gen)values[0],
			.mailbox = name,
			.uidvalidity = (guint32)values[1],
			.names_known = values[2] != 0,
			.mark = {(guint32)values[3], (guint64)values[4]},
			.used = values[5],
		};

		fn(&generation, data);
	}
	return !db->unread;
}

bool store_db_each_range(
	Db *db, void (*fn)(Gen gen, DbSet set, ImapRange range, gpointer data), gpointer data)
{
	sqlite3_stmt *row = store_sql_read(db, SQL_RANGES);

	while (row && store_sql_next(db, row)) {
		gint64 values[4];

		store_sql_numbers(row, 0, values, 4);
		if (!store_sql_adds_up(db, row, 4, store_sql_sum(values, 4, NULL, 0)))
			return false;
		fn((Gen)values[0], (DbSet)values[1],
			(ImapRange){(guint32)values[2], (guint32)values[3]}, data);
	}
	return !db->unread;
}

bool store_db_each_row(Db *db, Gen gen,
	void (*fn)(const Row *row, const char *keywords, gpointer data), gpointer data)
{
	sqlite3_stmt *row = store_sql_read(db, SQL_ROWS);

	if (row)
		sqlite3_bind_int64(row, 1, gen);
	while (row && store_sql_next(db, row)) {
		gint64 values[ROW_NUMBERS] = {gen};
		const char *text = (const char *)sqlite3_column_text(row, 5);
		const char *keywords = text ? text : "";

		store_sql_numbers(row, 0, values + 1, ROW_NUMBERS - 1);
		if (!store_sql_adds_up(db, row, 6,
			    store_sql_sum(values, ROW_NUMBERS, keywords, strlen(keywords))))
			return false;

		Row found = {
			.uid = (guint32)values[1],
			.date = (guint32)values[3],
			.has_size = (values[5] & HAS_SIZE) != 0,
			.has_date = (values[5] & HAS_DATE) != 0,
			.has_flags = (values[5] & HAS_FLAGS) != 0,
			.verified = (values[5] & VERIFIED) != 0,
		};

		found.size = (guint64)values[2] & ROW_SIZE_MAX;
		found.flags = (guint64)values[4] & ROW_FLAGS_MASK;
		fn(&found, keywords, data);
	}
	return !db->unread;
}

bool store_db_each_body(Db *db, void (*fn)(const DbBody *body, gpointer data), gpointer data)
{
	sqlite3_stmt *row = store_sql_read(db, SQL_BODIES);

	while (row && store_sql_next(db, row)) {
		gint64 values[BODY_NUMBERS];
		ImapBytes pieces = store_sql_bytes(row, BODY_NUMBERS);

		store_sql_numbers(row, 0, values, BODY_NUMBERS);
		if (!store_sql_adds_up(db, row, BODY_NUMBERS + 1,
			    sum_of_body(values, pieces.data, pieces.len)))
			return false;

		/* A blob has no alignment of its own. */
		g_autofree Piece *copy = g_memdup2(pieces.data, pieces.len);
		DbBody body = {
			.gen = (Gen)values[0],
			.uid = (guint32)values[1],
			.serial = (guint64)values[2],
			.pack = (guint64)values[3],
			.at = (guint64)values[4],
			.limit = (guint64)values[5],
			.used = values[6],
			.item = (StoreItem)values[7],
			.pieces = copy,
			.n_pieces = pieces.len / sizeof(Piece),
		};

		fn(&body, data);
	}
	return !db->unread;
}
