/* What is wanted of one message and who waits for it: shared by body.c, which takes the requests,
 * fetch.c, which sends commands, and answer.c, which takes the answers. */
#pragma once

#include "engine/goal.h"
#include "engine/private.h"

typedef struct Fetch Fetch;

/* An item of one message, or bytes of it. With STORE_STRUCTURE come the fields. */
typedef struct {
	Box *box;
	Gen gen;
	guint32 uid;
	StoreItem item;
	char *section; /* of a part; NULL: the item says it */
	guint64 octets; /* how long a part is said to be; G_MAXUINT64: nobody said */
	bool fields_due, structure_due; /* of STORE_STRUCTURE: not here yet */
	bool whole;
	guint64 origin, asked; /* of a range */
	guint64 expected; /* octets on the wire, as far as known */
	bool alone; /* gets a command of its own: it may be the one that fails */
	guint tries;
	Fetch *fetch; /* under way in that command; NULL: queued */
	GQueue *queue; /* the queue it is in, NULL while under way */
	GList link; /* there */
	GPtrArray *readers; /* of Reader */
} Want;

/* Somebody waits for something of the message; it may need more than one want after another. */
typedef struct {
	Waiter *waiter;
	Goal goal; /* owned */
	guint rounds; /* wants that it was put to */
	StoreItem whole; /* the item that the last of them was to bring whole */
	guint wholes; /* how often in a row that was */
} Reader;

/* One UID FETCH under way. */
struct Fetch {
	Box *box;
	Conn *conn;
	GPtrArray *wants; /* Want*, not owned; taken out as they are answered */
	bool outlines; /* it asks for structures */
};

/* ---- want.c ---- */

void reader_free(gpointer reader);

/* A new want at the end of queue, in the box's table: whole, and with an item alone, unless it is
 * given a range. */
Want *want_new(Box *box, Gen gen, guint32 uid, const Need *need, GQueue *queue);

/* All wants of a message; NULL: none. */
GPtrArray *want_list(Box *box, guint32 uid);

/* The want that brings what is needed, or its first byte; NULL: none. */
Want *want_find(Box *box, Gen gen, guint32 uid, const Need *need);

/* Whether it is a part as the server decodes it (BINARY, RFC 3516). */
bool want_is_decoded(const Want *want);

/* Whether it is a part, as it is in the message or decoded. */
bool want_is_part(const Want *want);

/* How long what it is about is said to be: a message or a part. G_MAXUINT64: nobody said. */
guint64 want_length(const Want *want);

/* Moves it to the end of queue; NULL: into none. */
void want_enqueue(Want *want, GQueue *queue);

/* Takes it out of the command it is under way in, if any. */
void want_recall(Want *want);

/* Takes it out of everything and frees it; returns its readers. */
GPtrArray *want_end(Want *want);

/* Ends it and its readers with this error. */
void want_fail(Want *want, const GError *error);

/* Ends it and its readers since the server does not decode it: MAIL_ERROR_INVALID. */
void want_fail_decoding(Want *want, const char *why);

/* What it is about cannot be had by itself: the whole message is fetched for those who wait, now
 * and later. Decoding ends for the mount instead. Not of STORE_MESSAGE. */
void want_refuse(Want *want, const char *why);

/* The reader of this item; a new one takes the place of the one silent for longest. */
Stream *stream_of(Engine *engine, Gen gen, guint32 uid, StoreItem item);

/* What readers wait for may be there now, or need another want. */
void want_settle(Want *want);

/* ---- answer.c ---- */

/* No more will come of one that got its fields or its structure. */
void answer_half(Want *want);

/* ---- body.c ---- */

/* Finishes the reader if the store has it all, else puts it to the want that brings the first
 * of what it lacks. Takes over reader. */
void body_serve(Box *box, Gen gen, guint32 uid, Reader *reader);
