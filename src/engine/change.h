/* What is on its way from the journal (store/intent.h) to the server: one Change for each intent.
 * Engine thread. */
#pragma once

#include "engine/private.h"
#include "store/unsent.h"

typedef struct Batch Batch;
typedef struct Change Change;

/* The changes of one message, in the order in which they were asked for. The first is carried out
 * once the message is there, the others wait for it. */
typedef struct {
	char *key; /* in Changes.chains; NULL: the message is not there yet */
	Change *maker; /* is to bring it; NULL: it is there */
	GQueue changes; /* Change* */
} Chain;

struct Change {
	Engine *engine;
	Intent *intent; /* owned */
	MailboxId mailbox, target; /* of its names; 0: none, or not known before the next LIST */
	Gen gen; /* of its message; 0: none, or not known before its mailbox is selected */
	Chain *chain; /* NULL: it is about no message that is there, or was told to be */
	Chain *brings; /* of the message that COPY or APPEND makes; NULL: nothing is asked of it */
	Waiter *waiter; /* who asked; NULL: was told */

	/* Where it waits, link.data NULL: it is under way, or behind another one of its chain. */
	GQueue *queue;
	GList link;

	guint losses; /* connections that ended with it under way */
	guint refusals; /* that may be over soon */
	guint most; /* go together, since more were refused; 0: as many as there are */
	bool shown; /* the tree shows it as done */
	bool by_copy; /* MOVE: COPY, then as REMOVE */
	bool by_append; /* APPEND: not by REPLACE */
	bool alone; /* APPEND: nothing is to be removed after it, any more or for its sake */
	bool confirmed; /* the server did it, and did not say what became of the message */
	bool there; /* while it is looked for: its source is there still */
	bool timed_out; /* the server had it, and did not answer in time */
	guint looks; /* in vain */
};

/* What an earlier change brought, for those who name it by `of`. */
typedef struct {
	guint64 id;
	guint64 file;
	Gen gen;
	guint32 uid;
} Brought;

struct Changes {
	GHashTable *by_id; /* guint64 -> Change, owned */
	GHashTable *chains; /* key -> Chain, owned */
	GQueue fresh; /* asked for just now: more may come to go with them */
	GSource *gathering; /* the end of that; NULL: nothing is gathered */
	GQueue appends; /* to go out */
	GQueue strange; /* their mailboxes are not known before the next LIST */
	GQueue batches; /* Batch.link, under way */
	GQueue texts; /* of arrive.c: appended, whose sizes the server did not tell yet */
	gsize texts_bytes;
	GQueue brought; /* Brought*, the latest last */
	GPtrArray *settles; /* who waits for several (settle.c) */
	GQueue withdrawn; /* Withdrawal*, to be taken back in the next turn */
	guint flags; /* how many are INTENT_FLAGS */
	gint64 appends_hold_us; /* none goes out before; 0: they may */
};

/* ---- change.c: a change from its beginning to its end ---- */

/* Writes a new intent. */
bool change_keep(Engine *engine, Intent *intent, GError **error);

/* Takes intent, which is in the journal. */
Change *change_new(Engine *engine, Intent *intent);
void change_free(gpointer change);

Change *change_by_id(Engine *engine, guint64 id); /* NULL: it is over, or never was */

/* Puts it into its chain (NULL: none), shows it in the tree, tells of it and sends it on its way.
 */
void change_begin(Change *change, Chain *chain);

/* Shows it in the tree, if it is known where. */
void change_show(Change *change);

/* What it is now: of MOVE and APPEND whose message is there remains the removal of the old one. */
IntentKind change_kind(const Change *change);

/* The generation of its message; 0: not known. */
Gen change_gen(Change *change);

/* Its turn, if it is the first of its chain: where it is carried out, or (may_wait) when others
 * had time to come that go with it. */
void change_queue(Change *change, bool may_wait);

/* Into this queue, or (NULL) out of the one it is in. */
void change_wait_in(Change *change, GQueue *queue);

/* Writes that it is about to be sent. false: it cannot be written, and the change was ended with
 * that. */
