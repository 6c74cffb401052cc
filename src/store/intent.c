/* The table of intents and its file, which is made when the first one comes: who only reads has
 * none. */
#include "store/intent.h"
#include "store/piece.h"
#include "store/private.h"
#include "store/sqlfile.h"
#include "base/limits.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

static const char *const migrations[] = {
	"CREATE TABLE intents (id INTEGER PRIMARY KEY, kind INTEGER, step INTEGER,"
	" uidvalidity INTEGER, uid INTEGER, target_uidvalidity INTEGER, target_uidnext INTEGER,"
	" target_uid INTEGER, of INTEGER, flags_add INTEGER, flags_remove INTEGER, file INTEGER,"
	" size INTEGER, date INTEGER, mailbox BLOB, target BLOB, name BLOB, keywords_add BLOB,"
	" keywords_remove BLOB, message_id BLOB, sum INTEGER);",
};

enum { SQL_PUT, SQL_DROP, SQL_ALL, SQL_COUNT_ };

static const char *const sql[SQL_COUNT_] = {
	[SQL_PUT] = "REPLACE INTO intents VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
	[SQL_DROP] = "DELETE FROM intents WHERE id = ?1",
	[SQL_ALL] = "SELECT * FROM intents",
};

static const SqlSchema schema = {
	.name = "intents.db",
	.migrations = migrations,
	.n_migrations = G_N_ELEMENTS(migrations),
	.statements = sql,
	.n_statements = SQL_COUNT_,
};

struct Intents {
	const StoreDir *dir; /* NULL: in memory only */
	SqlFile *file; /* NULL: not there yet, or never */
	GTree *all; /* by id */
	guint64 last_id;
	GArray *unremoved; /* of ids: done, and still in the file, which could not be written */
};

/* ---- one intent ---- */

/* As in the table. */
enum { NUMBERS = 14, SUM = 20 };

static const gsize texts[] = {offsetof(Intent, mailbox), offsetof(Intent, target),
	offsetof(Intent, name), offsetof(Intent, keywords_add), offsetof(Intent, keywords_remove),
	offsetof(Intent, message_id)};

G_STATIC_ASSERT(NUMBERS + G_N_ELEMENTS(texts) == SUM);

#define TEXT(intent, i) G_STRUCT_MEMBER(char *, intent, texts[i])

Intent *intent_copy(const Intent *intent)
{
	Intent *copy = g_memdup2(intent, sizeof(*intent));

	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
		TEXT(copy, i) = g_strdup(TEXT(intent, i));
	return copy;
}

void intent_free(Intent *intent)
{
	if (!intent)
		return;
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
		g_free(TEXT(intent, i));
	g_free(intent);
}

static void numbers_of(const Intent *intent, gint64 values[static NUMBERS])
{
	const gint64 numbers[NUMBERS] = {(gint64)intent->id, intent->kind, intent->step,
		intent->uidvalidity, intent->uid, intent->target_uidvalidity,
		intent->target_uidnext, intent->target_uid, (gint64)intent->of, intent->flags_add,
		intent->flags_remove, (gint64)intent->file, (gint64)intent->size, intent->date};

	memcpy(values, numbers, sizeof numbers);
}

/* What does not fit its field does not add up. */
static Intent of_numbers(const gint64 values[static NUMBERS])
{
	return (Intent){
		.id = (guint64)values[0],
		.kind = (IntentKind)values[1],
		.step = (IntentStep)values[2],
		.uidvalidity = (guint32)values[3],
		.uid = (guint32)values[4],
		.target_uidvalidity = (guint32)values[5],
		.target_uidnext = (guint32)values[6],
		.target_uid = (guint32)values[7],
		.of = (guint64)values[8],
		.flags_add = (guint)values[9],
		.flags_remove = (guint)values[10],
		.file = (guint64)values[11],
		.size = (guint64)values[12],
		.date = values[13],
	};
}

/* Of all its fields; an empty text is another one than none. */
static gint64 sum_of(const Intent *intent)
{
	g_autoptr(PieceSum) sum = piece_sum_new();
	gint64 values[NUMBERS];

	numbers_of(intent, values);
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		const char *text = TEXT(intent, i);

		piece_sum_add(sum, text ? "+" : "-", 1);
		if (text)
			piece_sum_add(sum, text, strlen(text) + 1);
	}

	guint64 hash = piece_sum_end(sum);

	return store_sql_sum(values, NUMBERS, &hash, sizeof hash);
}

