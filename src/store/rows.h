/* The attributes of a mailbox's messages: one array of 16-byte rows sorted by UID, exactly sized
 * when it is made. Pure; index.c holds the lock. */
#pragma once

#include "imap/set.h"
#include "store/keywords.h"

/* Dates are kept from 1970 to 2106 and sizes below 16 TiB; what lies outside is shown as the
 * nearest that fits. \Deleted is not among the flags: the index keeps it as a set. */
typedef struct {
	guint32 uid;
	guint32 date; /* seconds since 1970 */
	guint64 size : 44;
	guint64 flags : 6; /* IMAP_FLAG_* */
	guint64 has_size : 1, has_date : 1, has_flags : 1;
	guint64 verified : 1; /* size is the length of the body, seen */
	guint64 keywords : KEYWORDS_BITS; /* a number of the generation's Keywords */
} Row;

G_STATIC_ASSERT(sizeof(Row) == 16);

#define ROW_SIZE_MAX (((guint64)1 << 44) - 1)
#define ROW_FLAGS_MASK 0x3fu

typedef struct {
	Row *at; /* NULL: no attribute of any message is known */
	gsize n, room;
} Rows;

/* Rows for all of uids, with those of old (sorted too) kept where the UID stays, and room for
 * `spare` more. */
Rows store_rows_build(const Rows *old, const ImapSet *uids, gsize spare);
void store_rows_clear(Rows *rows);

/* The row of a UID or NULL. */
Row *store_rows_find(const Rows *rows, guint32 uid);

/* Index of the first row with a UID >= uid; rows->n when there is none. */
gsize store_rows_lower_bound(const Rows *rows, guint32 uid);

/* Whether store_rows_append() can take uids: all above the last row, and there is room. */
bool store_rows_can_append(const Rows *rows, const ImapSet *uids);
void store_rows_append(Rows *rows, const ImapSet *uids);

/* Takes the rows of uids out, in one pass from the first of them on. */
void store_rows_remove(Rows *rows, const ImapSet *uids);

/* Clamped assignment, see above. */
void store_row_set_size(Row *row, guint64 size);
void store_row_set_date(Row *row, gint64 date);
void store_row_set_flags(Row *row, guint flags);

/* Size, date and flags are all there. */
bool store_row_known(const Row *row);
