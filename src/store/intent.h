/* Intents: changes that a user made and the server has not confirmed yet. Each is in a file
 * (`intents.db`) before the tree shows it, and goes when its outcome is known, so that a crash in
 * between loses none and repeats none blindly. Engine thread only. */
#pragma once

#include "store/store.h"

typedef enum {
	INTENT_FLAGS, /* UID STORE */
	INTENT_REMOVE, /* STORE \Deleted, EXPUNGE of just that message */
	INTENT_MARK, /* STORE \Deleted, no more */
	INTENT_MOVE, /* UID MOVE, or UID COPY and then as INTENT_REMOVE */
	INTENT_COPY, /* UID COPY */
	INTENT_APPEND, /* APPEND of a file of unsent.h; then INTENT_REMOVE of what it replaces */
	INTENT_KINDS_
} IntentKind;

/* How far it is, as far as is known. */
typedef enum {
	INTENT_QUEUED, /* nothing was sent that a repetition would do twice */
	INTENT_SENT, /* a MOVE, COPY or APPEND may have been done: look before it is repeated */
	INTENT_COPIED, /* the copy, or the message, is there: what remains is to remove the source
			*/
} IntentStep;

/* Strings are owned. */
typedef struct {
	guint64 id; /* ascending in the order of the changes, never used twice */
	IntentKind kind;
	IntentStep step;

	/* The message that is changed, moved, copied, or replaced by APPEND; uid 0: none. */
	char *mailbox; /* its name on the wire; NULL as uid 0 */
	guint32 uidvalidity, uid;

	guint64 of; /* it is what this change, which is not over, is to bring; 0: it is there */

	/* MOVE, COPY, APPEND: where to. */
	char *target; /* name on the wire; NULL for other kinds */
	char *name; /* the file name that the user gave it there */
	guint32 target_uidvalidity,
		target_uidnext; /* as of a moment before it was sent; 0: unknown */
	guint32 target_uid; /* what it is there, from INTENT_COPIED on; 0: unknown */

	guint flags_add, flags_remove; /* IMAP_FLAG_*; of APPEND: its flags in flags_add */
	char *keywords_add, *keywords_remove; /* separated by spaces, NULL: none */

	guint64 file; /* APPEND: its number in unsent.h */
	guint64 size; /* octets of the message on the wire; 0: unknown */
	gint64 date; /* INTERNALDATE, seconds since 1970; 0: unknown, of APPEND: now */
	char *message_id; /* with its brackets; NULL: none, or not known */
} Intent;

Intent *intent_copy(const Intent *intent);
void intent_free(Intent *intent); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Intent, intent_free)

typedef struct Intents Intents;

/* The intents of this account: those that an earlier mount left are there already. NULL directory
 * or one that cannot be written: they are in memory only, and end with the mount. Lives as long as
 * the store. */
Intents *store_intents(Store *store);

/* Writes a new intent and gives it its id. false, and errno is set: it cannot be kept, and nothing
 * changed. */
bool store_intents_add(Intents *intents, Intent *intent);

/* Writes what changed of one: step, target_ fields. As above. */
bool store_intents_update(Intents *intents, const Intent *intent);

/* Its outcome is known. */
void store_intents_remove(Intents *intents, guint64 id);

/* Those that are kept, by id. Shown until fn returns. */
void store_intents_each(
	Intents *intents, void (*fn)(const Intent *intent, gpointer data), gpointer data);

/* Brings all that was written so far to the disk itself. Touches the disk; false with errno. */
bool store_intents_flush(Intents *intents);
