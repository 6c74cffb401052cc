/* When a listing that was right may not be so any more, and what the kernel may be shown then. */
#include "engine/private.h"

void sync_doubt(Box *box, bool renew)
{
	Engine *engine = box->engine;
	Gen gen = store_gen(engine->store, box->id);
	box->renew |= renew && box->trusted;
	box->trusted = false;
	box_pump(box);
	store_names_confirm(engine->store, gen, false);
	engine->events->names_changed(box->id, gen, NULL, NULL, engine->data);
}

void sync_renew(Box *box)
{
	box->renew = true;
	box_pump(box);
}

/* Who waits for a listing that is known is shown it as it is. */
static void cut_off(Box *box, const GError *error)
{
	if (box->sync_waiters->len == 0)
		return;
	box->shown_stale = true;
	waiters_finish(box->sync_waiters, error);
}

/* While the wire is silent an old listing is better than none. */
void sync_cut_off(Engine *engine)
{
	g_autoptr(GError) error =
		g_error_new(MAIL_ERROR, MAIL_ERROR_TIMEOUT, "the server does not answer");
	GHashTableIter iter;
	g_hash_table_iter_init(&iter, engine->boxes);
	for (Box *box; (box = box_next(&iter));) {
		Gen gen = store_gen(engine->store, box->id);
		if (gen && store_names_known(engine->store, gen))
			cut_off(box, error);
	}
}

/* The kernel forgets what it was shown and asks anew when somebody looks. What push keeps is asked
 * for in any case: who follows the events need not look, and where it is selected the server would
 * go on telling of what it was. */
static void forget(Box *box)
{
	Engine *engine = box->engine;
	box->renew |= box->trusted && (box->covered || push_keeps(box));
	box->trusted = false;
	store_names_confirm(engine->store, store_gen(engine->store, box->id), false);
	box_pump(box);
}

/* Somebody did while nobody could be asked: what push keeps is asked for now, unless it was the
 * asking that failed. */
static void looked_at(Box *box)
{
	if (!box->engine->last_box)
		box->engine->last_box = box;
	box->renew |= push_keeps(box) && !push_failed(box);
}

/* The wire lives again: what the kernel was shown meanwhile must be asked for anew. */
void sync_forget_shown(Engine *engine)
{
	g_autoptr(ImapSet) unasked = engine_take_shown(engine);
	gsize n;
	const ImapRange *ranges = imap_set_ranges(unasked, &n);
	for (gsize i = 0; i < n; i++)
		for (MailboxId id = ranges[i].lo; id <= ranges[i].hi; id++)
			box_get(engine, id);
	GHashTableIter iter;
	g_hash_table_iter_init(&iter, engine->boxes);
	for (Box *box; (box = box_next(&iter));) {
		if (!box->shown_stale && !imap_set_contains(unasked, box->id))
			continue;
		Gen gen = store_gen(engine->store, box->id);
		box->shown_stale = false;
		looked_at(box);
		forget(box);
		engine->events->names_changed(box->id, gen, NULL, NULL, engine->data);
	}
}

/* All names are taken back, those of messages that are still there too: a name that the kernel
 * knows is read without asking. */
void sync_doubt_names(Box *box)
{
	Engine *engine = box->engine;
	Gen gen = store_gen(engine->store, box->id);
	box->refused_us = 0;
	box->missing = false;
	if (gen == 0)
		return;
	forget(box);
	engine->events->names_doubted(box->id, gen, engine->data);
}
