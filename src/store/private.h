/* What the files of store/ share.
 *
 * Locks: `lock` guards mailboxes and index (fields marked so); the mutex inside Bodies guards the
 * table of bodies, the one in a Pack what went of it, the one in Disk what cannot be written, the
 * one in Unsent its numbers. They are never held together, and neither during I/O. Readers hold
 * `lock` for one lookup or one chunk of a listing. Only the engine thread writes what `lock`
 * guards, so it alone reads without it, builds big arrays outside, and takes it as writer to put
 * them in place. They are POSIX locks because ThreadSanitizer does not see GLib's.
 */
#pragma once

#include "store/store.h"
#include "store/dir.h"
#include "store/events.h"
#include "store/file.h"
#include "store/intent.h"
#include "store/pack.h"
#include "store/rows.h"

#include <pthread.h>

typedef struct Bodies Bodies;
typedef struct Saver Saver;
typedef struct Unsent Unsent;

enum { STORE_SPARE_BUFFERS = 4 };

/* What is written to the cache directory: one may fail and the other not. */
typedef enum {
	DISK_BODIES,
	DISK_INDEX,
	DISK_CONTENTS_,
} DiskContent;

/* Why it cannot be written. */
typedef struct {
	char *why; /* NULL: it can */
	gint64 since_us; /* g_get_real_time() */
	gint there; /* atomic, for a look without the mutex: why is not NULL */
} Trouble;

typedef struct {
	pthread_mutex_t mutex; /* guards the next two */
	Trouble trouble[DISK_CONTENTS_];
	gint64 in_vain_until_us; /* bodies went and the disk got no room: none goes before */
	gint warned; /* atomic: that files cannot be written */

	guint64 room; /* engine thread: what bodies may take before it is measured again */
	gint64 full_until_us; /* engine thread: not before */
} Disk;

struct Store {
	bool show_deleted; /* constant */
	StoreDir *dir; /* constant; NULL: bodies in memory only */
	Packs *packs; /* engine thread; NULL as dir */
	StoreEvents *events; /* engine thread; NULL: no journal */
	Intents *intents; /* engine thread */
	Unsent *unsent; /* constant */
	Disk disk;

	pthread_rwlock_t lock; /* no thread takes it twice */

	/* mailbox.c */
	GArray *mailboxes; /* lock: StoreMailbox by id - 1 */
	GArray *listed; /* lock: StoreMailbox by name */
	GHashTable *names; /* engine thread: name -> id */
	GPtrArray *owned_names; /* engine thread: all that ever were */
	gsize names_bytes; /* engine thread: of these */

	/* index.c */
	GPtrArray *gens; /* lock: Generation * by Gen - 1, NULL: none, or it is old */
	GArray *current; /* lock: Gen by mailbox id - 1, 0 for none */
	bool distrusted; /* lock */

	/* save.c, batch.c */
	Saver *saver; /* constant; NULL: nothing outlives the mount */
	bool unsaved_mailboxes; /* lock */
	ImapSet *unsaved_gens; /* lock; those that went too */

	/* body.c */
	Bodies *bodies;

	/* sink.c; engine thread */
	guint8 *spare[STORE_SPARE_BUFFERS]; /* buffers of LIMIT_SINK_MEMORY */
	guint n_spare;
	guint64 last_serial; /* of body files and packs: begins with the number of the mount */
};

static inline void store_lock_read(Store *store)
{
	pthread_rwlock_rdlock(&store->lock);
}

static inline void store_lock_write(Store *store)
{
	pthread_rwlock_wrlock(&store->lock);
}

static inline void store_unlock(Store *store)
{
	pthread_rwlock_unlock(&store->lock);
}

/* ---- disk.c: any thread ---- */

void store_disk_init(Disk *disk);
void store_disk_clear(Disk *disk);

/* What store_unwritable() tells from now on, until store_disk_works(). failed: also said to the
 * log, once; refused: by an errno. */
void store_disk_lacks(Store *store, DiskContent content, const char *why);
void store_disk_failed(Store *store, DiskContent content, const char *why);
void store_disk_refused(Store *store, DiskContent content, int why);
void store_disk_works(Store *store, DiskContent content);

/* A body is about to be written. false, and errno is ENOSPC: the disk has no more than the reserve
 * of the index left. Engine thread. */
bool store_disk_take(Store *store, guint64 bytes);

/* Lets bodies go, those first that were not used for the longest time, until the index has its
 * reserve, or none for a minute after that was in vain. Returns whether any went. Any thread. */
bool store_disk_yield(Store *store);

/* mailbox.c */
void store_mailboxes_init(Store *store);
void store_mailboxes_clear(Store *store);

/* The id of a mailbox that an earlier mount knew, listed or not; 0: past a bound. Before any other
 * thread reads. */
MailboxId store_mailbox_recall(Store *store, ImapBytes name);

