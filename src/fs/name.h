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

/* The directory in the root where imapfs says of itself what there is to say. */
#define OWN_NAME ".imapfs"

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

/* The path of a folder as the beginning of a file name, which ":57.eml" is to follow:
 * "INBOX%2FLists". What is too long is cut, as above. New string. */
char *name_of_path(const char *path);

/* "57 (2).eml": another name of a message whose name is taken, cut where needed. New string. */
char *name_numbered(const char *name, guint number);

/* "57.eml". */
void name_of_message(guint32 uid, char ret[static NAME_MESSAGE_BYTES]);

/* The same with another suffix, of up to four bytes: "57.txt". */
void name_by_uid(guint32 uid, const char *suffix, char ret[static NAME_MESSAGE_BYTES]);

/* Whether it is the name of a scratch file, of which the server hears nothing before it gets
 * another name: it begins with `.`, ends in `~`, or is one that `sed -i` makes (sed and six letters
 * or digits) or Emacs saves to by itself (`#57.eml#`). */
bool name_is_scratch(const char *name);

/* The component of a mailbox name, as on the wire, that name_from_component() shows as this; NULL:
 * there is none, or none without the delimiter (0: there is no delimiter) in it. New string. */
char *name_to_component(const char *name, char delimiter);

/* The UID of exactly such a name: decimal, no leading zero, 1 to 4294967295; otherwise 0. */
guint32 name_to_uid(const char *name);

/* The same of name_by_uid(). */
guint32 name_to_uid_by(const char *name, const char *suffix);
