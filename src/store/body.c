/* The table of bodies: which bytes of which item of a message are here, in a file or in memory, and
 * which body goes when there are too many. */
#include "store/body.h"
#include "base/limits.h"

#include <string.h>

void store_body_free(Body *body)
{
	store_ranges_free(body->ranges);
	store_ranges_free(body->proved);
	if (!body_is_plain(body))
		g_free(body->pieces);
	if (body->in_memory)
		g_free(body->memory);
	else if (body->pack)
		store_pack_unref(body->pack);
	g_free(body);
}

/* Of a message, whatever the item. Fibonacci hashing: g_int64_hash() would be the UID alone, and
 * all mailboxes have a message 1. */
static guint64 message_of(guint64 key)
{
	return key & ~body_key(0, 0, (1 << BODY_ITEM_BITS) - 1);
}

static guint hash_message(gconstpointer key)
{
	return (guint)(message_of(*(const guint64 *)key) * 0x9e3779b97f4a7c15u >> 32);
}

static gboolean same_message(gconstpointer a, gconstpointer b)
{
	return message_of(*(const guint64 *)a) == message_of(*(const guint64 *)b);
}

static void free_items(gpointer first)
{
	for (Body *body = first, *next; body; body = next) {
		next = body->next;
		store_body_free(body);
	}
}

Bodies *store_bodies_new(guint64 file_limit, guint64 memory_limit)
{
	Bodies *bodies = g_new0(Bodies, 1);

	pthread_mutex_init(&bodies->mutex, NULL);
	bodies->table = g_hash_table_new_full(hash_message, same_message, NULL, free_items);
	bodies->unsaved = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	bodies->dates = g_hash_table_new_full(hash_message, same_message, g_free, NULL);
	bodies->files.limit = file_limit;
	bodies->memory.limit = memory_limit;
	return bodies;
}

void store_bodies_free(Bodies *bodies)
{
	g_hash_table_destroy(bodies->table);
	g_hash_table_destroy(bodies->unsaved);
	g_hash_table_destroy(bodies->dates);
	pthread_mutex_destroy(&bodies->mutex);
	g_free(bodies);
}

/* ---- one body ---- */

guint64 store_body_start(const Body *body)
{
	return body->ranges ? store_ranges_start(body->ranges) : 0;
}

static guint64 held_end(const Body *body)
{
	return body->ranges ? store_ranges_end(body->ranges) : body->limit;
}

static guint64 held_bytes(const Body *body)
{
	return body->ranges ? store_ranges_bytes(body->ranges) : body->limit;
}

bool store_body_covers(const Body *body, guint64 start, guint64 end)
{
	return body->ranges ? store_ranges_cover(body->ranges, start, end) : end <= body->limit;
}

/* Whether the server tells another story than before. Then the later one is kept alone: bytes of
 * the two are never mixed. */
static bool contradicts(const Body *body, const BodyNews *news)
{
	return news->limit < held_end(body) || news->end > body->limit;
}

/* A piece whose bytes were written now; those that it covers whole are no more. */
static void add_piece(Body *body, const BodyNews *news)
{
	guint n = 0;

	for (guint i = 0; i < body->n_pieces; i++) {
		const Piece *old = &body->pieces[i];

		if (old->start < news->start || old->end > news->end)
			body->pieces[n++] = *old;
	}
	body->pieces = g_renew(Piece, body->pieces, n + 1);
	body->pieces[n] = (Piece){news->start, news->end, news->hash};
	body->n_pieces = n + 1;
	if (body->proved)
		store_ranges_add(body->proved, news->start, news->end);
}

void store_body_complete(Body *body)
{
	if (body->limit == G_MAXUINT64 || !store_ranges_cover(body->ranges, 0, body->limit))
		return;
	g_clear_pointer(&body->ranges, store_ranges_free);
	if (body_is_plain(body)) {
		g_autofree Piece *only = body->pieces;

		body->hash = only->hash;
	}
}

