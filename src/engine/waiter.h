/* Somebody outside who waits for a verb. */
#pragma once

#include "engine/engine.h"

/* Finished at most once, by the verb, by its deadline, or because the account is gone; after that
 * the verb still holds it, and finishing again does nothing. */
typedef struct {
	guint refs;
	Engine *engine;
	EngineDone done; /* NULL once finished */
	gpointer data;
	gint64 since_us;
	GList link; /* in Engine.waiting while unfinished */
} Waiter;

Waiter *waiter_new(Engine *engine, EngineDone done, gpointer data);
Waiter *waiter_ref(Waiter *waiter);
void waiter_unref(Waiter *waiter);
void waiter_finish(Waiter *waiter, const GError *error);
/* Likewise, with an error of this text. Takes over the caller's reference. */
void waiter_fail(Waiter *waiter, MailError code, const char *text);
/* Those of all requests, but not of who started and still waits for the first connection. */
void waiters_finish_all(Engine *engine, const GError *error);
/* Ends the waiters for which nothing moved on the wire for the timeout. Returns whether somebody
 * waits and nothing has moved for a while: the wire may be a black hole. */
bool waiters_expire(Engine *engine, gint64 now_us);

/* Who waits for which message: UID to an array of waiters. add() takes over the caller's reference;
 * end() finishes those of one UID and forgets them; take() moves all of them to the array. */
GHashTable *waiters_table_new(void);
void waiters_table_add(GHashTable *table, guint32 uid, Waiter *waiter);
void waiters_table_end(GHashTable *table, guint32 uid, const GError *error);
void waiters_table_take(GHashTable *table, GPtrArray *to);

/* A growing array that owns Waiter references. */
GPtrArray *waiters_new(void);
/* Finishes and drops all of the array. */
void waiters_finish(GPtrArray *waiters, const GError *error);
