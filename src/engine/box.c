/* A mailbox as the engine sees it: what is asked of it and under way. */
#include "engine/private.h"

Box *box_get(Engine *engine, MailboxId mailbox)
{
	Box *box = g_hash_table_lookup(engine->boxes, GUINT_TO_POINTER(mailbox));
	if (box)
		return box;
	StoreMailbox found;
	if (!store_mailbox(engine->store, mailbox, &found))
		return NULL;
	box = g_new0(Box, 1);
	box->engine = engine;
	box->id = mailbox;
	box->name = g_strdup(found.name);
	box->sync_waiters = waiters_new();
	box->held = waiters_new();
	box->gone = imap_set_new();
	box->ours = imap_set_new();
	box->marked = imap_set_new();
	box->attribute_waiters = waiters_table_new();
	box->attribute_want = imap_set_new();
	box->attribute_flying = imap_set_new();
	box->attribute_again = imap_set_new();
	box->attribute_retried = imap_set_new();
	box->attribute_partial = imap_set_new();
	flags_init(box);
	box->wants = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_ptr_array_unref);
	box->unparted = imap_set_new();
	box->headless = imap_set_new();
	g_hash_table_insert(engine->boxes, GUINT_TO_POINTER(mailbox), box);
	return box;
}

Box *box_next(GHashTableIter *iter)
{
	gpointer box;
	return g_hash_table_iter_next(iter, NULL, &box) ? box : NULL;
}

void box_free(Box *box)
{
	g_autoptr(GPtrArray) left = waiters_new();
	body_take_all(box, left);
	sizes_take_all(box, left);
	g_ptr_array_unref(box->sync_waiters);
	g_ptr_array_unref(box->held);
	g_clear_error(&box->refusal);
	imap_set_free(box->gone);
	imap_set_free(box->ours);
	g_hash_table_unref(box->attribute_waiters);
	imap_set_free(box->attribute_want);
	imap_set_free(box->attribute_flying);
	imap_set_free(box->attribute_again);
	imap_set_free(box->attribute_retried);
	imap_set_free(box->attribute_partial);
	flags_clear(box);
	g_hash_table_unref(box->wants);
	imap_set_free(box->unparted);
	imap_set_free(box->headless);
	g_queue_clear(&box->searches);
	imap_set_free(box->marked);
	g_strfreev(box->permanent_keywords);
	g_free(box->rights);
	g_free(box->name);
	g_free(box);
}

bool box_has_work(const Box *box)
{
	if (box->refusal || folder_closes(box->engine, box->name))
		return false;
	return ((box->sync_waiters->len > 0 || box->renew) && !box->sync) || change_has_work(box) ||
	       search_has_work(box) || attribute_has_work(box) || flags_has_work(box) ||
	       box->urgent.length > 0 || box->sizes.length > 0 || box->ahead.length > 0;
}

/* Whether somebody waits for what is queued. */
bool box_is_urgent(const Box *box)
{
	return box->sync_waiters->len > 0 || box->urgent.length > 0 || box->sizes.length > 0 ||
	       attribute_has_work(box) || flags_has_work(box) || change_has_work(box) ||
	       search_has_work(box);
}

void box_pump(Box *box)
{
	if (!box->busy.data) {
		box->busy.data = box;
		g_queue_push_tail_link(&box->engine->busy, &box->busy);
	}
	engine_pump(box->engine);
}

void box_rest(Box *box)
{
	g_queue_unlink(&box->engine->busy, &box->busy);
	box->busy.data = NULL;
}

bool box_hides(const Box *box, guint flags)
{
	return flags & IMAP_FLAG_DELETED && !store_shows_deleted(box->engine->store);
}

bool box_recall(const Box *box, Gen gen, guint32 uid, StoreMessage *ret)
{
	store_recall(box->engine->store, gen);
	return store_peek_message(box->engine->store, gen, uid, ret);
}

static void replace_set(ImapSet **set)
{
	imap_set_free(*set);
	*set = imap_set_new();
}

static void take_attributes(Box *box, GPtrArray *waiters)
{
	waiters_table_take(box->attribute_waiters, waiters);
	replace_set(&box->attribute_want);
	replace_set(&box->attribute_flying);
	replace_set(&box->attribute_again);
	replace_set(&box->attribute_retried);
	replace_set(&box->attribute_partial);
	box->attribute_window = 0;
	box->outline_window = 0;
}

/* Who waits for anything of a message is held, and the work for them is forgotten. */
static void hold_messages(Box *box)
{
	take_attributes(box, box->held);
	flags_take_all(box, box->held);
	body_take_all(box, box->held);
	sizes_take_all(box, box->held);
}