bool change_note_sent(Change *change);

/* Writes how far it is. If it cannot be written the next mount looks for it once more. */
void change_note_step(Change *change, IntentStep step);

/* Notes what tells the message of MOVE and COPY from others, if it is known: should it be looked
 * for the index may be lost. */
void change_note_signature(Engine *engine, Intent *intent, Gen gen);

/* The mailboxes of its names, as far as they are known; and whether one is not. */
void change_find_mailboxes(Change *change);
bool change_is_strange(const Change *change);

/* Whether where it leads to is being renamed or deleted now. */
bool change_is_held(const Change *change);

/* Whether the server may have heard of it. */
bool change_is_sent(const Change *change);

/* Whether it may be tried once more after its connection was lost; it was ended otherwise. */
bool change_survives_loss(Change *change, const GError *error);

/* The server did it, and target_uid is what it made. */
void change_finish(Change *change);

/* It cannot be done: what is left of it, if the copy or the new message is there already. */
void change_fail(Change *change, const GError *error);

/* It is over and freed. error NULL: the server did it, and made this of it (uid 0: nothing, or not
 * known). What waited for it goes on, or ends with the error. */
void change_end(Change *change, Gen gen, guint32 uid, const GError *error);

/* What it brought that is over: of this id or file, 0: whatever; NULL: not known. */
const Brought *change_brought(Engine *engine, guint64 id, guint64 file);

/* Changes the flags of its message in the store, if they are known, and its keywords as it says;
 * tell: that is news. */
void change_set_flags(Change *change, guint add, guint remove, bool tell);

/* ---- chain.c ---- */

Chain *chain_of_message(Engine *engine, const char *mailbox, guint32 uidvalidity, guint32 uid);
/* As above; NULL: nothing is asked of it. */
Chain *chain_find(Engine *engine, const char *mailbox, guint32 uidvalidity, guint32 uid);
/* Of what this change is to bring. */
Chain *chain_of_change(Change *change);
void chain_push(Chain *chain, Change *change);
/* Takes it out of its chain, which is freed when that was its last. */
void chain_remove(Change *change);
/* The message is there, or there now. The chain that it is in from now on. */
Chain *chain_settle(
	Engine *engine, Chain *chain, const char *mailbox, guint32 uidvalidity, guint32 uid);
bool chain_is_first(const Change *change);

/* ---- intake.c ---- */

/* Sets an error if the mailbox is known not to keep one of these flags or keywords. */
void change_check_flags(const Box *box, guint flags, const char *keywords, GError **error);

/* ---- settle.c: who waits ---- */

/* Somebody was told that it is not done: so it must not be done later. */
typedef struct {
	guint64 id;
	GError *error;
	EngineDone done;
	gpointer data;
} Withdrawal;

void settle_withdrawn(Engine *engine);

/* It is over, and out of all but by_id: tells those who wait for it. */
void settle_note_end(Change *change, const GError *error);

/* Who asked for it waits for its end, as `until` says. */
void change_wait(Change *change, EngineUntil until, EngineDone done, gpointer data);

/* The account is away, and `until` does not allow to keep it for later; NULL otherwise. */
GError *change_away_error(Engine *engine, EngineUntil until);

void settle_free(gpointer settle);

/* ---- batch.c: changes that go out together ---- */

struct Batch {
	Engine *engine;
	Box *box; /* of the messages; NULL: APPEND, and no REPLACE */
	Box *target;
	Conn *conn;
	Gen gen; /* of the messages */
	IntentKind kind;
	GPtrArray *changes; /* Change*, by UID, not owned */
	ImapSet *uids;
	GList link;

	guint step; /* the verb's own */
	void (*advance)(Batch *batch); /* all commands of the step were answered */
	guint commands; /* under way */
	GError *error; /* the first that a command ended with; NULL: none did */
	bool lost; /* it was not answered */
	bool bad; /* it was answered BAD */
	ImapCode code; /* of that answer */

	/* mark.c */
	GError *expunge_error;
	ImapSet *deleted; /* all that are \Deleted */

