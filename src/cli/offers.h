/* What the capabilities of a server mean for a mount, in words. Pure. */
#pragma once

#include "store/store.h"

/* A line for each matter: "new mail: ...". caps: IMAP_CAP_BIT()s; append_limit: octets, 0: not
 * told. New string. */
char *offers_of_caps(guint64 caps, guint64 append_limit);

/* The folders with a special use (RFC 6154), in one line, or "" when none is marked. mailboxes: of
 * StoreMailbox. New string. */
char *offers_of_mailboxes(const GArray *mailboxes);
