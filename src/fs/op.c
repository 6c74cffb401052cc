#include "fs/op.h"

#include <errno.h>

static void op_free(Op *op)
{
	if (op->reading)
		kernel_read_ends(op->fs->kernel, op->ino);
	g_free((char *)op->name);
	g_free(op);
}

static Op *op_copy(const Op *op)
{
	Op *copy = g_new(Op, 1);
	*copy = *op;
	copy->name = g_strdup(op->name);
	copy->parked = true;
	return copy;
}

/* NULL: the request was interrupted and is answered. */
static Op *op_park(Op *op)
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
static void op_resume(const GError *error, gpointer data)
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

void op_run(Op *op)
{
	if (!inode_unpack(op->ino, &op->at))
		kernel_reply_errno(op->req, ESTALE);
	else
		op->advance(op, NULL);
}

bool op_sync(Op *op, MailboxId mailbox)
{
	op->synced = true;
	Op *parked = op_park(op);
	if (!parked)
		return false;
	engine_sync(parked->fs->engine, mailbox, op_resume, parked);
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

bool op_attributes(Op *op, Gen gen, guint32 uid)
{
	op->fetched = true;
	Op *parked = op_park(op);
	if (!parked)
		return false;
	engine_attributes(parked->fs->engine, gen, uid, op_resume, parked);
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
