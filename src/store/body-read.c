/* Reading bodies, and proving those of an earlier mount before they are shown. */
#include "store/body.h"
#include "base/limits.h"

#include <errno.h>
#include <string.h>

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
	guint64 at; /* where the body begins in it */
	bool unreadable; /* Body.unreadable */
	GArray *doubts; /* of Piece: to be proved before */
} ReadPlan;

/* The pieces of a range that no reader of this mount has found unaltered yet. */
static GArray *doubts_of(const Body *body, guint64 start, guint64 end)
{
	if (!body->doubtful || (body->proved && store_ranges_cover(body->proved, start, end)))
		return NULL;

	GArray *doubts = g_array_new(FALSE, FALSE, sizeof(Piece));

	Piece only;
	const Piece *pieces = body_pieces(body, &only);

	for (guint i = 0; i < body->n_pieces; i++) {
		const Piece *piece = &pieces[i];

		if (piece->start < end && piece->end > start)
			g_array_append_val(doubts, *piece);
	}
	return doubts;
}

static void plan_disk(ReadPlan *plan, const Body *body, guint64 offset)
{
	plan->step = body->pack ? READ_FROM_PACK : READ_FROM_FILE;
	plan->pack = body->pack ? store_pack_ref(body->pack) : NULL;
	plan->at = body->at;
	plan->unreadable = body->unreadable;
	plan->doubts = doubts_of(body, offset, offset + plan->n);
}

/* Finds out how much of the range there is, and answers from memory. */
static ReadPlan read_from_table(Bodies *bodies, guint64 key, guint64 offset, void *buf, gsize len)
{
	ReadPlan plan = {.step = READ_NOTHING};

	pthread_mutex_lock(&bodies->mutex);

	Body *body = store_body_find_locked(bodies, key);
	guint64 end = offset > G_MAXUINT64 - len ? G_MAXUINT64 : offset + len;

	if (body &&
		(offset >= body->limit || store_body_covers(body, offset, MIN(end, body->limit)))) {
		plan.step = READ_DONE;
		plan.file = body_file(body);
		plan.n = offset >= body->limit ? 0 : (gsize)(MIN(end, body->limit) - offset);
		if (plan.n > 0 && body->in_memory)
			memcpy(buf, body->memory + (offset - store_body_start(body)), plan.n);
		else if (plan.n > 0)
			plan_disk(&plan, body, offset);
		store_body_touch_locked(bodies, body);
	}
	pthread_mutex_unlock(&bodies->mutex);
	return plan;
}

/* Whether this body, not a later one of the item, is in the table. */
static bool is_here(Bodies *bodies, BodyFile file)
{
	pthread_mutex_lock(&bodies->mutex);

	const Body *body = store_body_find_locked(bodies, body_key_of(file));
	bool here = body && body->serial == file.serial;

	pthread_mutex_unlock(&bodies->mutex);
	return here;
}

/* Bytes of the body, which are all in a file, its own or a pack. 0 or an errno, as the next two. */
static int read_bytes(Store *store, const ReadPlan *plan, guint64 offset, void *buf, gsize n)
{
	bool ok = plan->step == READ_FROM_PACK
			  ? store_pack_read(plan->pack, plan->at + offset, buf, n)
			  : store_file_read(store->dir->bodies_fd, plan->file, offset, buf, n);

	return ok ? 0 : errno;
}

/* ESTALE: the bytes of the piece are not those that were written. */
static int check_piece(Store *store, const ReadPlan *plan, const Piece *piece)
{
	enum { PORTION = 256 << 10 };
	g_autofree guint8 *buf = g_malloc(PORTION);
	g_autoptr(PieceSum) sum = piece_sum_new();

	for (guint64 at = piece->start; at < piece->end;) {
		gsize n = (gsize)MIN(piece->end - at, PORTION);

		int why = read_bytes(store, plan, at, buf, n);

		if (why != 0)
			return why;
		piece_sum_add(sum, buf, n);
		at += n;
	}
	return piece_sum_end(sum) == piece->hash ? 0 : ESTALE;
}

static void note_proof(Bodies *bodies, BodyFile file, const Piece *piece)
{
	pthread_mutex_lock(&bodies->mutex);

	Body *body = store_body_find_locked(bodies, body_key_of(file));

	if (body && body->serial == file.serial && body->doubtful) {
		if (!body->proved)
			body->proved = store_ranges_new();
		store_ranges_add(body->proved, piece->start, piece->end);
		if (store_ranges_cover(body->proved, 0, body->limit)) {
			body->doubtful = false;
			g_clear_pointer(&body->proved, store_ranges_free);
		}
	}
	pthread_mutex_unlock(&bodies->mutex);
}

static int prove(Store *store, const ReadPlan *plan)
{
	for (guint i = 0; plan->doubts && i < plan->doubts->len; i++) {
		const Piece *piece = &g_array_index(plan->doubts, Piece, i);

		int why = check_piece(store, plan, piece);

		if (why != 0)
			return why;
		note_proof(store->bodies, plan->file, piece);
	}
	return 0;
}

/* Whether the bytes are no more: the file is gone, shorter or altered, or something else lies in
 * its place. All else may pass: no descriptor or no memory is left, or the disk is away. */
