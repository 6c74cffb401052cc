/* What the files of engine/ share. Everything here belongs to the engine thread, except the inbox.
 */
#pragma once

#include <gio/gio.h>

#include "base/limits.h"
#include "base/log.h"
#include "engine/ahead.h"
#include "engine/engine.h"
#include "engine/folder.h"
#include "engine/goal.h"
#include "engine/resync.h"
#include "engine/waiter.h"

typedef struct Box Box;
typedef struct Changes Changes;
typedef struct Look Look;
typedef struct Search Search;
typedef struct Conn Conn;
typedef struct Sync Sync;

/* ---- conn.c, pool.c: connections ---- */

/* NOTIFY (RFC 5465) on a connection. */
typedef enum {
	NOTIFY_OFF,
	NOTIFY_ASKED,
	NOTIFY_ON,
} NotifyStep;

struct Conn {
	Engine *engine;
	Session *session;
	bool ready;
	Box *box; /* selected, or about to be */
	Box *reserved; /* the mailbox it is kept for, once it is at rest */
	guint refusals; /* NO or BAD in a row */
	bool doubtful; /* they were about the selection: it may not hold any more */
	bool writable; /* it is by SELECT */
	Look *look; /* under way there (look.c); NULL: none is */
	guint batches; /* verbs that go on there (batch.c) */
	bool selected_once; /* some mailbox was, on this connection */
	bool renamed; /* mailboxes came or went since: the name may be another one's */
	bool leaving; /* that it is not selected any more was not answered yet: conn_leave() */
	Gen gen; /* of the selection; 0 until EXAMINE is answered */
	bool selecting; /* EXAMINE is not answered yet */
	Resync resync; /* of that selection */
	Sync *sync; /* waits for the answer to EXAMINE, NULL: none */
	guint64 bytes_flying; /* of bodies asked for and not here yet */
	guint64 upload_bytes; /* of messages on their way to the server */
	guint wants_flying; /* number of them */
	GQueue questions; /* Question* in the order of their commands (question.c) */
	Search *search; /* under way there (search.c); NULL: none is */
	gint64 search_us; /* when it began */
	GPtrArray *arriving; /* of Arriving: bodies of the response that is coming (answer.c) */
	gint64 begun_us, used_us, ready_us;
	bool overdue; /* logging in took so long that nobody waits for it */
	NotifyStep notify;
	bool notify_at_login; /* that was when it was asked for */
	guint32 noticed_uid; /* messages up to this one were there at the last NOOP */
	guint notices; /* such NOOPs that were not answered yet */
	gint64 probed_us; /* when a NOOP asked whether it is alive; 0: not, or answered */
};

void pool_connect(Engine *engine);
void pool_stop(Engine *engine);
void pool_stop_now(Engine *engine);
void pool_init(Engine *engine);
void pool_free(Engine *engine);
void pool_reap(Engine *engine);
void pool_demand(Engine *engine);
/* Breaks off the waiting for an attempt to connect that nothing comes of for too long. */
void pool_break(Engine *engine, gint64 now_us);
/* The login was refused: tries again at once if the secret is seen to have changed. */
void pool_look(Engine *engine);
/* When bytes moved last for those who wait. */
gint64 pool_progress_time(const Engine *engine);

/* Any connection that takes commands, NULL: none does. */
Conn *pool_first_ready(const Engine *engine);
/* The one that is on its way, NULL: none is. */
Conn *pool_attempt(const Engine *engine);
bool pool_connecting(const Engine *engine);

/* The server is asked for too much: so many connections from now on, and a pause, which grows when
 * that is said again soon after. */
void pool_slow_down(Engine *engine, guint conns);

/* A ready connection for work on this mailbox, with it selected or selectable at once; NULL: none
 * now. */
Conn *pool_conn(Engine *engine, Box *box);

/* Whether a connection is free for this mailbox that no other must keep; if not, one more may be on
 * its way afterwards. */
bool pool_spare(Engine *engine, const Box *box);

/* Whether no work may be sent now, since the server said that it is asked for too much. */
bool pool_paused(Engine *engine);

/* The machine slept: what was tried before says nothing, the next attempt is now. */
void pool_resume(Engine *engine);

/* Whether the mailbox is selected on some connection. */
bool pool_has(const Engine *engine, const Box *box);

/* Whether a connection has it selected and is told of what changes there. */
bool pool_hears(const Engine *engine, const Box *box);

