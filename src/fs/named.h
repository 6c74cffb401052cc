/* The names, other than those by UID, that the kernel may hold entries of: a message that goes
 * takes them along, and what it was called cannot be made out then any more. About a hundred bytes
 * each. Any thread, never blocks. */
#pragma once

#include "store/store.h"

typedef struct Named Named;

Named *named_new(void);
void named_free(Named *named); /* accepts NULL */

/* Before the reply that shows this entry. false: there is no room (LIMIT_NAMED), and the kernel
 * must not keep it. */
bool named_add(Named *named, Gen gen, guint32 uid, const char *name);

/* Whether the message is known by this name. */
bool named_is(Named *named, Gen gen, guint32 uid, const char *name);

/* The names of these messages (uids NULL: of all of the generation), which are forgotten: strings;
 * NULL: there are none. */
GPtrArray *named_take(Named *named, Gen gen, const ImapSet *uids);
