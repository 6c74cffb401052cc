/* What outlives the mount of the table of bodies. */
#include "store/body.h"

#include <string.h>

void store_body_mark_locked(Bodies *bodies, const Body *body)
{
	if (!body->in_memory && !g_hash_table_contains(bodies->unsaved, &body->key))
		g_hash_table_add(bodies->unsaved, g_memdup2(&body->key, sizeof(body->key)));
}

static BodySave save_locked(const Bodies *bodies, guint64 key)
{
	BodyFile file = body_key_file(key);
	BodySave save = {.kept = {.gen = file.gen, .uid = file.uid, .item = file.item}};
	const Body *body = store_body_find_locked(bodies, key);
	Piece only;

	save.gone = !body || body->in_memory || body->orphan;
	if (save.gone)
		return save;
	save.kept.serial = body->serial;
	save.kept.pack = body->pack ? store_pack_serial(body->pack) : 0;
	save.kept.at = body->at;
	save.kept.limit = body->limit;
	save.kept.used = (gint64)body->used_h * 3600;
	save.kept.pieces = g_memdup2(body_pieces(body, &only), body->n_pieces * sizeof(Piece));
	save.kept.n_pieces = body->n_pieces;
	return save;
}

static void clear_save(gpointer save)
{
	g_free((Piece *)((BodySave *)save)->kept.pieces);
}

GArray *store_bodies_take_unsaved(Bodies *bodies)
{
	GArray *saves = g_array_new(FALSE, FALSE, sizeof(BodySave));
	GHashTableIter iter;
	gpointer key;

	g_array_set_clear_func(saves, clear_save);
	pthread_mutex_lock(&bodies->mutex);
	g_hash_table_iter_init(&iter, bodies->unsaved);
	while (g_hash_table_iter_next(&iter, &key, NULL)) {
		BodySave save = save_locked(bodies, *(guint64 *)key);

		g_array_append_val(saves, save);
	}
	g_hash_table_remove_all(bodies->unsaved);
	pthread_mutex_unlock(&bodies->mutex);
	return saves;
}

/* Pieces that make sense: the sum of the record says that they are as they were saved. */
static ByteRanges *ranges_of(const DbBody *kept)
{
	ByteRanges *ranges = store_ranges_new();

	for (gsize i = 0; i < kept->n_pieces; i++)
		store_ranges_add(ranges, kept->pieces[i].start, kept->pieces[i].end);
	return ranges;
}

/* false: nothing can be made of it. */
static bool restore(Store *store, Body *body, const DbBody *kept)
{
	if (!store_index_has(store, kept->gen, kept->uid) ||
		store_body_find_locked(store->bodies, body->key))
		return false;
	if (kept->pack == 0)
		return true;
	if (!body->ranges)
		body->pack = store_packs_restore(store->packs, kept->pack, kept->at, kept->limit);
	return body->pack != NULL;
}

void store_bodies_restore(Store *store, const DbBody *kept)
{
	Bodies *bodies = store->bodies;
	Body *body = g_new0(Body, 1);

	*body = (Body){
		.key = body_key(kept->gen, kept->uid, kept->item),
		.serial = kept->serial,
		.limit = kept->limit,
		.at = kept->at,
		.used_h = body_hours(kept->used) & BODY_HOURS_MAX,
		.ranges = ranges_of(kept),
		.doubtful = kept->limit > 0,
	};
	body->pieces = g_memdup2(kept->pieces, kept->n_pieces * sizeof(Piece));
	body->n_pieces = (guint)kept->n_pieces;
	store_body_complete(body);
	if (restore(store, body, kept)) {
		store_body_adopt(bodies, body);
		return;
	}
	store_body_mark_locked(bodies, body);
	store_body_free(body);
}

GHashTable *store_bodies_files(Bodies *bodies)
{
	GHashTable *names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	GHashTableIter iter;
	gpointer key;

	g_hash_table_iter_init(&iter, bodies->table);
	while (g_hash_table_iter_next(&iter, &key, NULL))
		for (const Body *body = key; body; body = body->next)
			g_hash_table_add(names,
				body->pack ? store_file_pack_name(store_pack_serial(body->pack))
					   : store_file_body_name(body_file(body)));
	return names;
}