/* ---- the file ---- */

static bool put_record(SqlFile *file, const Intent *intent)
{
	gint64 values[NUMBERS];

	numbers_of(intent, values);

	sqlite3_stmt *statement = store_sql_use(file, SQL_PUT, values, NUMBERS);

	if (!statement)
		return false;
	for (int i = 0; i < (int)G_N_ELEMENTS(texts); i++) {
		const char *text = TEXT(intent, i);

		sqlite3_bind_blob(statement, NUMBERS + i + 1, text, text ? (int)strlen(text) : 0,
			SQLITE_TRANSIENT);
	}
	sqlite3_bind_int64(statement, SUM + 1, sum_of(intent));
	return store_sql_finish(file, statement);
}

static Intent *read_record(sqlite3_stmt *row)
{
	gint64 values[NUMBERS];

	store_sql_numbers(row, 0, values, NUMBERS);

	Intent read = of_numbers(values);

	for (int i = 0; i < (int)G_N_ELEMENTS(texts); i++) {
		ImapBytes text = store_sql_bytes(row, NUMBERS + i);

		if (sqlite3_column_type(row, NUMBERS + i) != SQLITE_NULL)
			TEXT(&read, i) = g_strndup(text.data, text.len);
	}
	return g_memdup2(&read, sizeof read);
}

static void put_in_tree(Intents *intents, Intent *intent)
{
	g_tree_replace(intents->all, &intent->id, intent);
}

/* false: it is damaged, or cannot be read for now. */
static bool read_all(Intents *intents)
{
	SqlFile *file = intents->file;
	sqlite3_stmt *row = store_sql_read(file, SQL_ALL);

	while (row && store_sql_next(file, row)) {
		g_autoptr(Intent) intent = read_record(row);

		if (!store_sql_adds_up(file, row, SUM, sum_of(intent)))
			return false;
		if (intent->kind >= INTENT_KINDS_ || intent->step > INTENT_COPIED)
			return store_sql_note(file, SQLITE_CORRUPT);
		intents->last_id = MAX(intents->last_id, intent->id);
		put_in_tree(intents, g_steal_pointer(&intent));
	}
	return !file->unread;
}

static void do_without(Intents *intents, int why)
{
	g_warning("%s/%s: %s; changes that the server has not confirmed are in memory only",
		intents->dir->path, schema.name, sqlite3_errstr(why));
	g_clear_pointer(&intents->file, store_sql_close);
	intents->dir = NULL;
}

/* A file that makes no sense may still tell a person which messages it is about. */
static bool set_aside(Intents *intents)
{
	g_autofree char *name = g_strdup_printf(
		"intents-%" G_GINT64_FORMAT ".damaged", g_get_real_time() / G_USEC_PER_SEC);

	g_clear_pointer(&intents->file, store_sql_close);
	if (!store_sql_rename(intents->dir->fd, &schema, name))
		return false;
	g_warning("%s/%s is damaged or of another version: it is kept as %s, and changes in it "
		  "that the server had not confirmed are not made",
		intents->dir->path, schema.name, name);
	return true;
}

/* Opens it, a new one where it is damaged. */
static void open_file(Intents *intents)
{
	const StoreDir *dir = intents->dir;
	int why = SQLITE_OK;

	intents->file = store_sql_open(dir->fd, dir->path, &schema, &why);
	if (!intents->file && store_sql_is_damage(why) && set_aside(intents))
		intents->file = store_sql_open(dir->fd, dir->path, &schema, &why);
	if (!intents->file)
		do_without(intents, why);
}

static gboolean put_again(gpointer id, gpointer intent, gpointer file)
{
	return !put_record(file, intent);
}

/* Another file in the place of one that is damaged, with all that is known. */
static void begin_anew(Intents *intents, int why)
{
	if (!set_aside(intents)) {
		do_without(intents, why);
		return;
	}
	g_array_set_size(intents->unremoved, 0);
	open_file(intents);
	if (!intents->file)
		return;
	g_tree_foreach(intents->all, put_again, intents->file);
	if (intents->file->failed)
		do_without(intents, intents->file->why);
}

/* After a failure: whether another file took the place of a damaged one, or none. */
static bool was_damaged(Intents *intents)
{
	int why = intents->file->why;

	if (!store_sql_is_damage(why))
		return false;
	begin_anew(intents, why);
	return true;
}

