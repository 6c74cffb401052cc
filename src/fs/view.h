/* Views: hidden directories of every folder that show its messages in another form. They resolve by
 * name and are not listed, unless -o views says so. One table tells them apart. Pure. */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef enum {
	VIEW_TEXT, /* `.text/57.txt`: what a reader wants of a message */
	VIEW_PARTS, /* `.parts/57/`: a directory with the header and each part */
	VIEW_SEARCH, /* `.search/QUERY/`: the messages that match */
	VIEW_NAMES, /* `.names`: the messages under readable names */
	VIEW_KINDS_
} ViewKind;

/* The view whose directory has this name. false: none has, and ret is untouched. */
bool view_find(const char *name, ViewKind *ret);

/* ".text". */
const char *view_name(ViewKind kind);

/* Whether its entries cannot be changed, nor anything be added: the others have messages. */
bool view_is_fixed(ViewKind kind);

/* What stands behind the UID in the name of a message there: ".txt", ""; NULL: it is not called by
 * its UID. */
const char *view_suffix(ViewKind kind);

/* Whether a message is a directory there. */
bool view_has_directories(ViewKind kind);
