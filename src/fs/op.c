#include "fs/op.h"

#include <errno.h>

#include "fs/alias.h"

static void op_free(Op *op)
{
	if (op->reading)
		kernel_read_ends(op->fs->kernel, op->ino);
	g_free((char *)op->name);
	g_free((char *)op->bytes);
	g_free((char *)op->new_name);
	g_free((char *)op->value);
	g_free(op);
}

static Op *op_copy(const Op *op)
{
	Op *copy = g_new(Op, 1);
	*copy = *op;
	copy->name = g_strdup(op->name);
	copy->bytes = g_memdup2(op->bytes, op->bytes ? op->size : 0);
	copy->new_name = g_strdup(op->new_name);
	copy->value = g_strdup(op->value);
	copy->parked = true;
	return copy;
}

Op *op_park(Op *op)
{
	guint64 ticket = kernel_park(op->fs->kernel, op->req);
	if (ticket == 0)
		return NULL;
	Op *parked = op->parked ? op : op_copy(op);
	parked->ticket = ticket;
	parked->req = NULL;
	return parked;
}

/* Engine thread, or one of Notify. */
void op_resume(const GError *error, gpointer data)
{
	Op *op = data;
	Kernel *kernel = op->fs->kernel;
	if (!kernel_enter(kernel)) {
		op_free(op);
		return;
	}
	op->req = kernel_unpark(kernel, op->ticket);
	if (!op->req || !op->advance(op, error))
		op_free(op);
	kernel_leave(kernel);
}

bool op_described(Op *op)
{
	Inode message = {.kind = INODE_MESSAGE};
	if (op->at.kind == INODE_MESSAGE)
		return true;
	g_autoptr(Staged) staged = op_staged(op);
	if (!staged || !staged_message(staged, &message.id, &message.uid, &op->of))
		return false;
	op->at = message;
	return true;
}

bool op_waits(Op *op)
{
	Alias alias;
	if (op->at.kind == INODE_MESSAGE && op->of == 0 &&
		aliases_leaving(op->fs->aliases, op->at.id, op->at.uid, &alias))
		op->of = alias.intent;
	return op->of != 0;
}

bool op_flagged(Op *op, StoreMessage *ret, char **ret_keywords)
{
	Fs *fs = op->fs;
	op_waits(op);
	bool found = store_peek_message(fs->store, op->at.id, op->at.uid, ret);
	char *own = op->of != 0 ? aliases_flags(fs->aliases, op->of, &ret->flags) : NULL;
	if (own) {
		ret->known = true;
		ret->flags_stale = false;
	}
	if (own || found)
		*ret_keywords = own ? own : store_keywords(fs->store, op->at.id, op->at.uid);
	return own || found;
}

bool op_follow(Op *op)
{
	Alias alias;
	if (!aliases_moved(op->fs->aliases, op->at.id, op->at.uid, &alias))
		return false;
	op->at.id = alias.gen;
	op->at.uid = alias.uid;
	op->fetched = false;
	return true;
}

/* The message that a copy is of, or by now is. */
static bool find_copy(Op *op)
{
	Alias alias;
	if (!aliases_numbered(op->fs->aliases, op->at.uid, &alias) || alias.uid == 0)
		return false;
	op->at = (Inode){.kind = INODE_MESSAGE, .id = alias.gen, .uid = alias.uid};
	op->of = alias.intent;
	return true;
}

/* Of a copy that was rewritten there is only the text that is shown instead. */
static bool is_covered(const Op *op)
{
	g_autoptr(Staged) staged = op_staged(op);
	return staged != NULL;
}

bool op_find(Op *op)
{
	op->of = 0;
	if (!inode_unpack(op->ino, &op->at))
		return false;
	return op->at.kind != INODE_WAITING || find_copy(op) || is_covered(op);
}

void op_run(Op *op)
{
	if (!op_find(op))
		kernel_reply_errno(op->req, ESTALE);
	else
		op->advance(op, NULL);
}

bool op_change(Op *op, const EngineChange *change)
{
	op->changed = true;
	Op *parked = op_park(op);
	if (!parked)
		return false;
	engine_change(parked->fs->engine, change, fs_until(parked->fs), op_resume, parked);
	return true;
}

/* Where a request goes on that asked for what the engine itself has. What is made of messages is
 * not made by its thread; OPENDIR, which has neither name nor size, makes nothing and counts on it
 * (dir.c). */
