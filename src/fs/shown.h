/* Which messages the kernel may hold an entry or attributes of, so that an invalidation of a whole
 * generation names only those. Kept by the 256: a few bytes for a folder that was walked. Any
 * thread. */
#pragma once

#include "store/store.h"

typedef struct Shown Shown;

Shown *shown_new(void);
void shown_free(Shown *shown); /* accepts NULL */

/* Before the reply that shows them: uid, or a window from the first to the last uid. */
void shown_add(Shown *shown, Gen gen, guint32 first, guint32 last);

/* Those of uids, or with NULL all, that may be known to the kernel, and some neighbours that are
 * not. NULL: none. */
ImapSet *shown_among(Shown *shown, Gen gen, const ImapSet *uids);

/* All of a generation that ended; it is forgotten. NULL: none. */
ImapSet *shown_take(Shown *shown, Gen gen);

/* The generations with anything shown, as guint32. */
GArray *shown_gens(Shown *shown);