static bool is_lost(int why)
{
	return why == ENOENT || why == ESTALE || why == ELOOP || why == ENOTDIR || why == EISDIR;
}

static void set_unreadable(Bodies *bodies, BodyFile file, bool unreadable)
{
	pthread_mutex_lock(&bodies->mutex);

	Body *body = store_body_find_locked(bodies, body_key_of(file));

	if (body && body->serial == file.serial)
		body->unreadable = unreadable;
	pthread_mutex_unlock(&bodies->mutex);
}

static void note_failure(Store *store, BodyFile file, int why)
{
	g_info("a message in the cache cannot be read: %s; it is fetched again", g_strerror(why));
	if (is_lost(why))
		store_body_forget(store, file);
	else
		set_unreadable(store->bodies, file, true);
}

/* Reads the bytes that are in a file. */
static bool read_from_disk(Store *store, const ReadPlan *plan, guint64 offset, void *buf)
{
	int why = prove(store, plan);

	if (why == 0)
		why = read_bytes(store, plan, offset, buf, plan->n);
	if (why != 0)
		note_failure(store, plan->file, why);
	else if (plan->unreadable)
		set_unreadable(store->bodies, plan->file, false);
	if (plan->pack)
		store_pack_unref(plan->pack);
	if (plan->doubts)
		g_array_unref(plan->doubts);
	/* Its blocks in a pack are given back after it left the table, not before. */
	return why == 0 && (plan->step == READ_FROM_FILE || is_here(store->bodies, plan->file));
}

StoreAnswer store_try_read(Store *store, Gen gen, guint32 uid, StoreItem item, guint64 offset,
	void *buf, gsize len, gsize *ret_n)
{
	ReadPlan plan = read_from_table(store->bodies, body_key(gen, uid, item), offset, buf, len);

	if (plan.step == READ_NOTHING ||
		(plan.step != READ_DONE && !read_from_disk(store, &plan, offset, buf)))
		return store_index_lookup(store, gen, uid);
	*ret_n = plan.n;
	return STORE_HIT;
}

StoreAnswer store_first_missing(Store *store, Gen gen, guint32 uid, StoreItem item, guint64 offset,
	guint64 len, guint64 *ret_missing)
{
	Bodies *bodies = store->bodies;
	guint64 end = offset > G_MAXUINT64 - len ? G_MAXUINT64 : offset + len;
	guint64 missing = offset;

	pthread_mutex_lock(&bodies->mutex);

	const Body *body = store_body_find_locked(bodies, body_key(gen, uid, item));

	if (body) {
		end = MIN(end, body->limit);
		if (!body->unreadable)
			missing =
				body->ranges ? store_ranges_gap(body->ranges, offset) : body->limit;
	}
	pthread_mutex_unlock(&bodies->mutex);
	if (missing >= end)
		return STORE_HIT;

	StoreAnswer answer = store_index_lookup(store, gen, uid);

	if (answer == STORE_MISS)
		*ret_missing = missing;
	return answer;
}

/* The length of an item that is whole here; G_MAXUINT64: it is not. */
static guint64 whole_size(Bodies *bodies, guint64 key)
{
	pthread_mutex_lock(&bodies->mutex);

	const Body *body = store_body_find_locked(bodies, key);
	guint64 size = body && !body->ranges ? body->limit : G_MAXUINT64;

	pthread_mutex_unlock(&bodies->mutex);
	return size;
}

GBytes *store_try_whole(Store *store, Gen gen, guint32 uid, StoreItem item)
{
	guint64 size = whole_size(store->bodies, body_key(gen, uid, item));
	gsize n;

	if (size > LIMIT_MIME_BYTES)
		return NULL;

	g_autofree guint8 *bytes = g_try_malloc(size + 1);

	/* It may have become another one meanwhile: the byte more tells. */
	if (!bytes || store_try_read(store, gen, uid, item, 0, bytes, size + 1, &n) != STORE_HIT ||
		n != size)
		return NULL;
	return g_bytes_new_take(g_steal_pointer(&bytes), size);
}

bool store_has_body(Store *store, Gen gen, guint32 uid, StoreItem item)
{
	guint64 length;
	return store_length(store, gen, uid, item, &length);
}

bool store_length(Store *store, Gen gen, guint32 uid, StoreItem item, guint64 *ret_length)
{
	pthread_mutex_lock(&store->bodies->mutex);

	Body *body = store_body_find_locked(store->bodies, body_key(gen, uid, item));
	bool whole = body && !body->ranges && !body->unreadable;
	if (whole)
		*ret_length = body->limit;

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

guint64 store_memory_usage(Store *store)
{
	Bodies *bodies = store->bodies;

	pthread_mutex_lock(&bodies->mutex);

	guint64 bytes = bodies->memory.bytes;

	pthread_mutex_unlock(&bodies->mutex);
	return bytes;
}

guint store_bodies_count(Store *store)
{
	Bodies *bodies = store->bodies;

	pthread_mutex_lock(&bodies->mutex);

	guint n = g_hash_table_size(bodies->table);

	pthread_mutex_unlock(&bodies->mutex);
	return n;
}
