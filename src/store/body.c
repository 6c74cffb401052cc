/* The table of bodies: which bytes of which message are here, in a file or in memory, and which
 * body goes when there are too many. */
#include "store/private.h"
#include "store/ranges.h"
#include "base/limits.h"

#include <string.h>

/* `limit` is an upper bound of the message's length, from an answer shorter than asked for. It *is*
 * the length once the bytes that are here reach it; until then (an answer with no byte at all says
 * only that the end is not behind its origin) reads up to it are a MISS, reads past it are past the
 * end. */
typedef struct {
	guint64 key; /* of the table: generation and UID */
	guint64 serial;
	guint64 limit; /* no byte at or past it; G_MAXUINT64: not known */
	ByteRanges *ranges; /* NULL: the body is whole, all of [0, limit) */
	guint8 *memory; /* in_memory: the bytes of the only range */
	Pack *pack; /* NULL: in memory or a file of its own */
	guint64 at; /* in the pack */
	bool in_memory;
	bool orphan; /* its message is gone: goes first */
	GList link; /* in Tier.lru */
} Body;

/* Files and memory each have their bound. */
typedef struct {
	GQueue lru; /* of Body; most recently used at the head */
	guint64 bytes, limit;
} Tier;

struct Bodies {
	pthread_mutex_t mutex; /* guards everything here */
	GHashTable *table;
	Tier files, memory;
	guint64 latest; /* serial of the most recent commit, which is never evicted */
};

static guint64 key_of(Gen gen, guint32 uid)
{
	return (guint64)gen << 32 | uid;
}

static BodyFile file_of(const Body *body)
{
	return (BodyFile){(guint32)(body->key >> 32), (guint32)body->key, body->serial};
}

static void body_free(Body *body)
{
	store_ranges_free(body->ranges);
	g_free(body->memory);
	g_clear_pointer(&body->pack, store_pack_unref);
	g_free(body);
}

Bodies *store_bodies_new(guint64 file_limit, guint64 memory_limit)
{
	Bodies *bodies = g_new0(Bodies, 1);

	pthread_mutex_init(&bodies->mutex, NULL);
	bodies->table =
		g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, (GDestroyNotify)body_free);
	bodies->files.limit = file_limit;
	bodies->memory.limit = memory_limit;
	return bodies;
}

void store_bodies_free(Bodies *bodies)
{
	g_hash_table_destroy(bodies->table);
	pthread_mutex_destroy(&bodies->mutex);
	g_free(bodies);
}

/* ---- one body ---- */

static guint64 held_start(const Body *body)
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

static bool covers(const Body *body, guint64 start, guint64 end)
{
	return body->ranges ? store_ranges_cover(body->ranges, start, end) : end <= body->limit;
}

/* Whether the server tells another story than before. Then the later one is kept alone: bytes of
 * the two are never mixed. */
static bool contradicts(const Body *body, const BodyNews *news)
{
	return news->limit < held_end(body) || news->end > body->limit;
}

/* Takes the news in, whose bytes are in place already. */
static void learn(Body *body, const BodyNews *news)
{
	body->limit = MIN(body->limit, news->limit);
	if (!body->ranges)
		return;
	store_ranges_add(body->ranges, news->start, news->end);
	if (body->limit != G_MAXUINT64 && store_ranges_cover(body->ranges, 0, body->limit))
		g_clear_pointer(&body->ranges, store_ranges_free);
}

/* ---- table, tiers and eviction ---- */

static Tier *tier_of(Bodies *bodies, const Body *body)
{
	return body->in_memory ? &bodies->memory : &bodies->files;
}

static Body *find_locked(Bodies *bodies, Gen gen, guint32 uid)
{
	guint64 key = key_of(gen, uid);

	return g_hash_table_lookup(bodies->table, &key);
}

/* Takes a body out of the table and puts it on the list of those to be dropped after unlocking. */
static void remove_locked(Bodies *bodies, Body *body, GQueue *doomed)
{
	Tier *tier = tier_of(bodies, body);

	tier->bytes -= held_bytes(body);
	g_queue_unlink(&tier->lru, &body->link);
	g_hash_table_steal(bodies->table, &body->key);
	g_queue_push_tail_link(doomed, &body->link);
}