/* A ready connection that has not this mailbox selected, for STATUS of it; NULL: there is none. */
Conn *pool_other(const Engine *engine, const Box *box);

/* A connection for a message on its way to the server: one that nobody needs now, or that is on its
 * way; NULL: it is worth to wait. */
Conn *pool_for_upload(Engine *engine);

/* Any ready connection, for commands that need no mailbox. */
Conn *pool_any(Engine *engine);

/* The name of the mailbox, NULL: every name, may be another mailbox's now: it is selected anew
 * before more is asked of it. */
void pool_doubt(Engine *engine, const Box *box);

/* Makes the mailbox the connection's; queues EXAMINE when it is not. */
void conn_select(Conn *conn, Box *box);

/* What it has selected is not from now on: another mailbox is where the server has no UNSELECT (RFC
 * 3691), for CLOSE would expunge. Only while nothing is under way there. false: there is no
 * other, and it stays. */
bool conn_leave(Conn *conn);

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
	bool lone; /* a further connection was refused it, and one has it */

	/* sync.c, sync-doubt.c */
	ImapSet *gone; /* expunged, to be told to the store in one go */
	GPtrArray *sync_waiters;
	Sync *sync; /* under way */
	bool sync_refused; /* its EXAMINE failed, its searches are still under way */
	bool shown_stale; /* the kernel was shown a listing that the server did not confirm */
	bool renew; /* find out what changed although nobody waits */
	bool trusted; /* the kernel may show the listing without asking */
	guint sync_tries; /* connections that could not tell */
	gint64 failed_us; /* when it could not be listed; 0: it could since */
	bool arrived; /* EXISTS grew since the last listing */
	ImapSet *ours; /* came by our own changes, and are behind all that a listing named */
	gint64 ours_us; /* when the last of them did */
	gint64 listed_us; /* when the server named all messages */
	bool dirty; /* something changed that only a listing can tell */
	bool flags_due; /* flags changed since the mark, and were not asked for yet */
	bool no_modseq; /* its modification sequences are of no use (resync.c) */

	/* push.c */
	bool covered; /* IDLE tells what happens to it */
	guint64 told_modseq; /* HIGHESTMODSEQ of its last STATUS */
	bool polled; /* STATUS is under way */
	/* since when EXAMINE is; 0: it is not, or mailboxes came or went meanwhile */
	gint64 refused_us;
	GError *refusal; /* what it was refused with, until LIST tells whether it is there */
	GPtrArray *held; /* who waits for that and for anything of its messages */
	bool missing; /* it is not, until mailboxes come or go */
	guint judged_by; /* the LIST that tells, in Engine.lists */
	guint questions; /* of that kind since it was selected */
	gint64 left_us; /* when a connection was given up since it refused it; 0: none was */

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

	/* flags.c */
	GHashTable *flags_waiters; /* uid -> GPtrArray of Waiter */
	ImapSet *flags_want, *flags_flying;
	ImapSet *flags_retried; /* asked for again after a connection was lost */

	/* rights.c */
	char *rights; /* letters of RFC 4314; NULL: not known */

	/* what waits to be changed (change.h) */
	GQueue changes; /* Change.link: the next of a message's changes, to go out */
	GQueue checks; /* whose source has to be looked at, to know what became of them */
	GQueue finds; /* which have to be looked for here */
	Look *look; /* for some of these; NULL: none is under way */
	gint64 finds_hold_us; /* none of the last ones is looked for before */
	gint64 changes_hold_us; /* none goes out before */
	guint changes_refused; /* times in a row that it could not be selected for them */
	guint searches_due; /* batches that wait until the listing is at rest */
	ImapSet *marked; /* by us as \Deleted, and could not be expunged alone */
	bool writable; /* it is selected by SELECT, not EXAMINE, since something was changed */
	bool was_writable; /* it was selected so; the next are of the last time */
	bool read_only; /* and the server said READ-ONLY */
	guint permanent; /* IMAP_FLAG_* that it keeps */
	char **permanent_keywords; /* NULL: all */

	/* search.c */
	GQueue searches; /* Part*, those of this mailbox */

	/* body.c */
	GHashTable *wants; /* uid -> GPtrArray of Want */
	GQueue urgent, ahead; /* of Want.link */
	guint32 outline_last; /* of the latest window of outlines */
	guint outline_window; /* messages */
	ImapSet *unparted; /* fetched whole: their BODYSTRUCTURE is of no use */
	ImapSet *headless; /* likewise: their header cannot be had by itself */

	/* sizes.c; of Sizes.link */
	GQueue sizes, sizes_flying;
};

