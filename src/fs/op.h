/* One request that may have to wait for the engine. It begins on the stack of a worker; only when
 * the store cannot answer is it parked, with a copy, until the engine's verb is done. No worker
 * waits. */
#pragma once

#include "fs/excerpt.h"
#include "fs/staged.h"

typedef struct Op Op;

/* Tries the store. Either answers op->req and returns false, or returns what one of the op_ verbs
 * below returned; it is then called again when that verb is done, error saying how. */
typedef bool (*OpAdvance)(Op *op, const GError *error);

struct Op {
	OpAdvance advance;
	Fs *fs;
	fuse_req_t req;
	fuse_ino_t ino; /* where a name is looked for: of the directory */
	Inode at; /* the same, unpacked; of a copy that waits: the message behind it */
	const char *name;
	const char *bytes; /* WRITE: size of them */
	fuse_ino_t new_ino; /* RENAME: of the directory it goes to */
	const char *new_name; /* RENAME */
	guint flags; /* RENAME, SETXATTR */
	const char *value; /* SETXATTR; NULL: REMOVEXATTR */
	guint64 of; /* of a copy that waits, and in xattrs of what is moved: the change that is to
		     * bring it (EngineChange.of) */
	gsize size;
	guint64 offset;
	int which; /* SETATTR: FUSE_SET_ATTR_*; size is the length it sets */
	struct timespec date; /* SETATTR: the time of the last change */
	bool plus;
	Gen gen; /* READDIR: what the directory was opened with; 0: no messages */
	int failed; /* READDIR: why there are none, an errno; 0: there shall be none */
	bool synced; /* op_sync() was done */
	bool turned; /* op_turn() was done */
	bool renumbered; /* op_renumbered() was done */
	bool settled; /* op_settle() was done */
	bool fetched; /* op_attributes(), op_flags(), op_body() or op_fill() was done */
	bool outlined; /* op_outline() was done */
	bool searched; /* search_result() asked the server */
	guint looked; /* LOOKUP: how often what the name meant has gone meanwhile */
	bool changed; /* what it asks for was asked of the engine; what is left is the answer */
	guint64 told; /* READ: the size that the kernel was told */
	guint lacks; /* op_lack() was done so many times */
	LackKind lacked; /* what was missing then */
	StoreItem lacked_item;
	bool sized; /* what was Lack.sizing was asked for */

	guint64 ticket; /* while parked */
	bool parked; /* this is the copy */
	bool reading; /* kernel_read_ends() is owed: by op.c, unless read.c takes it over */
};

/* Answers ESTALE when the inode is none of ours; otherwise runs op until it is answered or parked.
 */
void op_run(Op *op);

/* What op->ino means by now: sets `at` and `of`. false: nothing any more. */
bool op_find(Op *op);

/* Answers with the attributes of op->at: an OpAdvance. */
bool attr_advance(Op *op, const GError *error);

/* READ, and LOOKUP in `.imapfs` and of its own name, of what imapfs says of itself (own.c). Answer.
 */
void own_read(const Op *op);
void own_lookup(const Op *op);

/* Parks the request until the kernel was told that the messages of its directory are others now. */
bool op_renumbered(Op *op);

/* Parks the request until the engine has told all news of what the store has now. */
bool op_turn(Op *op);

/* Parks the request for a verb that op_resume() ends, with what this returns as its data: op is not
 * to be touched any more, nor that. NULL: it was interrupted, and is answered. */
Op *op_park(Op *op);
void op_resume(const GError *error, gpointer data);

/* The same in a thread that may take its time: with what is read of many messages, or taken apart.
 */
void op_resume_later(const GError *error, gpointer data);

/* For xattrs: whether it is a message, or a text that became one or is about to, which `at`, or
 * `of`, says then. */
bool op_described(Op *op);

/* The message of `at` as it is known, and its keywords as store_keywords() has them; of one that is
 * on its way, which `of` says then, as they are to be. false: there is no such message. */
bool op_flagged(Op *op, StoreMessage *ret, char **ret_keywords);

/* Whether the message of `at` is on its way, by the change that `of` says then. */
bool op_waits(Op *op);

/* Whether the message of `at` was moved elsewhere by us: `at` is what it is there then. */
bool op_follow(Op *op);

/* Asks the engine for a change and parks the request, as below; `changed` says that it was done. */
bool op_change(Op *op, const EngineChange *change);

/* Park the request and ask the engine. What they return is advance's answer; op is
 * not to be touched any more. */
bool op_sync(Op *op, MailboxId mailbox);
bool op_settle(Op *op, MailboxId mailbox); /* as engine_settle() */
bool op_attributes(Op *op, Gen gen, guint32 uid);
bool op_flags(Op *op, Gen gen, guint32 uid);
bool op_outline(Op *op, Gen gen, guint32 uid, bool structure); /* as engine_outline() */
bool op_body(Op *op, Gen gen, guint32 uid);
bool op_flush(Op *op, Staged *staged, bool forced);
bool op_fill(Op *op, Staged *staged);

/* Asks for what the readable name of a message is made of. false: that was done before; otherwise
 * *ret_parked is advance's answer. */
bool op_read_name(Op *op, Gen gen, guint32 uid, bool *ret_parked);

/* Asks the engine for what an excerpt lacks, and goes on in a thread that may take its time; or, if
 * that failed before, answers. */
bool op_lack(Op *op, const GError *error, const Excerpt *excerpt, const Lack *lack);

/* The threads that go on with requests. */
Workers *op_workers_new(void);

/* The staged file that an inode means, or that is shown instead of its message: a reference; NULL:
 * there is none. */
Staged *op_staged(const Op *op);

/* The same of what is to be written to: a message begins to be rewritten, if -o edit allows it; one
 * that is on its way when it is there.
 * NULL: that is answered or, with *ret_parked, on its way. */
Staged *op_writable(Op *op, const GError *error, bool *ret_parked);
