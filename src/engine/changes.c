/* All changes of the account: what an earlier mount left of them, what time brings about, and their
 * end. */
#include <string.h>

#include "engine/change.h"

void changes_init(Engine *engine)
{
	Changes *changes = g_new0(Changes, 1);
	changes->by_id = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, change_free);
	changes->chains = g_hash_table_new(g_str_hash, g_str_equal);
	changes->settles = g_ptr_array_new_with_free_func(settle_free);
	engine->changes = changes;
}

guint changes_count(const Engine *engine)
{
	return g_hash_table_size(engine->changes->by_id);
}

/* ---- what an earlier mount left ---- */

static void resume(const Intent *intent, gpointer data)
{
	Engine *engine = data;
	Change *change = change_new(engine, intent_copy(intent));
	Change *maker = intent->of != 0 ? change_by_id(engine, intent->of) : NULL;
	Chain *chain = NULL;
	if (maker)
		chain = chain_of_change(maker);
	else if (intent->uid != 0)
		chain = chain_of_message(engine, intent->mailbox, intent->uidvalidity, intent->uid);
	if (maker)
		change->mailbox = maker->target;
	/* append_done() was interrupted. */
	if (intent->kind == INTENT_APPEND && intent->step == INTENT_COPIED)
		store_unsent_drop(engine->store, intent->file);
	change_begin(change, chain);
}

/* What was to bring its message is over, and did not say what it brought. */
static GPtrArray *without_maker(Engine *engine)
{
	GPtrArray *all = g_ptr_array_new();
	for (GList *l = engine->changes->fresh.head; l; l = l->next) {
		const Change *change = l->data;
		if (change->intent->of != 0 && !change->chain)
			g_ptr_array_add(all, l->data);
	}
	return all;
}

static void count(const Intent *intent, gpointer n)
{
	++*(guint *)n;
}

void changes_resume(Engine *engine)
{
	Intents *intents = store_intents(engine->store);
	if (engine->config.read_only) {
		guint left = 0;
		store_intents_each(intents, count, &left);
		if (left > 0)
			g_message("%u changes that an earlier mount left wait for one that is not "
				  "read-only",
				left);
		return;
	}
	store_intents_each(intents, resume, engine);
	if (changes_count(engine) > 0)
		g_message("%u changes that an earlier mount left go on", changes_count(engine));
	g_autoptr(GPtrArray) lost = without_maker(engine);
	g_autoptr(GError) error = g_error_new_literal(
		MAIL_ERROR, MAIL_ERROR_STALE, "it is not known which message it is about");
	for (guint i = 0; i < lost->len; i++)
		change_end(g_ptr_array_index(lost, i), 0, 0, error);
	changes_hurry(engine);
}

static void end_unknown(Change *change)
{
	const Intent *intent = change->intent;
	bool source = intent->mailbox && change->mailbox == 0;
	g_autoptr(GError) error =
		g_error_new(MAIL_ERROR, source ? MAIL_ERROR_STALE : MAIL_ERROR_NOT_FOUND,
			"%s: there is no such mailbox", source ? intent->mailbox : intent->target);
	g_message("A change that an earlier mount left cannot be made: %s", error->message);
	change_fail(change, error);
}

/* Those behind others of their message, too: who settles a mailbox waits for them. */
static void find_all(Engine *engine)
{
	GHashTableIter iter;
	gpointer value;
	g_hash_table_iter_init(&iter, engine->changes->by_id);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		if (change_is_strange(value))
			change_find_mailboxes(value);
	g_hash_table_iter_init(&iter, engine->changes->by_id);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		Change *change = value;
		const Change *maker = change_by_id(engine, change->intent->of);
		if (maker)
			change->mailbox = maker->target;
	}
}

void changes_listed(Engine *engine)
{
	find_all(engine);
	GQueue *strange = &engine->changes->strange;
	for (guint left = strange->length; left > 0 && strange->length > 0; left--) {
		Change *change = strange->head->data;
		change_wait_in(change, NULL);
		if (change_is_strange(change)) {
			end_unknown(change);
			continue;
		}
		change_show(change);
		change_queue(change, false);
	}
}

/* ---- another name ---- */

static bool take_name(Engine *engine, char **name, MailboxId id)
{
	StoreMailbox mailbox;
	if (!*name || !store_mailbox(engine->store, id, &mailbox) ||
		strcmp(*name, mailbox.name) == 0)
		return false;
	g_free(*name);
	*name = g_strdup(mailbox.name);
	return true;
}

/* What is not written is not found by the next mount, which tells of it. */
static void rename_in(Change *change)
{
	Engine *engine = change->engine;
	Intent *intent = change->intent;
	bool moved = take_name(engine, &intent->mailbox, change->mailbox);
	bool renamed = take_name(engine, &intent->target, change->target);
	if (moved && change->chain)
		chain_settle(
			engine, change->chain, intent->mailbox, intent->uidvalidity, intent->uid);
	if (moved || renamed)
		store_intents_update(store_intents(engine->store), intent);
}

void changes_renamed(Engine *engine)
{
	GHashTableIter iter;
	gpointer change;
	g_hash_table_iter_init(&iter, engine->changes->by_id);
	while (g_hash_table_iter_next(&iter, NULL, &change))
		rename_in(change);
}

/* ---- what time brings about ---- */

void changes_pump(Engine *engine)
{
	settle_withdrawn(engine);
}

/* Those that wait for a moment to pass. */
void changes_age(Engine *engine, gint64 now_us)
{
	GHashTableIter iter;
	if (changes_count(engine) == 0)
		return;
	g_hash_table_iter_init(&iter, engine->boxes);
	for (Box *box; (box = box_next(&iter));)
		if (change_has_work(box))
			box_pump(box);
	engine_pump(engine);
}

/* ---- the end ---- */

static void end_chain(gpointer change)
{
	chain_remove(change);
}

/* They are kept for the next mount. */
void changes_free(Engine *engine)
{
	Changes *changes = engine->changes;
	GHashTableIter iter;
	gpointer change;
	g_hash_table_iter_init(&iter, changes->by_id);
	while (g_hash_table_iter_next(&iter, NULL, &change))
		end_chain(change);
	g_hash_table_unref(changes->by_id);
	g_hash_table_unref(changes->chains);
	g_ptr_array_unref(changes->settles);
	if (changes->gathering)
		g_source_destroy(changes->gathering);
	g_clear_pointer(&changes->gathering, g_source_unref);
	g_queue_clear_full(&changes->brought, g_free);
	arrive_clear(engine);
	g_free(changes);
}
