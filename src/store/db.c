#include "store/db.h"
#include "store/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_NAME "index.db"

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
	[SQL_PUT_BODY] = "REPLACE INTO bodies VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
	[SQL_DROP_BODY] = "DELETE FROM bodies WHERE gen = ?1 AND uid = ?2",
	[SQL_DROP_BODIES] = "DELETE FROM bodies WHERE gen = ?1",
	[SQL_BODIES] = "SELECT gen, uid, serial, pack, at, length, used, pieces, sum FROM bodies"
		       " ORDER BY used DESC",
};

struct Db {
	sqlite3 *file;
	sqlite3_stmt *prepared[SQL_COUNT_]; /* NULL: not yet */
	bool failed; /* a statement did since the transaction began: SQLite may have ended it */
	bool unread; /* one did since this reading began */
	int why; /* SQLite's code of the last failure */
};

/* ---- statements ---- */

static bool note(Db *db, int result)
{
	if (result == SQLITE_OK || result == SQLITE_ROW || result == SQLITE_DONE)
		return true;
	db->failed = db->unread = true;
	db->why = result;
	return false;
}

/* A statement with these numbers for its first parameters; NULL: it cannot be had. */
static sqlite3_stmt *use(Db *db, Sql which, const gint64 *values, int n)
{
	sqlite3_stmt **statement = &db->prepared[which];

	if (!*statement && !note(db, sqlite3_prepare_v3(db->file, sql[which], -1,
					     SQLITE_PREPARE_PERSISTENT, statement, NULL)))
		return NULL;
	for (int i = 0; i < n; i++)
		sqlite3_bind_int64(*statement, i + 1, values[i]);
	return *statement;
}

static bool finish(Db *db, sqlite3_stmt *statement)
{
	if (!statement)
		return false;

	bool done = note(db, sqlite3_step(statement));

	sqlite3_reset(statement);
	return done;
}

static bool run(Db *db, Sql which, const gint64 *values, int n)
{
	return finish(db, use(db, which, values, n));
}

/* The sum of a record: of all its numbers and of its bytes, if it has any. 32 bits, so that it
 * does not double the size of the small ones. */
static gint64 sum_of(const gint64 *values, gsize n, const void *bytes, gsize len)
{
	guint64 sums[2] = {piece_hash(values, n * sizeof(*values)), piece_hash(bytes, len)};

	return (gint64)(piece_hash(sums, sizeof sums) & G_MAXUINT32);
}

#define RUN(db, which, ...)                                                                        \
	run(db, which, (const gint64[]){__VA_ARGS__}, G_N_ELEMENTS(((const gint64[]){__VA_ARGS__})))

/* Runs with the values and, behind them, their sum. */
#define RUN_SUMMED(db, which, ...)                                                                 \
	RUN(db, which, __VA_ARGS__,                                                                \
		sum_of((const gint64[]){__VA_ARGS__},                                              \
			G_N_ELEMENTS(((const gint64[]){__VA_ARGS__})), NULL, 0))

/* The numbers of a row's columns from first on. */
static void columns(sqlite3_stmt *row, int first, gint64 *values, int n)
{
	for (int i = 0; i < n; i++)
		values[i] = sqlite3_column_int64(row, first + i);
}

static ImapBytes column_bytes(sqlite3_stmt *row, int column)
{
	const void *data = sqlite3_column_blob(row, column);

	return (ImapBytes){data ? data : "", (gsize)sqlite3_column_bytes(row, column)};
}

/* ---- opening ---- */

static bool exec(Db *db, const char *text)
{
	return note(db, sqlite3_exec(db->file, text, NULL, NULL, NULL));
}

static bool version(Db *db, int *ret)
{
	sqlite3_stmt *statement = NULL;
	bool there = note(db, sqlite3_prepare_v2(
				      db->file, "PRAGMA user_version", -1, &statement, NULL)) &&
		     note(db, sqlite3_step(statement));

	if (there)
		*ret = sqlite3_column_int(statement, 0);
	sqlite3_finalize(statement);
	return there;
}

