/* Generations and what is written of their messages; listing.c reads it. */
#include "store/private.h"
#include "store/generation.h"
#include "base/limits.h"

static void generation_free(Generation *g)
{
	if (!g)
		return;
	imap_set_free(g->uids);
	imap_set_free(g->deleted);
	imap_set_free(g->leaving);
	imap_set_free(g->hidden);
	imap_set_free(g->stale);
	store_rows_clear(&g->rows);
	store_keywords_free(g->keywords);
	imap_set_free(g->unsaved);
	imap_set_free(g->went);
	imap_set_free(g->came);
	g_free(g);
}

Generation *store_generation_new(MailboxId mailbox, guint32 uidvalidity)
{
	Generation *g = g_new0(Generation, 1);

	*g = (Generation){.mailbox = mailbox, .uidvalidity = uidvalidity};
	g->deleted = imap_set_new();
	g->leaving = imap_set_new();
	g->hidden = imap_set_new();
	g->stale = imap_set_new();
	g->unsaved = imap_set_new();
	g->went = imap_set_new();
	g->came = imap_set_new();
	g->keywords = store_keywords_new();
	return g;
}

void store_index_init(Store *store)
{
	store->gens = g_ptr_array_new_with_free_func((GDestroyNotify)generation_free);
	store->current = g_array_new(FALSE, TRUE, sizeof(Gen));
	store->unsaved_gens = imap_set_new();
}

void store_index_clear(Store *store)
{
	g_ptr_array_unref(store->gens);
	g_array_unref(store->current);
	imap_set_free(store->unsaved_gens);
}

Generation *store_generation(const Store *store, Gen gen)
{
	return gen >= 1 && gen <= store->gens->len ? g_ptr_array_index(store->gens, gen - 1) : NULL;
}

/* ---- generations ---- */

static Gen current_gen(Store *store, MailboxId mailbox)
{
	return mailbox >= 1 && mailbox <= store->current->len
		       ? g_array_index(store->current, Gen, mailbox - 1)
		       : 0;
}

Gen store_gen(Store *store, MailboxId mailbox)
{
	store_lock_read(store);

	Gen gen = current_gen(store, mailbox);

	store_unlock(store);
	return gen;
}

MailboxId store_gen_mailbox(Store *store, Gen gen)
{
	store_lock_read(store);

	Generation *g = store_generation(store, gen);
	MailboxId mailbox = g ? g->mailbox : 0;

	store_unlock(store);
	return mailbox;
}

guint32 store_gen_uidvalidity(Store *store, Gen gen)
{
	store_lock_read(store);

	const Generation *g = store_generation(store, gen);
	guint32 uidvalidity = g ? g->uidvalidity : 0;

	store_unlock(store);
	return uidvalidity;
}

void store_put_no_generation(Store *store, Gen gen)
{
	if (store->gens->len < gen)
		g_ptr_array_set_size(store->gens, (gint)gen);
}

void store_put_generation(Store *store, Gen gen, Generation *g)
{
	store_put_no_generation(store, gen);
	g_ptr_array_index(store->gens, gen - 1) = g;
	if (store->current->len < g->mailbox)
		g_array_set_size(store->current, g->mailbox);
	g_array_index(store->current, Gen, g->mailbox - 1) = gen;
}

/* A generation that is current no more, if there was one: out of sight, and then out of memory. */
static void retire_locked(Store *store, Gen gen)
{
	if (gen == 0)
		return;
	g_ptr_array_index(store->gens, gen - 1) = NULL;
	imap_set_add(store->unsaved_gens, gen, gen);
}

static void bury(Store *store, Gen gen, Generation *g)
{
	generation_free(g);
	if (gen != 0)
		store_bodies_drop_gen(store, gen);
	store_save_soon(store);
}

Gen store_gen_open(Store *store, MailboxId mailbox, guint32 uidvalidity)
{
	Gen old = current_gen(store, mailbox);
	Generation *g = store_generation(store, old);

	if (g && uidvalidity != 0 && g->uidvalidity == uidvalidity)
		return old;
	if (mailbox == 0 || mailbox > store->mailboxes->len ||
		store->gens->len == LIMIT_GENERATIONS)
		return 0;

	Gen gen = store->gens->len + 1;
	Generation *fresh = store_generation_new(mailbox, uidvalidity);

	store_lock_write(store);
	store_put_generation(store, gen, fresh);
	retire_locked(store, old);
	imap_set_add(store->unsaved_gens, gen, gen);
	store_unlock(store);
	bury(store, old, g);
	return gen;
}