Box *box_get(Engine *engine, MailboxId mailbox);

/* The next of `engine->boxes`; NULL: that was the last. */
Box *box_next(GHashTableIter *iter);
void box_free(Box *box);
bool box_has_work(const Box *box);
bool box_is_urgent(const Box *box);

/* There may be work for this mailbox: looks for commands to send, soon, once for all that happens
 * until then. */
void box_pump(Box *box);

/* There is none any more. */
void box_rest(Box *box);

/* Whether the user is known not to have this right (RFC 4314 2.1). */
bool box_lacks(const Box *box, char right);

/* Whether a message with these flags is not listed. */
bool box_hides(const Box *box, guint flags);

/* A message as it was last known, by an earlier mount too: what news of it is compared with.
 * False as store_peek_message() is. */
bool box_recall(const Box *box, Gen gen, guint32 uid, StoreMessage *ret);

/* Forgets all queued work; its waiters were finished before. */
void box_reset(Box *box);

/* The mailbox was selected on conn: settles its generation. */
void box_selected(Box *box, Conn *conn);

/* Its UIDs stand for other messages than before: begins a generation that ends with the next
 * EXAMINE. false: that came so often that it proves nothing. */
bool box_renew(Box *box);

/* EXAMINE failed, and another one is made for those who wait. */
void box_try_again(Box *box);

/* The mailbox cannot be selected: everything asked of it ends with this error; but if it may be
 * gone it waits for LIST. */
void box_refused(Box *box, const GError *error);

/* LIST was answered: what is gone is not found, and its messages are stale; a listing of what is
 * there is tried once more. */
void box_judge(Box *box, bool listed);

/* ---- the verbs: request is the entry, dispatch sends what is queued, the rest is news ---- */

void list_wait(Engine *engine, Waiter *waiter);
/* with_status: as an answer to push.c too, where list_tells_status(). */
void list_refresh(Engine *engine, bool with_status);
bool list_tells_status(const Engine *engine, const Conn *conn);
/* A LIST that is due goes out. */
void list_pump(Engine *engine);
void list_note(Engine *engine, Conn *conn, const ImapList *list);
void list_reset(Engine *engine);
void list_age(Engine *engine, gint64 now_us);
/* The least time between two LISTs that nobody asked for. */
gint64 list_interval_us(const Engine *engine);
/* Whether `folders` lets a mailbox of this name appear. */
bool list_shows(const Engine *engine, const char *name, char delimiter);
/* box_judge() comes with the answer to the next LIST that goes out. */
void list_ask_about(Box *box);

void sync_request(Box *box, Waiter *waiter);
void sync_dispatch(Box *box, Conn *conn);
void sync_examined(Conn *conn, const GError *error);
void sync_note_expunged(Conn *conn, const ImapSet *uids);
void sync_note_exists(Conn *conn);
void sync_flush(Box *box);
/* The server said that our own change made these: a listing by a connection that was not told of
 * them yet does not mean that they are gone. */
void sync_note_ours(Box *box, const ImapSet *uids);

/* sync-doubt.c */
/* The listing may not be what it was: the kernel forgets it, and it is asked for anew, at once
 * (renew, if somebody looked at it) or when somebody looks. */
void sync_doubt(Box *box, bool renew);
/* Asks for the listing although nobody waits. */
void sync_renew(Box *box);
void sync_cut_off(Engine *engine);
void sync_forget_shown(Engine *engine);
/* No name in it holds before the next EXAMINE of the mailbox. */
void sync_doubt_names(Box *box);

/* ---- question.c: SEARCH of the selected mailbox, by whichever verb ---- */

/* Whether ESEARCH (RFC 4731) is offered. */
bool question_can_extend(const Conn *conn);
/* Whether a SEARCH that is none of the listing's can be told from its ones. */
bool question_is_alone(const Conn *conn);
/* "UID SEARCH", to be answered by ESEARCH or not, to which keys are to be added. */
ImapCommand *question_command(bool extended);
/* More was found: what is so far is in the set. */
typedef void (*QuestionHeard)(gpointer data);
/* Sends it; what it names is added to ret, which lives until done. heard: NULL, or called at each
 * answer, before done. */
