/* Values by number, of which those used last stay while they fit together. Not locked. */
#pragma once

#include <glib.h>

typedef struct Lru Lru;

/* free_value: may be NULL. */
Lru *lru_new(guint64 max_cost, GDestroyNotify free_value);
void lru_free(Lru *lru); /* accepts NULL */

/* The value, which is the one used last then; NULL: there is none. It stays the table's. */
gpointer lru_get(Lru *lru, guint64 key);

/* Takes value, in the place of one that is there. This one stays, whatever it costs; of the others
 * go those that were not used for longest. */
void lru_put(Lru *lru, guint64 key, gpointer value, guint64 cost);

void lru_remove(Lru *lru, guint64 key); /* if it is there */
