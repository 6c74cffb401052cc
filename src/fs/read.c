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
#include "fs/rendered.h"

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

/* The end of the file, a while after corrections. */
static void reply_later(const Op *op)
{
	Answer *later = g_new0(Answer, 1);
	*later = (Answer){.kernel = op->fs->kernel, .req = op->req, .bytes = g_bytes_new(NULL, 0)};
	notify_then_later(op->fs->notify, answer, later);
}

static guint64 told_size(const Op *op, Gen gen, guint32 uid)
{
	StoreMessage message;
	if (store_try_message(op->fs->store, gen, uid, &message) != STORE_HIT)
		return G_MAXUINT64;
	return message.size;
}

static bool advance_message(Op *op, const GError *error, Gen gen, guint32 uid)
{
	Fs *fs = op->fs;
	char *buffer = read_buffer(op->size);
	gsize n = 0;
	switch (store_try_read(
		fs->store, gen, uid, STORE_MESSAGE, op->offset, buffer, op->size, &n)) {
	case STORE_HIT:
		reply(op, buffer, n);
		engine_note_read(fs->engine, gen, uid, op->offset, (guint32)n);
		return false;
	case STORE_ABSENT:
		if (op->at.kind == INODE_MESSAGE && op_follow(op))
			return advance_message(op, NULL, op->at.id, op->at.uid);
		kernel_reply_errno(op->req, ESTALE);
		return false;
	case STORE_MISS:
		break;
	}
	if (op->fetched) {
		kernel_reply_error(op->req, error);
		return false;
	}
	op->told = told_size(op, gen, uid);
	return op_body(op, gen, uid);
}

/* ---- files made of messages ---- */

/* The kernel was told a size that the file does not pass. A READ that the file ends in is answered
 * short, and lowers it. One of another reader behind the end, sent before that, would lower it
 * too, but not far enough, and then the first one no more: so it is answered a while later. */
static void reply_excerpt(Op *op, const Excerpt *excerpt, const char *bytes, gsize n)
{
	Fs *fs = op->fs;
	guint64 size, told = rendered_told(fs->rendered, excerpt->ino);
	bool sized = rendered_size(fs->rendered, excerpt->ino, &size);
	if (told != 0 && (op->offset + n > told || (sized && size > told)))
		notify_correct(fs->notify, excerpt->ino);
	if (n == 0 && op->offset > 0)
		reply_later(op);
	else
		reply(op, bytes, n);
}

static bool advance_excerpt(Op *op, const GError *error)
{
	char *buffer = read_buffer(op->size);
	gsize n = 0;
	g_auto(Excerpt) excerpt = {0};
	Lack lack;
	if (!excerpt_open(op->fs, op->at, &excerpt, &lack) ||
		!excerpt_read(&excerpt, op->offset, op->size, buffer, &n, &lack))
		return op_lack(op, error, &excerpt, &lack);
	reply_excerpt(op, &excerpt, buffer, n);
	excerpt_was_read(op->fs);
	if (op->at.kind == INODE_TEXT && op->offset == 0)
		engine_note_text(op->fs->engine, op->at.id, op->at.uid);
	return false;
}

static void reply_staged(Op *op, Staged *staged)
{
	char *buffer = read_buffer(op->size);
	gsize n;
	int failed = staged_read(staged, op->offset, buffer, op->size, &n);
	if (failed == 0)
		kernel_reply_bytes(op->req, buffer, n);
	else
		kernel_reply_errno(op->req, failed);
}

/* A staged copy has the bytes of what it is to be a copy of. */
static bool advance_staged(Op *op, const GError *error, Staged *staged)
{
	Gen gen;
	guint32 uid;
	staged_note_read(staged);
	if (staged_is_copy(staged, &gen, &uid))
		return advance_message(op, error, gen, uid);
	reply_staged(op, staged);
	return false;
}

static bool advance(Op *op, const GError *error)
{
	g_autoptr(Staged) staged = op_staged(op);
	if (staged)
		return advance_staged(op, error, staged);
	switch (op->at.kind) {
	case INODE_MESSAGE:
		return advance_message(op, error, op->at.id, op->at.uid);
	case INODE_OWN:
		own_read(op);
		return false;
	case INODE_TEXT:
	case INODE_PART:
		return advance_excerpt(op, error);
	case INODE_STAGED:
		kernel_reply_errno(op->req, ESTALE);
		return false;
	case INODE_ROOT_KIND:
	case INODE_DIRECTORY:
	case INODE_WAITING:
	case INODE_VIEW:
	case INODE_QUERY:
	case INODE_PARTS:
	case INODE_KINDS_:
		break;
	}
	kernel_reply_errno(op->req, EISDIR);
	return false;
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
