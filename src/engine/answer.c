/* What a FETCH answers, taken for what it proves. What nobody asked for is dropped, and of what was
 * asked for nothing is kept that cannot be right. */
#include "engine/want.h"

#include <string.h>

/* More bodies than any command asks for in one response are not believed. */
enum { ARRIVING_MOST = 8 };

/* A literal that came, or is coming, in the response that is not complete yet. */
typedef struct {
	ImapBody body; /* section owned */
	StoreSink *sink;
} Arriving;

void arriving_free(gpointer data)
{
	Arriving *arriving = data;
	g_free((char *)arriving->body.section.data);
	store_sink_free(arriving->sink);
	g_free(arriving);
}

guint64 body_arrived(const Conn *conn)
{
	guint64 bytes = 0;
	for (guint i = 0; i < conn->arriving->len; i++)
		bytes += store_sink_size(((Arriving *)g_ptr_array_index(conn->arriving, i))->sink);
	return bytes;
}

/* ---- whose it is ---- */

static const char *section_of(const Want *want)
{
	switch (want->item) {
	case STORE_FIELDS:
	case STORE_STRUCTURE:
		return "HEADER.FIELDS";
	case STORE_HEADER:
		return "HEADER";
	default:
		return want->section ? want->section : "";
	}
}

/* A range may be answered by all. */
static bool answers(const Want *want, const ImapBody *body)
{
	if (want_is_decoded(want) != body->binary ||
		!imap_section_is(body->section, section_of(want)) ||
		(want->item == STORE_STRUCTURE && !want->fields_due))
		return false;
	return !body->has_origin || (!want->whole && want->origin == body->origin);
}

static bool is_under_way(const Want *want, const Conn *conn)
{
	return want->fetch && want->fetch->conn == conn && want->gen == conn->gen;
}

/* The want under way on conn that a body answers: by UID, never by order (some servers answer
 * for another message than was asked). */
static Want *answered_by(Conn *conn, guint32 uid, const ImapBody *body)
{
	GPtrArray *wants = conn->box ? want_list(conn->box, uid) : NULL;
	for (guint i = 0; wants && i < wants->len; i++) {
		Want *want = g_ptr_array_index(wants, i);
		if (is_under_way(want, conn) && answers(want, body))
			return want;
	}
	return NULL;
}

/* ---- as it arrives ---- */

/* More than was asked for is not believed, so it need not be kept. */
static bool is_too_long(const Want *want, const ImapBodyStart *start)
{
	if (start->has_origin)
		return start->size > want->asked;
	return want_is_part(want) && start->size > want->octets;
}

bool body_begin(Conn *conn, const ImapBodyStart *start)
{
	ImapBody body = {
		.section = start->section,
		.binary = start->binary,
		.has_origin = start->has_origin,
		.origin = start->origin,
		.size = start->size,
	};
	if (conn->arriving->len >= ARRIVING_MOST || conn->wants_flying == 0)
		return false;
	const Want *want = start->uid ? answered_by(conn, start->uid, &body) : NULL;
	if (start->uid && (!want || is_too_long(want, start)))
		return false;
	body.section.data = g_strndup(start->section.data, start->section.len);
	Arriving *arriving = g_new(Arriving, 1);
	*arriving = (Arriving){body, store_sink_new(conn->engine->store)};
	g_ptr_array_add(conn->arriving, arriving);
	return true;
}

void body_bytes(Conn *conn, const void *bytes, gsize len)
{
	Arriving *last = g_ptr_array_index(conn->arriving, conn->arriving->len - 1);
	store_sink_write(last->sink, bytes, len);
}

static bool is_same(const ImapBody *a, const ImapBody *b)
{
	return a->binary == b->binary && a->has_origin == b->has_origin && a->origin == b->origin &&
	       a->size == b->size && a->section.len == b->section.len &&
	       memcmp(a->section.data, b->section.data, a->section.len) == 0;
}