/* Takes the news in, whose bytes are in place already. */
static void learn(Body *body, const BodyNews *news)
{
	body->limit = MIN(body->limit, news->limit);
	if (!body->ranges)
		return;
	if (!body->in_memory && !store_body_covers(body, news->start, news->end))
		add_piece(body, news);
	store_ranges_add(body->ranges, news->start, news->end);
	store_body_complete(body);
}

/* ---- table, tiers and eviction ---- */

Tier *store_body_tier(Bodies *bodies, const Body *body)
{
	return body->in_memory ? &bodies->memory : &bodies->files;
}

Body *store_body_first_locked(const Bodies *bodies, Gen gen, guint32 uid)
{
	guint64 key = body_key(gen, uid, 0);

	return g_hash_table_lookup(bodies->table, &key);
}

Body *store_body_find_locked(const Bodies *bodies, guint64 key)
{
	Body *body = g_hash_table_lookup(bodies->table, &key);

	while (body && body->key != key)
		body = body->next;
	return body;
}

/* Behind the first item of the message, if there is one. */
static void add_locked(Bodies *bodies, Body *body)
{
	Body *first = g_hash_table_lookup(bodies->table, &body->key);

	if (!first) {
		g_hash_table_add(bodies->table, body);
		return;
	}
	body->next = first->next;
	first->next = body;
}

static void take_out_locked(Bodies *bodies, Body *body)
{
	Body *before = g_hash_table_lookup(bodies->table, &body->key);

	if (before == body) {
		g_hash_table_steal(bodies->table, &body->key);
		if (body->next)
			g_hash_table_add(bodies->table, body->next);
		else
			g_hash_table_remove(bodies->dates, &body->key);
		return;
	}
	while (before->next != body)
		before = before->next;
	before->next = body->next;
}

void store_body_remove_locked(Bodies *bodies, Body *body, GQueue *doomed)
{
	Tier *tier = store_body_tier(bodies, body);

	tier->bytes -= held_bytes(body);
	store_body_mark_locked(bodies, body);
	g_queue_unlink(&tier->lru, &body->link);
	take_out_locked(bodies, body);
	g_queue_push_tail_link(doomed, &body->link);
}

void store_bodies_drop_doomed(Store *store, GQueue *doomed)
{
	for (GList *link = g_queue_pop_head_link(doomed); link;
		link = g_queue_pop_head_link(doomed)) {
		Body *body = link->data;

		if (!body->in_memory && body->pack)
			store_pack_release(body->pack, body->at, (gsize)body->limit);
		else if (!body->in_memory)
			store_file_drop(store->dir->bodies_fd, body_file(body));
		store_body_free(body);
	}
}

/* What was read last is worth a save once in an hour. */
static void note_use_locked(Bodies *bodies, Body *body)
{
	guint now_h = body_hours(g_get_real_time() / G_USEC_PER_SEC);

	if (body->used_h == now_h)
		return;
	body->used_h = now_h & BODY_HOURS_MAX;
	store_body_mark_locked(bodies, body);
}

void store_body_touch_locked(Bodies *bodies, Body *body)
{
	GQueue *lru = &store_body_tier(bodies, body)->lru;

	note_use_locked(bodies, body);
	if (body->orphan || lru->head == &body->link)
		return;
	g_queue_unlink(lru, &body->link);
	g_queue_push_head_link(lru, &body->link);
}

/* Down to so many bytes and bodies, those first that were not used for the longest time. */
static void shrink_locked(Bodies *bodies, Tier *tier, guint64 bytes, guint count, GQueue *doomed)
{
	GList *link = tier->lru.tail;

	while (link && (tier->bytes > bytes || tier->lru.length > count)) {
		Body *body = link->data;

		link = link->prev;
		if (body->serial != bodies->latest)
			store_body_remove_locked(bodies, body, doomed);
	}
}

/* Past a bound: down to 90 % of it, so that evictions come in batches. */
static void evict_locked(Bodies *bodies, Tier *tier, GQueue *doomed)
{
	if (tier->bytes > tier->limit || tier->lru.length > LIMIT_BODIES)
		shrink_locked(bodies, tier, tier->limit - tier->limit / 10, LIMIT_BODIES / 10 * 9,
			doomed);
}