/* As store_intents_new() finds it. */
static void load(Intents *intents)
{
	open_file(intents);
	if (!intents->file || read_all(intents))
		return;

	/* Where one record is wrong no other is to be believed. */
	g_tree_remove_all(intents->all);
	if (!was_damaged(intents))
		do_without(intents, intents->file->why);
}

/* What is done must not be done again by the next mount. */
static void drop_unremoved(Intents *intents)
{
	GArray *ids = intents->unremoved;

	while (intents->file && ids->len > 0) {
		gint64 id = (gint64)g_array_index(ids, guint64, ids->len - 1);

		if (!store_sql_run(intents->file, SQL_DROP, &id, 1)) {
			was_damaged(intents);
			return;
		}
		g_array_set_size(ids, ids->len - 1);
	}
}

static int errno_of(const SqlFile *file)
{
	switch (file->why & 0xff) {
	case SQLITE_FULL:
		return ENOSPC;
	case SQLITE_READONLY:
		return EROFS;
	case SQLITE_NOMEM:
		return ENOMEM;
	default:
		return EIO;
	}
}

static bool keep(Intents *intents, const Intent *intent)
{
	if (!intents->file && intents->dir)
		open_file(intents);
	drop_unremoved(intents);
	if (!intents->file || put_record(intents->file, intent))
		return true;
	if (was_damaged(intents) && (!intents->file || put_record(intents->file, intent)))
		return true;
	errno = errno_of(intents->file);
	return false;
}

/* ---- the table ---- */

static int compare_ids(gconstpointer a, gconstpointer b, gpointer unused)
{
	guint64 x = *(const guint64 *)a, y = *(const guint64 *)b;

	return x < y ? -1 : x > y;
}

Intents *store_intents_new(const StoreDir *dir, guint64 last_id)
{
	Intents *intents = g_new0(Intents, 1);

	*intents = (Intents){.dir = dir, .last_id = last_id};
	intents->all = g_tree_new_full(compare_ids, NULL, NULL, (GDestroyNotify)intent_free);
	intents->unremoved = g_array_new(FALSE, FALSE, sizeof(guint64));
	if (dir && store_sql_is_there(dir->fd, &schema))
		load(intents);
	return intents;
}

void store_intents_free(Intents *intents)
{
	if (!intents)
		return;
	drop_unremoved(intents);
	store_sql_close(intents->file);
	g_tree_destroy(intents->all);
	g_array_unref(intents->unremoved);
	g_free(intents);
}

bool store_intents_add(Intents *intents, Intent *intent)
{
	if (g_tree_nnodes(intents->all) >= LIMIT_INTENTS) {
		errno = ENOSPC;
		return false;
	}

	g_autoptr(Intent) copy = intent_copy(intent);

	copy->id = intents->last_id + 1;
	if (!keep(intents, copy))
		return false;
	intent->id = ++intents->last_id;
	put_in_tree(intents, g_steal_pointer(&copy));
	return true;
}

bool store_intents_update(Intents *intents, const Intent *intent)
{
	if (!g_tree_lookup(intents->all, &intent->id)) {
		errno = ENOENT;
		return false;
	}
	if (!keep(intents, intent))
		return false;
	put_in_tree(intents, intent_copy(intent));
	return true;
}

void store_intents_remove(Intents *intents, guint64 id)
{
	if (!g_tree_remove(intents->all, &id))
		return;
	if (intents->file)
		g_array_append_val(intents->unremoved, id);
	drop_unremoved(intents);
}

typedef struct {
	void (*fn)(const Intent *intent, gpointer data);
	gpointer data;
} Shown;

static gboolean show(gpointer id, gpointer intent, gpointer data)
{
	const Shown *shown = data;

	shown->fn(intent, shown->data);
	return FALSE;
}

void store_intents_each(
	Intents *intents, void (*fn)(const Intent *intent, gpointer data), gpointer data)
{
	g_tree_foreach(intents->all, show, &(Shown){fn, data});
}

/* A checkpoint brings the log to the disk, then what is in it to the file. */
bool store_intents_flush(Intents *intents)
{
	SqlFile *file = intents->file;

	if (!file)
		return true;
	if (!store_sql_is_there(intents->dir->fd, &schema)) {
		errno = ENOENT;
		return false;
	}
	if (!store_sql_note(file, sqlite3_wal_checkpoint_v2(
					  file->file, NULL, SQLITE_CHECKPOINT_FULL, NULL, NULL))) {
		errno = errno_of(file);
		return false;
	}
	return fsync(intents->dir->fd) == 0;
}