static EngineDone resume_of(const Op *op)
{
	switch (op->at.kind) {
	case INODE_TEXT:
	case INODE_PARTS:
	case INODE_PART:
		return op_resume_later;
	case INODE_VIEW:
		return op->name || op->size > 0 ? op_resume_later : op_resume;
	default:
		return op_resume;
	}
}

bool op_sync(Op *op, MailboxId mailbox)
{
	op->synced = true;
	Op *parked = op_park(op);
	if (!parked)
		return false;
	engine_sync(parked->fs->engine, mailbox, resume_of(parked), parked);
	return true;
}

bool op_settle(Op *op, MailboxId mailbox)
{
	op->settled = true;
	Op *parked = op_park(op);
	if (!parked)
		return false;
	engine_settle(parked->fs->engine, mailbox, op_resume, parked);
	return true;
}

bool op_turn(Op *op)
{
	op->turned = true;
	Op *parked = op_park(op);
	if (!parked)
		return false;
	engine_turn(parked->fs->engine, op_resume, parked);
	return true;
}

static void resume_renumbered(gpointer data)
{
	op_resume(NULL, data);
}

bool op_renumbered(Op *op)
{
	op->renumbered = true;
	Op *parked = op_park(op);
	if (!parked)
		return false;
	notify_when_renumbered(parked->fs->notify, parked->ino, resume_renumbered, parked);
	return true;
}

/* What came to a mailbox that nobody has listed is none of its messages before that is done. */
bool op_attributes(Op *op, Gen gen, guint32 uid)
{
	Store *store = op->fs->store;
	if (!op->synced && !store_names_known(store, gen))
		return op_sync(op, store_gen_mailbox(store, gen));
	op->fetched = true;
	Op *parked = op_park(op);
	if (!parked)
		return false;
	engine_attributes(parked->fs->engine, gen, uid, resume_of(parked), parked);
	return true;
}

bool op_outline(Op *op, Gen gen, guint32 uid, bool structure)
{
	op->outlined = true;
	Op *parked = op_park(op);
	if (!parked)
		return false;
	engine_outline(parked->fs->engine, gen, uid, structure, op_resume_later, parked);
	return true;
}

bool op_read_name(Op *op, Gen gen, guint32 uid, bool *ret_parked)
{
	StoreMessage message;
	bool known = store_peek_message(op->fs->store, gen, uid, &message) && message.known;
	if (!known && !op->fetched)
		*ret_parked = op_attributes(op, gen, uid);
	else if (!op->outlined)
		*ret_parked = op_outline(op, gen, uid, false);
	else
		return false;
	return true;
}

bool op_flags(Op *op, Gen gen, guint32 uid)
{
	op->fetched = true;
	Op *parked = op_park(op);
	if (!parked)
		return false;
	engine_flags(parked->fs->engine, gen, uid, op_resume, parked);
	return true;
}

bool op_body(Op *op, Gen gen, guint32 uid)
{
	op->fetched = true;
	kernel_read_begins(op->fs->kernel, op->ino, op->told);
	Op *parked = op_park(op);
	if (!parked) {
		kernel_read_ends(op->fs->kernel, op->ino);
		return false;
	}
	parked->reading = true;
	engine_body(parked->fs->engine, gen, uid, parked->offset, (guint32)parked->size, op_resume,
		parked);
	return true;
}

bool op_flush(Op *op, Staged *staged, bool forced)
{
	op->changed = true;
	Op *parked = op_park(op);
	if (!parked)
		return false;
	staged_flush(staged, forced, op_resume, parked);
	return true;
}

bool op_fill(Op *op, Staged *staged)
{
	op->fetched = true;
	Op *parked = op_park(op);
	if (!parked)
		return false;
	staged_fill(staged, op_resume, parked);
	return true;
}

/* What is shown instead of its source is not what a copy is of. */
static Staged *find_over(const Op *op)
{
	Staged *staged = staged_over(op->fs->staged, op->ino);
	if (staged || op->of != 0)
		return staged;
	return staged_over(op->fs->staged, inode_pack(op->at));
}

Staged *op_staged(const Op *op)
{
	switch (op->at.kind) {
	case INODE_STAGED:
		return staged_get(op->fs->staged, op->at.uid);
	case INODE_MESSAGE:
	case INODE_WAITING:
		return find_over(op);
	default:
		return NULL;
	}
}