/* Frees what remove_locked() collected, and their files. No lock held. */
static void drop_doomed(Store *store, GQueue *doomed)
{
	for (GList *link = g_queue_pop_head_link(doomed); link;
		link = g_queue_pop_head_link(doomed)) {
		Body *body = link->data;

		if (body->pack)
			store_pack_release(body->pack, body->at, (gsize)body->limit);
		else if (!body->in_memory)
			store_file_drop(store->dir->bodies_fd, file_of(body));
		body_free(body);
	}
}

static void touch_locked(Bodies *bodies, Body *body)
{
	GQueue *lru = &tier_of(bodies, body)->lru;

	if (body->orphan || lru->head == &body->link)
		return;
	g_queue_unlink(lru, &body->link);
	g_queue_push_head_link(lru, &body->link);
}

/* Past a bound: down to 90 % of it, so that evictions come in batches. */
static void evict_locked(Bodies *bodies, Tier *tier, GQueue *doomed)
{
	if (tier->bytes <= tier->limit && tier->lru.length <= LIMIT_BODIES)
		return;

	guint64 bytes = tier->limit - tier->limit / 10;
	GList *link = tier->lru.tail;

	while (link && (tier->bytes > bytes || tier->lru.length > LIMIT_BODIES / 10 * 9)) {
		Body *body = link->data;

		link = link->prev;
		if (body->serial != bodies->latest)
			remove_locked(bodies, body, doomed);
	}
}

static Body *insert_locked(Bodies *bodies, BodyFile file, bool in_memory)
{
	Body *body = g_new0(Body, 1);

	body->key = key_of(file.gen, file.uid);
	body->serial = file.serial;
	body->limit = G_MAXUINT64;
	body->ranges = store_ranges_new();
	body->in_memory = in_memory;
	body->link.data = body;
	g_hash_table_add(bodies->table, body);
	g_queue_push_head_link(&tier_of(bodies, body)->lru, &body->link);
	return body;
}

/* ---- commits ---- */

BodyPlace store_bodies_place(Bodies *bodies, Gen gen, guint32 uid, const BodyNews *news)
{
	BodyPlace place = {.kind = BODY_PLACE_NEW};

	pthread_mutex_lock(&bodies->mutex);

	Body *body = find_locked(bodies, gen, uid);

	if (body && !contradicts(body, news)) {
		place.serial = body->serial;
		place.min_size = held_end(body);
		if (covers(body, news->start, news->end))
			place.kind = BODY_PLACE_KNOWN;
		else
			place.kind = body->in_memory ? BODY_PLACE_MEMORY : BODY_PLACE_FILE;
	}
	pthread_mutex_unlock(&bodies->mutex);
	return place;
}

/* The last steps of a commit: takes the news in, makes room, unlocks. */
static void finish_and_unlock(Store *store, Body *body, const BodyNews *news, GQueue *doomed)
{
	Bodies *bodies = store->bodies;
	Tier *tier = tier_of(bodies, body);

	tier->bytes -= held_bytes(body);
	learn(body, news);
	tier->bytes += held_bytes(body);
	touch_locked(bodies, body);
	bodies->latest = body->serial;
	evict_locked(bodies, tier, doomed);
	pthread_mutex_unlock(&bodies->mutex);
	drop_doomed(store, doomed);
}

/* Puts a new body in the place of whatever is known of the message. */
static Body *replace_locked(Bodies *bodies, BodyFile file, bool in_memory, GQueue *doomed)
{
	Body *old = find_locked(bodies, file.gen, file.uid);

	if (old)
		remove_locked(bodies, old, doomed);
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

	Body *body = find_locked(store->bodies, file.gen, file.uid);

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
	guint64 old_start = held_start(body), old_end = held_end(body);
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

	Body *body = find_locked(store->bodies, file.gen, file.uid);

	if (!body || body->serial != file.serial || !body->in_memory) {
		pthread_mutex_unlock(&store->bodies->mutex);
		return false;
	}
	join_memory_locked(store->bodies, body, bytes, news);
	finish_and_unlock(store, body, news, &doomed);
	return true;
}

/* ---- messages that go ---- */

