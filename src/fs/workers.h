/* A few threads that take what is handed to them, in order of arrival. */
#pragma once

#include <glib.h>

typedef struct Workers Workers;

/* fn is called in one of the threads, of which there are most at the same time; each begins when it
 * is needed first. */
Workers *workers_new(guint most, void (*fn)(gpointer item));

/* Ends the threads, after fn was called for all that was handed over. Accepts NULL; not from fn. */
void workers_free(Workers *workers);

/* Calls fn with item (not NULL); in the caller's thread only if the system gives no other. Any
 * thread; never blocks otherwise. */
void workers_push(Workers *workers, gpointer item);
