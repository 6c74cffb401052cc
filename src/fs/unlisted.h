/* Messages that changes brought here and no listing has shown yet. Their names by UID, which nobody
 * knows, stand in nobody's way so far: `cp INBOX/72.eml INBOX/73.eml Archive/` is not to find an
 * Archive/73.eml that is its copy of 72.eml. Any thread, never blocks. */
#pragma once

#include "store/store.h"

typedef struct Unlisted Unlisted;

Unlisted *unlisted_new(void);
void unlisted_free(Unlisted *unlisted); /* accepts NULL */

/* Past LIMIT_UNLISTED all that were noted before are taken for listed. */
void unlisted_add(Unlisted *unlisted, Gen gen, const ImapSet *uids);

/* A listing shows it: false if one did before. Costs nothing while there are none, as all below. */
bool unlisted_remove(Unlisted *unlisted, Gen gen, guint32 uid);

/* A listing begins: all of the generation, as a new set; NULL: there is none. */
ImapSet *unlisted_take(Unlisted *unlisted, Gen gen);

bool unlisted_has(Unlisted *unlisted, Gen gen, guint32 uid);
