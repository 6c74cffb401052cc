/* The table of staged files, for the files that share it: staged.c keeps names and references,
 * staged-text.c the text, upload.c brings it to the server. */
#pragma once

#include "fs/staged.h"

/* A message; uid 0: none, or (replaced) what a change is about to bring. */
typedef struct {
	Gen gen;
	guint32 uid;
	guint64 of; /* that change, as of EngineChange; 0: none */
} StagedMessage;

/* Where a staged file is on its way. */
typedef enum {
	STAGED_HERE, /* what it has to say, if anything, the engine does not know */
	STAGED_ASKED, /* the engine was asked, but it may still say no at once */
	STAGED_BEGUN, /* the change is in the journal: its name is an alias */
} StagedStep;

/* A place in the tree, and what is replaced there. */
typedef struct {
	guint32 dir;
	char *name; /* NULL: none */
	StagedMessage replaces;
} StagedPlace;

struct StagedFiles {
	Fs *fs;
	GMutex lock; /* guards everything below, and each Staged */
	GHashTable *by_number; /* number to Staged */
	GHashTable *by_name; /* place_key() to Staged: those that have a name, a reference each */
	GPtrArray *named; /* the same, in order of directory and number */
	GHashTable *over; /* Staged.over and once to the Staged that is shown, a reference each */
	gint n_over; /* atomic: how many inodes, for a look without the lock */
	GQueue fresh; /* of Fresh, the latest at the tail: what was made a moment ago */
	guint32 last; /* number given last */
	guint descriptors; /* open ones of all Staged */
	guint n_asked; /* of these, those whose step is STAGED_ASKED */

	/* upload.c: the thread for what nobody else sends. */
	GThread *sender; /* NULL: it was not needed yet */
	GCond wake;
	bool closed;
};

struct Staged {
	StagedFiles *files; /* this and the number never change */
	guint32 number;

	guint refs;
	guint64 lookups;
	StagedPlace at; /* its name now, and what is replaced under it */
	guint64 over; /* inode of the message that it is shown instead of; 0: none */
	guint64 once; /* what it was to the kernel on its way there, if it is written by that; 0 */
	bool by_own; /* it is written by the former */
	guint64 uses; /* how often it was asked for by one of them */
	bool frozen; /* it may become a copy, but nothing may be written */
	bool was_read; /* so the kernel may have pages of it */
	GStrv names; /* of that message, which it keeps; NULL: none */

	/* Its text: of the descriptor, else these bytes, else this message, else none. */
	int fd; /* -1: none; once there is one it stays */
	guint64 file; /* of the descriptor, in store/unsent.h */
	GBytes *bytes;
	StagedMessage copied;
	guint64 size;
	struct timespec date; /* of the last change, or as it was set */
	bool dated; /* it was set */

	/* Each change of the text is a version. */
	guint64 version;
	guint64 flushed; /* the one that was there at the last close or fsync */
	guint64 tried; /* the last one that was on its way, whatever became of it */
	guint64 kept; /* the last one that the engine took over */

	/* Who writes. */
	pid_t owner; /* the process that will close it last; 0: none is waited for */
	guint handles; /* of CREATE, without a RELEASE so far */
	gint64 due_us; /* when it is sent although nobody closes it; 0: not so */

	/* The way there. */
	StagedStep step;
	bool busy; /* a worker or the sender is about it, or the engine is asked */
	bool again; /* when that is over the sender goes on */
	bool removed; /* it was unlinked on its way, or after */
	StagedPlace to; /* where it was sent last */
	StagedPlace before; /* what it had before its name became an alias */
	guint64 sent; /* its text in store/unsent.h that the engine has; 0: none */
	guint64 refused; /* likewise, that the server did not take */
	guint64 intent; /* what brings it, or brought it */
	StagedMessage message; /* what became of it */
	guint flags; /* IMAP_FLAG_*: those of what it replaced last, which it has in its place */
	char *keywords; /* likewise, separated by spaces; NULL: not known */
	GError *error; /* why `tried` was refused; NULL: it was not */
	bool told; /* whoever closed it was told: who only reads it then is not */
	GArray *waiters; /* of StagedWaiter */
};

/* Somebody who waits until a version is with the server. */
typedef struct {
	EngineDone done;
	gpointer data;
	guint64 version;
	bool durable; /* it shall survive a power cut from then on */
} StagedWaiter;

/* ---- staged.c ---- */

Staged *staged_ref_locked(Staged *staged);

void staged_place_set(StagedPlace *place, guint32 dir, const char *name, StagedMessage replaces);
void staged_place_clear(StagedPlace *place);

/* Gives it the name, NULL: none. What is returned had a name and has none now, be it this one: a
 * reference, whose last must not be dropped with the lock. NULL: there is none. */
Staged *staged_name_locked(Staged *staged, guint32 dir, const char *name);

/* A new one without a name. A reference; NULL with errno. */
Staged *staged_add_locked(StagedFiles *files);

void staged_step_locked(Staged *staged, StagedStep step);

/* The one of this name; no reference. */
Staged *staged_find_locked(StagedFiles *files, guint32 dir, const char *name);

/* ---- staged-text.c ---- */

/* Its descriptor, made if it has none: what its text was without one is not in it. -1 with errno.
 */
int staged_descriptor(Staged *staged);

/* What fails on the local disk. */
GError *staged_error(int errnum);

/* All of them; fewer at the end of the file, or 0 with errno. */
gsize staged_read_all(int fd, guint64 offset, char *buf, gsize len);
int staged_write_all(int fd, const char *bytes, gsize len, guint64 offset);

/* ---- staged-keep.c ---- */

typedef struct {
	guint64 file; /* its number in store/unsent.h, where it is kept */
	gint64 date; /* of its header; 0: none */
} StagedText;

/* The text of a descriptor as the server is to have it. false: INVALID when it is no message or has
 * what the server does not take, or the disk's error; nothing is kept then. */
bool staged_keep_text(Fs *fs, int from, bool durable, StagedText *ret, GError **error);

/* ---- rewrite.c ---- */

/* Nobody can write to it any more what would have to be kept apart from the message: that is shown
 * again, at once if the kernel has nothing of the text, else when it has forgotten it. */
void staged_uncover(Staged *staged);

/* What was shown instead of a message, by all of its names, is a message of its own by now. */
void staged_keep_names(Fs *fs, guint32 dir, const GStrv names, StagedMessage message);

/* ---- upload.c ---- */

/* Nobody wants it any more: it lost its name. */
void staged_abandon_locked(Staged *staged);

/* Sends what nobody waits for, if it is to be sent at all. */
void staged_send_rest(Staged *staged);

/* The same, unless it was asked for since it had been so often: false. */
bool staged_send_unused(Staged *staged, guint64 uses);

/* The text changed: it is sent some time after, if nobody closes it. */
void staged_defer_locked(Staged *staged);
