/* Names that users give: kept right as messages come and go and while they are on their way, and
 * the kernel is told. What they are is in fs/alias.h. Engine thread, but for given_yield(). */
#pragma once

#include "fs/fs.h"

/* What the kernel knows of the names of these messages may be wrong. uids NULL: of all of the
 * generation. */
void given_doubt(Fs *fs, Gen gen, const ImapSet *uids);

/* These are not listed any more; uids NULL: the generation has ended. */
void given_gone(Fs *fs, Gen gen, const ImapSet *uids);

/* These messages are listed newly; uids NULL: all of the mailbox are. Where their own names were
 * given to others these have them no longer, and what is on its way here waits under another one.
 * Any thread. */
void given_yield(Fs *fs, const Tree *tree, const TreeDir *dir, const ImapSet *uids);

/* Of EngineEvents. */
void given_made(Gen gen, const ImapSet *uids, gpointer data);
void given_begun(const Intent *intent, MailboxId mailbox, MailboxId target, gpointer data);
void given_ended(const Intent *intent, Gen gen, guint32 uid, const GError *error, gpointer data);