void box_reset(Box *box)
{
	hold_messages(box);
	g_ptr_array_set_size(box->held, 0);
	g_ptr_array_set_size(box->sync_waiters, 0);
	g_clear_error(&box->refusal);
}

/* What cannot be named any more is stale to whoever has it open. */
static void fail_messages(Box *box, const GError *error)
{
	g_autoptr(GError) why = g_error_copy(error);
	if (why->code == MAIL_ERROR_NOT_FOUND)
		why->code = MAIL_ERROR_STALE;
	hold_messages(box);
	waiters_finish(box->held, why);
}

void box_try_again(Box *box)
{
	box->sync_refused = box->sync != NULL;
	box->renew |= box->sync_refused;
	box_pump(box);
}

/* What LIST does not name is not found, whatever is said of it. */
static void fail_all(Box *box, const GError *error)
{
	g_autoptr(GError) why = g_error_copy(error);
	if (box->missing)
		why->code = MAIL_ERROR_NOT_FOUND;
	box->questions = 0;
	waiters_finish(box->sync_waiters, why);
	fail_messages(box, why);
	change_box_refused(box, why);
	search_box_refused(box, why);
}

/* A server need not say why (RFC 3501 6.3.1), Dovecot does not when a mailbox is gone. While others
 * make and delete mailboxes a LIST may be old when it comes. */
static bool may_be_gone(Box *box, const GError *error)
{
	enum { QUESTIONS = 3 };
	bool open = error->code == MAIL_ERROR_IO || error->code == MAIL_ERROR_NOT_FOUND;
	return open && box->refused_us == 0 && ++box->questions <= QUESTIONS;
}

void box_refused(Box *box, const GError *error)
{
	box->sync_refused = box->sync != NULL;
	if (box->refusal) {
		hold_messages(box);
		return;
	}
	bool open = may_be_gone(box, error);
	if (box->refused_us == 0) {
		box->refused_us = g_get_monotonic_time();
		box->engine->list_due = true;
	}
	if (open) {
		hold_messages(box);
		box->refusal = g_error_copy(error);
		list_ask_about(box);
		return;
	}
	fail_all(box, error);
}

void box_judge(Box *box, bool listed)
{
	g_autoptr(GError) error = g_steal_pointer(&box->refusal);
	box->missing = !listed;
	if (listed) {
		waiters_finish(box->held, error);
		box_pump(box);
		return;
	}
	/* Not tried by itself until LIST names it again. */
	box->refused_us = g_get_monotonic_time();
	box->renew = false;
	fail_all(box, error);
}

/* Whether the UIDVALIDITY changes again and again: backends that do not agree. Then one connection
 * alone serves the mailbox, so that it holds still between two logins. */
static bool flaps(Box *box, bool changed)
{
	enum { FLAPS = 3 };
	gint64 now = g_get_monotonic_time();
	if (now - box->flap_us > G_USEC_PER_SEC * 60)
		box->flaps = 0;
	if (!changed)
		return box->flaps > FLAPS;
	box->flap_us = now;
	if (++box->flaps == FLAPS + 1)
		g_message("%s: the server gives it a new UIDVALIDITY again and again", box->name);
	return box->flaps > FLAPS;
}

static void lose_generation(Box *box, Gen old)
{
	replace_set(&box->gone);
	replace_set(&box->ours);
	replace_set(&box->marked);
	replace_set(&box->unparted);
	replace_set(&box->headless);
	box->flags_due = false;
	box->no_modseq = false;
	box->told_modseq = 0;
	/* Nothing that was asked of the old generation can be answered any more. */
	g_autoptr(GError) error = g_error_new(MAIL_ERROR, MAIL_ERROR_STALE,
		"%s: the server gave the mailbox a new UIDVALIDITY", box->name);
	fail_messages(box, error);
	box->engine->events->generation_changed(box->id, old, box->engine->data);
}

bool box_renew(Box *box)
{
	Store *store = box->engine->store;
	Gen old = store_gen(store, box->id);
	if (flaps(box, false))
		return false;
	g_info("%s: the server gives UIDs to other messages than before", box->name);
	store_gen_open(store, box->id, 0);
	lose_generation(box, old);
	box_pump(box);
	return true;
}

void box_selected(Box *box, Conn *conn)
{
	Engine *engine = box->engine;
	guint32 uidvalidity = session_selected(conn->session)->uidvalidity;
	Gen old = store_gen(engine->store, box->id);
	box->refused_us = 0;
	box->questions = 0;
	box->missing = false;
	conn->gen = store_gen_open(engine->store, box->id, uidvalidity);
	bool changed = old != 0 && old != conn->gen;
	box->unstable = uidvalidity == 0 || flaps(box, changed);
	if (changed)
		lose_generation(box, old);
	change_selected(box, conn);
	resync_selected(conn);
}
