/* Bodies of messages that went: who has them open reads on. */
#include "store/body.h"

void store_bodies_drop_gen(Store *store, Gen gen)
{
	Bodies *bodies = store->bodies;
	Tier *tiers[] = {&bodies->files, &bodies->memory};
	GQueue doomed = G_QUEUE_INIT;

	pthread_mutex_lock(&bodies->mutex);
	for (gsize i = 0; i < G_N_ELEMENTS(tiers); i++) {
		for (GList *link = tiers[i]->lru.head, *next; link; link = next) {
			next = link->next;
			if (body_file(link->data).gen == gen)
				store_body_remove_locked(bodies, link->data, &doomed);
		}
	}
	pthread_mutex_unlock(&bodies->mutex);
	store_bodies_drop_doomed(store, &doomed);
	if (store->dir)
		store_file_drop_gen(store->dir->bodies_fd, gen);
}

static void keep_date_locked(Bodies *bodies, Gen gen, const Row *row)
{
	guint64 key = body_key(gen, row->uid, STORE_MESSAGE);

	if (store_row_known(row) && g_hash_table_contains(bodies->table, &key))
		g_hash_table_insert(
			bodies->dates, g_memdup2(&key, sizeof(key)), GUINT_TO_POINTER(row->date));
}

void store_bodies_keep_dates(Store *store, Gen gen, const ImapSet *uids, const Rows *rows)
{
	Bodies *bodies = store->bodies;
	gsize n;
	const ImapRange *range = imap_set_ranges(uids, &n);

	pthread_mutex_lock(&bodies->mutex);
	for (gsize i = 0; i < n; i++) {
		gsize at = store_rows_lower_bound(rows, range[i].lo);

		for (; at < rows->n && rows->at[at].uid <= range[i].hi; at++)
			keep_date_locked(bodies, gen, &rows->at[at]);
	}
	pthread_mutex_unlock(&bodies->mutex);
}

static void orphan_locked(Bodies *bodies, Body *body, GQueue *doomed)
{
	Tier *tier = store_body_tier(bodies, body);

	if (body->ranges) {
		store_body_remove_locked(bodies, body, doomed);
		return;
	}
	body->orphan = true;
	store_body_mark_locked(bodies, body);
	g_queue_unlink(&tier->lru, &body->link);
	g_queue_push_tail_link(&tier->lru, &body->link);
}

static void drop_orphan_locked(Bodies *bodies, Body *body, GQueue *doomed)
{
	if (body->orphan)
		store_body_remove_locked(bodies, body, doomed);
}

typedef void (*EachBody)(Bodies *bodies, Body *body, GQueue *doomed);

static void each_item_locked(Bodies *bodies, Body *first, EachBody each, GQueue *doomed)
{
	for (Body *body = first, *next; body; body = next) {
		next = body->next;
		each(bodies, body, doomed);
	}
}

static void one_by_one_locked(
	Bodies *bodies, Gen gen, const ImapSet *uids, EachBody each, GQueue *doomed)
{
	gsize n;
	const ImapRange *range = imap_set_ranges(uids, &n);

	for (gsize i = 0; i < n; i++) {
		for (guint64 uid = range[i].lo; uid <= range[i].hi; uid++)
			each_item_locked(bodies, store_body_first_locked(bodies, gen, (guint32)uid),
				each, doomed);
	}
}

static void by_table_locked(
	Bodies *bodies, Gen gen, const ImapSet *uids, EachBody each, GQueue *doomed)
{
	g_autofree gpointer *all = g_hash_table_get_keys_as_array(bodies->table, NULL);

	for (gpointer *at = all; *at; at++) {
		BodyFile file = body_file(*at);

		if (file.gen == gen && imap_set_contains(uids, file.uid))
			each_item_locked(bodies, *at, each, doomed);
	}
}

static void each_body(Store *store, Gen gen, const ImapSet *uids, EachBody each)
{
	Bodies *bodies = store->bodies;
	GQueue doomed = G_QUEUE_INIT;

	pthread_mutex_lock(&bodies->mutex);
	if (imap_set_count(uids) <= g_hash_table_size(bodies->table))
		one_by_one_locked(bodies, gen, uids, each, &doomed);
	else
		by_table_locked(bodies, gen, uids, each, &doomed);
	pthread_mutex_unlock(&bodies->mutex);
	store_bodies_drop_doomed(store, &doomed);
}

void store_bodies_orphan(Store *store, Gen gen, const ImapSet *uids)
{
	each_body(store, gen, uids, orphan_locked);
}

void store_bodies_drop_orphans(Store *store, Gen gen, const ImapSet *uids)
{
	each_body(store, gen, uids, drop_orphan_locked);
}

bool store_peek_gone(Store *store, Gen gen, guint32 uid, StoreMessage *ret)
{
	Bodies *bodies = store->bodies;
	guint64 key = body_key(gen, uid, STORE_MESSAGE);
	gpointer date;

	pthread_mutex_lock(&bodies->mutex);

	bool found = g_hash_table_lookup_extended(bodies->dates, &key, NULL, &date);
	const Body *body = found ? store_body_find_locked(bodies, key) : NULL;

	if (found)
		*ret = (StoreMessage){
			.uid = uid,
			.known = true,
			.gone = true,
			.size_verified = body != NULL,
			.size = body ? body->limit : 0,
			.date = GPOINTER_TO_UINT(date),
		};
	pthread_mutex_unlock(&bodies->mutex);
	return found;
}