bool store_bodies_shrink(Store *store, guint64 bytes)
{
	Bodies *bodies = store->bodies;
	Tier *files = &bodies->files;
	GQueue doomed = G_QUEUE_INIT;

	pthread_mutex_lock(&bodies->mutex);
	shrink_locked(bodies, files, files->bytes - MIN(bytes, files->bytes), G_MAXUINT, &doomed);
	pthread_mutex_unlock(&bodies->mutex);

	bool gone = !g_queue_is_empty(&doomed);

	store_bodies_drop_doomed(store, &doomed);
	return gone;
}

static Body *insert_locked(Bodies *bodies, BodyFile file, bool in_memory)
{
	Body *body = g_new0(Body, 1);

	body->key = body_key_of(file);
	body->serial = file.serial;
	body->limit = G_MAXUINT64;
	body->ranges = store_ranges_new();
	body->in_memory = in_memory;
	body->link.data = body;
	add_locked(bodies, body);
	g_queue_push_head_link(&store_body_tier(bodies, body)->lru, &body->link);
	return body;
}

/* ---- commits ---- */

BodyPlace store_bodies_place(Bodies *bodies, BodyFile file, const BodyNews *news)
{
	BodyPlace place = {.kind = BODY_PLACE_NEW};

	pthread_mutex_lock(&bodies->mutex);

	Body *body = store_body_find_locked(bodies, body_key_of(file));

	if (body && !contradicts(body, news) && !(body->unreadable && news->end > news->start)) {
		place.serial = body->serial;
		place.min_size = held_end(body);
		if (store_body_covers(body, news->start, news->end))
			place.kind = BODY_PLACE_KNOWN;
		else
			place.kind = body->in_memory ? BODY_PLACE_MEMORY : BODY_PLACE_FILE;
	}
	pthread_mutex_unlock(&bodies->mutex);
	return place;
}

/* The last steps of all that brings bytes: makes room, unlocks. */
static void settle_and_unlock(Store *store, Body *body, GQueue *doomed)
{
	Bodies *bodies = store->bodies;

	store_body_touch_locked(bodies, body);
	store_body_mark_locked(bodies, body);
	bodies->latest = body->serial;
	evict_locked(bodies, store_body_tier(bodies, body), doomed);
	pthread_mutex_unlock(&bodies->mutex);
	store_bodies_drop_doomed(store, doomed);
	store_save_soon(store);
}

/* The same of a commit, which takes the news in. */
static void finish_and_unlock(Store *store, Body *body, const BodyNews *news, GQueue *doomed)
{
	Tier *tier = store_body_tier(store->bodies, body);

	tier->bytes -= held_bytes(body);
	learn(body, news);
	tier->bytes += held_bytes(body);
	settle_and_unlock(store, body, doomed);
}

/* Puts a new body in the place of whatever is known of the item. */
static Body *replace_locked(Bodies *bodies, BodyFile file, bool in_memory, GQueue *doomed)
{
	Body *old = store_body_find_locked(bodies, body_key_of(file));

	if (old)
		store_body_remove_locked(bodies, old, doomed);
	return insert_locked(bodies, file, in_memory);
}

void store_bodies_put_file(Store *store, BodyFile file, const BodyNews *news)
{
	GQueue doomed = G_QUEUE_INIT;

	pthread_mutex_lock(&store->bodies->mutex);
	finish_and_unlock(
		store, replace_locked(store->bodies, file, false, &doomed), news, &doomed);
}

void store_bodies_put_pack(
	Store *store, BodyFile file, Pack *pack, guint64 at, const BodyNews *news)
{
	GQueue doomed = G_QUEUE_INIT;
	Body *body;

	pthread_mutex_lock(&store->bodies->mutex);
	body = replace_locked(store->bodies, file, false, &doomed);
	body->pack = pack;
	body->at = at;
	finish_and_unlock(store, body, news, &doomed);
}

