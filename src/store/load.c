/* What an earlier mount left, back into a new store. */
#include "store/private.h"
#include "store/body.h"
#include "store/db.h"
#include "store/generation.h"
#include "base/limits.h"

#include <string.h>

typedef struct {
	Store *store;
	GArray *lists; /* of ImapList with owned names */
	bool damaged;
} Load;

static void take_mailbox(const DbMailbox *mailbox, gpointer data)
{
	Load *load = data;
	ImapList list = {
		.name = {g_strndup(mailbox->name.data, mailbox->name.len), mailbox->name.len},
		.delimiter = mailbox->delimiter,
		.attributes = mailbox->attributes,
	};

	g_array_append_val(load->lists, list);
}

static void clear_list(gpointer list)
{
	g_free((char *)((ImapList *)list)->name.data);
}

/* Ids are never used again within a mount: half of them are left for this one. */
static bool leaves_room(Gen gen)
{
	return gen <= LIMIT_GENERATIONS / 2;
}

/* 0: let go. One that is not listed may come back: the server had it out of reach, or a mount was
 * told to show others (`folders`). */
static MailboxId mailbox_of(Store *store, const DbGeneration *kept)
{
	enum { UNLISTED_S = 30 * 24 * 60 * 60 };
	g_autofree char *name = g_strndup(kept->mailbox.data, kept->mailbox.len);
	MailboxId listed = GPOINTER_TO_UINT(g_hash_table_lookup(store->names, name));

	if (listed != 0 || g_get_real_time() / G_USEC_PER_SEC - kept->used > UNLISTED_S)
		return listed;
	return store_mailbox_recall(store, kept->mailbox);
}

static void take_generation(const DbGeneration *kept, gpointer data)
{
	Store *store = ((Load *)data)->store;

	if (kept->gen < 1 || kept->gen > LIMIT_GENERATIONS) {
		((Load *)data)->damaged = true;
		return;
	}

	MailboxId mailbox = mailbox_of(store, kept);

	if (mailbox == 0 || store_gen(store, mailbox) != 0 || !leaves_room(kept->gen)) {
		/* What the file has of it must not become another one's of that id. */
		if (leaves_room(kept->gen))
			store_put_no_generation(store, kept->gen);
		imap_set_add(store->unsaved_gens, kept->gen, kept->gen);
		return;
	}

	Generation *g = store_generation_new(mailbox, kept->uidvalidity);

	g->mark = kept->mark;
	g->uids = kept->names_known ? imap_set_new() : NULL;
	g->rows_kept = kept->names_known;
	store_put_generation(store, kept->gen, g);
}

static void take_range(Gen gen, DbSet set, ImapRange range, gpointer data)
{
	Load *load = data;
	Generation *g = store_generation(load->store, gen);

	if (!g || !g->uids)
		return;

	ImapSet *sets[] = {[DB_UIDS] = g->uids, [DB_DELETED] = g->deleted, [DB_STALE] = g->stale};

	if ((guint)set >= G_N_ELEMENTS(sets) || range.lo == 0 || range.lo > range.hi)
		load->damaged = true;
	else
		imap_set_add(sets[set], range.lo, range.hi);
	if (set == DB_DELETED && !load->store->show_deleted && !load->damaged)
		imap_set_add(g->hidden, range.lo, range.hi);
}

static void take_body(const DbBody *body, gpointer data)
{
	Load *load = data;

	if (body->item < STORE_ITEMS)
		store_bodies_restore(load->store, body);
	else
		load->damaged = true;
}

void store_unload(Store *store)
{
	store_index_clear(store);
	store_mailboxes_clear(store);
	store_index_init(store);
	store_mailboxes_init(store);
	store_bodies_clear(store->bodies);
	store_packs_clear(store->packs);
	store->distrusted = false;
}

bool store_load(Store *store, Db *db)
{
	Load load = {.store = store, .lists = g_array_new(FALSE, FALSE, sizeof(ImapList))};
	gint64 distrusted = 0;

	g_array_set_clear_func(load.lists, clear_list);

	bool ok = store_db_each_mailbox(db, take_mailbox, &load);

	store_set_mailboxes(store, (const ImapList *)(void *)load.lists->data, load.lists->len);
	g_array_unref(load.lists);
	ok = ok && store_db_each_generation(db, take_generation, &load) &&
	     store_db_each_range(db, take_range, &load) &&
	     store_db_each_body(db, take_body, &load) && !load.damaged &&
	     store_db_number(db, "distrusted", &distrusted);
	store->distrusted = distrusted != 0;
	store->unsaved_mailboxes = false;
	return ok;
}
