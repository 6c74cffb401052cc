/* A change from its beginning to its end: the journal, what the tree is told, and what goes on when
 * it is over. */
#include "engine/change.h"

#include <errno.h>
#include <string.h>

/* ---- what it is ---- */

IntentKind change_kind(const Change *change)
{
	const Intent *intent = change->intent;
	return intent->step == INTENT_COPIED ? INTENT_REMOVE : intent->kind;
}

Gen change_gen(Change *change)
{
	Store *store = change->engine->store;
	if (change->gen != 0 || change->mailbox == 0 || change->intent->uid == 0)
		return change->gen;
	Gen gen = store_gen(store, change->mailbox);
	if (gen != 0 && store_gen_uidvalidity(store, gen) == change->intent->uidvalidity)
		change->gen = gen;
	return change->gen;
}

static MailboxId find(Engine *engine, const char *name)
{
	return name ? store_find_mailbox(engine->store, name) : 0;
}

void change_find_mailboxes(Change *change)
{
	const Intent *intent = change->intent;
	if (intent->mailbox)
		change->mailbox = find(change->engine, intent->mailbox);
	change->target = find(change->engine, intent->target);
}

Change *change_new(Engine *engine, Intent *intent)
{
	Change *change = g_new0(Change, 1);
	*change = (Change){.engine = engine, .intent = intent};
	change_find_mailboxes(change);
	engine->changes->flags += intent->kind == INTENT_FLAGS;
	g_hash_table_insert(engine->changes->by_id, &intent->id, change);
	return change;
}

void change_free(gpointer data)
{
	Change *change = data;
	change_wait_in(change, NULL);
	intent_free(change->intent);
	g_free(change);
}

/* ---- what the tree shows ---- */

static void leave(Change *change, bool leaving)
{
	Engine *engine = change->engine;
	Gen gen = change_gen(change);
	if (gen == 0)
		return;
	g_autoptr(ImapSet) uids = imap_set_new();
	g_autoptr(ImapSet) changed = NULL;
	imap_set_add(uids, change->intent->uid, change->intent->uid);
	store_set_leaving(engine->store, gen, uids, leaving, &changed);
	if (changed && imap_set_count(changed) > 0)
		engine->events->names_changed(change->mailbox, gen, leaving ? changed : NULL,
			leaving ? NULL : changed, engine->data);
}

/* Whether the message goes out of the listing with it. */
static bool leaves(const Change *change)
{
	switch (change->intent->kind) {
	case INTENT_REMOVE:
	case INTENT_MOVE:
	case INTENT_APPEND:
		return change->intent->uid != 0;
	case INTENT_MARK:
		return !store_shows_deleted(change->engine->store);
	default:
		return false;
	}
}

void change_show(Change *change)
{
	const Intent *intent = change->intent;
	if (change->shown || change_gen(change) == 0)
		return;
	change->shown = true;
	if (leaves(change))
		leave(change, true);
	else if (intent->kind == INTENT_MARK)
		change_set_flags(change, IMAP_FLAG_DELETED, 0, true);
	else if (intent->kind == INTENT_FLAGS)
		change_set_flags(change, intent->flags_add, intent->flags_remove, true);
}

/* The server knows what the flags are. */
static void restore_flags(Change *change)
{
	Box *box = box_get(change->engine, change->mailbox);
	if (!box || change_gen(change) != store_gen(change->engine->store, change->mailbox))
		return;
	imap_set_add(box->flags_want, change->intent->uid, change->intent->uid);
	box_pump(box);
}

static bool is_deleted(Change *change)
{
	StoreMessage message;
	return store_peek_message(
		       change->engine->store, change_gen(change), change->intent->uid, &message) &&
	       message.flags & IMAP_FLAG_DELETED;
}

/* The server may have told that it is \\Deleted before it refused to expunge it. */
static void unshow(Change *change, bool done)
{
	if (!change->shown)
		return;
	if (leaves(change))
		leave(change, false);
	if (!done && change->intent->uid != 0 && (!leaves(change) || is_deleted(change)))
		restore_flags(change);
}

/* ---- flags ---- */