void store_bodies_drop_gen(Store *store, Gen gen)
{
	Bodies *bodies = store->bodies;
	Tier *tiers[] = {&bodies->files, &bodies->memory};
	GQueue doomed = G_QUEUE_INIT;

	pthread_mutex_lock(&bodies->mutex);
	for (gsize i = 0; i < G_N_ELEMENTS(tiers); i++) {
		for (GList *link = tiers[i]->lru.head, *next; link; link = next) {
			next = link->next;
			if (file_of(link->data).gen == gen)
				remove_locked(bodies, link->data, &doomed);
		}
	}
	pthread_mutex_unlock(&bodies->mutex);
	drop_doomed(store, &doomed);
	if (store->dir)
		store_file_drop_gen(store->dir->bodies_fd, gen);
}

static void orphan_locked(Bodies *bodies, Body *body, GQueue *doomed)
{
	Tier *tier = tier_of(bodies, body);

	if (body->ranges) {
		remove_locked(bodies, body, doomed);
		return;
	}
	body->orphan = true;
	g_queue_unlink(&tier->lru, &body->link);
	g_queue_push_tail_link(&tier->lru, &body->link);
}

static void orphan_one_by_one_locked(Bodies *bodies, Gen gen, const ImapSet *uids, GQueue *doomed)
{
	gsize n;
	const ImapRange *range = imap_set_ranges(uids, &n);

	for (gsize i = 0; i < n; i++) {
		for (guint64 uid = range[i].lo; uid <= range[i].hi; uid++) {
			Body *body = find_locked(bodies, gen, (guint32)uid);

			if (body)
				orphan_locked(bodies, body, doomed);
		}
	}
}

static void orphan_by_table_locked(Bodies *bodies, Gen gen, const ImapSet *uids, GQueue *doomed)
{
	g_autofree gpointer *all = g_hash_table_get_keys_as_array(bodies->table, NULL);

	for (gpointer *at = all; *at; at++) {
		BodyFile file = file_of(*at);

		if (file.gen == gen && imap_set_contains(uids, file.uid))
			orphan_locked(bodies, *at, doomed);
	}
}

void store_bodies_orphan(Store *store, Gen gen, const ImapSet *uids)
{
	Bodies *bodies = store->bodies;
	GQueue doomed = G_QUEUE_INIT;

	pthread_mutex_lock(&bodies->mutex);
	if (imap_set_count(uids) <= g_hash_table_size(bodies->table))
		orphan_one_by_one_locked(bodies, gen, uids, &doomed);
	else
		orphan_by_table_locked(bodies, gen, uids, &doomed);
	pthread_mutex_unlock(&bodies->mutex);
	drop_doomed(store, &doomed);
}

/* ---- reading ---- */

/* A file that is gone or too short: the body is not here after all. */
static void forget(Store *store, BodyFile file)
{
	Bodies *bodies = store->bodies;
	GQueue doomed = G_QUEUE_INIT;

	pthread_mutex_lock(&bodies->mutex);

	Body *body = find_locked(bodies, file.gen, file.uid);

	if (body && body->serial == file.serial)
		remove_locked(bodies, body, &doomed);
	pthread_mutex_unlock(&bodies->mutex);
	drop_doomed(store, &doomed);
}

/* What is left to read when the table was asked. */
typedef struct {
	enum {
		READ_NOTHING, /* the range is not here */
		READ_DONE, /* nothing */
		READ_FROM_FILE, /* n bytes of `file` */
		READ_FROM_PACK, /* n bytes of `pack`, a reference, at `at` */
	} step;
	BodyFile file;
	gsize n;
	Pack *pack;
	guint64 at;
} ReadPlan;

static void plan_disk(ReadPlan *plan, const Body *body, guint64 offset)
{
	plan->step = body->pack ? READ_FROM_PACK : READ_FROM_FILE;
	plan->pack = body->pack ? store_pack_ref(body->pack) : NULL;
	plan->at = body->at + offset;
}

