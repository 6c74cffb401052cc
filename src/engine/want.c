#include "engine/want.h"

void reader_free(gpointer data)
{
	Reader *reader = data;
	waiter_unref(reader->waiter);
	g_free(reader);
}

static void want_free(gpointer data)
{
	Want *want = data;
	g_ptr_array_unref(want->readers);
	g_free(want);
}

GPtrArray *want_list(Box *box, guint32 uid)
{
	return g_hash_table_lookup(box->wants, GUINT_TO_POINTER(uid));
}

void want_enqueue(Want *want, GQueue *queue)
{
	if (want->queue)
		g_queue_remove(want->queue, want);
	want->queue = queue;
	if (queue)
		g_queue_push_tail(queue, want);
}

Want *want_new(Box *box, Gen gen, guint32 uid, GQueue *queue)
{
	Want *want = g_new0(Want, 1);
	*want = (Want){.box = box, .gen = gen, .uid = uid};
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

static bool covers(const Want *want, guint64 offset)
{
	return want->whole || (offset >= want->origin && offset < want->origin + want->asked);
}

Want *want_find(Box *box, Gen gen, guint32 uid, guint64 offset)
{
	GPtrArray *wants = want_list(box, uid);
	for (guint i = 0; wants && i < wants->len; i++) {
		Want *want = g_ptr_array_index(wants, i);
		if (want->gen == gen && covers(want, offset))
			return want;
	}
	return NULL;
}

Stream *stream_of(Engine *engine, Gen gen, guint32 uid)
{
	Stream *oldest = &engine->streams[0];
	for (guint i = 0; i < STREAMS; i++) {
		Stream *stream = &engine->streams[i];
		if (stream->gen == gen && stream->uid == uid)
			return stream;
		if (stream->used_us < oldest->used_us)
			oldest = stream;
	}
	*oldest = (Stream){.gen = gen, .uid = uid, .next = G_MAXUINT64};
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
	g_queue_clear(&box->urgent);
	g_queue_clear(&box->ahead);
	g_hash_table_remove_all(box->wants);
	ahead_forget(box->engine, store_gen(box->engine->store, box->id));
}
