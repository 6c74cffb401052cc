/* What the files of engine/ share. Everything here belongs to the engine thread, except the inbox.
 */
#pragma once

#include <gio/gio.h>

#include "base/limits.h"
#include "base/log.h"
#include "engine/engine.h"

typedef struct Box Box;
typedef struct Conn Conn;

/* ---- waiter.c: somebody outside who waits for a verb ---- */

/* Finished at most once, by the verb, by its deadline, or because the account is gone; after that
 * the verb still holds it, and finishing again does nothing. */
typedef struct {
	guint refs;
	Engine *engine;
	EngineDone done; /* NULL once finished */
	gpointer data;
	gint64 since_us;
	GList link; /* in Engine.waiting while unfinished */
} Waiter;

Waiter *waiter_new(Engine *engine, EngineDone done, gpointer data);
void waiter_unref(Waiter *waiter);
void waiter_finish(Waiter *waiter, const GError *error);
void waiters_finish_all(Engine *engine, const GError *error);
/* Ends the waiters for which nothing moved on the wire for the timeout. Returns whether somebody
 * waits and nothing has moved for a while: the wire may be a black hole. */
bool waiters_expire(Engine *engine, gint64 now_us);

/* A growing array that owns Waiter references. */
GPtrArray *waiters_new(void);
/* Finishes and drops all of the array. */
void waiters_finish(GPtrArray *waiters, const GError *error);

/* ---- pool.c: connections ---- */

struct Conn {
	Engine *engine;
	Session *session;
	bool ready;
	Box *box; /* selected, or about to be */
	Box *reserved; /* the mailbox it is kept for, once it is at rest */
	guint refusals; /* NO or BAD in a row */
	bool doubtful; /* they were about the selection: it may not hold any more */
	Gen gen; /* of the selection; 0 until EXAMINE is answered */
	guint64 bytes_flying; /* of bodies asked for and not here yet */
	guint wants_flying; /* number of them */
	GQueue searches; /* Search* in the order of their commands (sync.c) */
	StoreSink *sink; /* the body that is arriving (body.c) */
	gint64 used_us, ready_us;
};

void pool_connect(Engine *engine);
void pool_stop(Engine *engine);
void pool_stop_now(Engine *engine);
void pool_init(Engine *engine);
void pool_free(Engine *engine);
void pool_reap(Engine *engine);
void pool_demand(Engine *engine);
gint64 pool_progress_time(const Engine *engine);

/* A ready connection for work on this mailbox, with it selected or selectable at once; NULL: none
 * now. */
Conn *pool_conn(Engine *engine, Box *box);

/* Whether the mailbox is selected on some connection. */
bool pool_has(const Engine *engine, const Box *box);

/* Any ready connection, for commands that need no mailbox. */
Conn *pool_any(Engine *engine);

/* Makes the mailbox the connection's; queues EXAMINE when it is not. */
void conn_select(Conn *conn, Box *box);

/* A command on the selected mailbox was answered, with this error or none: after two refusals in a
 * row, and none taken since, the mailbox is selected anew (deleted and made again, "not connected"
 * of Exchange). */
void conn_answered(Conn *conn, const GError *error);

/* ---- box.c: what the engine does for one mailbox ---- */

struct Box {
	Engine *engine;
	MailboxId id;
	char *name;
	gint64 flap_us;
	guint flaps; /* new UIDVALIDITYs within a minute of each other */
	GList busy; /* in Engine.busy while there may be work; data NULL: it is not */
	bool unstable; /* no UIDVALIDITY: UIDs hold for one selection only */

	/* sync.c */
	ImapSet *gone; /* expunged, to be told to the store in one go */
	GPtrArray *sync_waiters;
	bool syncing;
	bool sync_refused; /* its EXAMINE failed, its searches are still under way */
	bool shown_stale; /* the kernel was shown a listing that the server did not confirm */
	bool renew; /* list it again although nobody waits */
	bool trusted; /* the kernel may show the listing without asking */
	guint sync_tries; /* connections that could not tell */
	bool dirty; /* something changed that only a listing can tell */

	/* attribute.c */
	GHashTable *attribute_waiters; /* uid -> GPtrArray of Waiter */
	ImapSet *attribute_want;
	ImapSet *attribute_flying;
	ImapSet *attribute_again; /* each in a command of its own */
	ImapSet *attribute_retried; /* that was done once */
	ImapSet *attribute_partial; /* answered without one of the fields */
	guint attribute_commands;
	guint32 attribute_first; /* where the latest window begins */
	guint32 attribute_next; /* where a sequential reader goes on */
	guint attribute_joined; /* requests that moved on inside it while it was on its way */
	guint attribute_window; /* messages */

	/* body.c */
	GHashTable *wants; /* uid -> GPtrArray of Want */
	GQueue urgent, ahead;
};

Box *box_get(Engine *engine, MailboxId mailbox);
void box_free(Box *box);
bool box_has_work(const Box *box);
bool box_is_urgent(const Box *box);

/* There may be work for this mailbox: looks for commands to send, soon, once for all that happens
 * until then. */
void box_pump(Box *box);

/* There is none any more. */
void box_rest(Box *box);

/* Forgets all queued work; its waiters were finished before. */
void box_reset(Box *box);

/* The mailbox was selected on conn: settles its generation. */
void box_selected(Box *box, Conn *conn);

/* The mailbox cannot be selected: everything asked of it ends with this error. */
void box_refused(Box *box, const GError *error);

/* ---- the verbs: request is the entry, dispatch sends what is queued, the rest is news ---- */

void list_wait(Engine *engine, Waiter *waiter);
void list_refresh(Engine *engine);
void list_note(Engine *engine, Conn *conn, const ImapList *list);
void list_conn_closed(Conn *conn);
void list_reset(Engine *engine);
void list_age(Engine *engine, gint64 now_us);

