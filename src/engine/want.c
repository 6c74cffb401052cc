#include "engine/want.h"

void reader_free(gpointer data)
{
	Reader *reader = data;
	waiter_unref(reader->waiter);
	goal_clear(&reader->goal);
	g_free(reader);
}

static void want_free(gpointer data)
{
	Want *want = data;
	g_ptr_array_unref(want->readers);
	g_free(want->section);
	g_free(want);
}

bool want_is_part(const Want *want)
{
	return want->item >= STORE_PARTS;
}

bool want_is_decoded(const Want *want)
{
	return want_is_part(want) && (want->item - STORE_PARTS) % 2 == 1;
}

guint64 want_length(const Want *want)
{
	StoreMessage message;
	if (want->item != STORE_MESSAGE)
		return want->octets;
	bool known = store_peek_message(want->box->engine->store, want->gen, want->uid, &message) &&
		     message.known;
	return known ? message.size : G_MAXUINT64;
}

GPtrArray *want_list(Box *box, guint32 uid)
{
	return g_hash_table_lookup(box->wants, GUINT_TO_POINTER(uid));
}

void want_enqueue(Want *want, GQueue *queue)
{
	if (want->queue)
		g_queue_unlink(want->queue, &want->link);
	want->queue = queue;
	if (queue)
		g_queue_push_tail_link(queue, &want->link);
}

Want *want_new(Box *box, Gen gen, guint32 uid, const Need *need, GQueue *queue)
{
	Want *want = g_new0(Want, 1);
	bool outline = need->item == STORE_STRUCTURE;
	*want = (Want){.box = box,
		.gen = gen,
		.uid = uid,
		.item = need->item,
		.section = g_strdup(need->section),
		.octets = need->octets,
		.fields_due = outline,
		.structure_due = outline,
		.whole = true,
		.link.data = want};
	want->readers = g_ptr_array_new_with_free_func(reader_free);
	GPtrArray *wants = want_list(box, uid);
	if (!wants) {
		wants = g_ptr_array_new_with_free_func(want_free);
		g_hash_table_insert(box->wants, GUINT_TO_POINTER(uid), wants);
	}
	g_ptr_array_add(wants, want);
	want_enqueue(want, queue);
	return want;
}

void want_recall(Want *want)
{
	if (!want->fetch)
		return;
	want->fetch->conn->bytes_flying -= want->expected;
	want->fetch->conn->wants_flying--;
	g_ptr_array_remove_fast(want->fetch->wants, want);
	want->fetch = NULL;
}

GPtrArray *want_end(Want *want)
{
	Box *box = want->box;
	GPtrArray *readers = g_ptr_array_ref(want->readers);
	want_enqueue(want, NULL);
	want_recall(want);
	GPtrArray *wants = want_list(box, want->uid);
	guint32 uid = want->uid;
	g_ptr_array_remove_fast(wants, want);
	if (wants->len == 0)
		g_hash_table_remove(box->wants, GUINT_TO_POINTER(uid));
	return readers;
}

void want_fail(Want *want, const GError *error)
{
	g_autoptr(GPtrArray) readers = want_end(want);
	for (guint i = 0; i < readers->len; i++)
		waiter_finish(((Reader *)g_ptr_array_index(readers, i))->waiter, error);
}

/* All of the message brings whatever is needed of it. */
static bool covers(const Want *want, const Need *need)
{
	bool same = want->item == need->item || (want->fields_due && need->item == STORE_FIELDS);
	if (want->whole)
		return same || want->item == STORE_MESSAGE;
	return same && !need->whole && need->offset >= want->origin &&
	       need->offset < want->origin + want->asked;
}

Want *want_find(Box *box, Gen gen, guint32 uid, const Need *need)
{
	GPtrArray *wants = want_list(box, uid);
	for (guint i = 0; wants && i < wants->len; i++) {
		Want *want = g_ptr_array_index(wants, i);
		if (want->gen == gen && covers(want, need))
			return want;
	}
	return NULL;
}

void want_settle(Want *want)
{
	Box *box = want->box;
	Gen gen = want->gen;
	guint32 uid = want->uid;
	g_autoptr(GPtrArray) readers = want_end(want);
	while (readers->len > 0)
		body_serve(box, gen, uid, g_ptr_array_steal_index(readers, readers->len - 1));
}

void want_fail_decoding(Want *want, const char *why)
{
	g_autoptr(GError) error = g_error_new(MAIL_ERROR, MAIL_ERROR_INVALID,
		"%s: the server does not decode a part: %s", want->box->name, why);
	want_fail(want, error);
}

void want_refuse(Want *want, const char *why)
{
	Box *box = want->box;
	if (want_is_decoded(want)) {
		engine_stop_decoding(box->engine, why);
		want_fail_decoding(want, why);
		return;
	}
	g_info("%s: message %u is fetched whole: %s", box->name, want->uid, why);
	bool header = want->item == STORE_FIELDS || want->item == STORE_HEADER;
	imap_set_add(header ? box->headless : box->unparted, want->uid, want->uid);
	want_settle(want);
}

Stream *stream_of(Engine *engine, Gen gen, guint32 uid, StoreItem item)
{
	Stream *oldest = &engine->streams[0];
	for (guint i = 0; i < STREAMS; i++) {
		Stream *stream = &engine->streams[i];
		if (stream->gen == gen && stream->uid == uid && stream->item == item)
			return stream;
		if (stream->used_us < oldest->used_us)
			oldest = stream;
	}
	*oldest = (Stream){.gen = gen, .uid = uid, .item = item, .next = G_MAXUINT64};
	return oldest;
}

static void take_readers(const Want *want, GPtrArray *waiters)
{
	for (guint i = 0; i < want->readers->len; i++)
		g_ptr_array_add(waiters,
			waiter_ref(((Reader *)g_ptr_array_index(want->readers, i))->waiter));
}

void body_take_all(Box *box, GPtrArray *waiters)
{
	GHashTableIter iter;
	gpointer wants;
	g_hash_table_iter_init(&iter, box->wants);
	while (g_hash_table_iter_next(&iter, NULL, &wants))
		for (guint i = 0; i < ((GPtrArray *)wants)->len; i++) {
			Want *want = g_ptr_array_index((GPtrArray *)wants, i);
			want_recall(want);
			take_readers(want, waiters);
		}
	g_queue_init(&box->urgent);
	g_queue_init(&box->ahead);
	g_hash_table_remove_all(box->wants);
	ahead_forget(box->engine, store_gen(box->engine->store, box->id));
}