void store_gen_close(Store *store, MailboxId mailbox)
{
	Gen gen = current_gen(store, mailbox);
	Generation *g = store_generation(store, gen);

	if (!g)
		return;
	store_lock_write(store);
	g_array_index(store->current, Gen, mailbox - 1) = 0;
	retire_locked(store, gen);
	store_unlock(store);
	bury(store, gen, g);
}

void store_gen_changed_locked(Store *store, MailboxId mailbox)
{
	Gen gen = current_gen(store, mailbox);

	if (gen != 0)
		imap_set_add(store->unsaved_gens, gen, gen);
}

/* ---- names ---- */

/* The members of a that are in b too. */
static ImapSet *intersection(const ImapSet *a, const ImapSet *b)
{
	g_autoptr(ImapSet) outside = imap_set_copy(a);
	ImapSet *inside = imap_set_copy(a);

	imap_set_subtract(outside, b);
	imap_set_subtract(inside, outside);
	return inside;
}

static ImapSet *difference(const ImapSet *a, const ImapSet *b)
{
	ImapSet *set = imap_set_copy(a);

	imap_set_subtract(set, b);
	return set;
}

bool store_is_listed(const Generation *g, guint32 uid)
{
	return !imap_set_contains(g->hidden, uid);
}

static bool shall_hide(const Store *store, const Generation *g, guint32 uid)
{
	return (!store->show_deleted && imap_set_contains(g->deleted, uid)) ||
	       imap_set_contains(g->leaving, uid);
}

void store_hide_locked(const Store *store, Generation *g, guint32 uid)
{
	if (shall_hide(store, g, uid))
		imap_set_add(g->hidden, uid, uid);
	else
		imap_set_remove(g->hidden, uid, uid);
}

static ImapSet *listed_uids(const Generation *g)
{
	return g->uids ? difference(g->uids, g->hidden) : imap_set_new();
}

/* Puts new names in place, which are owned from now on; rows and bodies follow. What grew in the
 * middle or beyond the room gets new rows, made outside the lock; otherwise they change where they
 * are. */
static void replace_names(Store *store, Gen gen, ImapSet *uids, ImapSet *deleted)
{
	Generation *g = store_generation(store, gen);
	g_autoptr(ImapSet) old_uids = g->uids ? g->uids : imap_set_new();
	ImapSet *before[] = {g->deleted, g->leaving, g->hidden};
	g_autoptr(ImapSet) gone = difference(old_uids, uids);
	g_autoptr(ImapSet) added = difference(uids, old_uids);
	ImapSet *leaving = difference(g->leaving, gone);
	ImapSet *hidden = intersection(leaving, uids);
	Rows fresh = {0}, old_rows = {0};
	bool keep = g->rows.at && imap_set_count(uids) <= LIMIT_ROWS;
	bool in_place =
		keep && (imap_set_count(added) == 0 || store_rows_can_append(&g->rows, added));

	if (!store->show_deleted)
		imap_set_union(hidden, deleted);
	if (keep && !in_place)
		fresh = store_rows_build(&g->rows, uids, g->rows.n / 16 + 64);
	store_bodies_keep_dates(store, gen, gone, &g->rows);

	store_lock_write(store);
	g->uids = uids;
	g->deleted = deleted;
	g->leaving = leaving;
	g->hidden = hidden;
	imap_set_union(g->went, gone);
	if (g->rows_kept)
		imap_set_union(g->came, added);
	imap_set_add(store->unsaved_gens, gen, gen);
	if (in_place) {
		store_rows_append(&g->rows, added);
		store_rows_remove(&g->rows, gone);
	} else {
		old_rows = g->rows;
		g->rows = fresh;
	}
	store_unlock(store);

	for (gsize i = 0; i < G_N_ELEMENTS(before); i++)
		imap_set_free(before[i]);
	store_rows_clear(&old_rows);
	store_bodies_orphan(store, gen, gone);
	store_bodies_drop_orphans(store, gen, added);
	store_save_soon(store);
}

void store_set_names(Store *store, Gen gen, const ImapSet *uids, const ImapSet *deleted,
	ImapSet **ret_gone, ImapSet **ret_new)
{
	Generation *g = store_generation(store, gen);

	if (!g)
		return;

	g_autoptr(ImapSet) before = listed_uids(g);

	replace_names(store, gen, imap_set_copy(uids),
		intersection(deleted ? deleted : g->deleted, uids));

	g_autoptr(ImapSet) after = listed_uids(g);

	if (ret_gone)
		*ret_gone = difference(before, after);
	if (ret_new)
		*ret_new = difference(after, before);
	store_names_confirm(store, gen, true);
}

