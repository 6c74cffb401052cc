/* The I/O thread of one account and its verbs. A verb is asked for from any thread, never blocks,
 * and ends exactly once by its EngineDone in the engine thread; by then the store holds what was
 * asked for, or error says why not. */
#pragma once

#include "store/store.h"
#include "session/session.h"

typedef struct Engine Engine;

/* error NULL: ask the store again. Engine thread. */
typedef void (*EngineDone)(const GError *error, gpointer data);

typedef enum {
	ENGINE_CONNECTING,
	ENGINE_ONLINE,
	ENGINE_OFFLINE, /* the last attempt failed; the next comes by itself */
	ENGINE_REFUSED, /* the login was refused: looks now and then for another secret */
} EngineState;

/* News, all in the engine thread, no lock held. Callbacks only queue and return. */
typedef struct {
	/* The set of mailboxes changed: store_mailboxes(). */
	void (*mailboxes_changed)(gpointer data);

	/* The listing of a mailbox changed or must be checked at the next access. gone: UIDs that
	 * are listed no longer; fresh: those that are listed newly, but not those of a first
	 * listing. Both are owned by the engine and may be NULL. */
	void (*names_changed)(MailboxId mailbox, Gen gen, const ImapSet *gone, const ImapSet *fresh,
		gpointer data);

	/* The mailbox may be another one by now: every name in it must be asked for again. */
	void (*names_doubted)(MailboxId mailbox, Gen gen, gpointer data);

	/* Attributes other than the name changed for one message. size: its length was corrected.
	 */
	void (*message_changed)(Gen gen, guint32 uid, bool size, gpointer data);

	/* The mailbox has a new UIDVALIDITY: nothing of `old` is true any longer. */
	void (*generation_changed)(MailboxId mailbox, Gen old, gpointer data);

	/* Sizes of this account are distrusted from now on: those shown so far must be asked again.
	 */
	void (*sizes_distrusted)(gpointer data);

	/* engine_state() is another one now. why: what ended the old one; NULL for ENGINE_ONLINE.
	 */
	void (*state_changed)(EngineState state, const GError *why, gpointer data);
} EngineEvents;

typedef struct {
	SessionConfig session; /* copied */
	guint connections; /* at most so many, >= 1 */
	guint poll_s; /* how long a listing is trusted without push */
	guint timeout_ms; /* no progress for so long ends a request */
	const char *folders; /* PATTERN[:!PATTERN...] or NULL */
	bool subscribed; /* LIST only what is subscribed */

	/* Whether the secret seems to be another one since it was asked for, or this was, with
	 * session.secret_data. Engine thread, never waits. NULL: nobody can tell. */
	bool (*secret_changed)(gpointer data);
} EngineConfig;

/* Starts the thread; nothing connects before engine_start(). events and store must outlive it. */
Engine *engine_new(
	const EngineConfig *config, Store *store, const EngineEvents *events, gpointer data);

/* Connects, logs in, lists the mailboxes; then done. */
void engine_start(Engine *engine, EngineDone done, gpointer data);

/* Ends every verb with MAIL_ERROR_CANCELLED, logs out within a second, joins the thread. Accepts
 * NULL. */
void engine_free(Engine *engine);

/* ---- verbs: any thread, never block ---- */

/* Is done at the engine's next turn, whatever the server does: all news of what the store has now
 * was told by then. */
void engine_turn(Engine *engine, EngineDone done, gpointer data);

/* Makes the names of a mailbox known and right as of now. */
void engine_sync(Engine *engine, MailboxId mailbox, EngineDone done, gpointer data);

/* Makes one message ready to be shown (store_try_message), with a window of others after it. */
void engine_attributes(Engine *engine, Gen gen, guint32 uid, EngineDone done, gpointer data);

/* Makes the flags of one message good again, if they may have changed since (StoreMessage.
 * flags_stale), and those of others after it. Of a message that is not known: its attributes. */
void engine_flags(Engine *engine, Gen gen, guint32 uid, EngineDone done, gpointer data);

/* Makes [offset, offset+len) of a body present, or as much of it as the message has. */
void engine_body(Engine *engine, Gen gen, guint32 uid, guint64 offset, guint32 len, EngineDone done,
	gpointer data);

/* A reader got these bytes from the store: keeps read-ahead in front of it. A few nanoseconds
 * unless the reader nears the end of what was read ahead. */
void engine_note_read(Engine *engine, Gen gen, guint32 uid, guint64 offset, guint32 len);

/* Whether a listing may be shown without asking the server: it was right less than poll_s ago, push
 * tells of its changes (IDLE), or the server is not there, or was not yet, and there is
 * nothing better. */
bool engine_names_fresh(Engine *engine, MailboxId mailbox);

/* Whether the server tells by itself all that happens to a mailbox (IDLE), so that its listing
 * stays right. Any thread. */
bool engine_covers(Engine *engine, MailboxId mailbox);

/* Whether what happens to it shows soon without being asked for: by IDLE or by NOTIFY, which may
 * lose some. Any thread. */
bool engine_tells(Engine *engine, MailboxId mailbox);

/* ---- state: any thread ---- */

EngineState engine_state(Engine *engine);

enum { ENGINE_CONNECTIONS = 64, ENGINE_REASON = 300 };

typedef struct {
	bool ready; /* logged in */
	MailboxId mailbox; /* selected, or about to be; 0: none */
	bool idle; /* it waits for what the server tells by itself */
	guint commands; /* queued or under way */
	guint fetching; /* bodies asked for and not here yet */
	guint64 fetching_bytes; /* of them, to come yet, as far as their sizes are known */
	SessionTraffic traffic;
	gint64 moved_us; /* when bytes moved last; g_get_monotonic_time() */
} EngineConnection;

typedef struct {
	EngineState state;
	gint64 since_us; /* that it is so; g_get_real_time() */
	char reason[ENGINE_REASON]; /* why the account was lost last; "": never */
	gint64 reason_us; /* when; g_get_real_time() */
	guint waiting; /* requests that are not answered yet */
	gint64 oldest_us; /* since when the first of them; g_get_monotonic_time() */
	guint n_connections;
	EngineConnection connections[ENGINE_CONNECTIONS];
	SessionTraffic traffic; /* of all connections so far */
	guint attempts, logins; /* to connect so far, and those that got in */
	guint failures; /* attempts that failed in a row */
	gint64 retry_us; /* when the next one comes by itself; 0: not waited for */
} EngineStatus;

/* How things stand now; as of at most a quarter of a second before when the engine thread does not
 * say so within 50 ms, and older when it is stuck. Any thread but that one. */
void engine_status(Engine *engine, EngineStatus *ret);

/* What the first connection said, for `check`: one fact a line. New string. */
char *engine_describe(Engine *engine);

/* The capabilities of the first connection after its login, IMAP_CAP_BIT()s; 0 before. */
guint64 engine_caps(Engine *engine);
