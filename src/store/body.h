/* The table of bodies, for the files that share it: body.c writes, body-read.c reads, body-keep.c
 * is about what outlives the mount. */
#pragma once

#include "store/db.h"
#include "store/private.h"
#include "store/ranges.h"

/* One item of a message. `limit` is an upper bound of its length, from an answer shorter than asked
 * for. It *is* the length once the bytes that are here reach it; until then (an answer with no byte
 * at all says only that the end is not behind its origin) reads up to it are a MISS, reads past it
 * are past the end. */
typedef struct Body Body;
struct Body {
	guint64 key; /* body_key() */
	Body *next; /* another item of the same message */
	guint64 serial;
	guint64 limit; /* no byte at or past it; G_MAXUINT64: not known */
	ByteRanges *ranges; /* NULL: the body is whole, all of [0, limit) */
	union {
		guint8 *memory; /* in_memory: the bytes of the only range */
		Pack *pack; /* else; NULL: a file of its own */
	};
	guint64 at; /* in the pack */
	union { /* what its bytes came in; not of a body in memory: body_pieces() */
		Piece *pieces;
		guint64 hash; /* body_is_plain() */
	};
	ByteRanges *proved; /* of a doubtful one: the bytes whose pieces were found unaltered */
	guint n_pieces;
	guint used_h : 28; /* hours since 1970, when it was read last */
	bool doubtful : 1; /* an earlier mount wrote it, and not all of it is proved yet */
	bool unreadable : 1; /* for now, as the last reader found: missing for the engine */
	bool in_memory : 1;
	bool orphan : 1; /* its message is gone: goes first */
	GList link; /* in Tier.lru */
};

/* Most are small, and there may be a million of them: LIMIT_BODIES says what each costs. */
G_STATIC_ASSERT(sizeof(Body) <= 104);

enum { BODY_HOURS_MAX = (1 << 28) - 1 };

static inline guint body_hours(gint64 time_s)
{
	return (guint)CLAMP(time_s / 3600, 0, BODY_HOURS_MAX);
}

/* Whole, and it came at once. */
static inline bool body_is_plain(const Body *body)
{
	return !body->ranges && body->n_pieces == 1;
}

/* All n_pieces of them; of a plain one in *only. */
static inline const Piece *body_pieces(const Body *body, Piece *only)
{
	if (!body_is_plain(body))
		return body->pieces;
	*only = (Piece){0, body->limit, body->hash};
	return only;
}

/* Files and memory each have their bound. */
typedef struct {
	GQueue lru; /* of Body; most recently used at the head */
	guint64 bytes, limit;
} Tier;

struct Bodies {
	pthread_mutex_t mutex; /* guards everything here */
	GHashTable *table; /* by message: the first of its items, Body.next leads to the others */
	GHashTable *unsaved; /* keys of bodies that changed or went since they were saved */
	GHashTable *dates; /* of messages that are gone, as long as table has anything of them:
			    * body_key() of any item to seconds since 1970 */
	Tier files, memory;
	guint64 latest; /* serial of the most recent commit, which is never evicted */
};

enum { BODY_UID_BITS = 32, BODY_ITEM_BITS = 12 };

G_STATIC_ASSERT(STORE_ITEMS <= 1 << BODY_ITEM_BITS);

static inline guint64 body_key(Gen gen, guint32 uid, StoreItem item)
{
	return ((guint64)gen << BODY_ITEM_BITS | item) << BODY_UID_BITS | uid;
}

static inline guint64 body_key_of(BodyFile file)
{
	return body_key(file.gen, file.uid, file.item);
}

/* What a key stands for; without a serial. */
static inline BodyFile body_key_file(guint64 key)
{
	return (BodyFile){
		.gen = (Gen)(key >> (BODY_UID_BITS + BODY_ITEM_BITS)),
		.uid = (guint32)key,
		.item = (guint16)(key >> BODY_UID_BITS & ((1 << BODY_ITEM_BITS) - 1)),
	};
}

static inline BodyFile body_file(const Body *body)
{
	BodyFile file = body_key_file(body->key);

	file.serial = body->serial;
	return file;
}

/* ---- body.c; the mutex is held where a name says so ---- */

Body *store_body_find_locked(const Bodies *bodies, guint64 key);

/* The first of a message's items, of any; NULL: there is none. */
Body *store_body_first_locked(const Bodies *bodies, Gen gen, guint32 uid);

bool store_body_covers(const Body *body, guint64 start, guint64 end);
guint64 store_body_start(const Body *body);

/* Takes note when all of it is here. */
void store_body_complete(Body *body);
void store_body_touch_locked(Bodies *bodies, Body *body);

Tier *store_body_tier(Bodies *bodies, const Body *body);

/* Takes a body out of the table and puts it on the list of those to be dropped after unlocking. */
void store_body_remove_locked(Bodies *bodies, Body *body, GQueue *doomed);

/* Frees these, and their files. No lock held. */
void store_bodies_drop_doomed(Store *store, GQueue *doomed);

/* The body of this serial goes: a file that is gone, too short or altered. No lock held. */
void store_body_forget(Store *store, BodyFile file);

void store_body_free(Body *body);

/* Takes in a body as it was left: after those that were restored before it. */
void store_body_adopt(Bodies *bodies, Body *body);
void store_bodies_clear(Bodies *bodies);

/* Puts a whole body, which is in its file already, in the place of whatever is known of its
 * item. No lock held. */
void store_body_put_copy(Store *store, Body *body);

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