void sync_request(Box *box, Waiter *waiter);
void sync_dispatch(Box *box, Conn *conn);
void sync_note_search(Conn *conn, const ImapSearch *search);
void sync_note_expunged(Conn *conn, const ImapSet *uids);
void sync_note_exists(Conn *conn);
void sync_flush(Box *box);
void sync_age(Engine *engine, gint64 now_us, bool stuck);
void sync_forget_shown(Engine *engine);

void attribute_request(Box *box, Gen gen, guint32 uid, Waiter *waiter);
bool attribute_has_work(const Box *box);
void attribute_dispatch(Box *box, Conn *conn);
void attribute_note(Conn *conn, guint32 uid, const ImapFetch *fetch);

void body_request(Box *box, Gen gen, guint32 uid, guint64 offset, guint64 len, Waiter *waiter);
void body_request_whole(Box *box, Gen gen, guint32 uid, Waiter *waiter);
void body_ahead(Box *box, Gen gen, guint32 uid, guint64 size);
void body_dispatch(Box *box, Conn *conn);
bool body_begin(Conn *conn, const ImapBodyStart *start);
void body_bytes(Conn *conn, const void *bytes, gsize len);
void body_note(Conn *conn, guint32 uid, const ImapFetch *fetch);
void body_end(Conn *conn);
void body_fail_all(Box *box, const GError *error);
void body_reset(Box *box);

/* ---- status.c: what engine_status() shows ---- */

void status_init(Engine *engine);
void status_clear(Engine *engine);

/* Makes the present visible to other threads. */
void status_publish(Engine *engine);

/* What a connection that ends has moved goes on to count. */
void status_conn_over(Engine *engine, const Conn *conn);

/* ---- ahead.c: readers that walk a folder ---- */

enum { WALKS = 4 };

typedef struct {
	gint gen; /* atomic: read by any thread */
	gint mark; /* atomic: from this UID on the engine wants to know */
	guint32 last, to;
	guint streak;
	guint64 walked; /* bytes the reader has taken */
	guint64 ahead_bytes;
	GQueue ahead; /* WalkStep* not yet read */
	gint64 used_us;
} Walk;

bool ahead_passed(Engine *engine, Gen gen, guint32 uid); /* any thread */
void ahead_read(Engine *engine, Box *box, Gen gen, guint32 uid);
bool ahead_walking(const Engine *engine, Gen gen, guint32 uid);
void ahead_clear(Engine *engine);

enum { STREAMS = 8 };

/* A reader inside one large message. */
typedef struct {
	Gen gen;
	guint32 uid;
	guint64 next; /* where it will go on */
	guint64 range; /* octets asked for last */
	guint64 cut; /* where an answer shorter than asked ended before the announced end */
	gint64 used_us;
} Stream;

/* ---- engine.c ---- */

struct Engine {
	EngineConfig config; /* strings owned */
	Store *store;
	const EngineEvents *events;
	gpointer data;

	GThread *thread;
	GMainContext *context;
	GMainLoop *loop;
	gint state; /* EngineState, atomic */
	gint met; /* the server was there once; atomic */
	gint stuck; /* somebody waits and the wire is silent; atomic */

	GMutex inbox_lock;
	ImapSet *shown_unasked; /* mailboxes whose listing was shown while away; inbox_lock */
	GArray *inbox; /* of questions; inbox_lock */
	GSource *inbox_source;

	GSource *pump_source;
	GSource *tick;
	GQueue waiting; /* Waiter.link, oldest first */
	GQueue busy; /* Box.busy */
	GHashTable *boxes; /* MailboxId -> Box */

	/* status.c */
	GMutex status_lock;
	EngineStatus status; /* status_lock */
	EngineStatus totals; /* what is known without a look at the connections */

	/* pool.c */
	GPtrArray *conns;
	GPtrArray *dead; /* ended, to be freed when none of their frames is on the stack */
	guint max_conns;
	gint64 limited_us; /* when the server refused a further connection */
	guint short_lives; /* logins in a row that did not last */
	guint attempts; /* that failed in a row */
	GSource *retry;
	gint64 refused_us; /* when the login was refused last */
	bool starting; /* the first connection is not there yet */
	bool stopping;
	char *description; /* of the first connection; inbox_lock */
	guint64 caps; /* likewise */

	/* secret.c; inbox_lock */
	char *tried_sum; /* SHA-256 of the secret given out last */
	char *refused_sum; /* of one that the server refused */

	/* list.c */
	GPtrArray *list_waiters;
	Conn *list_conn;
	gint64 listed_us; /* when LIST was answered last */
	GArray *listed; /* ImapList with owned names */

	bool sizes_distrusted;
	Walk walks[WALKS];
	Stream streams[STREAMS];
};

/* Looks for commands to send, soon, once for all that happens until then. */
void engine_pump(Engine *engine);
/* The mailboxes whose listing was shown without asking since the last call. */
ImapSet *engine_take_shown(Engine *engine);

/* Tells the others when it is another one. why: see EngineEvents. */
void engine_set_state(Engine *engine, EngineState state, const GError *why);

/* store_verify_size() and the news of it. */
void engine_verify_size(Engine *engine, Gen gen, guint32 uid, guint64 size);

/* Remembers what the first connection is like, for engine_describe(). */
void engine_describe_from(Engine *engine, const Session *session);

/* ---- secret.c: SessionSecret that never offers a refused secret again; data is the Engine ---- */

char *secret_ask(gpointer data, GCancellable *cancel, GError **error);

/* The server refused, or took, the secret given out last. */
void secret_refused(Engine *engine);
void secret_taken(Engine *engine);
