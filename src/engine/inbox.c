/* What other threads ask of the engine thread, and how it takes that up. */
#include "engine/private.h"

typedef enum {
	ASK_START,
	ASK_SYNC,
	ASK_ATTRIBUTES,
	ASK_FLAGS,
	ASK_BODY,
	ASK_NOTE,
	ASK_NOTE_TEXT,
	ASK_STATUS,
	ASK_TURN,
	ASK_CALL,
	ASK_STOP
} AskKind;

typedef struct {
	AskKind kind;
	guint32 id; /* mailbox or generation */
	guint32 uid;
	Goal goal; /* BODY: owned */
	void (*call)(Engine *engine, gpointer data);
	EngineDone done;
	gpointer data;
} Ask;

/* ---- any thread ---- */

static void post(Engine *engine, const Ask *ask)
{
	g_mutex_lock(&engine->inbox_lock);
	g_array_append_val(engine->inbox, *ask);
	bool first = engine->inbox->len == 1;
	g_mutex_unlock(&engine->inbox_lock);
	if (first)
		g_source_set_ready_time(engine->inbox_source, 0);
}

void engine_start(Engine *engine, EngineDone done, gpointer data)
{
	post(engine, &(Ask){.kind = ASK_START, .done = done, .data = data});
}

void engine_sync(Engine *engine, MailboxId mailbox, EngineDone done, gpointer data)
{
	post(engine, &(Ask){.kind = ASK_SYNC, .id = mailbox, .done = done, .data = data});
}

void engine_attributes(Engine *engine, Gen gen, guint32 uid, EngineDone done, gpointer data)
{
	post(engine,
		&(Ask){.kind = ASK_ATTRIBUTES, .id = gen, .uid = uid, .done = done, .data = data});
}

void engine_flags(Engine *engine, Gen gen, guint32 uid, EngineDone done, gpointer data)
{
	post(engine, &(Ask){.kind = ASK_FLAGS, .id = gen, .uid = uid, .done = done, .data = data});
}

static void post_goal(
	Engine *engine, Gen gen, guint32 uid, const Goal *goal, EngineDone done, gpointer data)
{
	post(engine, &(Ask){.kind = ASK_BODY,
			     .id = gen,
			     .uid = uid,
			     .goal = *goal,
			     .done = done,
			     .data = data});
}

void engine_body(Engine *engine, Gen gen, guint32 uid, guint64 offset, guint32 len, EngineDone done,
	gpointer data)
{
	Goal goal = {.item = STORE_MESSAGE, .octets = G_MAXUINT64, .offset = offset, .len = len};
	post_goal(engine, gen, uid, &goal, done, data);
}

void engine_section(Engine *engine, Gen gen, guint32 uid, const EngineSection *section,
	guint64 offset, guint32 len, EngineDone done, gpointer data)
{
	bool part = section->item >= STORE_PARTS;
	Goal goal = {
		.item = section->item,
		.section = part ? g_strdup(section->section) : NULL,
		.octets = part ? section->octets : G_MAXUINT64,
		.offset = offset,
		.len = len,
	};
	post_goal(engine, gen, uid, &goal, done, data);
}

void engine_outline(
	Engine *engine, Gen gen, guint32 uid, bool structure, EngineDone done, gpointer data)
{
	Goal goal = {.kind = GOAL_OUTLINE, .structure = structure};
	post_goal(engine, gen, uid, &goal, done, data);
}

void engine_text(Engine *engine, Gen gen, guint32 uid, EngineDone done, gpointer data)
{
	Goal goal = {.kind = GOAL_TEXT};
	post_goal(engine, gen, uid, &goal, done, data);
}

void engine_note_read(Engine *engine, Gen gen, guint32 uid, guint64 offset, guint32 len)
{
	if (offset == 0 && ahead_passed(engine, WALK_BODIES, gen, uid))
		post(engine, &(Ask){.kind = ASK_NOTE, .id = gen, .uid = uid});
}

void engine_note_text(Engine *engine, Gen gen, guint32 uid)
{
	if (ahead_passed(engine, WALK_TEXTS, gen, uid))
		post(engine, &(Ask){.kind = ASK_NOTE_TEXT, .id = gen, .uid = uid});
}

void engine_turn(Engine *engine, EngineDone done, gpointer data)
{
	post(engine, &(Ask){.kind = ASK_TURN, .done = done, .data = data});
}

void engine_call(Engine *engine, void (*call)(Engine *engine, gpointer data), gpointer data)
{
	post(engine, &(Ask){.kind = ASK_CALL, .call = call, .data = data});
}

void engine_ask_status(Engine *engine)
{
	post(engine, &(Ask){.kind = ASK_STATUS});
}

