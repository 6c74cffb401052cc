/* What the kernel knows of the views of each folder, so that it is told when messages come and go.
 * Any thread, never blocks. */
#pragma once

#include "fs/fs.h"

Viewed *viewed_new(void);
void viewed_free(Viewed *viewed); /* accepts NULL */

/* Before the kernel is answered with this view of a directory. */
void viewed_add(Fs *fs, ViewKind kind, guint32 dir);

/* Before it is answered with the entry of a message in a view, as fs_shows(). */
bool viewed_shows(Fs *fs, ViewKind kind, Gen gen, guint32 uid);

/* Messages of a directory came, or went; gone: those, may be NULL. */
void viewed_changed(Fs *fs, guint32 dir, Gen gen, const ImapSet *gone);

/* Any message of the directory may be another one by now. */
void viewed_doubted(Fs *fs, guint32 dir, Gen gen);

/* As notify_renumbered(); ended: the generation (0: none) will not come back. */
void viewed_renumbered(Fs *fs, guint32 dir, Gen gen, bool ended);
