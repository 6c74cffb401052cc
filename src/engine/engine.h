/* The I/O thread of one account and its verbs. A verb is asked for from any thread, never blocks,
 * and ends exactly once by its EngineDone in the engine thread; by then the store holds what was
 * asked for, or error says why not. */
#pragma once

#include "imap/query.h"
#include "store/intent.h"
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

	/* Our own changes made these messages, which are names of the mailbox a moment later unless
	 * they were found before: names_changed() comes then. */
	void (*names_made)(Gen gen, const ImapSet *uids, gpointer data);

	/* The mailbox may be another one by now: every name in it must be asked for again. */
	void (*names_doubted)(MailboxId mailbox, Gen gen, gpointer data);

	/* Attributes other than the name changed for one message. size: its length was corrected.
	 */
	void (*message_changed)(Gen gen, guint32 uid, bool size, gpointer data);

	/* The server told flags of a message of which none were known: what they were before, and
	 * so whether a search would find it, nobody knows. */
	void (*flags_told)(MailboxId mailbox, gpointer data);

	/* The mailbox has a new UIDVALIDITY: nothing of `old` is true any longer. */
	void (*generation_changed)(MailboxId mailbox, Gen old, gpointer data);

	/* Sizes of this account are distrusted from now on: those shown so far must be asked again.
	 */
	void (*sizes_distrusted)(gpointer data);

	/* The tree shows this change as done from now on; or (after engine_start(), before anything
	 * else is told) an earlier mount left it. mailbox, target: of its names, 0: not known, as
	 * after a cache that was lost. The message that goes is in names_changed() as well. */
	void (*change_begun)(
		const Intent *intent, MailboxId mailbox, MailboxId target, gpointer data);

	/* It is over. error NULL: the server did it, and `uid` of `gen` is what MOVE, COPY or
	 * APPEND made of it, in its target (0: not known); otherwise it was refused or cannot be
	 * done any more, and the tree is as if it had never been. MAIL_ERROR_CANCELLED: it was
	 * taken back, since what it was to bring was removed before anything was sent, or who
	 * waited for it was told that it is not done. */
	void (*change_ended)(
		const Intent *intent, Gen gen, guint32 uid, const GError *error, gpointer data);

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
	bool read_only; /* EXAMINE only; every change is refused */

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

/* ---- what messages hold: any thread, never block ----
 *
 * Each is done at once when the whole message is here already, and brings the whole message where
 * the server cannot take it apart, or contradicts itself: then STORE_MESSAGE is what is here. */

/* Makes STORE_FIELDS of a message present, and with structure STORE_STRUCTURE, which
 * mime_tree_of_structure() takes, with a window of others after it when its reader walks. */
void engine_outline(
	Engine *engine, Gen gen, guint32 uid, bool structure, EngineDone done, gpointer data);

/* Makes all that `.text` shows of a message present: its outline with structure, and each part that
 * mime_tree_readable() names, not decoded. Reads ahead of a reader that walks. */
void engine_text(Engine *engine, Gen gen, guint32 uid, EngineDone done, gpointer data);

/* A reader was served the text of a message from the store: keeps read-ahead in front of it. Costs
 * as little as engine_note_read(). */
void engine_note_text(Engine *engine, Gen gen, guint32 uid);

typedef struct {
	StoreItem item; /* STORE_HEADER or a part */
	const char *section; /* of a part: "1.2" (copied) */
	guint64 octets; /* how long the part is said to be, as it is in the message or decoded;
			 * G_MAXUINT64: not known. Of STORE_HEADER it means nothing */
} EngineSection;

/* Makes [offset, offset+len) of an item present, or as much of it as there is. A part that the
 * server does not decode, or not to so many octets, or over which the connection was lost, is
 * MAIL_ERROR_INVALID: it has to be asked for as it is in the message. */
void engine_section(Engine *engine, Gen gen, guint32 uid, const EngineSection *section,
	guint64 offset, guint32 len, EngineDone done, gpointer data);

/* Whether the server decodes parts (BINARY, RFC 3516): it offers it, and did not refuse it. Any
 * thread. */
bool engine_decodes(Engine *engine);

/* BINARY.SIZE of parts of one message (sections: NULL-terminated, copied). sizes: n of them, in
 * their order, G_MAXUINT64 where the server did not say; they live until done returns. Where it
 * does not decode one of them, or the connection was lost, the error is MAIL_ERROR_INVALID. */
typedef void (*EngineSizesDone)(const GError *error, const guint64 *sizes, guint n, gpointer data);
void engine_sizes(Engine *engine, Gen gen, guint32 uid, const char *const *sections,
	EngineSizesDone done, gpointer data);
typedef struct {
	Gen gen;
	const ImapSet *uids; /* never empty */
} EngineHits;