	/* transfer.c, append.c */
	bool is_asking; /* for the STATUS of the target */
	bool moves; /* it was sent, as MOVE */
	guint32 uidvalidity, uidnext; /* of the target, by STATUS */
	GBytes *text; /* APPEND */
	ImapSet *from, *to; /* COPYUID, APPENDUID (to) */
	Gen to_gen; /* of these; 0: not known */
};

Batch *batch_new(Engine *engine, IntentKind kind, Conn *conn);
void batch_add(Batch *batch, Change *change);
/* Its changes were ended, or queued again. */
void batch_free(Batch *batch);

/* Queues a command of its step. */
void batch_send(Batch *batch, SessionNeed need, ImapCommand *line);
/* The common part of a command's end. */
void batch_take_answer(Batch *batch, const ImapStatus *status, const GError *error);
/* One command less is under way: after the last the verb goes on. */
void batch_answered(Batch *batch);

/* The UIDs as an argument. */
void batch_add_uids(const Batch *batch, ImapCommand *line);

/* A NOOP goes ahead, so that the server's view of the selected mailbox has what came by other
 * connections. */
void change_notice(Conn *conn);

/* The same, if that mailbox, which is selected, may lack messages up to this one. */
void change_notice_last(Conn *conn, guint32 last);

/* Whether the server told of each that it is expunged; if not, they may be there still. Where the
 * mailbox was never listed nobody knows. */
bool batch_is_told(const Batch *batch);

/* Whether its connection is still as it was when it began. */
bool batch_holds(const Batch *batch);

/* Asks what the target is like; batch->uidvalidity and uidnext are the answer. */
void batch_ask_target(Batch *batch);

/* Ends all its changes, and the batch. */
void batch_end(Batch *batch, const GError *error);
/* Queues them again, since nothing was done, and ends the batch. */
void batch_again(Batch *batch);
/* The connection ended, and nothing was done that a repetition would do twice. */
void batch_lost(Batch *batch);
/* The server refused it. */
void batch_refused(Batch *batch, const GError *error);
/* ---- the verbs: each takes a batch that was gathered ---- */

void mark_begin(Batch *batch);
bool change_can_expunge_uids(const Conn *conn);

void transfer_begin(Batch *batch);
/* Whether it is a COPYUID about this batch, and was believed. */
bool transfer_take_copyuid(Batch *batch, const ImapStatus *status);

/* ---- arrive.c: what our own changes made in their targets ---- */

/* The server has these messages in the mailbox of this UIDVALIDITY: they are in the listing from
 * now on. Their generation; 0: what is known is another one. */
Gen arrive(Engine *engine, Box *target, guint32 uidvalidity, const ImapSet *uids);

/* It is a copy of this message: its attributes and body are here already. */
void arrive_copied(Engine *engine, Gen gen, guint32 uid, Gen from, guint32 from_uid);

/* The text of an appended message is its body as soon as the server tells the same size. */
void arrive_text(Engine *engine, Gen gen, guint32 uid, GBytes *text);
void arrive_clear(Engine *engine);

/* ---- append.c ---- */

/* One APPEND, or with a mailbox of the batch UID REPLACE. */
void append_begin(Batch *batch);
void append_take_appenduid(Batch *batch, const ImapStatus *status);

/* Whether it goes out there as REPLACE, where its mailbox is selected; and that it does not. */
bool append_replaces(const Change *change, const Conn *conn);
void append_plainly(Change *change);

/* The server has the message of an APPEND. */
void append_done(Change *change);

/* ---- look.c: what became of those whose answer was lost, or did not say it ---- */

/* Whether an APPEND of what looks the same is on its way: if its answer is lost one could be taken
 * for the other. */
bool look_has_twin(const Change *change);

/* Queues it to be looked for. */
void look_for(Change *change);
bool look_has_work(const Box *box);
void look_dispatch(Box *box, Conn *conn);
void look_refused(Box *box, const GError *error);

/* ---- match.c ---- */

/* The Message-ID of a message, with its brackets, from its header; NULL: none. New string. */
char *message_id_of(const char *header, gsize len);