/* What came of a literal; NULL: it was not taken. */
static StoreSink *take_streamed(Conn *conn, const ImapBody *body)
{
	for (guint i = 0; i < conn->arriving->len; i++) {
		Arriving *arriving = g_ptr_array_index(conn->arriving, i);
		if (!is_same(&arriving->body, body))
			continue;
		StoreSink *sink = g_steal_pointer(&arriving->sink);
		g_ptr_array_remove_index(conn->arriving, i);
		return sink;
	}
	return NULL;
}

/* ---- what it proves ---- */

/* {0} for a message that is said to have bytes is no answer (it would read as an empty file), and
 * neither is more than was asked for. Of parts take_part() says it. */
static bool believable(const Want *want, bool whole, guint64 got)
{
	if (!whole && got > want->asked)
		return false;
	if (got > 0 || want->item != STORE_MESSAGE || (!whole && want->origin > 0))
		return true;
	return want_length(want) == 0;
}

/* Only all of the message can tell. */
static void ask_whole(Want *want)
{
	want->whole = true;
	want_recall(want);
	want_enqueue(want, &want->box->urgent);
}

/* The answers about it contradict each other, or what was said before. */
static void doubt(Want *want)
{
	if (want->item == STORE_MESSAGE)
		ask_whole(want);
	else
		want_refuse(want, "what the server gives is not as long as announced");
}

static void take_whole(Want *want, StoreSink *sink)
{
	guint64 got = store_sink_size(sink);
	bool differs = want->octets != G_MAXUINT64 && want->octets != got;
	if (want->item != STORE_MESSAGE && (differs || (want->item == STORE_HEADER && got == 0))) {
		store_sink_free(sink);
		doubt(want);
		return;
	}
	store_sink_commit(sink, want->gen, want->uid, want->item, 0, got, true);
	if (want->item == STORE_MESSAGE)
		engine_verify_size(want->box->engine, want->gen, want->uid, got);
	want_settle(want);
}

static Stream *stream_at(const Want *want)
{
	return stream_of(want->box->engine, want->gen, want->uid, want->item);
}

/* Whether an answer shorter than asked for shows the end: it does where the end was announced, or
 * when an answer before ended there and now there is nothing more. Otherwise one bad answer would
 * cut the message off; it also would where no end was announced. */
static bool shows_end(const Want *want, guint64 got)
{
	guint64 end = want->origin + got, length = want_length(want);
	if (length != G_MAXUINT64 && end >= length)
		return true;
	return got == 0 && stream_at(want)->cut == end;
}

/* Longer than announced, and nobody knows by how much. */
static bool passes_end(const Want *want, guint64 got)
{
	guint64 length = want_length(want);
	return got == want->asked && length != G_MAXUINT64 && want->origin + got > length;
}

/* Whether nothing in the answer tells where the item ends, or, of a part, that it ends elsewhere
 * than it was said to. */
static bool is_doubtful(const Want *want, guint64 got, bool ends)
{
	bool announced = want_is_part(want) && want->octets != G_MAXUINT64;
	if (ends && announced && want->origin + got != want->octets)
		return true;
	return passes_end(want, got) || (got == 0 && !ends);
}

static void take_range(Want *want, StoreSink *sink)
{
	Engine *engine = want->box->engine;
	guint64 got = store_sink_size(sink);
	guint64 end = want->origin + got;
	bool is_short = got < want->asked;
	bool ends = is_short && shows_end(want, got);
	if (is_doubtful(want, got, ends)) {
		store_sink_free(sink);
		doubt(want);
		return;
	}
	if (is_short && !ends)
		stream_at(want)->cut = end;
	store_sink_commit(sink, want->gen, want->uid, want->item, want->origin,
		ends ? want->asked : got, false);
	/* Nothing at this place says where the end is only if all before it is here. */
	bool proved = got > 0 || store_has_body(engine->store, want->gen, want->uid, want->item);
	if (ends && !proved) {
		ask_whole(want);
		return;
	}
	if (ends && want->item == STORE_MESSAGE)
		engine_verify_size(engine, want->gen, want->uid, end);
	want_settle(want);
}

/* ---- fields and structure ---- */

/* Of both what came first does not tell whether the other will. */
static void settle_half(Want *want)
{
	if (!want->fields_due && !want->structure_due)
		want_settle(want);
}