void store_bodies_put_memory(Store *store, BodyFile file, guint8 *bytes, const BodyNews *news)
{
	GQueue doomed = G_QUEUE_INIT;
	Body *body;

	pthread_mutex_lock(&store->bodies->mutex);
	body = replace_locked(store->bodies, file, true, &doomed);
	body->memory = bytes;
	finish_and_unlock(store, body, news, &doomed);
}

bool store_bodies_learn(Store *store, BodyFile file, const BodyNews *news)
{
	GQueue doomed = G_QUEUE_INIT;

	pthread_mutex_lock(&store->bodies->mutex);

	Body *body = store_body_find_locked(store->bodies, body_key_of(file));

	if (!body || body->serial != file.serial) {
		pthread_mutex_unlock(&store->bodies->mutex);
		return false;
	}
	finish_and_unlock(store, body, news, &doomed);
	return true;
}

/* Adds bytes to those of a body in memory, which has one range only: what they do not touch, and
 * what would pass the bound with them, they replace. */
static void join_memory_locked(
	Bodies *bodies, Body *body, const guint8 *bytes, const BodyNews *news)
{
	guint64 old_start = store_body_start(body), old_end = held_end(body);
	guint64 start = MIN(old_start, news->start), end = MAX(old_end, news->end);

	if (news->start > old_end || news->end < old_start || end - start > LIMIT_MEMORY_BODIES) {
		bodies->memory.bytes -= held_bytes(body);
		store_ranges_free(body->ranges);
		body->ranges = store_ranges_new();
		old_start = old_end = start = news->start;
		end = news->end;
	}
	body->memory = g_realloc(body->memory, (gsize)(end - start));
	memmove(body->memory + (old_start - start), body->memory, (gsize)(old_end - old_start));
	memcpy(body->memory + (news->start - start), bytes, (gsize)(news->end - news->start));
}

bool store_bodies_extend_memory(
	Store *store, BodyFile file, const guint8 *bytes, const BodyNews *news)
{
	GQueue doomed = G_QUEUE_INIT;

	pthread_mutex_lock(&store->bodies->mutex);

	Body *body = store_body_find_locked(store->bodies, body_key_of(file));

	if (!body || body->serial != file.serial || !body->in_memory) {
		pthread_mutex_unlock(&store->bodies->mutex);
		return false;
	}
	join_memory_locked(store->bodies, body, bytes, news);
	finish_and_unlock(store, body, news, &doomed);
	return true;
}

void store_body_put_copy(Store *store, Body *body)
{
	Bodies *bodies = store->bodies;
	GQueue doomed = G_QUEUE_INIT;

	pthread_mutex_lock(&bodies->mutex);

	Body *old = store_body_find_locked(bodies, body->key);

	if (old)
		store_body_remove_locked(bodies, old, &doomed);
	store_body_adopt(bodies, body);
	settle_and_unlock(store, body, &doomed);
}

void store_body_adopt(Bodies *bodies, Body *body)
{
	Tier *tier = store_body_tier(bodies, body);

	body->link.data = body;
	add_locked(bodies, body);
	g_queue_push_tail_link(&tier->lru, &body->link);
	tier->bytes += held_bytes(body);
}

void store_bodies_clear(Bodies *bodies)
{
	g_hash_table_remove_all(bodies->table);
	g_hash_table_remove_all(bodies->unsaved);
	g_hash_table_remove_all(bodies->dates);
	bodies->files = (Tier){.limit = bodies->files.limit};
	bodies->memory = (Tier){.limit = bodies->memory.limit};
}

void store_body_forget(Store *store, BodyFile file)
{
	Bodies *bodies = store->bodies;
	GQueue doomed = G_QUEUE_INIT;

	pthread_mutex_lock(&bodies->mutex);

	Body *body = store_body_find_locked(bodies, body_key_of(file));

	if (body && body->serial == file.serial)
		store_body_remove_locked(bodies, body, &doomed);
	pthread_mutex_unlock(&bodies->mutex);
	store_bodies_drop_doomed(store, &doomed);
}
