/* What is written of the attributes of messages; listing.c reads them. */
#include "store/private.h"
#include "store/generation.h"
#include "base/limits.h"

/* An edit of one row: made on a copy outside the lock, with the rows of the mailbox if it has none
 * yet. */
typedef struct {
	Gen gen;
	Generation *g;
	Rows fresh;
	Row *target, row;
} RowEdit;

static bool edit_begin(Store *store, Gen gen, guint32 uid, RowEdit *ret)
{
	Generation *g = store_generation(store, gen);

	if (!store_index_has(store, gen, uid) || imap_set_count(g->uids) > LIMIT_ROWS)
		return false;
	store_recall(store, gen);
	*ret = (RowEdit){.gen = gen, .g = g};
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
	imap_set_add(edit->g->unsaved, edit->row.uid, edit->row.uid);
	imap_set_add(store->unsaved_gens, edit->gen, edit->gen);
}

static void set_deleted_locked(const Store *store, Generation *g, guint32 uid, bool deleted)
{
	if (deleted)
		imap_set_add(g->deleted, uid, uid);
	else
		imap_set_remove(g->deleted, uid, uid);
	store_hide_locked(store, g, uid);
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

/* Puts an edit of flags in place. Returns whether anything changed that was known. */
static bool finish_flags(Store *store, const RowEdit *edit, bool is_deleted, StoreFields fields)
{
	Generation *g = edit->g;
	const Row *before = edit->target, *after = &edit->row;
	bool was_deleted = imap_set_contains(g->deleted, after->uid);
	bool guessed = fields.ahead && !before->has_flags;
	bool changed = was_deleted != is_deleted ||
		       (before->has_flags && (before->flags != after->flags ||
						     before->keywords != after->keywords));

	edit_put_locked(store, edit);
	if (was_deleted != is_deleted)
		set_deleted_locked(store, g, after->uid, is_deleted);
	if (fields.has_flags && !fields.ahead)
		imap_set_remove(g->stale, after->uid, after->uid);
	else if (guessed)
		imap_set_add(g->stale, after->uid, after->uid);
	store_unlock(store);
	store_save_soon(store);
	return changed;
}

void store_set_attributes(Store *store, Gen gen, const StoreMessage *message, StoreFields fields,
	bool *ret_flags_changed)
{
	RowEdit edit;
	bool changed = false;

	if (edit_begin(store, gen, message->uid, &edit)) {
		bool is_deleted = fields.has_flags
					  ? message->flags & IMAP_FLAG_DELETED
					  : imap_set_contains(edit.g->deleted, message->uid);

		if (fields.has_size && !edit.row.verified)
			store_row_set_size(&edit.row, message->size);
		if (fields.has_date)
			store_row_set_date(&edit.row, message->date);
		if (fields.has_flags)
			edit_flags(store, &edit, message->flags, fields.keywords);
		changed = finish_flags(store, &edit, is_deleted, fields);
	}
	if (ret_flags_changed)
		*ret_flags_changed = changed;
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
	store_save_soon(store);
	return caught;
}