/* ---- load.c, batch.c, save.c: what outlives the mount ---- */

/* Reads what an earlier mount left into the new store, and from now on saves what changes. NULL:
 * the index file cannot be had. */
Saver *store_saver_new(Store *store, GError **error);

/* Saves what is left. Accepts NULL. */
void store_saver_free(Saver *saver);

/* Something changed: it is saved with all else that changes in the next moments. Any thread, no
 * lock held; costs nothing while that is known already. */
void store_save_soon(Store *store);

/* ---- intent.c, unsent.c ---- */

/* Those of an earlier mount are there. dir, which outlives it: NULL, they are in memory only. The
 * first new one has the id after last_id, or a higher one. */
Intents *store_intents_new(const StoreDir *dir, guint64 last_id);
void store_intents_free(Intents *intents); /* accepts NULL */

/* Settles what an earlier mount left. dir and last as above, for numbers. */
Unsent *store_unsent_open(const StoreDir *dir, guint64 last);
void store_unsent_close(Unsent *unsent); /* accepts NULL */

/* index.c */
void store_index_init(Store *store);
void store_index_clear(Store *store);

/* What is kept of the mailbox itself changed: it is listed no more, and how long it is kept counts
 * from now on, or it has another name. Lock held as writer. */
void store_gen_changed_locked(Store *store, MailboxId mailbox);

/* Its generation ends without another. */
void store_gen_close(Store *store, MailboxId mailbox);

/* ABSENT: an old generation, or no such UID (a hidden one is there) among known names; else MISS.
 * Any thread. */
StoreAnswer store_index_lookup(Store *store, Gen gen, guint32 uid);

/* Whether the UID is among the known names of a current generation, hidden or not. Engine thread.
 */
bool store_index_has(Store *store, Gen gen, guint32 uid);

/* ---- body.c ---- */

Bodies *store_bodies_new(guint64 file_limit, guint64 memory_limit);
void store_bodies_free(Bodies *bodies);

/* The names of all files that bodies are in, packs too, without their folders: a new set. Before
 * any other thread reads. */
GHashTable *store_bodies_files(Bodies *bodies);

/* Everything of a generation goes at once. Engine thread. */
void store_bodies_drop_gen(Store *store, Gen gen);

/* So many bytes of bodies in files go, those first that were not used for the longest time. Returns
 * whether any did. Any thread. */
bool store_bodies_shrink(Store *store, guint64 bytes);

/* These messages are about to go: store_peek_gone() tells their dates, which are in rows, while
 * anything is kept of them. Engine thread. */
void store_bodies_keep_dates(Store *store, Gen gen, const ImapSet *uids, const Rows *rows);

/* These messages are gone: their whole bodies stay for those who read them, but go first; the rest
 * goes now. Engine thread. */
void store_bodies_orphan(Store *store, Gen gen, const ImapSet *uids);

/* Messages came: a UID never comes back (RFC 9051 2.3.1.1), so that what is left under one of these
 * is another message's. */
void store_bodies_drop_orphans(Store *store, Gen gen, const ImapSet *uids);

/* What a commit brings: bytes start..end (start == end: none) with their hash, and that there is
 * none at or past limit (G_MAXUINT64: nothing known). */
typedef struct {
	guint64 start, end, limit;
	guint64 hash;
} BodyNews;

/* Where the bytes of a piece should go, as things stand. */
typedef struct {
	enum {
		BODY_PLACE_NEW, /* the body starts anew: store_bodies_put_...() */
		BODY_PLACE_KNOWN, /* nowhere, they are here: store_bodies_learn() */
		BODY_PLACE_FILE, /* to the file of this serial, which is min_size long or more:
				  * store_bodies_learn() */
		BODY_PLACE_MEMORY, /* store_bodies_extend_memory() */
	} kind;
	guint64 serial, min_size;
} BodyPlace;

BodyPlace store_bodies_place(Bodies *bodies, BodyFile file, const BodyNews *news);

/* The bytes of the news are in a new file, in a pack (they are all of the body then; takes over the
 * reference), or in `bytes` (owned from now on): all that is known of the body from now on. Engine
 * thread, as the rest. */
void store_bodies_put_file(Store *store, BodyFile file, const BodyNews *news);
void store_bodies_put_pack(
	Store *store, BodyFile file, Pack *pack, guint64 at, const BodyNews *news);
void store_bodies_put_memory(Store *store, BodyFile file, guint8 *bytes, const BodyNews *news);

/* The bytes are where store_bodies_place() said, or come now. false when the body of that serial is
 * gone meanwhile: a reader found its file missing. */
bool store_bodies_learn(Store *store, BodyFile file, const BodyNews *news);
bool store_bodies_extend_memory(
	Store *store, BodyFile file, const guint8 *bytes, const BodyNews *news);
