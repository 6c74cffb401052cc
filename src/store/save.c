/* What outlives the mount: the index file is read when the mount begins, and a thread of its own
 * writes to it what changed since. It looks at the state of things, not at what led to it: a save
 * is a snapshot of all that is marked as unsaved, in one transaction. So the file always holds a
 * moment that really was, and a change costs what changed. */
#include "store/private.h"
#include "store/batch.h"
#include "store/body.h"
#include "store/db.h"
#include "store/generation.h"
#include "base/limits.h"

#include <errno.h>
#include <string.h>

enum {
	GATHER_US = 200 * 1000, /* changes of so long go together */
	RETRY_US = 30 * 1000 * 1000, /* after a full disk */
};

struct Saver {
	Store *store;
	gint64 mount; /* constant once count_mount() was called */
	GThread *thread;
	GHashTable *saved; /* Gen to Sets; the thread's own */
	Batch *unwritten; /* the thread's own: could not be written, comes before all else */
	const char *why; /* the thread's own: the last write failed; constant text;
			  * NULL: the file, or the directory, was deleted */

	pthread_mutex_t turn; /* held while one waits for the next: lock_db() */
	pthread_mutex_t db_mutex; /* guards the next */
	Db *db; /* NULL: it was given up */
	guint written; /* the thread's own: records, in all */

	gint asked; /* atomic: something changed */
	GMutex mutex; /* guards the next two */
	GCond changed;
	bool stop;
};

/* ---- writing a batch ---- */

/* Those who wait come one after the other: no thread can take the mutex back before one that waits
 * for it. */
static void lock_db(Saver *saver)
{
	pthread_mutex_lock(&saver->turn);
	pthread_mutex_lock(&saver->db_mutex);
	pthread_mutex_unlock(&saver->turn);
}

/* After each record: a save of 10^6 rows takes a second, for which the engine thread must not wait.
 * What it reads in the middle is right: no row of a generation is saved before store_recall() was
 * done with it, the most that a save does is to drop some that went. false: the transaction cannot
 * go on. */
static bool give_way(Saver *saver)
{
	enum { PORTION = 1000 };

	if (++saver->written % PORTION != 0)
		return true;
	pthread_mutex_unlock(&saver->db_mutex);
	lock_db(saver);
	return saver->db && store_db_goes_on(saver->db);
}

/* Writes the difference of two sets, range by range. */
static bool write_set(Saver *saver, Gen gen, DbSet set, const ImapSet *before, const ImapSet *now)
{
	gsize n_old = 0, n_new, i = 0, j = 0;
	const ImapRange *old = before ? imap_set_ranges(before, &n_old) : NULL;
	const ImapRange *new = imap_set_ranges(now, &n_new);
	bool ok = true;

	while (ok && (i < n_old || j < n_new)) {
		if (j == n_new || (i < n_old && old[i].lo < new[j].lo)) {
			ok = store_db_drop_range(saver->db, gen, set, old[i++].lo) &&
			     give_way(saver);
		} else if (i < n_old && old[i].lo == new[j].lo &&old[i].hi == new[j].hi) {
			i++, j++;
		} else {
			i += i < n_old && old[i].lo == new[j].lo;
			ok = store_db_put_range(saver->db, gen, set, new[j++]) && give_way(saver);
		}
	}
	return ok;
}

/* A UID that went and came back is in both sets of names, but its row of before must go. */
static bool drop_gone_rows(Saver *saver, Gen gen, const ImapSet *went)
{
	bool ok = true;
	gsize n;
	const ImapRange *range = imap_set_ranges(went, &n);

	for (gsize i = 0; ok && i < n; i++)
		ok = store_db_drop_rows(saver->db, gen, range[i]) && give_way(saver);
	return ok;
}