static bool migrate(Db *db)
{
	int from, to = G_N_ELEMENTS(migrations);

	if (!version(db, &from))
		return false;
	if (from < 0 || from > to)
		return note(db, SQLITE_NOTADB);
	for (int i = from; i < to; i++) {
		g_autofree char *text = g_strdup_printf(
			"BEGIN; %s PRAGMA user_version = %d; COMMIT", migrations[i], i + 1);

		if (!exec(db, text))
			return false;
	}
	return true;
}

/* With one connection that nobody shares the log needs no shared memory, which not every file
 * system has. In this mode a crash loses the last transactions at most, never the order of them,
 * and the disk is waited for at checkpoints only. The log of a large save, which is as long as the
 * file, does not stay so: 4 MiB are what is kept before a checkpoint anyway. */
static bool prepare(Db *db)
{
	return exec(db, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;"
			"PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY;"
			"PRAGMA journal_size_limit = 4194304;"
			"PRAGMA cell_size_check = ON") &&
	       migrate(db);
}

void store_db_close(Db *db)
{
	if (!db)
		return;
	for (int i = 0; i < SQL_COUNT_; i++)
		sqlite3_finalize(db->prepared[i]);
	sqlite3_close(db->file);
	g_free(db);
}

/* Whether there is a file for SQLite to open, which would make one under the umask and follow a
 * symbolic link. */
