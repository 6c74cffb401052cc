/* The verbs about messages: an item whole or in ranges, the outline, the text, as they are asked
 * for. Equal requests are joined. */
#include "engine/want.h"

enum {
	OUTLINE_BYTES = 1 << 10, /* what fields and structure come to, about */
	WHOLES = 2, /* what is not kept is fetched whole so often for one reader */
};

/* Whether what is needed travels in one piece. A part does not for who wants to know how it begins
 * and ends. */
static bool goes_whole(const Engine *engine, const Want *want, const Need *need)
{
	guint64 length = want_length(want);
	if (need->whole)
		return true;
	if (want_is_part(want))
		return length <= MAX(need->len, LIMIT_LEAST_BODY);
	if (length <= LIMIT_SMALL_BODY)
		return true;
	return length <= LIMIT_WALK_BODY && ahead_walking(engine, want->gen, want->uid);
}

static guint64 expected_bytes(const Want *want)
{
	guint64 length = want_length(want);
	if (want->item != STORE_MESSAGE && !want_is_part(want))
		return OUTLINE_BYTES;
	return length == G_MAXUINT64 ? LIMIT_LEAST_BODY : MAX(length, LIMIT_LEAST_BODY);
}

/* How much to ask for at offset: little at first, twice as much each time the reader goes on. */
static guint64 next_range(Want *want, guint64 offset, guint64 len)
{
	Stream *stream = stream_of(want->box->engine, want->gen, want->uid, want->item);
	guint64 first = want_is_part(want) ? LIMIT_LEAST_BODY : LIMIT_FIRST_RANGE;
	guint64 range = stream->next == offset ? MIN(stream->range * 2, LIMIT_LAST_RANGE) : first;
	stream->range = MAX(range, MIN(len, LIMIT_LAST_RANGE));
	stream->next = offset + stream->range;
	stream->used_us = g_get_monotonic_time();
	return stream->range;
}

static void set_range(Want *want, guint64 origin, guint64 len)
{
	guint64 length = want_length(want);
	guint64 range = next_range(want, origin, len);
	want->whole = false;
	want->origin = origin;
	/* The last range reaches past the announced end: only a short answer proves it. */
	bool last = length != G_MAXUINT64 && origin + range >= length;
	want->asked = last ? range + LIMIT_FIRST_RANGE : range;
	want->expected = range;
}

/* Whoever jumps, or reads from the end, wants nothing behind what he reads; nor does who looks at
 * the beginning of a part. */
static bool goes_on(Want *want, guint64 offset)
{
	const Stream *stream = stream_of(want->box->engine, want->gen, want->uid, want->item);
	return stream->next == offset || (offset == 0 && want->item == STORE_MESSAGE);
}

static void follow(Want *want, const Need *need)
{
	const Stream *stream = stream_of(want->box->engine, want->gen, want->uid, want->item);
	guint64 length = want_length(want);
	Need next = *need;
	next.offset = stream->next;
	if (stream->range <= LIMIT_FIRST_RANGE || length == G_MAXUINT64 || next.offset >= length ||
		want_find(want->box, want->gen, want->uid, &next))
		return;
	Want *more = want_new(want->box, want->gen, want->uid, &next, &want->box->urgent);
	set_range(more, next.offset, 0);
}

static Want *plan(Box *box, Gen gen, guint32 uid, const Need *need)
{
	Want *want = want_new(box, gen, uid, need, &box->urgent);
	if (goes_whole(box->engine, want, need)) {
		want->expected = expected_bytes(want);
		return want;
	}
	bool more = goes_on(want, need->offset);
	set_range(want, need->offset, need->len);
	if (more)
		follow(want, need);
	return want;
}

static Want *want_for(Box *box, Gen gen, guint32 uid, const Need *need)
{
	Want *want = want_find(box, gen, uid, need);
	if (!want)
		return plan(box, gen, uid, need);
	if (want->queue && want->queue != &box->urgent)
		want_enqueue(want, &box->urgent);
	return want;
}

static void refuse(Reader *reader, MailError code, const char *name, const char *why)
{
	g_autoptr(GError) error = g_error_new(MAIL_ERROR, (gint)code, "%s: %s", name, why);
	waiter_finish(reader->waiter, error);
	reader_free(reader);
}

/* What comes and is not kept is not fetched for ever. */
static bool is_in_vain(Reader *reader, const Needs *needs)
{
	enum { ROUNDS = 64 };
	const Need *first = &needs->list[0];
	bool same = first->whole && first->item == reader->whole;
	reader->wholes = same ? reader->wholes + 1 : first->whole;
	reader->whole = first->item;
	return reader->wholes > WHOLES || ++reader->rounds > ROUNDS;
}

