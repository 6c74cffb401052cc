/* What is wanted of one message's body and who waits for it: shared by body.c, which takes the
 * requests, and fetch.c, which sends commands and takes the answers. */
#pragma once

#include "engine/private.h"

typedef struct Fetch Fetch;

/* Bytes wanted of one message. */
typedef struct {
	Box *box;
	Gen gen;
	guint32 uid;
	bool whole;
	guint64 origin, asked; /* of a range */
	guint64 expected; /* octets on the wire, as far as known */
	bool alone; /* gets a command of its own: it may be the one that fails */
	guint tries;
	Fetch *fetch; /* under way in that command; NULL: queued */
	GQueue *queue; /* the queue it is in, NULL while under way */
	GPtrArray *readers; /* of Reader */
} Want;

/* Somebody waits for a range of the message; it may need more than one want after another. */
typedef struct {
	Waiter *waiter;
	guint64 offset, len;
	guint rounds;
} Reader;

/* One UID FETCH under way. */
struct Fetch {
	Box *box;
	Conn *conn;
	GPtrArray *wants; /* Want*, not owned; taken out as they are answered */
};

/* ---- want.c ---- */

void reader_free(gpointer reader);

/* A new want at the end of queue, in the box's table. */
Want *want_new(Box *box, Gen gen, guint32 uid, GQueue *queue);

/* All wants of a message; NULL: none. */
GPtrArray *want_list(Box *box, guint32 uid);

/* The want that brings the byte at offset; NULL: none. */
Want *want_find(Box *box, Gen gen, guint32 uid, guint64 offset);

/* Moves it to the end of queue; NULL: into none. */
void want_enqueue(Want *want, GQueue *queue);

/* Takes it out of the command it is under way in, if any. */
void want_recall(Want *want);

/* Takes it out of everything and frees it; returns its readers. */
GPtrArray *want_end(Want *want);

/* Ends it and its readers with this error. */
void want_fail(Want *want, const GError *error);

/* The reader of this message; a new one takes the place of the one silent for longest. */
Stream *stream_of(Engine *engine, Gen gen, guint32 uid);

/* ---- body.c ---- */

/* Finishes the reader if the store has it all, else puts it to the want that brings the first
 * byte it lacks. Takes over reader. */
void body_serve(Box *box, Gen gen, guint32 uid, Reader *reader);
