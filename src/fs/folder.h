/* Directories that are mailboxes: their names on the wire. */
#pragma once

#include "fs/fs.h"

/* What a mailbox of this name in the directory is called on the wire: 0 and a new string, or the
 * errno of the refusal: EPERM for names that begin with a dot and where there can be no mailbox
 * below, EINVAL for what no mailbox would be shown as, ENAMETOOLONG. Any thread. */
int folder_wire_name(
	const Fs *fs, const Tree *tree, const TreeDir *parent, const char *name, char **ret_wire);

/* Whether it shows neither mailboxes nor messages nor staged files, as far as is known. Any thread.
 */
bool folder_is_empty(const Fs *fs, const Tree *tree, const TreeDir *dir);
