/* What the capabilities of a server mean for a mount, in words. Pure. */
#pragma once

#include "store/store.h"

/* A line for each matter: "new mail: ...". caps: IMAP_CAP_BIT()s. New string. */
char *offers_of_caps(guint64 caps);

/* The folders with a special use (RFC 6154), in one line, or "" when none is marked. mailboxes: of
 * StoreMailbox. New string. */
char *offers_of_mailboxes(const GArray *mailboxes);