/* Those of `words` are in the array (NULL: of none), or are not. Takes keywords. */
static char **with_keywords(char **keywords, const char *words, bool present)
{
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
	g_auto(GStrv) asked = g_strsplit(words ? words : "", " ", -1);
	g_auto(GStrv) before = keywords;
	for (char **word = before; word && *word; word++) {
		bool named = false;
		for (char **a = asked; *a; a++)
			named |= g_ascii_strcasecmp(*a, *word) == 0;
		if (!named)
			g_strv_builder_add(builder, *word);
	}
	for (char **a = asked; present && *a; a++)
		if (**a)
			g_strv_builder_add(builder, *a);
	return g_strv_builder_end(builder);
}

void change_set_flags(Change *change, guint add, guint remove, bool tell)
{
	Engine *engine = change->engine;
	const Intent *intent = change->intent;
	Gen gen = change_gen(change);
	StoreMessage message;
	store_recall(engine->store, gen);
	if (!store_peek_message(engine->store, gen, intent->uid, &message) || !message.known)
		return;
	g_autofree char *text = store_keywords(engine->store, gen, intent->uid);
	char **all = g_strsplit(text ? text : "", " ", -1);
	all = with_keywords(all, intent->keywords_remove, false);
	g_auto(GStrv) keywords = with_keywords(all, intent->keywords_add, true);
	guint before = message.flags;
	message.flags = (message.flags | add) & ~remove;
	StoreFields fields = {
		.has_flags = true,
		.keywords = (const char *const *)keywords,
		.ahead = true,
	};
	bool changed = false;
	store_set_attributes(engine->store, gen, &message, fields, &changed);
	Box *box = box_get(engine, change->mailbox);
	if (changed && box && tell)
		attribute_tell(box, gen, intent->uid, before, message.flags);
}

char **change_overlay(
	Engine *engine, Gen gen, guint32 uid, guint *flags, const char *const *keywords)
{
	Changes *changes = engine->changes;
	StoreMailbox mailbox;
	if (changes->flags == 0 ||
		!store_mailbox(engine->store, store_gen_mailbox(engine->store, gen), &mailbox))
		return NULL;
	const Chain *chain =
		chain_find(engine, mailbox.name, store_gen_uidvalidity(engine->store, gen), uid);
	char **all = NULL;
	for (const GList *l = chain ? chain->changes.head : NULL; l; l = l->next) {
		const Intent *intent = ((const Change *)l->data)->intent;
		if (intent->kind != INTENT_FLAGS || intent->of != 0)
			continue;
		if (!all)
			all = g_strdupv((char **)keywords);
		*flags = (*flags | intent->flags_add) & ~intent->flags_remove;
		all = with_keywords(all, intent->keywords_remove, false);
		all = with_keywords(all, intent->keywords_add, true);
	}
	return all;
}

/* ---- where it waits ---- */

void change_wait_in(Change *change, GQueue *queue)
{
	if (change->queue)
		g_queue_unlink(change->queue, &change->link);
	change->queue = queue;
	change->link.data = change;
	if (queue)
		g_queue_push_tail_link(queue, &change->link);
}

bool change_is_strange(const Change *change)
{
	const Intent *intent = change->intent;
	return (intent->mailbox && change->mailbox == 0) || (intent->target && change->target == 0);
}

bool change_is_held(const Change *change)
{
	const Box *target = change_kind(change) != INTENT_REMOVE && change->target != 0
				    ? box_get(change->engine, change->target)
				    : NULL;
	return target && folder_closes(change->engine, target->name);
}

/* Out of what was gathered: to where the next step is done. */
static void place(Change *change)
{
	Engine *engine = change->engine;
	Changes *changes = engine->changes;
	if (change_is_strange(change)) {
		change_wait_in(change, &changes->strange);
		return;
	}
	if (change->intent->step == INTENT_SENT) {
		look_for(change);
		return;
	}
	if (change->intent->step == INTENT_COPIED && change->intent->uid == 0) {
		change_finish(change);
		return;
	}
	if (change_kind(change) == INTENT_APPEND) {
		change_wait_in(change, &changes->appends);
		engine_pump(engine);
		return;
	}
	Box *box = box_get(engine, change->mailbox);
	box->writable |= change_kind(change) != INTENT_COPY;
	change_wait_in(change, &box->changes);
	box_pump(box);
}

static gboolean gathered(gpointer data)
{
	Engine *engine = data;
	changes_hurry(engine);
	return G_SOURCE_REMOVE;
}