void question_ask(Conn *conn, ImapCommand *line, bool extended, ImapSet *ret, QuestionHeard heard,
	SessionDone done, gpointer data);
void question_note(Conn *conn, const ImapSearch *search);

void attribute_request(Box *box, Gen gen, guint32 uid, Waiter *waiter);
bool attribute_has_work(const Box *box);
void attribute_dispatch(Box *box, Conn *conn);
void attribute_note(Conn *conn, guint32 uid, const ImapFetch *fetch);
/* The flags of a message changed in the store: tells of it, or that it is not listed any more, or
 * again. */
void attribute_tell(Box *box, Gen gen, guint32 uid, guint before, guint after);

void flags_init(Box *box);
void flags_clear(Box *box);
void flags_request(Box *box, Gen gen, guint32 uid, Waiter *waiter);
bool flags_has_work(const Box *box);
void flags_dispatch(Box *box, Conn *conn);
void flags_note(Conn *conn, guint32 uid);
/* Forgets all of it; who waits is moved to the array. */
void flags_take_all(Box *box, GPtrArray *waiters);

/* Takes over waiter and goal. */
void body_request(Box *box, Gen gen, guint32 uid, Goal *goal, Waiter *waiter);
void body_request_whole(Box *box, Gen gen, guint32 uid, Waiter *waiter);
void body_ahead(Box *box, Gen gen, guint32 uid);
void body_ahead_outline(Box *box, Gen gen, guint32 uid, bool structure);
/* What the text of a message needs; its bytes. false: that is not known before its outline comes,
 * which is under way. */
bool body_ahead_text(Box *box, Gen gen, guint32 uid, guint64 *ret_bytes);
void body_dispatch(Box *box, Conn *conn);
bool body_begin(Conn *conn, const ImapBodyStart *start);
void body_bytes(Conn *conn, const void *bytes, gsize len);
void body_note(Conn *conn, guint32 uid, const ImapFetch *fetch);
void body_end(Conn *conn);
/* How much came of what is arriving. */
guint64 body_arrived(const Conn *conn);
void arriving_free(gpointer arriving);
/* As flags_take_all(). */
void body_take_all(Box *box, GPtrArray *waiters);

void sizes_dispatch(Box *box, Conn *conn);
void sizes_note(Conn *conn, guint32 uid, const ImapFetch *fetch);
/* As flags_take_all(). */
void sizes_take_all(Box *box, GPtrArray *waiters);

/* ---- search.c ---- */

bool search_has_work(const Box *box);
void search_dispatch(Box *box, Conn *conn);
void search_box_refused(Box *box, const GError *error);
/* What MULTISEARCH found in one mailbox. */
void multisearch_note(Conn *conn, const ImapSearch *answer);
/* What came to its end is told, and what comes next is queued. */
void search_pump(Engine *engine);
void search_free_all(Engine *engine);

/* ---- changes: change.h has what their files share ---- */

void changes_init(Engine *engine);
void changes_free(Engine *engine);
/* What an earlier mount left goes on. */
void changes_resume(Engine *engine);
guint changes_count(const Engine *engine);
/* LIST was answered: what it does not name is not there. */
void changes_listed(Engine *engine);
/* A mailbox has another name: so it has in what waits to be changed. */
void changes_renamed(Engine *engine);
/* What no mailbox has to be selected for. */
void changes_pump(Engine *engine);
void changes_age(Engine *engine, gint64 now_us);
/* Nothing is gathered any more. */
void changes_hurry(Engine *engine);
/* Finishes the waiter when what was asked for until now in a mailbox (0: in all) is over. Takes
 * over the caller's reference. */
void changes_settle(Engine *engine, MailboxId mailbox, Waiter *waiter);

/* The same of the flags alone of messages that are there. */
void changes_settle_flags(Engine *engine, MailboxId mailbox, Waiter *waiter);

bool change_has_work(const Box *box);
void change_dispatch(Box *box, Conn *conn);
void change_selected(Box *box, const Conn *conn);
void change_box_refused(Box *box, const GError *error);
/* Whether it tells nothing but what a change asked for. */
bool change_note_mailbox_status(Conn *conn, const ImapMailboxStatus *status);
/* COPYUID, or APPENDUID ahead of the answer. */
void change_note_uids(Conn *conn, const ImapStatus *status);
void change_conn_closed(Conn *conn);
/* The flags of a message with the changes that wait for the server. NULL: there are none; else the
 * keywords, as a new array. */
