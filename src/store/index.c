/* Generations and their messages. A generation is the set of its UIDs, the subset of them that is
 * \Deleted, and rows (rows.h) once an attribute of any message came: the names of a million
 * messages cost a few ranges, their attributes 16 MB. */
#include "store/private.h"
#include "store/rows.h"
#include "base/limits.h"

typedef struct {
	MailboxId mailbox;
	guint32 uidvalidity;
	gint64 names_time;
	StoreMark mark;
	ImapSet *uids; /* NULL: the names are not known */
	ImapSet *deleted; /* part of uids */
	ImapSet *stale; /* whose flags may have changed; not only of uids */
	Rows rows; /* empty, or one for each of uids */
	Keywords *keywords; /* of the rows */
} Generation;

static void generation_free(Generation *g)
{
	if (!g)
		return;
	imap_set_free(g->uids);
	imap_set_free(g->deleted);
	imap_set_free(g->stale);
	store_rows_clear(&g->rows);
	store_keywords_free(g->keywords);
	g_free(g);
}

void store_index_init(Store *store)
{
	store->gens = g_ptr_array_new_with_free_func((GDestroyNotify)generation_free);
	store->current = g_array_new(FALSE, TRUE, sizeof(Gen));
}

void store_index_clear(Store *store)
{
	g_ptr_array_unref(store->gens);
	g_array_unref(store->current);
}

static Generation *get(Store *store, Gen gen)
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

	Generation *g = get(store, gen);
	MailboxId mailbox = g ? g->mailbox : 0;

	store_unlock(store);
	return mailbox;
}

guint32 store_gen_uidvalidity(Store *store, Gen gen)
{
	store_lock_read(store);

	const Generation *g = get(store, gen);
	guint32 uidvalidity = g ? g->uidvalidity : 0;

	store_unlock(store);
	return uidvalidity;
}