void changes_hurry(Engine *engine)
{
	Changes *changes = engine->changes;
	if (changes->gathering)
		g_source_destroy(changes->gathering);
	g_clear_pointer(&changes->gathering, g_source_unref);
	while (changes->fresh.length > 0)
		place(changes->fresh.head->data);
}

static void gather(Change *change)
{
	enum { GATHER_MS = 200 };
	Engine *engine = change->engine;
	Changes *changes = engine->changes;
	change_wait_in(change, &changes->fresh);
	if (changes->gathering)
		return;
	changes->gathering = g_timeout_source_new(GATHER_MS);
	g_source_set_callback(changes->gathering, gathered, engine, NULL);
	g_source_attach(changes->gathering, engine->context);
}

void change_queue(Change *change, bool may_wait)
{
	if (!chain_is_first(change))
		return;
	if (may_wait)
		gather(change);
	else
		place(change);
}

/* ---- its beginning ---- */

void change_begin(Change *change, Chain *chain)
{
	Engine *engine = change->engine;
	if (chain)
		chain_push(chain, change);
	change_show(change);
	engine->events->change_begun(change->intent, change->mailbox, change->target, engine->data);
	change_queue(change, true);
}

static GError *keep_error(void)
{
	int why = errno;
	MailError code = why == ENOSPC || why == EDQUOT ? MAIL_ERROR_NO_SPACE : MAIL_ERROR_IO;
	return g_error_new(MAIL_ERROR, (gint)code, "a change cannot be kept: %s", g_strerror(why));
}

bool change_keep(Engine *engine, Intent *intent, GError **error)
{
	if (store_intents_add(store_intents(engine->store), intent))
		return true;
	g_propagate_error(error, keep_error());
	return false;
}

void change_note_signature(Engine *engine, Intent *intent, Gen gen)
{
	StoreMessage message;
	if (!store_peek_message(engine->store, gen, intent->uid, &message) || !message.known)
		return;
	intent->size = message.size;
	intent->date = message.date;
}

static bool note_step(Change *change, IntentStep step)
{
	change->intent->step = step;
	return store_intents_update(store_intents(change->engine->store), change->intent);
}

bool change_note_sent(Change *change)
{
	if (note_step(change, INTENT_SENT))
		return true;
	g_autoptr(GError) error = keep_error();
	change_end(change, 0, 0, error);
	return false;
}

void change_note_step(Change *change, IntentStep step)
{
	if (!note_step(change, step))
		g_info("the step of a change cannot be kept: %s", g_strerror(errno));
}

/* ---- its end ---- */

static void remember(Change *change, Gen gen, guint32 uid)
{
	enum { MOST = 4096 };
	GQueue *brought = &change->engine->changes->brought;
	Brought *one = g_new(Brought, 1);
	*one = (Brought){change->intent->id, change->intent->file, gen, uid};
	g_queue_push_tail(brought, one);
	if (brought->length > MOST)
		g_free(g_queue_pop_head(brought));
}

const Brought *change_brought(Engine *engine, guint64 id, guint64 file)
{
	for (const GList *l = engine->changes->brought.tail; l; l = l->prev) {
		const Brought *one = l->data;
		if ((id != 0 && one->id == id) || (file != 0 && one->file == file))
			return one;
	}
	return NULL;
}

/* What tells it from others is the same for each of its copies. */
static void note_same(Intent *intent, const Intent *of)
{
	if (intent->kind == INTENT_APPEND || of->size == 0)
		return;
	intent->size = of->size;
	intent->date = of->date;
	g_free(intent->message_id);
	intent->message_id = g_strdup(of->message_id);
}

/* What was asked of a message on its way is about this one now. That it cannot be written is no
 * reason to leave it undone. */
static void resolve(Change *waiting, const Change *change, Gen gen, guint32 uid)
{
	Store *store = change->engine->store;
	Intent *intent = waiting->intent;
	intent->of = 0;
	g_free(intent->mailbox);
	intent->mailbox = g_strdup(change->intent->target);
	intent->uidvalidity = change->intent->target_uidvalidity;
	intent->uid = uid;
	note_same(intent, change->intent);
	waiting->mailbox = change->target;
	waiting->gen = gen;
	store_intents_update(store_intents(store), intent);
}

