/* Read-ahead for readers that walk a folder message by message (grep -r, cp -r): what they take of
 * each is asked for before they come to it, in a window of bytes that grows as long as the reader
 * goes on and does not exist for one that jumps. What the text of a message is, its outline has to
 * tell first: those are asked for in a window of messages, further ahead. */
#include "engine/private.h"

enum {
	WALK_STEPS = 2, /* messages in a row that make a walk */
	WALK_SKIP = 16, /* messages that a walker may leave out */
	WALK_FIRST = 1 << 20, /* bytes */
	ROWS = 64,
	OUTLINES_FIRST = 256, /* messages */
	OUTLINES_LAST = 1024,
};

typedef struct {
	guint32 uid;
	guint64 size;
} Step;

/* Whether uid is what a walker comes to next, with a few left out. */
static bool is_next(Engine *engine, const Walk *walk, guint32 uid)
{
	StoreMessage rows[WALK_SKIP];
	gsize n = store_list_rows(engine->store, (Gen)walk->gen, walk->last, rows, WALK_SKIP);
	for (gsize i = 0; i < n; i++)
		if (rows[i].uid == uid)
			return true;
	return false;
}

/* The walk that a reader of this message is on, if any. */
static Walk *find(Engine *engine, WalkKind kind, Gen gen, guint32 uid)
{
	for (guint i = 0; i < WALKS; i++) {
		Walk *walk = &engine->walks[kind][i];
		if ((Gen)walk->gen == gen && uid >= walk->last &&
			(uid <= walk->to || is_next(engine, walk, uid)))
			return walk;
	}
	return NULL;
}

static void set_mark(Walk *walk, guint32 mark)
{
	g_atomic_int_set(&walk->mark, (gint)mark);
}

static void clear(Walk *walk)
{
	g_queue_clear_full(&walk->ahead, g_free);
	walk->ahead_bytes = 0;
	walk->planned = 0;
}

static void start(Engine *engine, WalkKind kind, Gen gen, guint32 uid)
{
	Walk *oldest = &engine->walks[kind][0];
	for (guint i = 1; i < WALKS; i++)
		if (engine->walks[kind][i].used_us < oldest->used_us)
			oldest = &engine->walks[kind][i];
	clear(oldest);
	g_atomic_int_set(&oldest->gen, 0);
	oldest->kind = kind;
	oldest->last = uid;
	oldest->to = uid;
	oldest->streak = 0;
	oldest->walked = 0;
	oldest->used_us = g_get_monotonic_time();
	set_mark(oldest, uid + 1);
	g_atomic_int_set(&oldest->gen, (gint)gen);
}

static void pass(Walk *walk, guint32 uid)
{
	for (Step *step; (step = g_queue_peek_head(&walk->ahead)) && step->uid <= uid;) {
		if (walk->kind == WALK_TEXTS)
			walk->walked += LIMIT_LEAST_BODY;
		walk->ahead_bytes -= step->size;
		walk->planned -= walk->planned > 0;
		g_free(g_queue_pop_head(&walk->ahead));
	}
	walk->to = MAX(walk->to, uid);
}

/* A few times what the reader has taken already: wrong guesses cost in proportion to right ones. */
static guint64 window(const Walk *walk)
{
	if (walk->streak < WALK_STEPS)
		return 0;
	return CLAMP(walk->walked * 4, WALK_FIRST, LIMIT_WALK_AHEAD);
}

static void push(Walk *walk, guint32 uid, guint64 size)
{
	Step *step = g_new(Step, 1);
	*step = (Step){uid, size};
	g_queue_push_tail(&walk->ahead, step);
	walk->ahead_bytes += size;
}

/* ---- bodies ---- */

static void push_body(Walk *walk, Box *box, const StoreMessage *row)
{
	walk->to = row->uid;
	if (row->size > LIMIT_WALK_BODY ||
		store_has_body(box->engine->store, (Gen)walk->gen, row->uid, STORE_MESSAGE))
		return;
	push(walk, row->uid, MAX(row->size, LIMIT_LEAST_BODY));
	walk->planned++;
	body_ahead(box, (Gen)walk->gen, row->uid);
}

static void fill_bodies(Walk *walk, Box *box)
{
	guint64 bound = window(walk);
	while (walk->ahead_bytes < bound) {
		StoreMessage rows[ROWS];
		gsize n = store_list_rows(box->engine->store, (Gen)walk->gen, walk->to, rows, ROWS);
		gsize i;
		for (i = 0; i < n && rows[i].known && walk->ahead_bytes < bound; i++)
			push_body(walk, box, &rows[i]);
		if (i < n || n == 0)
			break;
	}
}

