/* One request that may have to wait for the engine. It begins on the stack of a worker; only when
 * the store cannot answer is it parked, with a copy, until the engine's verb is done. No worker
 * waits. */
#pragma once

#include "fs/fs.h"

typedef struct Op Op;

/* Tries the store. Either answers op->req and returns false, or returns what one of the op_ verbs
 * below returned; it is then called again when that verb is done, error saying how. */
typedef bool (*OpAdvance)(Op *op, const GError *error);

struct Op {
	OpAdvance advance;
	Fs *fs;
	fuse_req_t req;
	fuse_ino_t ino; /* of LOOKUP: the parent */
	Inode at; /* the same, unpacked */
	const char *name;
	gsize size;
	guint64 offset;
	bool plus;
	Gen gen; /* READDIR: what the directory was opened with; 0: no messages */
	int failed; /* READDIR: why there are none, an errno; 0: there shall be none */
	bool synced; /* op_sync() was done */
	bool turned; /* op_turn() was done */
	bool renumbered; /* op_renumbered() was done */
	bool fetched; /* op_attributes(), op_flags() or op_body() was done */
	guint64 told; /* READ: the size that the kernel was told */

	guint64 ticket; /* while parked */
	bool parked; /* this is the copy */
	bool reading; /* kernel_read_ends() is owed: by op.c, unless read.c takes it over */
};

/* Answers ESTALE when the inode is none of ours; otherwise runs op until it is answered or parked.
 */
void op_run(Op *op);

/* READ, and LOOKUP in `.imapfs` and of its own name, of what imapfs says of itself (own.c). Answer.
 */
void own_read(const Op *op);
void own_lookup(const Op *op);

/* Parks the request until the kernel was told that the messages of its directory are others now. */
bool op_renumbered(Op *op);

/* Parks the request until the engine has told all news of what the store has now. */
bool op_turn(Op *op);

/* Park the request and ask the engine. What they return is advance's answer; op is
 * not to be touched any more. */
bool op_sync(Op *op, MailboxId mailbox);
bool op_attributes(Op *op, Gen gen, guint32 uid);
bool op_flags(Op *op, Gen gen, guint32 uid);
bool op_body(Op *op, Gen gen, guint32 uid);