static Chain *hand_over(Change *change, Chain *chain, Gen gen, guint32 uid)
{
	Engine *engine = change->engine;
	for (const GList *l = chain->changes.head; l; l = l->next) {
		Change *waiting = l->data;
		if (waiting->intent->of == change->intent->id)
			resolve(waiting, change, gen, uid);
	}
	return chain_settle(
		engine, chain, change->intent->target, change->intent->target_uidvalidity, uid);
}

/* next: the first of those that waited for what is over; NULL: none did. It is not the first of the
 * chain where others had named the message by its UID already: theirs is on its way. */
static void go_on(Chain *chain, Change *next)
{
	for (const GList *l = chain->changes.head; l; l = l->next)
		if (((Change *)l->data)->intent->of == 0)
			change_show(l->data);
	if (next)
		change_queue(next, false);
}

/* Each takes those along that wait for it. */
static void end_waiting(Engine *engine, const Chain *chain, guint64 id, const GError *error)
{
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(guint64));
	for (const GList *l = chain->changes.head; l; l = l->next) {
		const Intent *intent = ((const Change *)l->data)->intent;
		if (intent->of == id)
			g_array_append_val(ids, intent->id);
	}
	for (guint i = 0; i < ids->len; i++) {
		Change *waiting = change_by_id(engine, g_array_index(ids, guint64, i));
		if (waiting)
			change_end(waiting, 0, 0, error);
	}
}

Change *change_by_id(Engine *engine, guint64 id)
{
	return g_hash_table_lookup(engine->changes->by_id, &id);
}

/* Leaves the journal and tells everybody. */
static void conclude(Change *change, Gen gen, guint32 uid, const GError *error)
{
	Engine *engine = change->engine;
	store_intents_remove(store_intents(engine->store), change->intent->id);
	unshow(change, !error);
	if (!error && uid != 0)
		remember(change, gen, uid);
	if (!error && change->intent->kind != INTENT_FLAGS)
		quota_doubt(engine);
	engine->changes->flags -= change->intent->kind == INTENT_FLAGS;
	engine->events->change_ended(change->intent, gen, uid, error, engine->data);
}

void change_finish(Change *change)
{
	Store *store = change->engine->store;
	const Intent *intent = change->intent;
	Gen gen = intent->target_uid != 0 && change->target != 0 ? store_gen(store, change->target)
								 : 0;
	bool other = gen != 0 && store_gen_uidvalidity(store, gen) != intent->target_uidvalidity;
	change_end(change, other ? 0 : gen, other ? 0 : intent->target_uid, NULL);
}

/* What is uploaded stays so although what it replaces is still there, too. */
void change_fail(Change *change, const GError *error)
{
	const Intent *intent = change->intent;
	if (intent->kind == INTENT_APPEND && intent->step == INTENT_COPIED)
		change_finish(change);
	else
		change_end(change, 0, 0, error);
}

void change_end(Change *change, Gen gen, guint32 uid, const GError *error)
{
	Engine *engine = change->engine;
	guint64 id = change->intent->id;
	bool moves = change->intent->kind == INTENT_MOVE;
	g_autoptr(GError) unknown = g_error_new_literal(
		MAIL_ERROR, MAIL_ERROR_STALE, "it is not known which message it has become");
	const GError *why = error || uid != 0 ? error : unknown;
	Chain *own = change->chain && change->chain->changes.length > 1 ? change->chain : NULL;
	Chain *brings = change->brings;
	bool was_first = chain_is_first(change);
	chain_remove(change);
	change_wait_in(change, NULL);
	Change *own_next = own && was_first ? g_queue_peek_head(&own->changes) : NULL;
	Change *brings_next = brings ? g_queue_peek_head(&brings->changes) : NULL;
	if (own && moves && !why)
		own = hand_over(change, own, gen, uid);
	if (brings && !why)
		brings = hand_over(change, brings, gen, uid);
	conclude(change, gen, gen != 0 ? uid : 0, error);
	if (own && moves && why)
		end_waiting(engine, own, id, why);
	else if (own)
		go_on(own, own_next);
	if (brings && why)
		end_waiting(engine, brings, id, why);
	else if (brings)
		go_on(brings, brings_next);
	settle_note_end(change, error);
	g_hash_table_remove(engine->changes->by_id, &id);
	quota_doubt(engine);
	engine_pump(engine);
}