Gen store_gen_open(Store *store, MailboxId mailbox, guint32 uidvalidity)
{
	Gen old = current_gen(store, mailbox);
	Generation *g = get(store, old);

	if (g && uidvalidity != 0 && g->uidvalidity == uidvalidity)
		return old;
	if (mailbox == 0 || mailbox > store->mailboxes->len ||
		store->gens->len == LIMIT_GENERATIONS)
		return 0;

	Generation *fresh = g_new0(Generation, 1);

	*fresh = (Generation){.mailbox = mailbox, .uidvalidity = uidvalidity};
	fresh->deleted = imap_set_new();
	fresh->stale = imap_set_new();
	fresh->keywords = store_keywords_new();

	store_lock_write(store);
	g_ptr_array_add(store->gens, fresh);
	if (old != 0)
		g_ptr_array_index(store->gens, old - 1) = NULL;
	if (store->current->len < mailbox)
		g_array_set_size(store->current, mailbox);

	Gen gen = store->gens->len;

	g_array_index(store->current, Gen, mailbox - 1) = gen;
	store_unlock(store);

	generation_free(g);
	if (old != 0)
		store_bodies_drop_gen(store, old);
	return gen;
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

/* Whether a message of uids is shown in listings. */
static bool is_listed(const Store *store, const Generation *g, guint32 uid)
{
	return store->show_deleted || !imap_set_contains(g->deleted, uid);
}

static ImapSet *listed_uids(const Store *store, const ImapSet *uids, const ImapSet *deleted)
{
	return store->show_deleted ? imap_set_copy(uids) : difference(uids, deleted);
}

/* Puts new names in place, which are owned from now on; rows and bodies follow. What grew in the
 * middle or beyond the room gets new rows, made outside the lock; otherwise they change where they
 * are. */
static void replace_names(Store *store, Gen gen, ImapSet *uids, ImapSet *deleted)
{
	Generation *g = get(store, gen);
	g_autoptr(ImapSet) old_uids = g->uids ? g->uids : imap_set_new();
	ImapSet *old_deleted = g->deleted;
	g_autoptr(ImapSet) gone = difference(old_uids, uids);
	g_autoptr(ImapSet) added = difference(uids, old_uids);
	Rows fresh = {0}, old_rows = {0};
	bool keep = g->rows.at && imap_set_count(uids) <= LIMIT_ROWS;
	bool in_place =
		keep && (imap_set_count(added) == 0 || store_rows_can_append(&g->rows, added));

	if (keep && !in_place)
		fresh = store_rows_build(&g->rows, uids, g->rows.n / 16 + 64);

	store_lock_write(store);
	g->uids = uids;
	g->deleted = deleted;
	if (in_place) {
		store_rows_append(&g->rows, added);
		store_rows_remove(&g->rows, gone);
	} else {
		old_rows = g->rows;
		g->rows = fresh;
	}
	store_unlock(store);

	imap_set_free(old_deleted);
	store_rows_clear(&old_rows);
	store_bodies_orphan(store, gen, gone);
}

void store_set_names(Store *store, Gen gen, const ImapSet *uids, const ImapSet *deleted,
	ImapSet **ret_gone, ImapSet **ret_new)
{
	Generation *g = get(store, gen);
	ImapSet *before, *after;

	if (!g)
		return;
	before = g->uids ? listed_uids(store, g->uids, g->deleted) : imap_set_new();
	replace_names(store, gen, imap_set_copy(uids),
		intersection(deleted ? deleted : g->deleted, uids));
	after = listed_uids(store, g->uids, g->deleted);
	if (ret_gone)
		*ret_gone = difference(before, after);
	if (ret_new)
		*ret_new = difference(after, before);
	imap_set_free(before);
	imap_set_free(after);
	store_names_confirm(store, gen, true);
}

void store_remove_names(Store *store, Gen gen, const ImapSet *uids)
{
	Generation *g = get(store, gen);

	if (g && g->uids)
		replace_names(store, gen, difference(g->uids, uids), difference(g->deleted, uids));
}

ImapSet *store_names(Store *store, Gen gen)
{
	store_lock_read(store);

	const Generation *g = get(store, gen);
	ImapSet *names = g && g->uids ? imap_set_copy(g->uids) : NULL;

	store_unlock(store);
	return names;
}

void store_set_mark(Store *store, Gen gen, StoreMark mark)
{
	Generation *g = get(store, gen);

	if (!g)
		return;
	store_lock_write(store);
	g->mark = mark;
	store_unlock(store);
}

StoreMark store_mark(Store *store, Gen gen)
{
	store_lock_read(store);

	const Generation *g = get(store, gen);
	StoreMark mark = g ? g->mark : (StoreMark){0};

	store_unlock(store);
	return mark;
}

void store_flags_doubt(Store *store, Gen gen)
{
	Generation *g = get(store, gen);

	if (!g || !g->uids || imap_set_count(g->uids) == 0)
		return;
	store_lock_write(store);
	imap_set_add(g->stale, 1, imap_set_max(g->uids));
	store_unlock(store);
}

bool store_names_known(Store *store, Gen gen)
{
	store_lock_read(store);

	const Generation *g = get(store, gen);
	bool known = g && g->uids;

	store_unlock(store);
	return known;
}

guint64 store_count(Store *store, Gen gen)
{
	guint64 n = 0;

	store_lock_read(store);

	const Generation *g = get(store, gen);

	if (g && g->uids)
		n = imap_set_count(g->uids) -
		    (store->show_deleted ? 0 : imap_set_count(g->deleted));
	store_unlock(store);
	return n;
}

gint64 store_names_time(Store *store, Gen gen)
{
	store_lock_read(store);

	Generation *g = get(store, gen);
	gint64 time = g ? g->names_time : 0;

	store_unlock(store);
	return time;
}

void store_names_confirm(Store *store, Gen gen, bool right)
{
	Generation *g = get(store, gen);

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

	Generation *g = get(store, gen);

	if (g && (!g->uids || imap_set_contains(g->uids, uid)))
		answer = STORE_MISS;
	store_unlock(store);
	return answer;
}

bool store_index_has(Store *store, Gen gen, guint32 uid)
{
	Generation *g = get(store, gen);

	return g && g->uids && imap_set_contains(g->uids, uid);
}

/* ---- attributes ---- */

/* An edit of one row: made on a copy outside the lock, with the rows of the mailbox if it has none
 * yet. */
typedef struct {
	Generation *g;
	Rows fresh;
	Row *target, row;
} RowEdit;

static bool edit_begin(Store *store, Gen gen, guint32 uid, RowEdit *ret)
{
	Generation *g = get(store, gen);

	if (!store_index_has(store, gen, uid) || imap_set_count(g->uids) > LIMIT_ROWS)
		return false;
	*ret = (RowEdit){.g = g};
	if (!g->rows.at)
		ret->fresh = store_rows_build(&g->rows, g->uids, 0);
	ret->target = store_rows_find(g->rows.at ? &g->rows : &ret->fresh, uid);
	ret->row = *ret->target;
	return true;
}

/* Takes the lock as writer; the caller gives it back. */
static void edit_put_locked(Store *store, const RowEdit *edit)
{
	store_lock_write(store);
	if (edit->fresh.at)
		edit->g->rows = edit->fresh;
	*edit->target = edit->row;
}

static void set_deleted_locked(Generation *g, guint32 uid, bool deleted)
{
	if (deleted)
		imap_set_add(g->deleted, uid, uid);
	else
		imap_set_remove(g->deleted, uid, uid);
}

static guint keywords_number(Store *store, Generation *g, const char *const *names)
{
	if (!names || !*names)
		return 0;

	g_autofree char *joined = store_keywords_join(names);
	guint number = store_keywords_find(g->keywords, joined);

	if (number != G_MAXUINT)
		return number;
	store_lock_write(store);
	number = store_keywords_add(g->keywords, joined);
	store_unlock(store);
	return number;
}

static void edit_flags(Store *store, RowEdit *edit, guint flags, const char *const *keywords)
{
	store_row_set_flags(&edit->row, flags & ~(guint)IMAP_FLAG_DELETED);
	edit->row.keywords = keywords_number(store, edit->g, keywords) & KEYWORDS_MAX;
}

void store_set_attributes(Store *store, Gen gen, const StoreMessage *message, StoreFields fields,
	bool *ret_flags_changed)
{
	RowEdit edit;
	bool was_deleted, is_deleted, flags_changed = false;

	if (edit_begin(store, gen, message->uid, &edit)) {
		was_deleted = imap_set_contains(edit.g->deleted, message->uid);
		is_deleted = fields.has_flags ? message->flags & IMAP_FLAG_DELETED : was_deleted;
		if (fields.has_size && !edit.row.verified)
			store_row_set_size(&edit.row, message->size);
		if (fields.has_date)
			store_row_set_date(&edit.row, message->date);
		if (fields.has_flags)
			edit_flags(store, &edit, message->flags, fields.keywords);
		flags_changed = was_deleted != is_deleted ||
				(edit.target->has_flags &&
					(edit.target->flags != edit.row.flags ||
						edit.target->keywords != edit.row.keywords));

		edit_put_locked(store, &edit);
		if (was_deleted != is_deleted)
			set_deleted_locked(edit.g, message->uid, is_deleted);
		if (fields.has_flags)
			imap_set_remove(edit.g->stale, message->uid, message->uid);
		store_unlock(store);
	}
	if (ret_flags_changed)
		*ret_flags_changed = flags_changed;
}

bool store_verify_size(Store *store, Gen gen, guint32 uid, guint64 size)
{
	RowEdit edit;

	if (!edit_begin(store, gen, uid, &edit))
		return false;
	store_row_set_size(&edit.row, size);
	edit.row.verified = true;

	/* A size of 0 was never shown and says nothing about the others. */
	bool caught = edit.target->size != 0 && edit.target->size != edit.row.size;

	edit_put_locked(store, &edit);
	store->distrusted |= caught;
	store_unlock(store);
	return caught;
}

/* ---- reading ---- */

/* The messages of a generation from one UID on, from rows if there are any, else from the ranges.
 */
typedef struct {
	const Generation *g;
	const ImapRange *range;
	gsize i, n; /* of rows or ranges */
	guint64 uid; /* in ranges: the next one, if it is in ranges i */
} Cursor;

static Cursor cursor_at(const Generation *g, guint64 from)
{
	Cursor c = {.g = g, .uid = from};

	if (from > G_MAXUINT32 || !g->uids)
		return c;
	if (g->rows.at) {
		c.i = store_rows_lower_bound(&g->rows, (guint32)from);
		c.n = g->rows.n;
		return c;
	}
	c.range = imap_set_ranges(g->uids, &c.n);
	for (gsize lo = 0, hi = c.n; lo < hi; c.i = lo) {
		gsize mid = lo + (hi - lo) / 2;

		if (c.range[mid].hi < from)
			lo = mid + 1;
		else
			hi = mid;
	}
	return c;
}

/* The next message; *ret_row is NULL where nothing is known. false at the end. */
static bool cursor_next(Cursor *c, guint32 *ret_uid, const Row **ret_row)
{
	if (c->i >= c->n)
		return false;
	if (c->g->rows.at) {
		*ret_row = &c->g->rows.at[c->i++];
		*ret_uid = (*ret_row)->uid;
		return true;
	}
	c->uid = MAX(c->uid, c->range[c->i].lo);
	*ret_row = NULL;
	*ret_uid = (guint32)c->uid;
	if (c->uid++ == c->range[c->i].hi)
		c->i++;
	return true;
}

static StoreMessage as_message(const Generation *g, guint32 uid, const Row *row)
{
	StoreMessage message = {.uid = uid};

	if (row) {
		message.known = store_row_known(row);
		message.size_verified = row->verified;
		message.size = row->size;
		message.date = row->date;
		message.flags = (guint)row->flags;
	}
	message.flags_stale = imap_set_contains(g->stale, uid);
	if (imap_set_contains(g->deleted, uid))
		message.flags |= IMAP_FLAG_DELETED;
	return message;
}

/* Whether a message may be shown with its size. The kernel never reads a file of size 0, so that a
 * 0 must be found out first, like any size of a server that was wrong once. */
static bool is_ready(const Store *store, const StoreMessage *message)
{
	if (!message->known)
		return false;
	return message->size_verified || (message->size != 0 && !store->distrusted);
}

StoreAnswer store_try_message(Store *store, Gen gen, guint32 uid, StoreMessage *ret)
{
	StoreAnswer answer = STORE_ABSENT;

	store_lock_read(store);

	Generation *g = get(store, gen);

	if (g && !g->uids) {
		answer = STORE_MISS;
	} else if (g && imap_set_contains(g->uids, uid) && is_listed(store, g, uid)) {
		StoreMessage message = as_message(g, uid, store_rows_find(&g->rows, uid));

		answer = is_ready(store, &message) ? STORE_HIT : STORE_MISS;
		if (answer == STORE_HIT)
			*ret = message;
	}
	store_unlock(store);
	return answer;
}

bool store_peek_message(Store *store, Gen gen, guint32 uid, StoreMessage *ret)
{
	store_lock_read(store);

	Generation *g = get(store, gen);
	bool found = g && g->uids && imap_set_contains(g->uids, uid);

	if (found)
		*ret = as_message(g, uid, store_rows_find(&g->rows, uid));
	store_unlock(store);
	return found;
}

char *store_keywords(Store *store, Gen gen, guint32 uid)
{
	char *text = NULL;

	store_lock_read(store);

	Generation *g = get(store, gen);

	if (g && g->uids && imap_set_contains(g->uids, uid)) {
		const Row *row = store_rows_find(&g->rows, uid);

		text = g_strdup(store_keywords_text(g->keywords, row ? row->keywords : 0));
	}
	store_unlock(store);
	return text;
}

static gsize list(
	Store *store, Gen gen, guint32 after, StoreMessage *ret, gsize max, bool only_ready)
{
	gsize n = 0;
	guint32 uid;
	const Row *row;

	store_lock_read(store);

	Generation *g = get(store, gen);
	Cursor c = g ? cursor_at(g, (guint64)after + 1) : (Cursor){0};

	while (n < max && cursor_next(&c, &uid, &row)) {
		if (!is_listed(store, g, uid))
			continue;
		ret[n] = as_message(g, uid, row);
		if (only_ready && !is_ready(store, &ret[n]))
			ret[n] = (StoreMessage){.uid = uid};
		n++;
	}
	store_unlock(store);
	return n;
}

gsize store_list(Store *store, Gen gen, guint32 after, StoreMessage *ret, gsize max)
{
	return list(store, gen, after, ret, max, true);
}

gsize store_list_rows(Store *store, Gen gen, guint32 after, StoreMessage *ret, gsize max)
{
	return list(store, gen, after, ret, max, false);
}

ImapSet *store_unknown(Store *store, Gen gen, guint32 from, gsize max)
{
	ImapSet *unknown = imap_set_new();
	guint32 uid;
	const Row *row;

	store_lock_read(store);

	Generation *g = get(store, gen);
	Cursor c = g ? cursor_at(g, from) : (Cursor){0};

	for (gsize n = 0; n < max && cursor_next(&c, &uid, &row);) {
		if ((row && store_row_known(row)) || !is_listed(store, g, uid))
			continue;
		imap_set_add(unknown, uid, uid);
		n++;
	}
	store_unlock(store);
	return unknown;
}