char **change_overlay(
	Engine *engine, Gen gen, guint32 uid, guint *flags, const char *const *keywords);

/* The server told a size: what was appended is the body if it is that long. */
void change_note_size(Engine *engine, Gen gen, guint32 uid, guint64 size);

/* append.c */
void append_dispatch(Engine *engine);

/* look.c: a header that is looked at, and no body. */
bool look_body_begin(Conn *conn, const ImapBodyStart *start);
bool look_body_bytes(Conn *conn, const void *bytes, gsize len);
void look_note(Conn *conn, guint32 uid, const ImapFetch *fetch);

/* ---- rights.c ---- */

/* Behind EXAMINE: asks what may be done in the mailbox, unless it is known that all may. */
void rights_ask(Conn *conn, Box *box);
void rights_note(Engine *engine, const ImapRights *rights);

/* ---- quota.c ---- */

typedef struct {
	guint64 used, limit; /* limit 0: none is known */
} QuotaFigure;

typedef struct {
	QuotaFigure storage; /* octets */
	QuotaFigure messages;
} Quota;

/* The first connection of the account: asks beside its LIST. */
void quota_ready(Conn *conn);
/* What is used changed: it is asked for again as often as `poll` says. */
void quota_doubt(Engine *engine);
void quota_age(Engine *engine, gint64 now_us);
void quota_note(Engine *engine, const ImapQuota *quota);

/* ---- push.c: how each mailbox is kept right ---- */

/* The mailbox of this name that was asked for something, NULL: none was. */
Box *box_named(const Engine *engine, ImapBytes name);

void push_ready(Conn *conn);
void push_closed(Conn *conn, const GError *error);
/* The names of a mailbox are right as of now. */
void push_listed(Box *box);
/* Whether they were a short time ago, or push told what changed since. Any thread. */
bool push_trusts(Engine *engine, MailboxId mailbox);
void push_note_status(Conn *conn, const ImapMailboxStatus *status);
void push_note_list(Conn *conn);
void push_note_code(Conn *conn, ImapCode code);
/* The items of STATUS that are compared, in parentheses. New string. */
char *push_status_items(const Conn *conn);
/* LIST with STATUS was answered. */
void push_polled(Engine *engine);
/* Whether this mailbox should stay selected while others are free to go, and be asked for although
 * nobody looks: INBOX and the one used last. */
bool push_keeps(const Box *box);
/* Whether it could not be listed a moment ago: then it is not asked for before somebody looks. */
bool push_failed(const Box *box);
/* The machine slept: asks all connections whether they are alive, and trusts no listing that they
 * do not tell of. */
void push_probe(Engine *engine);
void push_age(Engine *engine, gint64 now_us);

/* ---- status.c: what engine_status() shows ---- */

void status_init(Engine *engine);
void status_clear(Engine *engine);

/* Makes the present visible to other threads. */
void status_publish(Engine *engine);

/* Has that done in the engine thread. Any thread, never blocks. */
void engine_ask_status(Engine *engine);

/* What a connection that ends has moved goes on to count. */
void status_conn_over(Engine *engine, const Conn *conn);

/* ---- inbox.c: what other threads ask ---- */