void body_serve(Box *box, Gen gen, guint32 uid, Reader *reader)
{
	g_auto(Needs) needs = {0};
	switch (goal_missing(box, gen, uid, &reader->goal, &needs)) {
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
	if (is_in_vain(reader, &needs)) {
		refuse(reader, MAIL_ERROR_IO, box->name, "the cache does not keep the message");
		return;
	}
	Want *first = want_for(box, gen, uid, &needs.list[0]);
	for (guint i = 1; i < needs.n; i++)
		want_for(box, gen, uid, &needs.list[i]);
	g_ptr_array_add(first->readers, reader);
	box_pump(box);
}

/* ---- what is asked for ahead of readers ---- */

static void want_ahead(Box *box, Gen gen, guint32 uid, const Need *need)
{
	if (want_find(box, gen, uid, need))
		return;
	Want *want = want_new(box, gen, uid, need, &box->ahead);
	want->expected = expected_bytes(want);
}

void body_ahead(Box *box, Gen gen, guint32 uid)
{
	Need first = {.item = STORE_MESSAGE}, all = need_message();
	if (!want_find(box, gen, uid, &first))
		want_ahead(box, gen, uid, &all);
}

static bool is_here(Box *box, Gen gen, guint32 uid, const Goal *goal)
{
	g_auto(Needs) needs = {0};
	return goal_missing(box, gen, uid, goal, &needs) != STORE_MISS;
}

void body_ahead_outline(Box *box, Gen gen, guint32 uid, bool structure)
{
	const Goal goal = {.kind = GOAL_OUTLINE, .structure = structure};
	g_auto(Needs) needs = {0};
	if (goal_missing(box, gen, uid, &goal, &needs) == STORE_MISS &&
		needs.list[0].item != STORE_MESSAGE)
		want_ahead(box, gen, uid, &needs.list[0]);
}

/* What is too large to be fetched for nothing waits until it is asked for. */
static guint64 want_text_ahead(Box *box, Gen gen, guint32 uid, const Need *need)
{
	StoreMessage message;
	guint64 bytes = need->octets;
	if (need->item == STORE_MESSAGE)
		bytes = store_peek_message(box->engine->store, gen, uid, &message) && message.known
				? message.size
				: G_MAXUINT64;
	if (bytes > LIMIT_WALK_BODY)
		return 0;
	want_ahead(box, gen, uid, need);
	return bytes;
}

bool body_ahead_text(Box *box, Gen gen, guint32 uid, guint64 *ret_bytes)
{
	const Goal goal = {.kind = GOAL_TEXT};
	g_auto(Needs) needs = {0};
	*ret_bytes = 0;
	if (goal_missing(box, gen, uid, &goal, &needs) != STORE_MISS)
		return true;
	StoreItem first = needs.list[0].item;
	if (first == STORE_STRUCTURE || first == STORE_FIELDS)
		return want_find(box, gen, uid, &needs.list[0]) == NULL;
	for (guint i = 0; i < needs.n; i++)
		*ret_bytes += want_text_ahead(box, gen, uid, &needs.list[i]);
	return true;
}

/* ---- requests ---- */

/* A reader of outlines that goes on is given more of them each time. Who begins with the first
 * message and wants fields alone is making names of all. */
static void outlines_ahead(Box *box, Gen gen, guint32 uid, bool structure)
{
	enum { NEIGHBOURS = 16, FIRST = 256, GROWTH = 8, LAST = 1024 };
	StoreMessage rows[LAST];
	Store *store = box->engine->store;
	gsize n = store_list_rows(store, gen, box->outline_last, rows, NEIGHBOURS);
	bool goes_on = false;
	for (gsize i = 0; i < n && !goes_on; i++)
		goes_on = rows[i].uid == uid;
	bool begins =
		!structure && store_list_rows(store, gen, 0, rows, 1) == 1 && rows[0].uid == uid;
	if (goes_on && box->outline_window > 0)
		box->outline_window = MIN(box->outline_window * GROWTH, LAST);
	else
		box->outline_window = begins ? FIRST : 1;
	n = store_list_rows(store, gen, uid, rows, box->outline_window - 1);
	for (gsize i = 0; i < n; i++)
		body_ahead_outline(box, gen, rows[i].uid, structure);
	box->outline_last = n > 0 ? rows[n - 1].uid : uid;
}

/* Lets readers that go on be served before they ask. */
static void go_ahead(Box *box, Gen gen, guint32 uid, const Goal *goal)
{
	if (goal->kind == GOAL_RANGE && goal->item == STORE_MESSAGE)
		ahead_read(box->engine, box, WALK_BODIES, gen, uid);
	else if (goal->kind == GOAL_TEXT)
		ahead_read(box->engine, box, WALK_TEXTS, gen, uid);
	else if (goal->kind == GOAL_OUTLINE && !is_here(box, gen, uid, goal))
		outlines_ahead(box, gen, uid, goal->structure);
}

void body_request(Box *box, Gen gen, guint32 uid, Goal *goal, Waiter *waiter)
{
	go_ahead(box, gen, uid, goal);
	Reader *reader = g_new0(Reader, 1);
	*reader = (Reader){.waiter = waiter, .goal = *goal};
	*goal = (Goal){0};
	body_serve(box, gen, uid, reader);
}

/* All of the message, however large: when it came it need not be kept. Takes over the caller's
 * reference of waiter. */
void body_request_whole(Box *box, Gen gen, guint32 uid, Waiter *waiter)
{
	Need need = need_message();
	Reader *reader = g_new0(Reader, 1);
	*reader = (Reader){
		.waiter = waiter, .goal = {.item = STORE_MESSAGE, .octets = G_MAXUINT64, .len = 1}};
	if (store_has_body(box->engine->store, gen, uid, STORE_MESSAGE)) {
		body_serve(box, gen, uid, reader);
		return;
	}
	g_ptr_array_add(want_for(box, gen, uid, &need)->readers, reader);
	box_pump(box);
}
