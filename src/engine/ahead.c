/* Read-ahead for readers that walk a folder message by message (grep -r, cp -r): the next bodies
 * are asked for before the reader comes to them, in a window of bytes that grows as long as the
 * reader goes on and does not exist for one that jumps. */
#include "engine/private.h"

enum {
	WALK_STEPS = 2, /* messages in a row that make a walk */
	WALK_SKIP = 16, /* messages that a walker may leave out */
	WALK_FIRST = 1 << 20, /* bytes */
	ROWS = 64,
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
static Walk *find(Engine *engine, Gen gen, guint32 uid)
{
	for (guint i = 0; i < WALKS; i++) {
		Walk *walk = &engine->walks[i];
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

static void start(Engine *engine, Gen gen, guint32 uid)
{
	Walk *oldest = &engine->walks[0];
	for (guint i = 1; i < WALKS; i++)
		if (engine->walks[i].used_us < oldest->used_us)
			oldest = &engine->walks[i];
	g_queue_clear_full(&oldest->ahead, g_free);
	g_atomic_int_set(&oldest->gen, 0);
	oldest->last = uid;
	oldest->to = uid;
	oldest->streak = 0;
	oldest->walked = 0;
	oldest->ahead_bytes = 0;
	oldest->used_us = g_get_monotonic_time();
	set_mark(oldest, uid + 1);
	g_atomic_int_set(&oldest->gen, (gint)gen);
}

static void pass(Walk *walk, guint32 uid)
{
	for (Step *step; (step = g_queue_peek_head(&walk->ahead)) && step->uid <= uid;) {
		walk->ahead_bytes -= step->size;
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

static void push(Walk *walk, Box *box, const StoreMessage *row)
{
	walk->to = row->uid;
	if (row->size > LIMIT_WALK_BODY ||
		store_has_body(box->engine->store, (Gen)walk->gen, row->uid))
		return;
	Step *step = g_new(Step, 1);
	*step = (Step){row->uid, MAX(row->size, LIMIT_LEAST_BODY)};
	g_queue_push_tail(&walk->ahead, step);
	walk->ahead_bytes += step->size;
	body_ahead(box, (Gen)walk->gen, row->uid, row->size);
}

static void fill(Engine *engine, Walk *walk, Box *box)
{
	guint64 bound = window(walk);
	while (walk->ahead_bytes < bound) {
		StoreMessage rows[ROWS];
		gsize n = store_list_rows(engine->store, (Gen)walk->gen, walk->to, rows, ROWS);
		gsize i;
		for (i = 0; i < n && rows[i].known && walk->ahead_bytes < bound; i++)
			push(walk, box, &rows[i]);
		if (i < n || n == 0)
			break;
	}
	/* The engine wants to know when the reader has come through a quarter of what is ahead. */
	const Step *quarter = g_queue_peek_nth(&walk->ahead, walk->ahead.length / 4);
	set_mark(walk, quarter ? quarter->uid : walk->last + 1);
	box_pump(box);
}

void ahead_read(Engine *engine, Box *box, Gen gen, guint32 uid)
{
	Walk *walk = find(engine, gen, uid);
	if (walk && uid == walk->last)
		return;
	if (!walk) {
		start(engine, gen, uid);
		return;
	}
	StoreMessage message;
	if (store_peek_message(engine->store, gen, uid, &message) && message.known)
		walk->walked += message.size;
	walk->streak++;
	walk->last = uid;
	walk->used_us = g_get_monotonic_time();
	pass(walk, uid);
	fill(engine, walk, box);
}

bool ahead_walking(const Engine *engine, Gen gen, guint32 uid)
{
	for (guint i = 0; i < WALKS; i++) {
		const Walk *walk = &engine->walks[i];
		if ((Gen)walk->gen == gen && walk->last == uid && walk->streak >= WALK_STEPS)
			return true;
	}
	return false;
}

bool ahead_passed(Engine *engine, Gen gen, guint32 uid)
{
	for (guint i = 0; i < WALKS; i++) {
		Walk *walk = &engine->walks[i];
		if ((Gen)g_atomic_int_get(&walk->gen) != gen)
			continue;
		guint32 mark = (guint32)g_atomic_int_get(&walk->mark);
		if (uid >= mark && g_atomic_int_compare_and_exchange(&walk->mark, (gint)mark, -1))
			return true;
	}
	return false;
}

void ahead_forget(Engine *engine, Gen gen)
{
	for (guint i = 0; i < WALKS; i++) {
		Walk *walk = &engine->walks[i];
		if ((Gen)walk->gen != gen)
			continue;
		g_queue_clear_full(&walk->ahead, g_free);
		walk->ahead_bytes = 0;
		walk->to = walk->last;
		set_mark(walk, walk->last + 1);
	}
}

void ahead_clear(Engine *engine)
{
	for (guint i = 0; i < WALKS; i++)
		g_queue_clear_full(&engine->walks[i].ahead, g_free);
}
