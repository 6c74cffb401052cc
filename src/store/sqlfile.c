#include "store/sqlfile.h"
#include "store/file.h"
#include "store/piece.h"
#include "base/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

/* ---- statements ---- */

bool store_sql_note(SqlFile *db, int result)
{
	if (result == SQLITE_OK || result == SQLITE_ROW || result == SQLITE_DONE)
		return true;
	db->failed = db->unread = true;
	db->why = result;
	return false;
}

sqlite3_stmt *store_sql_use(SqlFile *db, int which, const gint64 *values, int n)
{
	sqlite3_stmt **statement = &db->prepared[which];

	if (!*statement &&
		!store_sql_note(db, sqlite3_prepare_v3(db->file, db->schema->statements[which], -1,
					    SQLITE_PREPARE_PERSISTENT, statement, NULL)))
		return NULL;
	for (int i = 0; i < n; i++)
		sqlite3_bind_int64(*statement, i + 1, values[i]);
	return *statement;
}

bool store_sql_finish(SqlFile *db, sqlite3_stmt *statement)
{
	if (!statement)
		return false;

	bool done = store_sql_note(db, sqlite3_step(statement));

	sqlite3_reset(statement);
	return done;
}

bool store_sql_run(SqlFile *db, int which, const gint64 *values, int n)
{
	return store_sql_finish(db, store_sql_use(db, which, values, n));
}

sqlite3_stmt *store_sql_read(SqlFile *db, int which)
{
	db->unread = false;
	return store_sql_use(db, which, NULL, 0);
}

bool store_sql_next(SqlFile *db, sqlite3_stmt *statement)
{
	int result = sqlite3_step(statement);

	if (result == SQLITE_ROW)
		return true;
	store_sql_note(db, result);
	sqlite3_reset(statement);
	return false;
}

void store_sql_numbers(sqlite3_stmt *row, int first, gint64 *values, int n)
{
	for (int i = 0; i < n; i++)
		values[i] = sqlite3_column_int64(row, first + i);
}

ImapBytes store_sql_bytes(sqlite3_stmt *row, int column)
{
	const void *data = sqlite3_column_blob(row, column);

	return (ImapBytes){data ? data : "", (gsize)sqlite3_column_bytes(row, column)};
}

gint64 store_sql_sum(const gint64 *values, gsize n, const void *bytes, gsize len)
{
	guint64 sums[2] = {piece_hash(values, n * sizeof(*values)), piece_hash(bytes, len)};

	return (gint64)(piece_hash(sums, sizeof sums) & G_MAXUINT32);
}

bool store_sql_adds_up(SqlFile *db, sqlite3_stmt *row, int column, gint64 sum)
{
	if (sqlite3_column_int64(row, column) == sum)
		return true;
	store_sql_note(db, SQLITE_CORRUPT);
	sqlite3_reset(row);
	return false;
}

/* ---- opening ---- */

static bool exec(SqlFile *db, const char *text)
{
	return store_sql_note(db, sqlite3_exec(db->file, text, NULL, NULL, NULL));
}

static bool version(SqlFile *db, int *ret)
{
	sqlite3_stmt *statement = NULL;
	bool there = store_sql_note(db, sqlite3_prepare_v2(db->file, "PRAGMA user_version", -1,
						&statement, NULL)) &&
		     store_sql_note(db, sqlite3_step(statement));

	if (there)
		*ret = sqlite3_column_int(statement, 0);
	sqlite3_finalize(statement);
	return there;
}

static bool migrate(SqlFile *db)
{
	int from, to = db->schema->n_migrations;

	if (!version(db, &from))
		return false;
	if (from < 0 || from > to)
		return store_sql_note(db, SQLITE_NOTADB);
	for (int i = from; i < to; i++) {
		g_autofree char *text =
			g_strdup_printf("BEGIN; %s PRAGMA user_version = %d; COMMIT",
				db->schema->migrations[i], i + 1);

		if (!exec(db, text))
			return false;
	}
	return true;
}

/* With one connection that nobody shares the log needs no shared memory, which not every file
 * system has. In this mode a crash loses the last transactions at most, never the order of them,
 * and the disk is waited for at checkpoints only. The log of a large save, which is as long as the
 * file, does not stay so: 4 MiB are what is kept before a checkpoint anyway. */
static bool prepare(SqlFile *db)
{
	return exec(db, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;"
			"PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY;"
			"PRAGMA journal_size_limit = 4194304;"
			"PRAGMA cell_size_check = ON") &&
	       migrate(db);
}

void store_sql_close(SqlFile *db)
{
	if (!db)
		return;
	for (int i = 0; i < db->schema->n_statements; i++)
		sqlite3_finalize(db->prepared[i]);
	sqlite3_close(db->file);
	g_free(db->prepared);
	g_free(db);
}

/* Whether there is a file for SQLite to open, which would make one under the umask and follow a
 * symbolic link. */
static bool make_file(int dir_fd, const char *name)
{
	struct stat st;

	store_file_close(store_file_make(dir_fd, name));
	return fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

SqlFile *store_sql_open(int dir_fd, const char *dir_path, const SqlSchema *schema, int *ret_why)
{
	g_autofree char *path = g_build_filename(dir_path, schema->name, NULL);

	store_sql_add_faults();
	if (!make_file(dir_fd, schema->name)) {
		*ret_why = SQLITE_CANTOPEN;
		return NULL;
	}

	g_autoptr(SqlFile) db = g_new0(SqlFile, 1);

	db->schema = schema;
	db->prepared = g_new0(sqlite3_stmt *, schema->n_statements);
	if (store_sql_note(db, sqlite3_open_v2(path, &db->file,
				       SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL)) &&
		prepare(db))
		return g_steal_pointer(&db);
	*ret_why = db->why;
	return NULL;
}

bool store_sql_is_damage(int why)
{
	int kind = why & 0xff;

	return kind == SQLITE_CORRUPT || kind == SQLITE_NOTADB || kind == SQLITE_ERROR ||
	       kind == SQLITE_MISMATCH;
}

bool store_sql_is_there(int dir_fd, const SqlSchema *schema)
{
	return faccessat(dir_fd, schema->name, F_OK, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

/* The file itself comes last: whoever is cut off in the middle finds it, and begins again. */
static const char *const suffixes[] = {"-journal", "-wal", "-shm", ""};

void store_sql_remove(int dir_fd, const SqlSchema *schema)
{
	for (gsize i = 0; i < G_N_ELEMENTS(suffixes); i++) {
		g_autofree char *name = g_strconcat(schema->name, suffixes[i], NULL);

		store_file_unlink(dir_fd, name, 0);
	}
}

bool store_sql_rename(int dir_fd, const SqlSchema *schema, const char *name)
{
	bool renamed = true;

	for (gsize i = 0; renamed && i < G_N_ELEMENTS(suffixes); i++) {
		g_autofree char *from = g_strconcat(schema->name, suffixes[i], NULL);
		g_autofree char *to = g_strconcat(name, suffixes[i], NULL);

		fault_point();
		renamed = renameat(dir_fd, from, dir_fd, to) == 0 || errno == ENOENT;
	}
	return renamed;
}
