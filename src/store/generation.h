/* A generation in memory: the set of its UIDs, the subset of them that is \Deleted, and rows
 * (rows.h) once an attribute of any message came: the names of a million messages cost a few
 * ranges, their attributes 16 MB. Every field is guarded by Store.lock. */
#pragma once

#include "store/private.h"
#include "store/rows.h"

typedef struct {
	MailboxId mailbox;
	guint32 uidvalidity;
	gint64 names_time;
	StoreMark mark;
	ImapSet *uids; /* NULL: the names are not known */
	ImapSet *deleted; /* part of uids */
	ImapSet *leaving; /* store_set_leaving(); not only of uids */
	ImapSet *hidden; /* part of uids: those of the two that are not listed */
	ImapSet *stale; /* whose flags may have changed; not only of uids */
	Rows rows; /* empty, or one for each of uids */
	Keywords *keywords; /* of the rows */
	bool rows_kept; /* rows of an earlier mount are in the index file only: store_recall() */
	ImapSet *unsaved; /* rows that changed since they were saved */
	ImapSet *went; /* UIDs that went since, back again or not */
	ImapSet *came; /* rows_kept: UIDs that came since, whose rows there are not theirs */
} Generation;

/* A new one, not in the store yet. */
Generation *store_generation_new(MailboxId mailbox, guint32 uidvalidity);

/* Makes it the current one of its mailbox. Lock held as writer. */
void store_put_generation(Store *store, Gen gen, Generation *g);

/* From now on no generation gets this id, nor one below it. */
void store_put_no_generation(Store *store, Gen gen);

/* NULL: there is none, or it is old. Lock held, or the engine thread. */
Generation *store_generation(const Store *store, Gen gen);

/* Whether a message of uids is shown in listings. Lock held, or the engine thread. */
bool store_is_listed(const Generation *g, guint32 uid);

/* Hides a message of uids, or shows it, as its other sets say. Lock held as writer. */
void store_hide_locked(const Store *store, Generation *g, guint32 uid);
