/* What READDIR answers, entry by entry, as much of it as there is room for.
 *
 * The offset of an entry says what it is: 1 and 2 are `.` and `..`, 2 + id a directory, 3 + the
 * highest id `.imapfs`, behind which views come in their order, that of the last view + number a
 * staged file, 2^31 + number an alias that waits, generation * 2^32 + uid a message, also in a
 * view; in `.imapfs` and `.parts/57` 3 + i is the entry i. What waits comes before the
 * messages, so that one that arrives meanwhile is shown under two names and not under none.
 * Listing goes on after that, whatever came or went meanwhile: nothing is shown twice and nothing
 * that stayed is left out. The kernel, too, goes on after it, in what it keeps of whoever listed
 * the directory last: it asks us where it does not find it there, so for the offset of another
 * generation. */
#pragma once

#include "fs/op.h"
#include "fs/query.h"

#define OFFSET_WAITING ((guint64)1 << 31)
#define OFFSET_MESSAGES ((guint64)1 << 32) /* of the first generation */

enum {
	OFFSET_SELF = 1,
	OFFSET_PARENT = 2,
	OFFSET_OWN = OFFSET_PARENT + INODE_ID_MAX + 1,
	OFFSET_VIEWS = OFFSET_OWN + 1, /* of the first */
	OFFSET_STAGED = OFFSET_VIEWS + VIEW_KINDS_ - 1, /* of number 0, which none has */

	/* Of what is in `.parts/57`: the first. */
	OFFSET_PARTS = OFFSET_PARENT + 1,
};

typedef struct {
	Op *op;
	const Tree *tree;
	const TreeDir *dir;
	char *bytes;
	gsize used;
	Gen gen;
	ImapSet *uids; /* the messages that come with an entry */
	guint32 unread; /* the first one whose readable name has to be asked for; 0: none */
	bool away; /* that would be in vain */
	bool provisional; /* some that have one are called by their UID for now */
} Listing;

/* Each adds what comes behind op->offset. false: it is full. */
bool listing_add(
	Listing *listing, const char *name, const struct fuse_entry_param *entry, guint64 offset);
bool listing_add_dots(Listing *listing, const struct stat *self, const struct stat *parent);

/* A name alone: who looks at it asks for what it is. */
bool listing_add_name(
	Listing *listing, const char *name, fuse_ino_t ino, mode_t type, guint64 offset);

/* What comes before the messages: of a folder, and of a view or a query. */
bool listing_add_first(Listing *listing);
bool listing_add_first_of_view(Listing *listing);

/* The messages, of a folder or a view. Returns the first UID whose attributes are missing and
 * wanted, otherwise 0. The kernel asks for the first part of a listing with attributes whatever it
 * is for, and for the further ones only when they are used. */
guint32 listing_add_messages(Listing *listing);

/* What a query found. */
void listing_add_found(Listing *listing, const QueryResult *found);