void inbox_stop(Engine *engine)
{
	post(engine, &(Ask){.kind = ASK_STOP});
}

/* ---- the engine thread ---- */

static void take_start(Engine *engine, const Ask *ask)
{
	Waiter *waiter = waiter_new(engine, ask->done, ask->data);
	engine->starter = waiter;
	list_wait(engine, waiter);
	changes_resume(engine);
	pool_connect(engine);
}

static void take_sync(Engine *engine, const Ask *ask)
{
	Waiter *waiter = waiter_new(engine, ask->done, ask->data);
	if (engine_away(engine, waiter))
		return;
	Box *box = box_get(engine, ask->id);
	if (box) {
		engine->last_box = box;
		sync_request(box, waiter);
	} else
		waiter_fail(waiter, MAIL_ERROR_NOT_FOUND, "no such mailbox");
}

/* Whether an earlier mount knew what is asked for. */
static bool is_recalled(Engine *engine, const Ask *ask)
{
	StoreMessage message;
	store_recall(engine->store, ask->id);
	return ask->kind == ASK_ATTRIBUTES &&
	       store_try_message(engine->store, ask->id, ask->uid, &message) == STORE_HIT;
}

static void take_message(Engine *engine, Ask *ask)
{
	Waiter *waiter = waiter_new(engine, ask->done, ask->data);
	if (is_recalled(engine, ask)) {
		waiter_finish(waiter, NULL);
		waiter_unref(waiter);
		return;
	}
	if (engine_away(engine, waiter))
		return;
	MailboxId mailbox = store_gen_mailbox(engine->store, ask->id);
	Box *box = mailbox ? box_get(engine, mailbox) : NULL;
	if (!box)
		waiter_fail(waiter, MAIL_ERROR_STALE, "the message is of an old UIDVALIDITY");
	if (!box)
		return;
	engine->last_box = box;
	if (ask->kind == ASK_ATTRIBUTES)
		attribute_request(box, ask->id, ask->uid, waiter);
	else if (ask->kind == ASK_FLAGS)
		flags_request(box, ask->id, ask->uid, waiter);
	else
		body_request(box, ask->id, ask->uid, &ask->goal, waiter);
}

static void take_note(Engine *engine, const Ask *ask)
{
	MailboxId mailbox = store_gen_mailbox(engine->store, ask->id);
	Box *box = mailbox ? box_get(engine, mailbox) : NULL;
	WalkKind kind = ask->kind == ASK_NOTE ? WALK_BODIES : WALK_TEXTS;
	if (box && engine_state(engine) == ENGINE_ONLINE)
		ahead_read(engine, box, kind, ask->id, ask->uid);
}

static void take(Engine *engine, Ask *ask)
{
	if (ask->kind == ASK_CALL) {
		ask->call(engine, ask->data);
		return;
	}
	if (engine->closing) {
		if (ask->done)
			waiter_fail(waiter_new(engine, ask->done, ask->data), MAIL_ERROR_CANCELLED,
				"the mount ends");
		return;
	}
	switch (ask->kind) {
	case ASK_START:
		take_start(engine, ask);
		break;
	case ASK_SYNC:
		take_sync(engine, ask);
		break;
	case ASK_ATTRIBUTES:
	case ASK_FLAGS:
	case ASK_BODY:
		take_message(engine, ask);
		break;
	case ASK_NOTE:
	case ASK_NOTE_TEXT:
		take_note(engine, ask);
		break;
	case ASK_STATUS:
		status_publish(engine);
		break;
	case ASK_CALL:
		break;
	case ASK_TURN:
		ask->done(NULL, ask->data);
		break;
	case ASK_STOP:
		engine_close(engine);
		break;
	}
}

static gboolean drain(gpointer data)
{
	Engine *engine = data;
	g_source_set_ready_time(engine->inbox_source, -1);
	g_mutex_lock(&engine->inbox_lock);
	g_autoptr(GArray) all = engine->inbox;
	engine->inbox = g_array_new(FALSE, FALSE, sizeof(Ask));
	g_mutex_unlock(&engine->inbox_lock);
	for (guint i = 0; i < all->len; i++) {
		Ask *ask = &g_array_index(all, Ask, i);
		take(engine, ask);
		goal_clear(&ask->goal);
	}
	return G_SOURCE_CONTINUE;
}

void inbox_init(Engine *engine)
{
	g_mutex_init(&engine->inbox_lock);
	engine->inbox = g_array_new(FALSE, FALSE, sizeof(Ask));
	engine->inbox_source = engine_source(engine, drain);
}

void inbox_clear(Engine *engine)
{
	engine_free_source(engine->inbox_source);
	g_array_unref(engine->inbox);
	g_mutex_clear(&engine->inbox_lock);
}
