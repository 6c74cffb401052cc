/* Which messages the kernel may hold an entry or attributes of, so that an invalidation of a whole
 * generation names those and no other: between two UIDs of one folder there may be four billion
 * that no message has. A bit for each in blocks of neighbours: some hundred kilobytes for a folder
 * of a million that was walked, 40 bytes a message where no two are near each other. Any thread. */
#pragma once

#include "store/store.h"

typedef struct Shown Shown;

Shown *shown_new(void);
void shown_free(Shown *shown); /* accepts NULL */

/* Before the reply that shows these messages. */
void shown_add(Shown *shown, Gen gen, const ImapSet *uids);

/* Those of uids, or with NULL all, that may be known to the kernel; a new set. NULL: none of the
 * generation are. */
ImapSet *shown_among(Shown *shown, Gen gen, const ImapSet *uids);

/* All of a generation that ended; it is forgotten. NULL: none. */
ImapSet *shown_take(Shown *shown, Gen gen);

/* The generations with anything shown, as guint32. */
GArray *shown_gens(Shown *shown);