static bool write_generation(Saver *saver, const GenSave *save)
{
	Gen gen = save->head.gen;
	const Sets *saved = g_hash_table_lookup(saver->saved, GUINT_TO_POINTER(gen));
	bool ok;

	if (save->gone)
		return store_db_drop_generation(saver->db, gen) && give_way(saver);
	ok = store_db_put_generation(saver->db, &save->head) &&
	     drop_gone_rows(saver, gen, save->went);
	for (int i = 0; ok && i < DB_SETS_; i++)
		ok = write_set(saver, gen, (DbSet)i, saved ? saved->at[i] : NULL, save->sets.at[i]);
	for (guint i = 0; ok && i < save->rows->len; i++) {
		const Row *row = &g_array_index(save->rows, Row, i);

		ok = store_db_put_row(saver->db, gen, row, save->keywords[row->keywords]) &&
		     give_way(saver);
	}
	return ok;
}

static bool write_mailboxes(Saver *saver, const GArray *mailboxes)
{
	bool ok = store_db_clear_mailboxes(saver->db);

	for (guint i = 0; ok && i < mailboxes->len; i++) {
		const StoreMailbox *mailbox = &g_array_index(mailboxes, StoreMailbox, i);
		DbMailbox kept = {
			.name = {mailbox->name, strlen(mailbox->name)},
			.delimiter = mailbox->delimiter,
			.attributes = mailbox->attributes,
		};

		ok = store_db_put_mailbox(saver->db, &kept) && give_way(saver);
	}
	return ok;
}

static bool write_body(Db *db, const BodySave *save)
{
	return save->gone ? store_db_drop_body(db, save->kept.gen, save->kept.uid, save->kept.item)
			  : store_db_put_body(db, &save->kept);
}

static bool write_batch(Saver *saver, const Batch *batch)
{
	Db *db = saver->db;
	bool ok = store_db_begin(db) && store_db_set_number(db, "mounts", saver->mount) &&
		  store_db_set_number(db, "distrusted", batch->distrusted) &&
		  (!batch->mailboxes || write_mailboxes(saver, batch->mailboxes));

	for (guint i = 0; ok && i < batch->gens->len; i++)
		ok = write_generation(saver, &g_array_index(batch->gens, GenSave, i));
	for (guint i = 0; ok && i < batch->bodies->len; i++)
		ok = write_body(saver->db, &g_array_index(batch->bodies, BodySave, i)) &&
		     give_way(saver);
	return saver->db && store_db_end(saver->db);
}

/* From now on the index file has what the batch says. */
static void remember(Saver *saver, Batch *batch)
{
	for (guint i = 0; i < batch->gens->len; i++) {
		GenSave *save = &g_array_index(batch->gens, GenSave, i);
		gpointer gen = GUINT_TO_POINTER(save->head.gen);

		if (save->gone) {
			g_hash_table_remove(saver->saved, gen);
			continue;
		}
		g_hash_table_insert(saver->saved, gen, g_memdup2(&save->sets, sizeof(Sets)));
		save->sets = (Sets){0};
	}
}

/* Damaged where no mount looks at its beginning: the next one would find the same. The mutex is
 * held. */
static void give_up(Saver *saver)
{
	g_message("the index of the cache is damaged: the next mount begins it anew, and fetches "
		  "again what was fetched");
	g_clear_pointer(&saver->db, store_sql_close);
	store_db_remove(saver->store->dir->fd);
}

/* The mutex is held, and given to others meanwhile. */
static bool write_locked(Saver *saver, const Batch *batch)
{
	if (saver->db && !store_db_is_there(saver->store->dir->fd)) {
		saver->why = NULL;
		return false;
	}
	if (saver->db && write_batch(saver, batch))
		return true;
	if (saver->db)
		saver->why = store_db_error(saver->db);
	if (saver->db && !store_db_may_recover(saver->db))
		give_up(saver);
	return false;
}

/* Returns whether it is written, or never will be. */
static bool write_or_keep(Saver *saver, Batch *batch)
{
	g_autoptr(Batch) owned = batch;

	lock_db(saver);
	bool done = write_locked(saver, owned);
	bool hopeless = !saver->db;
	pthread_mutex_unlock(&saver->db_mutex);

	if (done) {
		store_disk_works(saver->store, DISK_INDEX);
		remember(saver, owned);
	} else if (hopeless) {
		store_disk_lacks(saver->store, DISK_INDEX, "its index is damaged");
	} else {
		saver->unwritten = g_steal_pointer(&owned);
	}
	return !saver->unwritten;
}