/* ---- texts ---- */

static guint outlines(const Walk *walk)
{
	if (walk->streak < WALK_STEPS)
		return 0;
	return (guint)CLAMP(walk->walked / LIMIT_LEAST_BODY * 4, OUTLINES_FIRST, OUTLINES_LAST);
}

static void push_outlines(Walk *walk, Box *box)
{
	guint bound = outlines(walk);
	while (walk->ahead.length < bound) {
		StoreMessage rows[ROWS];
		gsize n = store_list_rows(box->engine->store, (Gen)walk->gen, walk->to, rows,
			MIN(ROWS, bound - walk->ahead.length));
		for (gsize i = 0; i < n; i++) {
			walk->to = rows[i].uid;
			push(walk, rows[i].uid, 0);
			body_ahead_outline(box, (Gen)walk->gen, rows[i].uid, true);
		}
		if (n == 0)
			break;
	}
}

static void fill_texts(Walk *walk, Box *box)
{
	guint64 bound = window(walk);
	push_outlines(walk, box);
	GList *link = g_queue_peek_nth_link(&walk->ahead, walk->planned);
	for (; link && walk->ahead_bytes < bound; link = link->next) {
		Step *step = link->data;
		guint64 bytes = 0;
		if (!body_ahead_text(box, (Gen)walk->gen, step->uid, &bytes))
			break;
		step->size = MAX(bytes, LIMIT_LEAST_BODY);
		walk->ahead_bytes += step->size;
		walk->planned++;
	}
}

void ahead_outlined(Box *box)
{
	Gen gen = store_gen(box->engine->store, box->id);
	for (guint i = 0; i < WALKS; i++) {
		Walk *walk = &box->engine->walks[WALK_TEXTS][i];
		if (gen != 0 && (Gen)walk->gen == gen)
			fill_texts(walk, box);
	}
}

/* ---- readers ---- */

static void fill(Walk *walk, Box *box)
{
	if (walk->kind == WALK_TEXTS)
		fill_texts(walk, box);
	else
		fill_bodies(walk, box);
	/* The engine wants to know when the reader has come through a quarter of what is ahead. */
	const Step *quarter = g_queue_peek_nth(&walk->ahead, walk->planned / 4);
	set_mark(walk, quarter ? quarter->uid : walk->last + 1);
	box_pump(box);
}

void ahead_read(Engine *engine, Box *box, WalkKind kind, Gen gen, guint32 uid)
{
	Walk *walk = find(engine, kind, gen, uid);
	if (walk && uid == walk->last)
		return;
	if (!walk) {
		start(engine, kind, gen, uid);
		return;
	}
	StoreMessage message;
	if (kind == WALK_BODIES && store_peek_message(engine->store, gen, uid, &message) &&
		message.known)
		walk->walked += message.size;
	walk->streak++;
	walk->last = uid;
	walk->used_us = g_get_monotonic_time();
	pass(walk, uid);
	fill(walk, box);
}

bool ahead_walking(const Engine *engine, Gen gen, guint32 uid)
{
	for (guint i = 0; i < WALKS; i++) {
		const Walk *walk = &engine->walks[WALK_BODIES][i];
		if ((Gen)walk->gen == gen && walk->last == uid && walk->streak >= WALK_STEPS)
			return true;
	}
	return false;
}

bool ahead_passed(Engine *engine, WalkKind kind, Gen gen, guint32 uid)
{
	for (guint i = 0; i < WALKS; i++) {
		Walk *walk = &engine->walks[kind][i];
		if ((Gen)g_atomic_int_get(&walk->gen) != gen)
			continue;
		guint32 mark = (guint32)g_atomic_int_get(&walk->mark);
		if (uid >= mark && g_atomic_int_compare_and_exchange(&walk->mark, (gint)mark, -1))
			return true;
	}
	return false;
}

static void forget(Walk *walk)
{
	clear(walk);
	walk->to = walk->last;
	set_mark(walk, walk->last + 1);
}

void ahead_forget(Engine *engine, Gen gen)
{
	for (WalkKind kind = 0; kind < WALK_KINDS_; kind++)
		for (guint i = 0; i < WALKS; i++)
			if ((Gen)engine->walks[kind][i].gen == gen)
				forget(&engine->walks[kind][i]);
}

void ahead_clear(Engine *engine)
{
	for (WalkKind kind = 0; kind < WALK_KINDS_; kind++)
		for (guint i = 0; i < WALKS; i++)
			clear(&engine->walks[kind][i]);
}