/* Finds out how much of the range there is, and answers from memory. */
static ReadPlan read_from_table(
	Bodies *bodies, Gen gen, guint32 uid, guint64 offset, void *buf, gsize len)
{
	ReadPlan plan = {.step = READ_NOTHING};

	pthread_mutex_lock(&bodies->mutex);

	Body *body = find_locked(bodies, gen, uid);
	guint64 end = offset > G_MAXUINT64 - len ? G_MAXUINT64 : offset + len;

	if (body && (offset >= body->limit || covers(body, offset, MIN(end, body->limit)))) {
		plan.step = READ_DONE;
		plan.file = file_of(body);
		plan.n = offset >= body->limit ? 0 : (gsize)(MIN(end, body->limit) - offset);
		if (plan.n > 0 && body->in_memory)
			memcpy(buf, body->memory + (offset - held_start(body)), plan.n);
		else if (plan.n > 0)
			plan_disk(&plan, body, offset);
		touch_locked(bodies, body);
	}
	pthread_mutex_unlock(&bodies->mutex);
	return plan;
}

/* Whether this body, not a later one of the message, is in the table. */
static bool is_here(Bodies *bodies, BodyFile file)
{
	pthread_mutex_lock(&bodies->mutex);

	const Body *body = find_locked(bodies, file.gen, file.uid);
	bool here = body && body->serial == file.serial;

	pthread_mutex_unlock(&bodies->mutex);
	return here;
}

/* Reads the bytes that are in a file, its own or a pack. */
static bool read_from_disk(Store *store, const ReadPlan *plan, guint64 offset, void *buf)
{
	bool ok;

	if (plan->step == READ_FROM_PACK) {
		ok = store_pack_read(plan->pack, plan->at, buf, plan->n);
		store_pack_unref(plan->pack);
	} else {
		ok = store_file_read(store->dir->bodies_fd, plan->file, offset, buf, plan->n);
	}
	if (!ok)
		forget(store, plan->file);
	/* Its blocks in a pack are given back after it left the table, not before. */
	return ok && (plan->step == READ_FROM_FILE || is_here(store->bodies, plan->file));
}

StoreAnswer store_try_read(
	Store *store, Gen gen, guint32 uid, guint64 offset, void *buf, gsize len, gsize *ret_n)
{
	ReadPlan plan = read_from_table(store->bodies, gen, uid, offset, buf, len);

	if (plan.step == READ_NOTHING ||
		(plan.step != READ_DONE && !read_from_disk(store, &plan, offset, buf)))
		return store_index_lookup(store, gen, uid);
	*ret_n = plan.n;
	return STORE_HIT;
}

StoreAnswer store_first_missing(
	Store *store, Gen gen, guint32 uid, guint64 offset, guint64 len, guint64 *ret_missing)
{
	Bodies *bodies = store->bodies;
	guint64 end = offset > G_MAXUINT64 - len ? G_MAXUINT64 : offset + len;
	guint64 missing = offset;

	pthread_mutex_lock(&bodies->mutex);

	const Body *body = find_locked(bodies, gen, uid);

	if (body) {
		end = MIN(end, body->limit);
		missing = body->ranges ? store_ranges_gap(body->ranges, offset) : body->limit;
	}
	pthread_mutex_unlock(&bodies->mutex);
	if (missing >= end)
		return STORE_HIT;

	StoreAnswer answer = store_index_lookup(store, gen, uid);

	if (answer == STORE_MISS)
		*ret_missing = missing;
	return answer;
}

bool store_has_body(Store *store, Gen gen, guint32 uid)
{
	pthread_mutex_lock(&store->bodies->mutex);

	Body *body = find_locked(store->bodies, gen, uid);
	bool whole = body && !body->ranges;

	pthread_mutex_unlock(&store->bodies->mutex);
	return whole;
}

void store_usage(Store *store, guint64 *ret_bytes, guint64 *ret_limit)
{
	Bodies *bodies = store->bodies;

	pthread_mutex_lock(&bodies->mutex);
	*ret_bytes = bodies->files.bytes + bodies->memory.bytes;
	*ret_limit = store->dir ? bodies->files.limit : bodies->memory.limit;
	pthread_mutex_unlock(&bodies->mutex);
}

guint store_bodies_count(Store *store)
{
	Bodies *bodies = store->bodies;

	pthread_mutex_lock(&bodies->mutex);

	guint n = g_hash_table_size(bodies->table);

	pthread_mutex_unlock(&bodies->mutex);
	return n;
}