static bool write_all(Saver *saver)
{
	if (saver->unwritten && !write_or_keep(saver, g_steal_pointer(&saver->unwritten)))
		return false;
	return write_or_keep(saver, store_batch_take(saver->store));
}

/* Where the disk is full bodies make room. */
static bool save(Saver *saver)
{
	if (write_all(saver) || (store_disk_yield(saver->store) && write_all(saver)))
		return true;
	if (saver->why)
		store_disk_failed(saver->store, DISK_INDEX, saver->why);
	else
		store_disk_refused(saver->store, DISK_INDEX, ENOENT);
	return false;
}

/* ---- the thread ---- */

void store_save_soon(Store *store)
{
	Saver *saver = store->saver;

	if (!saver || !g_atomic_int_compare_and_exchange(&saver->asked, 0, 1))
		return;
	g_mutex_lock(&saver->mutex);
	g_cond_signal(&saver->changed);
	g_mutex_unlock(&saver->mutex);
}

/* Waits for the end, or so long. */
static void wait_locked(Saver *saver, gint64 us)
{
	gint64 until = g_get_monotonic_time() + us;

	while (!saver->stop && g_cond_wait_until(&saver->changed, &saver->mutex, until))
		;
}

static gpointer run(gpointer data)
{
	Saver *saver = data;
	bool saved = true;

	g_mutex_lock(&saver->mutex);
	while (!saver->stop) {
		while (saved && !saver->stop && !g_atomic_int_get(&saver->asked))
			g_cond_wait(&saver->changed, &saver->mutex);
		wait_locked(saver, saved ? GATHER_US : RETRY_US);
		g_mutex_unlock(&saver->mutex);
		g_atomic_int_set(&saver->asked, 0);
		saved = save(saver);
		g_mutex_lock(&saver->mutex);
	}
	g_mutex_unlock(&saver->mutex);
	return NULL;
}

/* ---- the beginning and the end ---- */

static void keep_sets(Saver *saver)
{
	Store *store = saver->store;

	for (Gen gen = 1; gen <= store->gens->len; gen++) {
		const Generation *g = store_generation(store, gen);

		if (!g)
			continue;

		Sets *sets = g_new0(Sets, 1);

		sets->at[DB_UIDS] = g->uids ? imap_set_copy(g->uids) : imap_set_new();
		sets->at[DB_DELETED] = imap_set_copy(g->deleted);
		sets->at[DB_STALE] = imap_set_copy(g->stale);
		g_hash_table_insert(saver->saved, GUINT_TO_POINTER(gen), sets);
	}
}

/* The number of this mount: it begins every serial, so that no file has a name that an earlier
 * mount gave already. After an index file that was lost the time is higher than any number before.
 * false: the file is damaged, or cannot be read for now. */
static bool count_mount(Saver *saver)
{
	Db *db = saver->db;
	gint64 last = 0;

	if (!store_db_number(db, "mounts", &last))
		return false;
	saver->mount = last > 0 ? last + 1 : g_get_real_time() / G_USEC_PER_SEC;
	saver->store->last_serial = (guint64)saver->mount << 32;

	bool set = store_db_begin(db) && store_db_set_number(db, "mounts", saver->mount);

	if (store_db_end(db) && set)
		return true;

	/* A disk may be full: what is known is shown all the same, and each save tries again to
	 * keep the number. */
	bool damaged = !store_db_may_recover(db);

	if (!damaged)
		store_disk_failed(saver->store, DISK_INDEX, store_db_error(db));
	return !damaged;
}

/* An index that is damaged anywhere is worth nothing. */
static bool begin_anew(Saver *saver, GError **error)
{
	const StoreDir *dir = saver->store->dir;

	g_message("the index of the cache is damaged: it begins anew, and what was fetched is "
		  "fetched again");
	store_unload(saver->store);
	g_clear_pointer(&saver->db, store_sql_close);
	store_db_remove(dir->fd);
	saver->db = store_db_open(dir->fd, dir->path, error);
	return saver->db != NULL;
}