/* error NULL: where something was found; 0: nowhere. Valid within the call. Engine thread. */
typedef void (*EngineFound)(const GError *error, const EngineHits *hits, guint n, gpointer data);

/* The messages of a mailbox that the server finds, as of a moment after it was asked for, and with
 * the flags that they were given before: of those that are listed, which the store knows by then.
 * mailbox 0: of all that are listed and can be selected; what cannot be searched is left out, and
 * logged, unless nothing can. The query is copied; equal ones that were not sent yet are joined.
 * INVALID: the server does not take the query (a charset or key that it does not know). */
void engine_search(Engine *engine, MailboxId mailbox, const ImapQuery *query, EngineFound found,
	gpointer data);

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

/* ---- changes: any thread, never block ---- */

/* What has to be so before a change is done. */
typedef enum {
	/* It is in the journal and the tree shows it. */
	ENGINE_UNTIL_KEPT,
	/* The server answered; but if it is away, or goes, as above: it will be done. */
	ENGINE_UNTIL_ANSWERED,
	/* The server answered; if it is away before anything was sent the change is taken back. */
	ENGINE_UNTIL_DONE,
} EngineUntil;

typedef struct {
	IntentKind kind;

	/* The message that is changed, moved, copied, or (APPEND) replaced; 0: nothing is. */
	Gen gen;
	guint32 uid;

	/* Instead of it: the message that this change (Intent.id) is to bring, or brought; 0: the
	 * one above. It need not be there yet: see engine_change(). */
	guint64 of;

	MailboxId target; /* MOVE, COPY, APPEND */
	const char *name; /* the file name there */

	guint flags_add, flags_remove; /* FLAGS; of APPEND what it begins with, in flags_add */
	const char *keywords_add, *keywords_remove; /* separated by spaces, or NULL */

	guint64 file; /* APPEND: kept by store_unsent_keep(), CRLF at line ends; the engine drops it
		       * once the server has it. Other kinds without message: as `of`, of the
		       * APPEND of this file */
	gint64 date; /* APPEND: INTERNALDATE, 0: the server's now */
} EngineChange;

/* Changes a message. What is known to be refused fails at once, and nothing was changed then: no
 * such message (STALE), a read-only mailbox or mount, a right (RFC 4314) or a permanent flag that
 * is missing, a text over APPENDLIMIT. With ENGINE_UNTIL_KEPT, what the server refuses later is
 * told by change_ended().
 *
 * Changes of one message are done in the order in which they were asked for, each when the one
 * before is over; those of others in any order. A message that is on its way can be changed as if
 * it were there: what is asked of it waits until it is, and is done to what it is there then. It is
 * named by `of`; one that a MOVE takes away also by its old (gen, uid), which has no other message
 * any more. If it does not get there, all that was asked of it ends with the same error: nothing is
 * done to the message that it would have been made of. INTENT_REMOVE of what a COPY or APPEND is to
 * bring that was not sent yet takes that back, for which change_ended() comes, and is no change
 * itself. After INTENT_REMOVE or INTENT_MARK there is no such message.
 *
 * A refused APPEND keeps its text in store/unsent.h. */
void engine_change(Engine *engine, const EngineChange *change, EngineUntil until, EngineDone done,
	gpointer data);

/* Waits until all that was asked for in a mailbox (0: in all) was answered, without the pause in
 * which changes are gathered. error: the first that was refused meanwhile, or that the account is
 * away and something is left. */
void engine_settle(Engine *engine, MailboxId mailbox, EngineDone done, gpointer data);

/* CREATE and SUBSCRIBE, DELETE and UNSUBSCRIBE, RENAME. Names are wire bytes. When it is done the
 * store lists the mailboxes as they are then, and mailboxes_changed() was called. DELETE of a
 * mailbox that holds a message, hidden or not, or another mailbox, is MAIL_ERROR_NOT_EMPTY; of
 * INBOX BUSY, as its RENAME. What waits to be changed in the mailbox is done before. */
void engine_create_mailbox(Engine *engine, const char *name, EngineDone done, gpointer data);
void engine_delete_mailbox(Engine *engine, MailboxId mailbox, EngineDone done, gpointer data);
void engine_rename_mailbox(
	Engine *engine, MailboxId mailbox, const char *name, EngineDone done, gpointer data);

/* What the account may hold and holds, of QUOTA (RFC 9208): false when the server does not tell.
 * From memory. */
bool engine_quota(Engine *engine, guint64 *ret_used_bytes, guint64 *ret_limit_bytes);

/* The same of the number of messages. */
bool engine_quota_messages(Engine *engine, guint64 *ret_used, guint64 *ret_limit);

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
	guint changes; /* that wait for the server's answer */
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

/* How large a new message may be as the first connection said (APPENDLIMIT, RFC 7889), in octets;
 * 0: it did not. */
guint64 engine_append_limit(Engine *engine);