void inbox_init(Engine *engine);
/* The engine thread has ended. */
void inbox_clear(Engine *engine);
/* engine_close() is called in the engine thread. Any thread. */
void inbox_stop(Engine *engine);

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

	ImapSet *covered; /* mailboxes that IDLE covers; inbox_lock */
	gint notified; /* NOTIFY tells of all; atomic */

	GSource *pump_source;
	GSource *tick;
	GQueue waiting; /* Waiter.link, oldest first */
	GQueue busy; /* Box.busy */
	GHashTable *boxes; /* MailboxId -> Box */

	/* status.c */
	GMutex status_lock;
	GCond status_changed;
	EngineStatus status; /* status_lock */
	guint published; /* status_lock: how often */
	EngineStatus totals; /* what is known without a look at the connections */

	/* conn.c, pool.c */
	GPtrArray *conns;
	GPtrArray *dead; /* ended, to be freed when none of their frames is on the stack */
	guint max_conns;
	gint64 paused_us; /* the server asked for less: no work is sent before */
	guint pauses; /* in a row */
	gint64 limited_us; /* when the server refused a further connection */
	guint short_lives; /* logins in a row that did not last */
	guint attempts; /* that failed in a row */
	gint64 away_us; /* when the first of them did */
	gint64 slept_us; /* how long the machine slept so far, of CLOCK_BOOTTIME */
	GSource *retry;
	gint64 refused_us; /* when the login was refused last */
	guint looks; /* for another secret since one was taken */
	gint64 progress_us; /* of connections that are gone */
	bool further_refused; /* a further login was, since the last that was not */
	const Waiter *starter; /* waits for the first connection; NULL: it was there, or failed */
	gint64 expired_us; /* when a request ended last that had waited in vain */
	bool stopping;
	char *description; /* of the first connection; inbox_lock */
	guint64 caps, append_limit; /* likewise */

	/* secret.c; inbox_lock */
	char *tried_sum; /* SHA-256 of the secret given out last */
	char *refused_sum; /* of one that the server refused */
	gint64 sum_refused_us; /* when */

	/* push.c */
	Box *last_box; /* that somebody asked something of */
	MailboxId inbox_id; /* 0: not known yet */
	guint idle_failures, notify_failures; /* connections in a row that were lost unanswered */
	bool idle_worked; /* on some connection */
	bool idle_refused, notify_refused;

	/* list.c */
	bool list_due;
	guint lists; /* sent so far */
	bool list_extended, list_with_status; /* the one under way */
	bool list_plain; /* the server did not understand an extended one */
	bool list_status_refused;
	GPtrArray *list_waiters;
	Conn *list_conn;
	gint64 listed_us; /* when LIST was answered last */
	GArray *listed; /* ImapList with owned names */
	gsize listed_bytes; /* of those names */

	/* folder.c */
	GQueue folders; /* Folder, the first one is being done */
	bool renamed; /* a mailbox was, and that was not told yet */

	/* search.c */
	GQueue searches; /* Search.link */
	LogLimit search_limit;
	bool multisearch_refused; /* the server does not know ESEARCH, whatever it says */

	/* change.h */
	Changes *changes;
	bool move_refused; /* the server does not know MOVE, whatever it says */
	bool replace_refused; /* nor REPLACE */
	bool closing; /* it stops when all changes are over */
	gint64 close_us; /* or then */

	/* quota.c */
	bool quota_asked; /* and not answered yet */
	Quota quota_told; /* so far */
	bool quota_due;
	gint64 quota_us; /* when it was asked for last */
	Quota quota; /* inbox_lock */

	guint resync_off; /* bits of ResyncMode that this server does wrong */
	guint qresync_faults; /* answers that did not add up */

	gint undecodable; /* BINARY (RFC 3516) was refused where it should work; atomic */
	bool sizes_distrusted;
	Walk walks[WALK_KINDS_][WALKS];
	Stream streams[STREAMS];
};

/* Whether the account is known to be away: then the waiter was ended, and its reference taken over.
 */
bool engine_away(Engine *engine, Waiter *waiter);
/* Looks for commands to send, soon, once for all that happens until then. */
void engine_pump(Engine *engine);
/* Ends all requests, and the loop when what is to be changed is done or took too long. */
void engine_close(Engine *engine);
/* A source that is only ever woken by its ready time; free: engine_free_source(). */
GSource *engine_source(Engine *engine, GSourceFunc callback);
void engine_free_source(GSource *source);
/* Has it called in the engine thread, also when that is stopping. Any thread. */
void engine_call(Engine *engine, void (*call)(Engine *engine, gpointer data), gpointer data);
/* The mailboxes whose listing was shown without asking since the last call. */
ImapSet *engine_take_shown(Engine *engine);

/* Tells the others when it is another one. why: see EngineEvents. */
void engine_set_state(Engine *engine, EngineState state, const GError *why);

/* store_verify_size() and the news of it. */
void engine_verify_size(Engine *engine, Gen gen, guint32 uid, guint64 size);

/* The server refused BINARY (RFC 3516) where it should work: it is not used any more. */
void engine_stop_decoding(Engine *engine, const char *why);

/* Remembers what the first connection is like, for engine_describe(). */
void engine_describe_from(Engine *engine, const Session *session);

/* ---- secret.c: SessionSecret that hardly ever offers a refused secret again; data is the Engine
 * ---- */

char *secret_ask(gpointer data, GCancellable *cancel, GError **error);

/* The server refused, or took, the secret given out last. */
void secret_refused(Engine *engine);
void secret_taken(Engine *engine);

/* Whether the login that ended sent a secret at all. */
bool secret_was_tried(Engine *engine);
