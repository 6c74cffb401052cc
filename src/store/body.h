/* The table of bodies, for the files that share it: body.c writes, body-read.c reads, body-keep.c
 * is about what outlives the mount. */
#pragma once

#include "store/db.h"
#include "store/private.h"
#include "store/ranges.h"

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
	Piece *pieces; /* what its bytes came in; not of a body in memory */
	guint n_pieces;
	guint32 used_h; /* hours since 1970, when it was read last */
	ByteRanges *proved; /* of a doubtful one: the bytes whose pieces were found unaltered */
	bool doubtful; /* an earlier mount wrote it, and not all of it is proved yet */
	bool unreadable; /* for now, as the last reader found: counts as missing for the engine */
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
	GHashTable *unsaved; /* keys of bodies that changed or went since they were saved */
	Tier files, memory;
	guint64 latest; /* serial of the most recent commit, which is never evicted */
};

static inline guint64 body_key(Gen gen, guint32 uid)
{
	return (guint64)gen << 32 | uid;
}

static inline BodyFile body_file(const Body *body)
{
	return (BodyFile){(guint32)(body->key >> 32), (guint32)body->key, body->serial};
}

/* ---- body.c; the mutex is held where a name says so ---- */

Body *store_body_find_locked(const Bodies *bodies, Gen gen, guint32 uid);
bool store_body_covers(const Body *body, guint64 start, guint64 end);
guint64 store_body_start(const Body *body);
void store_body_touch_locked(Bodies *bodies, Body *body);

/* The body of this serial goes: a file that is gone, too short or altered. No lock held. */
void store_body_forget(Store *store, BodyFile file);

void store_body_free(Body *body);

/* Takes in a body as it was left: after those that were restored before it. */
void store_body_adopt(Bodies *bodies, Body *body);
void store_bodies_clear(Bodies *bodies);

/* ---- body-keep.c ---- */

/* A body changed or went. */
void store_body_mark_locked(Bodies *bodies, const Body *body);

/* As it is to be saved; `kept.pieces` is owned. */
typedef struct {
	DbBody kept;
	bool gone;
} BodySave;

/* What is unsaved, taken off the table. */
GArray *store_bodies_take_unsaved(Bodies *bodies);

/* A body that the index file names, of a message that is in the store; any other is dropped. */
void store_bodies_restore(Store *store, const DbBody *kept);
