/* The snapshot: each part of the store marks what changed, and here the marks are taken off it. */
#include "store/batch.h"
#include "store/body.h"
#include "store/generation.h"

#include <string.h>

static void clear_sets(Sets *sets)
{
	for (int i = 0; i < DB_SETS_; i++)
		imap_set_free(sets->at[i]);
}

void store_sets_free(Sets *sets)
{
	clear_sets(sets);
	g_free(sets);
}

static void gen_save_clear(gpointer data)
{
	GenSave *save = data;

	clear_sets(&save->sets);
	imap_set_free(save->went);
	if (save->rows)
		g_array_unref(save->rows);
	g_strfreev(save->keywords);
}

void store_batch_free(Batch *batch)
{
	if (!batch)
		return;
	if (batch->mailboxes)
		g_array_unref(batch->mailboxes);
	g_array_unref(batch->gens);
	g_array_unref(batch->bodies);
	g_free(batch);
}

/* The rows of uids that are still there. */
static GArray *copy_rows_locked(const Generation *g, const ImapSet *uids)
{
	gsize n;
	const ImapRange *range = imap_set_ranges(uids, &n);
	GArray *rows = g_array_new(FALSE, FALSE, sizeof(Row));

	for (gsize i = 0; i < n; i++) {
		gsize from = store_rows_lower_bound(&g->rows, range[i].lo);
		gsize to = from;

		while (to < g->rows.n && g->rows.at[to].uid <= range[i].hi)
			to++;
		if (to > from)
			g_array_append_vals(rows, g->rows.at + from, (guint)(to - from));
	}
	return rows;
}

/* What is unsaved of one generation, taken off it. */
static GenSave snapshot_locked(Store *store, Gen gen)
{
	Generation *g = store_generation(store, gen);
	GenSave save = {.head.gen = gen};

	/* UIDs without UIDVALIDITY mean nothing to the next mount. */
	save.gone = !g || g->uidvalidity == 0;
	if (save.gone)
		return save;

	const StoreMailbox *mailbox =
		&g_array_index(store->mailboxes, StoreMailbox, g->mailbox - 1);

	save.head.mailbox = (ImapBytes){mailbox->name, strlen(mailbox->name)};
	save.head.uidvalidity = g->uidvalidity;
	save.head.names_known = g->uids != NULL;
	save.head.mark = g->mark;
	save.head.used = g_get_real_time() / G_USEC_PER_SEC;
	save.sets.at[DB_UIDS] = g->uids ? imap_set_copy(g->uids) : imap_set_new();
	save.sets.at[DB_DELETED] = imap_set_copy(g->deleted);
	save.sets.at[DB_STALE] = imap_set_copy(g->stale);
	save.went = g->went;
	g->went = imap_set_new();
	save.rows = copy_rows_locked(g, g->unsaved);
	imap_set_free(g->unsaved);
	g->unsaved = imap_set_new();
	save.keywords = store_keywords_texts(g->keywords);
	return save;
}

/* Under one lock: attributes of a moment before the sets and the mark would be taken for newer than
 * they are, and never asked for again. */
static void snapshot_generations(Store *store, Batch *batch)
{
	gsize n;

	store_lock_write(store);

	g_autoptr(ImapSet) gens = store->unsaved_gens;
	const ImapRange *range = imap_set_ranges(gens, &n);

	store->unsaved_gens = imap_set_new();
	for (gsize i = 0; i < n; i++)
		for (Gen gen = range[i].lo; gen <= range[i].hi; gen++) {
			GenSave save = snapshot_locked(store, gen);

			g_array_append_val(batch->gens, save);
		}
	if (store->unsaved_mailboxes)
		batch->mailboxes = g_array_copy(store->listed);
	store->unsaved_mailboxes = false;
	batch->distrusted = store->distrusted;
	store_unlock(store);
}

Batch *store_batch_take(Store *store)
{
	Batch *batch = g_new0(Batch, 1);

	batch->gens = g_array_new(FALSE, FALSE, sizeof(GenSave));
	g_array_set_clear_func(batch->gens, gen_save_clear);
	snapshot_generations(store, batch);
	batch->bodies = store_bodies_take_unsaved(store->bodies);
	return batch;
}
