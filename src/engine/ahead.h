/* Readers that walk a folder, or go on inside one large message. */
#pragma once

#include "engine/engine.h"

typedef struct Box Box;

enum { WALKS = 4, STREAMS = 8 };

/* What a reader takes of each message. */
typedef enum { WALK_BODIES, WALK_TEXTS, WALK_KINDS_ } WalkKind;

/* A reader that takes one message of a mailbox after the other. */
typedef struct {
	WalkKind kind;
	gint gen; /* atomic: read by any thread */
	gint mark; /* atomic: from this UID on the engine wants to know */
	guint32 last, to;
	guint streak;
	guint64 walked; /* bytes the reader has taken */
	guint64 ahead_bytes;
	GQueue ahead; /* WalkStep* not yet read */
	guint planned; /* of these, from the first on: what they need is asked for */
	gint64 used_us;
} Walk;

/* A reader inside one large message, or a part of it. */
typedef struct {
	Gen gen;
	guint32 uid;
	StoreItem item;
	guint64 next; /* where it will go on */
	guint64 range; /* octets asked for last */
	guint64 cut; /* where an answer shorter than asked ended before the announced end */
	gint64 used_us;
} Stream;

/* Whether the reader of this message passed a mark; the mark is taken, so that one tells. Any
 * thread, never blocks. */
bool ahead_passed(Engine *engine, WalkKind kind, Gen gen, guint32 uid);

/* A reader came to this message: asks for those that it will come to. */
void ahead_read(Engine *engine, Box *box, WalkKind kind, Gen gen, guint32 uid);

/* Outlines of messages in the mailbox came, or will not: what they name can be asked for. */
void ahead_outlined(Box *box);

/* Whether who reads the body of this message came to it walking. */
bool ahead_walking(const Engine *engine, Gen gen, guint32 uid);

/* What was asked for ahead of readers of this generation was dropped. */
void ahead_forget(Engine *engine, Gen gen);

void ahead_clear(Engine *engine);