/* false: it is damaged and another cannot be made, or it cannot be read for now; then error may be
 * left to the caller. */
static bool load(Saver *saver, GError **error)
{
	if (store_load(saver->store, saver->db) && count_mount(saver))
		return true;
	return !store_db_may_recover(saver->db) && begin_anew(saver, error) && count_mount(saver);
}

Saver *store_saver_new(Store *store, GError **error)
{
	const StoreDir *dir = store->dir;
	Db *db = store_db_open(dir->fd, dir->path, error);

	if (!db)
		return NULL;

	Saver *saver = g_new0(Saver, 1);

	saver->store = store;
	saver->db = db;
	saver->saved = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)store_sets_free);
	pthread_mutex_init(&saver->turn, NULL);
	pthread_mutex_init(&saver->db_mutex, NULL);
	g_mutex_init(&saver->mutex);
	g_cond_init(&saver->changed);
	if (!load(saver, error)) {
		if (error && !*error)
			g_set_error(error, MAIL_ERROR, MAIL_ERROR_IO, "%s/index.db: %s", dir->path,
				store_db_error(saver->db));
		store_saver_free(saver);
		return NULL;
	}
	keep_sets(saver);
	saver->thread = g_thread_new("saver", run, saver);
	return saver;
}

static void stop(Saver *saver)
{
	if (!saver->thread)
		return;
	g_mutex_lock(&saver->mutex);
	saver->stop = true;
	g_cond_signal(&saver->changed);
	g_mutex_unlock(&saver->mutex);
	g_clear_pointer(&saver->thread, g_thread_join);
	save(saver);
}

void store_saver_free(Saver *saver)
{
	if (!saver)
		return;
	stop(saver);
	store_sql_close(saver->db);
	store_batch_free(saver->unwritten);
	g_hash_table_destroy(saver->saved);
	pthread_mutex_destroy(&saver->turn);
	pthread_mutex_destroy(&saver->db_mutex);
	g_mutex_clear(&saver->mutex);
	g_cond_clear(&saver->changed);
	g_free(saver);
}

/* ---- attributes ---- */

typedef struct {
	Rows rows;
	Keywords *keywords;
	const ImapSet *came; /* of which there is nothing to recall */
	gsize at; /* both ascend */
} Recall;

static guint recall_keywords(Keywords *keywords, const char *text)
{
	guint number = store_keywords_find(keywords, text);

	return number != G_MAXUINT ? number : store_keywords_add(keywords, text);
}

static void recall_row(const Row *row, const char *keywords, gpointer data)
{
	Recall *recall = data;

	while (recall->at < recall->rows.n && recall->rows.at[recall->at].uid < row->uid)
		recall->at++;
	if (recall->at == recall->rows.n || recall->rows.at[recall->at].uid != row->uid ||
		imap_set_contains(recall->came, row->uid))
		return;

	Row *there = &recall->rows.at[recall->at];

	*there = *row;
	there->keywords = recall_keywords(recall->keywords, keywords) & KEYWORDS_MAX;
}

void store_recall(Store *store, Gen gen)
{
	Generation *g = store_generation(store, gen);

	if (!g || !g->rows_kept || !g->uids)
		return;

	Recall recall = {.keywords = store_keywords_new(), .came = g->came};
	Keywords *before = g->keywords;
	Saver *saver = store->saver;

	if (imap_set_count(g->uids) <= LIMIT_ROWS)
		recall.rows = store_rows_build(&g->rows, g->uids, 0);
	lock_db(saver);
	if (saver->db && !store_db_each_row(saver->db, gen, recall_row, &recall) &&
		!store_db_may_recover(saver->db))
		give_up(saver);
	pthread_mutex_unlock(&saver->db_mutex);

	store_lock_write(store);
	g->rows_kept = false;
	g_clear_pointer(&g->came, imap_set_free);
	g->rows = recall.rows;
	g->keywords = recall.keywords;
	store_unlock(store);
	store_keywords_free(before);
}
