/* Who waits for changes: for one, or for all that were asked for until now. */
#include <errno.h>

#include "engine/change.h"

/* ---- for one ---- */

typedef struct {
	Engine *engine;
	guint64 id;
	EngineUntil until;
	EngineDone done;
	gpointer data;
} Wait;

/* Whether the server may have heard of it. */
bool change_is_sent(const Change *change)
{
	bool under_way = !change->queue && chain_is_first(change);
	return under_way || change->losses > 0 || change->intent->step != INTENT_QUEUED;
}

static void withdraw(const Wait *wait, const GError *error)
{
	Withdrawal *one = g_new(Withdrawal, 1);
	*one = (Withdrawal){wait->id, g_error_copy(error), wait->done, wait->data};
	g_queue_push_tail(&wait->engine->changes->withdrawn, one);
	engine_pump(wait->engine);
}

/* In a turn of its own: others who wait may have been walked through when it was told. */
void settle_withdrawn(Engine *engine)
{
	for (Withdrawal *one; (one = g_queue_pop_head(&engine->changes->withdrawn));) {
		g_autoptr(GError) error = one->error;
		Change *change = change_by_id(engine, one->id);
		if (change && !change_is_sent(change))
			change_end(change, 0, 0, error);
		one->done(error, one->data);
		g_free(one);
	}
}

/* What was sent goes on, and nobody knows when it will be answered. */
static void tell_unknown(const Wait *wait)
{
	g_autoptr(GError) error = g_error_new_literal(MAIL_ERROR, MAIL_ERROR_TIMEOUT,
		"the server went away before it answered: what it did is found out later");
	wait->done(error, wait->data);
}

static void keep(const Wait *wait)
{
	if (!store_intents_flush(store_intents(wait->engine->store)))
		g_info("changes may not outlive a crash of the machine: %s", g_strerror(errno));
	wait->done(NULL, wait->data);
}

/* The end of its waiter: by settle_note_end(), by the deadline, or with the account. */
static void waited(const GError *error, gpointer data)
{
	g_autofree Wait *wait = data;
	Change *change = change_by_id(wait->engine, wait->id);
	if (!change || !change->waiter) {
		wait->done(error, wait->data);
		return;
	}
	g_clear_pointer(&change->waiter, waiter_unref);
	if (wait->until == ENGINE_UNTIL_ANSWERED)
		keep(wait);
	else if (change_is_sent(change))
		tell_unknown(wait);
	else
		withdraw(wait, error);
}

static bool is_away(const Engine *engine)
{
	EngineState state = engine_state((Engine *)engine);
	return state == ENGINE_OFFLINE || state == ENGINE_REFUSED;
}

GError *change_away_error(Engine *engine, EngineUntil until)
{
	if (!is_away(engine))
		return NULL;
	pool_demand(engine);
	return until == ENGINE_UNTIL_DONE ? g_error_new_literal(MAIL_ERROR, MAIL_ERROR_OFFLINE,
						    "the server cannot be reached")
					  : NULL;
}

void change_wait(Change *change, EngineUntil until, EngineDone done, gpointer data)
{
	Engine *engine = change->engine;
	Wait wait = {engine, change->intent->id, until, done, data};
	if (until == ENGINE_UNTIL_KEPT) {
		done(NULL, data);
		return;
	}
	changes_hurry(engine);
	if (is_away(engine))
		keep(&wait);
	else
		change->waiter = waiter_new(engine, waited, g_memdup2(&wait, sizeof(wait)));
}

/* ---- for all ---- */

typedef struct {
	Waiter *waiter;
	GHashTable *left; /* ids: what was asked for later is not waited for */
	GError *error; /* the first */
} Settle;

void settle_free(gpointer data)
{
	Settle *settle = data;
	waiter_unref(settle->waiter);
	g_hash_table_unref(settle->left);
	g_clear_error(&settle->error);
	g_free(settle);
}

/* A message that is on its way is in the mailbox that it is brought to. */
static bool concerns(const Change *change, MailboxId mailbox)
{
	const Change *maker = change->chain ? change->chain->maker : NULL;
	return mailbox == 0 || change->mailbox == mailbox || change->target == mailbox ||
	       (maker && maker->target == mailbox);
}

/* Whether it gives other flags to a message that is there. */
static bool is_flagging(const Change *change)
{
	IntentKind kind = change->intent->kind;
	bool there = !change->chain || !change->chain->maker;
	return there && (kind == INTENT_FLAGS || kind == INTENT_MARK);
}

static GHashTable *ids_of(Engine *engine, MailboxId mailbox, bool flags_only)
{
	GHashTable *ids = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	GHashTableIter iter;
	gpointer change;
	g_hash_table_iter_init(&iter, engine->changes->by_id);
	while (g_hash_table_iter_next(&iter, NULL, &change)) {
		const guint64 *id = &((const Change *)change)->intent->id;
		if (concerns(change, mailbox) && (!flags_only || is_flagging(change)))
			g_hash_table_add(ids, g_memdup2(id, sizeof(*id)));
	}
	return ids;
}

static void settle(Engine *engine, GHashTable *ids, Waiter *waiter)
{
	Settle *settle = g_new0(Settle, 1);
	*settle = (Settle){.waiter = waiter, .left = ids};
	if (g_hash_table_size(settle->left) == 0) {
		waiter_finish(waiter, NULL);
		settle_free(settle);
		return;
	}
	changes_hurry(engine);
	g_ptr_array_add(engine->changes->settles, settle);
	GError *away = is_away(engine) ? change_away_error(engine, ENGINE_UNTIL_DONE) : NULL;
	if (away)
		waiter_finish(waiter, away);
	g_clear_error(&away);
}

void changes_settle(Engine *engine, MailboxId mailbox, Waiter *waiter)
{
	settle(engine, ids_of(engine, mailbox, false), waiter);
}

void changes_settle_flags(Engine *engine, MailboxId mailbox, Waiter *waiter)
{
	settle(engine, ids_of(engine, mailbox, true), waiter);
}

static void settle_note(Settle *settle, const Change *change, const GError *error)
{
	if (!g_hash_table_remove(settle->left, &change->intent->id))
		return;
	if (error && !settle->error && error->code != MAIL_ERROR_CANCELLED)
		settle->error = g_error_copy(error);
}

void settle_note_end(Change *change, const GError *error)
{
	GPtrArray *settles = change->engine->changes->settles;
	Waiter *waiter = g_steal_pointer(&change->waiter);
	if (waiter) {
		waiter_finish(waiter, error);
		waiter_unref(waiter);
	}
	for (guint i = 0; i < settles->len; i++)
		settle_note(g_ptr_array_index(settles, i), change, error);
	for (guint i = settles->len; i > 0; i--) {
		Settle *settle = g_ptr_array_index(settles, i - 1);
		if (g_hash_table_size(settle->left) > 0)
			continue;
		waiter_finish(settle->waiter, settle->error);
		g_ptr_array_remove_index(settles, i - 1);
	}
}

typedef struct {
	MailboxId mailbox;
	EngineDone done;
	gpointer data;
} Asked;

static void take_settle(Engine *engine, gpointer data)
{
	g_autofree Asked *asked = data;
	Waiter *waiter = waiter_new(engine, asked->done, asked->data);
	changes_settle(engine, asked->mailbox, waiter);
}

void engine_settle(Engine *engine, MailboxId mailbox, EngineDone done, gpointer data)
{
	Asked asked = {mailbox, done, data};
	engine_call(engine, take_settle, g_memdup2(&asked, sizeof(asked)));
}