void store_remove_names(Store *store, Gen gen, const ImapSet *uids, ImapSet **ret_gone)
{
	Generation *g = store_generation(store, gen);

	if (!g || !g->uids)
		return;
	if (ret_gone) {
		g_autoptr(ImapSet) listed = listed_uids(g);

		*ret_gone = intersection(listed, uids);
	}
	replace_names(store, gen, difference(g->uids, uids), difference(g->deleted, uids));
}

void store_add_names(Store *store, Gen gen, const ImapSet *uids, ImapSet **ret_new)
{
	Generation *g = store_generation(store, gen);

	if (!g || !g->uids)
		return;

	g_autoptr(ImapSet) added = difference(uids, g->uids);

	if (imap_set_count(added) > 0) {
		ImapSet *all = imap_set_copy(g->uids);

		imap_set_union(all, added);
		replace_names(store, gen, all, imap_set_copy(g->deleted));
	}
	if (ret_new)
		*ret_new = difference(added, g->hidden);
}

/* One by one: what is removed in a large mailbox comes so, too. */
static void set_leaving_locked(
	const Store *store, Generation *g, guint32 uid, bool leaving, ImapSet *changed)
{
	bool was_listed = store_is_listed(g, uid);

	if (leaving)
		imap_set_add(g->leaving, uid, uid);
	else
		imap_set_remove(g->leaving, uid, uid);
	if (!g->uids || !imap_set_contains(g->uids, uid))
		return;
	store_hide_locked(store, g, uid);
	if (store_is_listed(g, uid) != was_listed)
		imap_set_add(changed, uid, uid);
}

void store_set_leaving(
	Store *store, Gen gen, const ImapSet *uids, bool leaving, ImapSet **ret_changed)
{
	Generation *g = store_generation(store, gen);
	g_autoptr(ImapSet) changed = imap_set_new();
	gsize n;
	const ImapRange *range = imap_set_ranges(uids, &n);

	if (!g)
		return;
	store_lock_write(store);
	for (gsize i = 0; i < n; i++)
		for (guint64 uid = range[i].lo; uid <= range[i].hi; uid++)
			set_leaving_locked(store, g, (guint32)uid, leaving, changed);
	store_unlock(store);
	if (ret_changed)
		*ret_changed = g_steal_pointer(&changed);
}

bool store_shows_deleted(const Store *store)
{
	return store->show_deleted;
}

ImapSet *store_names(Store *store, Gen gen)
{
	store_lock_read(store);

	const Generation *g = store_generation(store, gen);
	ImapSet *names = g && g->uids ? imap_set_copy(g->uids) : NULL;

	store_unlock(store);
	return names;
}

void store_set_mark(Store *store, Gen gen, StoreMark mark)
{
	Generation *g = store_generation(store, gen);

	if (!g)
		return;
	store_lock_write(store);
	g->mark = mark;
	imap_set_add(store->unsaved_gens, gen, gen);
	store_unlock(store);
	store_save_soon(store);
}

StoreMark store_mark(Store *store, Gen gen)
{
	store_lock_read(store);

	const Generation *g = store_generation(store, gen);
	StoreMark mark = g ? g->mark : (StoreMark){0};

	store_unlock(store);
	return mark;
}

void store_flags_doubt(Store *store, Gen gen)
{
	Generation *g = store_generation(store, gen);

	if (!g || !g->uids || imap_set_count(g->uids) == 0)
		return;
	store_lock_write(store);
	imap_set_add(g->stale, 1, imap_set_max(g->uids));
	imap_set_add(store->unsaved_gens, gen, gen);
	store_unlock(store);
	store_save_soon(store);
}

bool store_names_known(Store *store, Gen gen)
{
	store_lock_read(store);

	const Generation *g = store_generation(store, gen);
	bool known = g && g->uids;

	store_unlock(store);
	return known;
}

gint64 store_names_time(Store *store, Gen gen)
{
	store_lock_read(store);

	Generation *g = store_generation(store, gen);
	gint64 time = g ? g->names_time : 0;

	store_unlock(store);
	return time;
}

void store_names_confirm(Store *store, Gen gen, bool right)
{
	Generation *g = store_generation(store, gen);

	if (!g || !g->uids)
		return;
	store_lock_write(store);
	g->names_time = right ? g_get_monotonic_time() : 0;
	store_unlock(store);
}

StoreAnswer store_index_lookup(Store *store, Gen gen, guint32 uid)
{
	StoreAnswer answer = STORE_ABSENT;

	store_lock_read(store);

	Generation *g = store_generation(store, gen);

	if (g && (!g->uids || imap_set_contains(g->uids, uid)))
		answer = STORE_MISS;
	store_unlock(store);
	return answer;
}

bool store_index_has(Store *store, Gen gen, guint32 uid)
{
	Generation *g = store_generation(store, gen);

	return g && g->uids && imap_set_contains(g->uids, uid);
}
