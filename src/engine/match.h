/* Which message is the outcome of a change whose answer was lost. Engine thread. */
#pragma once

#include "engine/change.h"

enum { MATCH_HEADER_MOST = 64 << 10 }; /* of one message that is looked at */

/* A message that may be what is looked for, as FETCH tells of it. */
typedef struct {
	guint32 uid;
	guint64 size;
	gint64 date;
	char *message_id; /* owned; NULL: it has none, or it did not come */
	GBytes *header; /* owned; NULL: was not asked for */
	bool claimed; /* it is another change's, or told a second time */
	bool taken; /* it was found to be a change's now */
} MatchRow;

void match_row_clear(gpointer row);

/* How much smaller the message of an APPEND may be than what was sent: a server that keeps LF as
 * the ends of lines may lose a CR that ends none. Then the header must be known. */
guint64 match_slack(const Change *change);

/* Notes which of the rows (MatchRow) of a mailbox are not to be had. */
void match_claim(GArray *rows, Engine *engine, MailboxId target, Gen gen);

/* The UID of a row that is the outcome of this change, which no other gets from now on; 0: none
 * is for certain. */
guint32 match_find(GArray *rows, const Change *change, guint32 uidvalidity);
