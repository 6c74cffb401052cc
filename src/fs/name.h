/* File names: how a mailbox name's component and a message are called in the tree. Pure.
 *
 * A component is decoded from modified UTF-7 and escaped so that it is a file name and so that two
 * components never get the same one:
 *  - `/`, `%` and control characters are written %XX; so is the `.` that makes a name `.`, `..`,
 * one of ours (.imapfs .text .parts .search .names) or like a message's (57.eml);
 *  - a component that is not properly encoded is shown byte for byte, what is not UTF-8 as %XX,
 *    with a lone `%` at its end; the empty component is `%`;
 *  - what is longer than 255 bytes is cut and ends in `~` and 16 hex digits of its SHA-256; a `~`
 *    that would make another name look so is %7E. */
#pragma once

#include <glib.h>
#include <stdbool.h>

enum {
	NAME_MAX_BYTES = 255,

	/* "4294967295.eml" and its NUL. */
	NAME_MESSAGE_BYTES = 15,
};

/* The file name of one component of a mailbox name as on the wire: 1 to 255 bytes of UTF-8. New
 * string. */
char *name_from_component(const char *bytes, gsize len);

/* A second file name for a component whose first one is taken: name, cut where needed, `~` and 16
 * hex digits of the SHA-256 of bytes. name_from_component() never returns such a name for
 * anything short. New string. */
char *name_distinct(const char *name, const char *bytes, gsize len);

/* "57.eml". */
void name_of_message(guint32 uid, char ret[static NAME_MESSAGE_BYTES]);

/* The UID of exactly such a name: decimal, no leading zero, 1 to 4294967295; otherwise 0. */
guint32 name_to_uid(const char *name);