static void take_fields(Want *want, StoreSink *sink)
{
	guint64 got = store_sink_size(sink);
	store_sink_commit(sink, want->gen, want->uid, STORE_FIELDS, 0, got, true);
	want->fields_due = false;
	settle_half(want);
}

static void refuse_fields(Want *want)
{
	if (want->item != STORE_STRUCTURE) {
		want_refuse(want, "the server does not give its header");
		return;
	}
	want->fields_due = false;
	settle_half(want);
}

static void take_structure(Want *want, const ImapBytes *text)
{
	g_autoptr(MimeTree) tree = mime_tree_of_structure(text->data, text->len);
	if (!tree) {
		want_refuse(want, "the server tells a structure that cannot be");
		return;
	}
	StoreSink *sink = store_sink_new(want->box->engine->store);
	store_sink_write(sink, text->data, text->len);
	store_sink_commit(sink, want->gen, want->uid, STORE_STRUCTURE, 0, text->len, true);
	want->structure_due = false;
	settle_half(want);
}

static void note_structure(Conn *conn, guint32 uid, const ImapBytes *text)
{
	GPtrArray *wants = conn->box ? want_list(conn->box, uid) : NULL;
	for (guint i = 0; wants && i < wants->len; i++) {
		Want *want = g_ptr_array_index(wants, i);
		if (!is_under_way(want, conn) || !want->structure_due)
			continue;
		take_structure(want, text);
		return;
	}
}

void answer_half(Want *want)
{
	if (want->structure_due)
		want_refuse(want, "the server does not tell its structure");
	else
		want_settle(want);
}

/* ---- a response ---- */

/* NIL says nothing, but of an empty part: RFC 9051 7.5.2 wants "" for a range behind the end;
 * several servers say NIL. */
static void take_nil(Want *want, const ImapBody *body)
{
	switch (want->item) {
	case STORE_MESSAGE:
		if (body->has_origin && body->origin > 0)
			ask_whole(want);
		return;
	case STORE_FIELDS:
	case STORE_STRUCTURE:
	case STORE_HEADER:
		refuse_fields(want);
		return;
	default:
		if (want->octets == 0 && body->size == 0)
			take_whole(want, store_sink_new(want->box->engine->store));
		else
			want_refuse(want, "the server does not give a part");
	}
}

static void take_item(Conn *conn, guint32 uid, const ImapBody *body)
{
	g_autoptr(StoreSink) sink = NULL;
	if (body->form == IMAP_BODY_STREAMED)
		sink = take_streamed(conn, body);
	Want *want = answered_by(conn, uid, body);
	if (!want || (body->form == IMAP_BODY_STREAMED && !sink))
		return;
	if (body->form == IMAP_BODY_NIL) {
		take_nil(want, body);
		return;
	}
	if (!sink) {
		sink = store_sink_new(conn->engine->store);
		if (body->data.len > 0)
			store_sink_write(sink, body->data.data, body->data.len);
	}
	bool whole = !body->has_origin;
	if (!believable(want, whole, store_sink_size(sink)))
		return;
	if (want->item == STORE_FIELDS || want->item == STORE_STRUCTURE)
		take_fields(want, g_steal_pointer(&sink));
	else if (whole)
		take_whole(want, g_steal_pointer(&sink));
	else
		take_range(want, g_steal_pointer(&sink));
}

void body_note(Conn *conn, guint32 uid, const ImapFetch *fetch)
{
	for (gsize i = 0; i < fetch->n_bodies; i++)
		take_item(conn, uid, &fetch->bodies[i]);
	if (fetch->has & IMAP_FETCH_BODYSTRUCTURE)
		note_structure(conn, uid, &fetch->bodystructure);
	if (fetch->n_bodies > 0 || fetch->has & IMAP_FETCH_BODYSTRUCTURE)
		box_pump(conn->box);
}

/* A body belongs to the response it came in; what nobody took is dropped. */
void body_end(Conn *conn)
{
	g_ptr_array_set_size(conn->arriving, 0);
}
