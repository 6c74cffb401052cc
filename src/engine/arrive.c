/* What our own changes made in their targets, as the server said: known ahead of the listing that
 * will name it, so that nothing of it is fetched again. */
#include "engine/change.h"

/* UIDNEXT grew with them: else the next selection would take them for unknown ones. Others that
 * came meanwhile show in EXISTS. */
static void move_mark(Store *store, Gen gen, guint32 last)
{
	StoreMark mark = store_mark(store, gen);
	if (mark.uidnext == 0 || last < mark.uidnext || last == G_MAXUINT32)
		return;
	mark.uidnext = last + 1;
	store_set_mark(store, gen, mark);
}

/* Whether what we made is not the next that was expected there. */
static bool others_came(Store *store, Gen gen, guint32 first)
{
	guint32 expected = store_mark(store, gen).uidnext;
	return expected != 0 && first > expected;
}

Gen arrive(Engine *engine, Box *target, guint32 uidvalidity, const ImapSet *uids)
{
	Store *store = engine->store;
	Gen gen = store_gen(store, target->id);
	g_autoptr(ImapSet) fresh = NULL;
	if (uidvalidity == 0)
		return 0;
	if (gen == 0)
		gen = store_gen_open(store, target->id, uidvalidity);
	if (gen == 0)
		return 0;
	if (store_gen_uidvalidity(store, gen) != uidvalidity) {
		pool_doubt(engine, target);
		sync_doubt(target, true);
		return 0;
	}
	if (others_came(store, gen, imap_set_min(uids)))
		sync_doubt(target, true);
	sync_note_ours(target, uids);
	engine->events->names_made(gen, uids, engine->data);
	store_add_names(store, gen, uids, &fresh);
	move_mark(store, gen, imap_set_max(uids));
	if (fresh && imap_set_count(fresh) > 0)
		engine->events->names_changed(target->id, gen, NULL, fresh, engine->data);
	return gen;
}

/* COPY and MOVE preserve flags and INTERNALDATE (RFC 3501 6.4.7): the flags that the source had on
 * the server in that moment, which need not be those that are known here. */
void arrive_copied(Engine *engine, Gen gen, guint32 uid, Gen from, guint32 from_uid)
{
	Store *store = engine->store;
	StoreMessage message;
	store_recall(store, from);
	if (!store_peek_message(store, from, from_uid, &message) || !message.known)
		return;
	g_autofree char *text = store_keywords(store, from, from_uid);
	g_auto(GStrv) keywords = g_strsplit(text ? text : "", " ", -1);
	StoreFields fields = {true, true, true, (const char *const *)keywords, .ahead = true};
	bool verified = message.size_verified;
	message.uid = uid;
	store_set_attributes(store, gen, &message, fields, NULL);
	if (verified)
		engine_verify_size(engine, gen, uid, message.size);
	store_copy_body(store, from, from_uid, gen, uid);
}

/* ---- texts that were appended ---- */

enum { TEXTS_MOST = 1024, TEXTS_BYTES = 32 << 20 };

typedef struct {
	Gen gen;
	guint32 uid;
	GBytes *text;
} Text;

static void text_free(gpointer data)
{
	Text *text = data;
	g_bytes_unref(text->text);
	g_free(text);
}

void arrive_clear(Engine *engine)
{
	g_queue_clear_full(&engine->changes->texts, text_free);
}

static void drop(Changes *changes, GList *link)
{
	changes->texts_bytes -= g_bytes_get_size(((Text *)link->data)->text);
	text_free(link->data);
	g_queue_delete_link(&changes->texts, link);
}

void arrive_text(Engine *engine, Gen gen, guint32 uid, GBytes *bytes)
{
	Changes *changes = engine->changes;
	Text *text = g_new(Text, 1);
	*text = (Text){gen, uid, g_bytes_ref(bytes)};
	g_queue_push_tail(&changes->texts, text);
	changes->texts_bytes += g_bytes_get_size(bytes);
	while (changes->texts.length > TEXTS_MOST || changes->texts_bytes > TEXTS_BYTES)
		drop(changes, changes->texts.head);
}

static void keep(Engine *engine, const Text *text, guint64 size)
{
	gsize len;
	const void *bytes = g_bytes_get_data(text->text, &len);
	if (len != size)
		return;
	StoreSink *sink = store_sink_new(engine->store);
	store_sink_write(sink, bytes, len);
	if (store_sink_commit(sink, text->gen, text->uid, STORE_MESSAGE, 0, len, true))
		engine_verify_size(engine, text->gen, text->uid, len);
}

void change_note_size(Engine *engine, Gen gen, guint32 uid, guint64 size)
{
	Changes *changes = engine->changes;
	for (GList *l = changes->texts.head; l; l = l->next) {
		const Text *text = l->data;
		if (text->gen != gen || text->uid != uid)
			continue;
		keep(engine, text, size);
		drop(changes, l);
		return;
	}
}
