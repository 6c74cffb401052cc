/* The body verb: bytes of messages, whole or in ranges, as they are asked for. Equal requests are
 * joined. */
#include "engine/want.h"

/* Whether a message of this size travels in one piece. */
static bool goes_whole(const Engine *engine, Gen gen, const StoreMessage *message)
{
	if (!message->known)
		return false;
	if (message->size <= LIMIT_SMALL_BODY)
		return true;
	return message->size <= LIMIT_WALK_BODY && ahead_walking(engine, gen, message->uid);
}

/* How much to ask for at offset: little at first, twice as much each time the reader goes on. */
static guint64 next_range(Engine *engine, Gen gen, guint32 uid, guint64 offset, guint64 len)
{
	Stream *stream = stream_of(engine, gen, uid);
	guint64 range = stream->next == offset ? MIN(stream->range * 2, LIMIT_LAST_RANGE)
					       : LIMIT_FIRST_RANGE;
	stream->range = MAX(range, MIN(len, LIMIT_LAST_RANGE));
	stream->next = offset + stream->range;
	stream->used_us = g_get_monotonic_time();
	return stream->range;
}

static void set_range(Want *want, const StoreMessage *message, guint64 origin, guint64 asked)
{
	want->origin = origin;
	want->asked = asked;
	/* The last range reaches past the announced end: only a short answer proves it. */
	if (message->known && origin + asked >= message->size)
		want->asked += LIMIT_FIRST_RANGE;
	want->expected = asked;
}

static Want *plan(Box *box, Gen gen, guint32 uid, guint64 offset, guint64 len)
{
	Engine *engine = box->engine;
	StoreMessage message = {.uid = uid};
	store_peek_message(engine->store, gen, uid, &message);
	Want *want = want_new(box, gen, uid, &box->urgent);
	if (goes_whole(engine, gen, &message)) {
		want->whole = true;
		want->expected = message.size;
		return want;
	}
	/* Whoever jumps, or reads from the end, wants nothing behind what he reads. */
	bool goes_on = offset == 0 || stream_of(engine, gen, uid)->next == offset;
	guint64 range = next_range(engine, gen, uid, offset, len);
	set_range(want, &message, offset, range);
	guint64 next = offset + range;
	if (goes_on && range > LIMIT_FIRST_RANGE && next < message.size &&
		!want_find(box, gen, uid, next)) {
		Want *follow = want_new(box, gen, uid, &box->urgent);
		guint64 more = next_range(engine, gen, uid, next, 0);
		set_range(follow, &message, next, more);
	}
	return want;
}

static void add_reader(Want *want, Reader *reader)
{
	g_ptr_array_add(want->readers, reader);
	if (want->queue && want->queue != &want->box->urgent)
		want_enqueue(want, &want->box->urgent);
}

static void refuse(Reader *reader, MailError code, const char *name, const char *why)
{
	g_autoptr(GError) error = g_error_new(MAIL_ERROR, (gint)code, "%s: %s", name, why);
	waiter_finish(reader->waiter, error);
	reader_free(reader);
}

void body_serve(Box *box, Gen gen, guint32 uid, Reader *reader)
{
	enum { ROUNDS = 64 };
	Store *store = box->engine->store;
	guint64 missing = 0;
	switch (store_first_missing(store, gen, uid, reader->offset, reader->len, &missing)) {
	case STORE_HIT:
		waiter_finish(reader->waiter, NULL);
		reader_free(reader);
		return;
	case STORE_ABSENT:
		refuse(reader, MAIL_ERROR_STALE, box->name, "the message is gone");
		return;
	case STORE_MISS:
		break;
	}
	if (++reader->rounds > ROUNDS) {
		refuse(reader, MAIL_ERROR_IO, box->name, "the cache does not keep the message");
		return;
	}
	Want *want = want_find(box, gen, uid, missing);
	if (!want) {
		guint64 left = reader->offset + reader->len - missing;
		want = plan(box, gen, uid, missing, left);
	}
	add_reader(want, reader);
	box_pump(box);
}

/* Takes over the caller's reference of waiter. */
void body_request(Box *box, Gen gen, guint32 uid, guint64 offset, guint64 len, Waiter *waiter)
{
	ahead_read(box->engine, box, gen, uid);
	Reader *reader = g_new0(Reader, 1);
	*reader = (Reader){.waiter = waiter, .offset = offset, .len = len};
	body_serve(box, gen, uid, reader);
}

/* As body_request() for all of the message, however large. */
void body_request_whole(Box *box, Gen gen, guint32 uid, Waiter *waiter)
{
	Reader *reader = g_new0(Reader, 1);
	*reader = (Reader){.waiter = waiter, .offset = 0, .len = 1};
	if (store_has_body(box->engine->store, gen, uid)) {
		body_serve(box, gen, uid, reader);
		return;
	}
	GPtrArray *wants = want_list(box, uid);
	Want *want = NULL;
	for (guint i = 0; wants && i < wants->len; i++)
		if (((Want *)g_ptr_array_index(wants, i))->whole)
			want = g_ptr_array_index(wants, i);
	if (!want) {
		StoreMessage message = {.uid = uid};
		store_peek_message(box->engine->store, gen, uid, &message);
		want = want_new(box, gen, uid, &box->urgent);
		want->whole = true;
		want->expected = MAX(message.size, LIMIT_LEAST_BODY);
	}
	add_reader(want, reader);
	box_pump(box);
}

/* A walking reader will want this message soon. */
void body_ahead(Box *box, Gen gen, guint32 uid, guint64 size)
{
	if (want_find(box, gen, uid, 0))
		return;
	Want *want = want_new(box, gen, uid, &box->ahead);
	want->whole = true;
	want->expected = MAX(size, LIMIT_LEAST_BODY);
}
