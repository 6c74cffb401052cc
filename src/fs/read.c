/* READ: bytes of a message, from the store or, parked, from the engine.
 *
 * The kernel trusts the size that it was told, and a server may have told us a wrong one. Then:
 *  - Too small: every READ answers the true bytes of the whole range, past that size too, and the
 *    attributes are invalidated before the reply that shows more, so that the reader's next read()
 * asks for the size again instead of seeing an end of file.
 *  - Too large: the READ is answered short and the kernel lowers the size itself, but only if no
 *    invalidation came between the READ and its reply; otherwise the reader would be shown NUL
 * bytes up to the wrong size. So there is none while a READ waits. events.c decides which it is.
 * Replies go behind the corrections that are queued: the first body that catches the server is not
 * shown before all other sizes are forgotten, so that whoever read it and goes on to the next
 * message finds nothing wrong there. */
#include <errno.h>

#include "fs/op.h"

/* One buffer a thread, as large as the largest READ so far: a READ has 1 MiB at most. */
static char *read_buffer(gsize size)
{
	static GPrivate key = G_PRIVATE_INIT(g_free);
	typedef struct {
		gsize size;
		char bytes[];
	} Buffer;
	Buffer *buffer = g_private_get(&key);
	if (!buffer || buffer->size < size) {
		buffer = g_malloc(sizeof(*buffer) + size);
		buffer->size = size;
		g_private_replace(&key, buffer);
	}
	return buffer->bytes;
}

/* A reply behind corrections. */
typedef struct {
	Kernel *kernel;
	fuse_req_t req;
	GBytes *bytes;
	fuse_ino_t reading; /* 0: kernel_read_ends() is not owed */
} Answer;

static void answer(gpointer data)
{
	Answer *later = data;
	gsize len;
	const void *bytes = g_bytes_get_data(later->bytes, &len);
	kernel_reply_bytes(later->req, bytes, len);
	if (later->reading != 0)
		kernel_read_ends(later->kernel, later->reading);
	g_bytes_unref(later->bytes);
	g_free(later);
}

static void reply(Op *op, const char *bytes, gsize n)
{
	Notify *notify = op->fs->notify;
	if (!notify_correcting(notify)) {
		kernel_reply_bytes(op->req, bytes, n);
		return;
	}
	Answer *later = g_new0(Answer, 1);
	*later = (Answer){
		.kernel = op->fs->kernel,
		.req = op->req,
		.bytes = g_bytes_new(bytes, n),
		.reading = op->reading ? op->ino : 0,
	};
	op->reading = false;
	notify_then(notify, answer, later);
}

static guint64 told_size(const Op *op)
{
	StoreMessage message;
	if (store_try_message(op->fs->store, op->at.id, op->at.uid, &message) != STORE_HIT)
		return G_MAXUINT64;
	return message.size;
}

static bool advance(Op *op, const GError *error)
{
	Fs *fs = op->fs;
	if (op->at.kind == INODE_OWN) {
		own_read(op);
		return false;
	}
	if (op->at.kind != INODE_MESSAGE) {
		kernel_reply_errno(op->req, EISDIR);
		return false;
	}
	Gen gen = op->at.id;
	guint32 uid = op->at.uid;
	char *buffer = read_buffer(op->size);
	gsize n = 0;
	switch (store_try_read(fs->store, gen, uid, op->offset, buffer, op->size, &n)) {
	case STORE_HIT:
		reply(op, buffer, n);
		engine_note_read(fs->engine, gen, uid, op->offset, (guint32)n);
		return false;
	case STORE_ABSENT:
		kernel_reply_errno(op->req, ESTALE);
		return false;
	case STORE_MISS:
		break;
	}
	if (op->fetched) {
		kernel_reply_error(op->req, error);
		return false;
	}
	op->told = told_size(op);
	return op_body(op, gen, uid);
}

void read_request(
	fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *info)
{
	Op op = {
		.advance = advance,
		.fs = kernel_owner(req),
		.req = req,
		.ino = ino,
		.size = size,
		.offset = (guint64)offset,
	};
	op_run(&op);
}
