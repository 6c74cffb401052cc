/* The messages of a generation as readers see them: one by one and in listings. */
#include "store/private.h"
#include "store/generation.h"
#include "base/limits.h"

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
	message.leaving = imap_set_contains(g->leaving, uid);
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

	Generation *g = store_generation(store, gen);

	if (g && !g->uids) {
		answer = STORE_MISS;
	} else if (g && imap_set_contains(g->uids, uid) && store_is_listed(g, uid)) {
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

	Generation *g = store_generation(store, gen);
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

	Generation *g = store_generation(store, gen);

	if (g && g->uids && imap_set_contains(g->uids, uid)) {
		const Row *row = store_rows_find(&g->rows, uid);

		text = g_strdup(store_keywords_text(g->keywords, row ? row->keywords : 0));
	}
	store_unlock(store);
	return text;
}

guint64 store_count(Store *store, Gen gen)
{
	guint64 n = 0;

	store_lock_read(store);

	const Generation *g = store_generation(store, gen);

	if (g && g->uids)
		n = imap_set_count(g->uids) - imap_set_count(g->hidden);
	store_unlock(store);
	return n;
}

void store_keep_listed(Store *store, Gen gen, ImapSet *uids)
{
	g_autoptr(ImapSet) others = imap_set_copy(uids);

	store_lock_read(store);

	const Generation *g = store_generation(store, gen);

	if (g && g->uids) {
		imap_set_subtract(others, g->uids);
		imap_set_union(others, g->hidden);
	}
	store_unlock(store);
	imap_set_subtract(uids, others);
}

static gsize list(
	Store *store, Gen gen, guint32 after, StoreMessage *ret, gsize max, bool only_ready)
{
	gsize n = 0;
	guint32 uid;
	const Row *row;

	store_lock_read(store);

	Generation *g = store_generation(store, gen);
	Cursor c = g ? cursor_at(g, (guint64)after + 1) : (Cursor){0};

	while (n < max && cursor_next(&c, &uid, &row)) {
		if (!store_is_listed(g, uid))
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

	Generation *g = store_generation(store, gen);
	Cursor c = g ? cursor_at(g, from) : (Cursor){0};

	for (gsize n = 0; n < max && cursor_next(&c, &uid, &row);) {
		if ((row && store_row_known(row)) || !store_is_listed(g, uid))
			continue;
		imap_set_add(unknown, uid, uid);
		n++;
	}
	store_unlock(store);
	return unknown;
}