static bool make_file(int dir_fd)
{
	struct stat st;

	store_file_close(store_file_make(dir_fd, FILE_NAME));
	return fstatat(dir_fd, FILE_NAME, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

static Db *try_open(int dir_fd, const char *path, int *ret_why)
{
	g_autoptr(Db) db = g_new0(Db, 1);

	if (!make_file(dir_fd)) {
		*ret_why = SQLITE_CANTOPEN;
		return NULL;
	}
	if (note(db, sqlite3_open_v2(
			     path, &db->file, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL)) &&
		prepare(db))
		return g_steal_pointer(&db);
	*ret_why = db->why;
	return NULL;
}

static bool is_damage(int why)
{
	int kind = why & 0xff;

	return kind == SQLITE_CORRUPT || kind == SQLITE_NOTADB || kind == SQLITE_ERROR ||
	       kind == SQLITE_MISMATCH;
}

guint64 store_db_size(int dir_fd)
{
	struct stat st;

	return fstatat(dir_fd, FILE_NAME, &st, AT_SYMLINK_NOFOLLOW) == 0 ? (guint64)st.st_size : 0;
}

bool store_db_is_there(int dir_fd)
{
	return faccessat(dir_fd, FILE_NAME, F_OK, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

void store_db_remove(int dir_fd)
{
	static const char *const names[] = {
		FILE_NAME, FILE_NAME "-journal", FILE_NAME "-wal", FILE_NAME "-shm"};

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
		store_file_unlink(dir_fd, names[i], 0);
}

Db *store_db_open(int dir_fd, const char *dir_path, GError **error)
{
	g_autofree char *path = g_build_filename(dir_path, FILE_NAME, NULL);
	int why = 0;

	store_db_add_faults();

	Db *db = try_open(dir_fd, path, &why);

	if (!db && is_damage(why)) {
		g_message("%s is damaged or of another version: it begins anew, and what was "
			  "fetched is fetched again",
			path);
		store_db_remove(dir_fd);
		db = try_open(dir_fd, path, &why);
	}
	if (!db)
		g_set_error(error, MAIL_ERROR, MAIL_ERROR_IO, "%s: %s", path, sqlite3_errstr(why));
	return db;
}

const char *store_db_error(const Db *db)
{
	return sqlite3_errstr(db->why);
}

bool store_db_may_recover(const Db *db)
{
	return db->why != SQLITE_OK && !is_damage(db->why);
}

/* ---- saving ---- */

bool store_db_begin(Db *db)
{
	db->failed = false;
	return run(db, SQL_BEGIN, NULL, 0);
}

bool store_db_goes_on(const Db *db)
{
	return !db->failed;
}

bool store_db_end(Db *db)
{
	if (!db->failed && run(db, SQL_COMMIT, NULL, 0))
		return true;

	int why = db->why;

	run(db, SQL_ROLLBACK, NULL, 0);
	db->why = why;
	return false;
}

bool store_db_set_number(Db *db, const char *key, gint64 value)
{
	sqlite3_stmt *statement = use(db, SQL_SET_NUMBER, NULL, 0);

	if (!statement)
		return false;
	sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 2, value);
	sqlite3_bind_int64(statement, 3, sum_of(&value, 1, key, strlen(key)));
	return finish(db, statement);
}

bool store_db_clear_mailboxes(Db *db)
{
	return run(db, SQL_CLEAR_MAILBOXES, NULL, 0);
}

bool store_db_put_mailbox(Db *db, const DbMailbox *mailbox)
{
	gint64 values[] = {(guchar)mailbox->delimiter, mailbox->attributes};
	ImapBytes name = mailbox->name;
	sqlite3_stmt *statement = use(db, SQL_PUT_MAILBOX, NULL, 0);

	if (!statement)
		return false;
	sqlite3_bind_blob(statement, 1, name.data, (int)name.len, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 2, values[0]);
	sqlite3_bind_int64(statement, 3, values[1]);
	sqlite3_bind_int64(statement, 4, sum_of(values, G_N_ELEMENTS(values), name.data, name.len));
	return finish(db, statement);
}

enum { GENERATION_NUMBERS = 6 };

bool store_db_put_generation(Db *db, const DbGeneration *generation)
{
	const gint64 values[1 + GENERATION_NUMBERS] = {generation->gen, generation->uidvalidity,
		generation->names_known, generation->mark.uidnext,
		(gint64)generation->mark.highestmodseq, generation->used};
	ImapBytes name = generation->mailbox;
	sqlite3_stmt *statement = use(db, SQL_PUT_GENERATION, values, 1);

	if (!statement)
		return false;
	sqlite3_bind_blob(statement, 2, name.data, (int)name.len, SQLITE_STATIC);
	for (int i = 1; i < GENERATION_NUMBERS; i++)
		sqlite3_bind_int64(statement, 2 + i, values[i]);
	sqlite3_bind_int64(statement, 8, sum_of(values, GENERATION_NUMBERS, name.data, name.len));
	return finish(db, statement);
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
	sqlite3_stmt *statement = use(db, SQL_PUT_ROW, values, ROW_NUMBERS);

	if (!statement)
		return false;
	/* Most have none, which takes no room as NULL. */
	sqlite3_bind_text(
		statement, ROW_NUMBERS + 1, len > 0 ? keywords : NULL, (int)len, SQLITE_STATIC);
	sqlite3_bind_int64(statement, ROW_NUMBERS + 2, sum_of(values, ROW_NUMBERS, keywords, len));
	return finish(db, statement);
}

bool store_db_drop_rows(Db *db, Gen gen, ImapRange uids)
{
	return RUN(db, SQL_DROP_ROWS, gen, uids.lo, uids.hi);
}

enum { BODY_NUMBERS = 7 };

bool store_db_put_body(Db *db, const DbBody *body)
{
	const gint64 values[BODY_NUMBERS] = {body->gen, body->uid, (gint64)body->serial,
		(gint64)body->pack, (gint64)body->at, (gint64)body->limit, body->used};
	gsize len = body->n_pieces * sizeof(Piece);
	sqlite3_stmt *statement = use(db, SQL_PUT_BODY, values, BODY_NUMBERS);

	if (!statement)
		return false;
	sqlite3_bind_blob(statement, BODY_NUMBERS + 1, body->pieces, (int)len, SQLITE_STATIC);
	sqlite3_bind_int64(
		statement, BODY_NUMBERS + 2, sum_of(values, BODY_NUMBERS, body->pieces, len));
	return finish(db, statement);
}

bool store_db_drop_body(Db *db, Gen gen, guint32 uid)
{
	return RUN(db, SQL_DROP_BODY, gen, uid);
}

/* ---- reading ---- */

/* The next row of a statement; false at its end, which resets it. */
static bool next_row(Db *db, sqlite3_stmt *statement)
{
	int result = sqlite3_step(statement);

	if (result == SQLITE_ROW)
		return true;
	note(db, result);
	sqlite3_reset(statement);
	return false;
}

/* Whether a record adds up. Where one does not the file is damaged: it may have been altered where
 * it says what it is about, and then others are not found under their names any more. */
static bool adds_up(Db *db, sqlite3_stmt *row, int column, gint64 sum)
{
	if (sqlite3_column_int64(row, column) == sum)
		return true;
	note(db, SQLITE_CORRUPT);
	sqlite3_reset(row);
	return false;
}

static sqlite3_stmt *begin_reading(Db *db, Sql which)
{
	db->unread = false;
	return use(db, which, NULL, 0);
}

bool store_db_number(Db *db, const char *key, gint64 *ret)
{
	sqlite3_stmt *row = begin_reading(db, SQL_NUMBER);

	if (row)
		sqlite3_bind_text(row, 1, key, -1, SQLITE_STATIC);
	while (row && next_row(db, row)) {
		gint64 value = sqlite3_column_int64(row, 0);

		if (!adds_up(db, row, 1, sum_of(&value, 1, key, strlen(key))))
			return false;
		*ret = value;
	}
	return !db->unread;
}

bool store_db_each_mailbox(
	Db *db, void (*fn)(const DbMailbox *mailbox, gpointer data), gpointer data)
{
	sqlite3_stmt *row = begin_reading(db, SQL_MAILBOXES);

	while (row && next_row(db, row)) {
		gint64 values[2];
		ImapBytes name = column_bytes(row, 0);
		DbMailbox mailbox = {.name = name};

		columns(row, 1, values, 2);
		if (!adds_up(db, row, 3, sum_of(values, 2, name.data, name.len)))
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
	sqlite3_stmt *row = begin_reading(db, SQL_GENERATIONS);

	while (row && next_row(db, row)) {
		gint64 values[GENERATION_NUMBERS];
		ImapBytes name = column_bytes(row, 1);

		columns(row, 0, values, 1);
		columns(row, 2, values + 1, GENERATION_NUMBERS - 1);
		if (!adds_up(db, row, 7, sum_of(values, GENERATION_NUMBERS, name.data, name.len)))
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
	sqlite3_stmt *row = begin_reading(db, SQL_RANGES);

	while (row && next_row(db, row)) {
		gint64 values[4];

		columns(row, 0, values, 4);
		if (!adds_up(db, row, 4, sum_of(values, 4, NULL, 0)))
			return false;
		fn((Gen)values[0], (DbSet)values[1],
			(ImapRange){(guint32)values[2], (guint32)values[3]}, data);
	}
	return !db->unread;
}

bool store_db_each_row(Db *db, Gen gen,
	void (*fn)(const Row *row, const char *keywords, gpointer data), gpointer data)
{
	sqlite3_stmt *row = begin_reading(db, SQL_ROWS);

	if (row)
		sqlite3_bind_int64(row, 1, gen);
	while (row && next_row(db, row)) {
		gint64 values[ROW_NUMBERS] = {gen};
		const char *text = (const char *)sqlite3_column_text(row, 5);
		const char *keywords = text ? text : "";

		columns(row, 0, values + 1, ROW_NUMBERS - 1);
		if (!adds_up(db, row, 6, sum_of(values, ROW_NUMBERS, keywords, strlen(keywords))))
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
	sqlite3_stmt *row = begin_reading(db, SQL_BODIES);

	while (row && next_row(db, row)) {
		gint64 values[BODY_NUMBERS];
		ImapBytes pieces = column_bytes(row, BODY_NUMBERS);

		columns(row, 0, values, BODY_NUMBERS);
		if (!adds_up(db, row, BODY_NUMBERS + 1,
			    sum_of(values, BODY_NUMBERS, pieces.data, pieces.len)))
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
			.pieces = copy,
			.n_pieces = pieces.len / sizeof(Piece),
		};

		fn(&body, data);
	}
	return !db->unread;
}
