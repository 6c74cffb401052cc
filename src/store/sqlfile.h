/* Files of SQLite as db.c and intent.c keep them: one connection that nobody shares, a schema that
 * is brought up to date, statements prepared once, and records that each carry their own sum. All
 * functions touch the disk; a file belongs to one thread at a time. */
#pragma once

#include "imap/response.h"

#include <sqlite3.h>

typedef struct {
	const char *name; /* of the file, in the directory */
	const char *const
		*migrations; /* each brings it from the version of its place to the next */
	int n_migrations;
	const char *const *statements; /* what store_sql_use() numbers */
	int n_statements;
} SqlSchema;

typedef struct {
	const SqlSchema *schema;
	sqlite3 *file;
	sqlite3_stmt **prepared; /* by number, NULL: not yet */
	bool failed; /* a statement did since it was cleared: SQLite may have ended the transaction
		      */
	bool unread; /* one did since this reading began */
	int why; /* SQLite's code of the last failure */
} SqlFile;

/* The file in this directory, made (0600) or brought to the present schema. NULL: it cannot be, and
 * *ret_why is SQLite's code. */
SqlFile *store_sql_open(int dir_fd, const char *dir_path, const SqlSchema *schema, int *ret_why);
void store_sql_close(SqlFile *db); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SqlFile, store_sql_close)

/* Whether a failure says that the file is damaged, or of a later version: no second attempt helps.
 */
bool store_sql_is_damage(int why);

/* Whether the file is there: SQLite goes on writing to one that was deleted. */
bool store_sql_is_there(int dir_fd, const SqlSchema *schema);

/* Removes the file of a closed one with what belongs to it, or gives all of it another name.
 * false with errno: it has its old one. */
void store_sql_remove(int dir_fd, const SqlSchema *schema);
bool store_sql_rename(int dir_fd, const SqlSchema *schema, const char *name);

/* ---- statements ---- */

/* false, and notes why: the result is a failure. */
bool store_sql_note(SqlFile *db, int result);

/* A statement with these numbers for its first parameters; NULL: it cannot be had. */
sqlite3_stmt *store_sql_use(SqlFile *db, int which, const gint64 *values, int n);

/* One that changes something, to its end. Accepts NULL, which is a failure. */
bool store_sql_finish(SqlFile *db, sqlite3_stmt *statement);
bool store_sql_run(SqlFile *db, int which, const gint64 *values, int n);

/* One that reads, after which db->unread tells whether its end was reached; and its next row:
 * false at the end, which resets it. */
sqlite3_stmt *store_sql_read(SqlFile *db, int which);
bool store_sql_next(SqlFile *db, sqlite3_stmt *statement);

/* The numbers of a row's columns from first on, and the bytes of one. */
void store_sql_numbers(sqlite3_stmt *row, int first, gint64 *values, int n);
ImapBytes store_sql_bytes(sqlite3_stmt *row, int column);

/* The sum of a record: of all its numbers and of its bytes, if it has any. 32 bits, so that it
 * does not double the size of the small ones. */
gint64 store_sql_sum(const gint64 *values, gsize n, const void *bytes, gsize len);

/* Whether a record adds up. Where one does not the file is damaged: it may have been altered where
 * it says what it is about, and then others are not found under their names any more. */
bool store_sql_adds_up(SqlFile *db, sqlite3_stmt *row, int column, gint64 sum);

/* ---- sql-fault.c ---- */

/* In builds with fault points (base/fault.h): SQLite passes one before each change of a file. */
#if IMAPFS_FAULTS
void store_sql_add_faults(void);
#else
static inline void store_sql_add_faults(void)
{
}
#endif
