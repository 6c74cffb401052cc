/* What files made of messages lack is asked of the engine. Taking a message apart is not for its
 * thread: such a request goes on in one of a few others. */
#include "fs/op.h"
#include "fs/rendered.h"
#include "fs/workers.h"

enum {
	/* Threads that may be busy at once with what they were made for. */
	OP_WORKERS = 4,

	/* Things that one request may ask for in turn: an outline, lengths, both ends and the
	 * middle of a part, and all of it once more where a server contradicts itself. */
	OP_LACKS = 10,
};

typedef struct {
	Op *op;
	GError *error;
} Resume;

static void resume_in_worker(gpointer item)
{
	Resume *resume = item;
	op_resume(resume->error, resume->op);
	g_clear_error(&resume->error);
	g_free(resume);
}

Workers *op_workers_new(void)
{
	return workers_new(OP_WORKERS, resume_in_worker);
}

void op_resume_later(const GError *error, gpointer data)
{
	Op *op = data;
	Resume *resume = g_new0(Resume, 1);
	*resume = (Resume){op, error ? g_error_copy(error) : NULL};
	workers_push(op->fs->workers, resume);
}

/* The length that a server says of a part. */
typedef struct {
	Op *op;
	fuse_ino_t ino; /* of the part */
} Asked;

static void take_size(const GError *error, const guint64 *sizes, guint n, gpointer data)
{
	Asked *asked = data;
	Rendered *rendered = asked->op->fs->rendered;
	if (g_error_matches(error, MAIL_ERROR, MAIL_ERROR_INVALID))
		rendered_set_encoded(rendered, asked->ino);
	else if (!error && n == 1 && sizes[0] != G_MAXUINT64)
		rendered_set_size(rendered, asked->ino, sizes[0]);
	/* Without it there is an estimate. */
	op_resume_later(NULL, asked->op);
	g_free(asked);
}

static void ask_size(Op *parked, const Excerpt *excerpt)
{
	const char *const sections[] = {excerpt->part->section, NULL};
	Asked *asked = g_new(Asked, 1);
	*asked = (Asked){parked, excerpt->ino};
	engine_sizes(
		parked->fs->engine, excerpt->at.id, excerpt->at.uid, sections, take_size, asked);
}

static void ask_for(Op *parked, const Excerpt *excerpt, const Lack *lack)
{
	Engine *engine = parked->fs->engine;
	const Inode *at = &excerpt->at;
	switch (lack->kind) {
	case LACK_TEXT:
		engine_text(engine, at->id, at->uid, op_resume_later, parked);
		break;
	case LACK_SECTION:
		engine_section(engine, at->id, at->uid, &lack->section, lack->offset, lack->len,
			op_resume_later, parked);
		break;
	case LACK_SIZE:
		ask_size(parked, excerpt);
		break;
	case LACK_OUTLINE:
		engine_outline(engine, at->id, at->uid, true, op_resume_later, parked);
		break;
	case LACK_NOTHING:
		g_assert_not_reached();
	}
}

/* Whether what lacks is a part as the server decodes it, and the error that it does not. */
static bool is_undecoded(const GError *error, const Excerpt *excerpt, const Lack *lack)
{
	return lack->kind == LACK_SECTION && excerpt->part &&
	       lack->section.item == store_part_item(excerpt->number, true) &&
	       g_error_matches(error, MAIL_ERROR, MAIL_ERROR_INVALID);
}

bool op_lack(Op *op, const GError *error, const Excerpt *excerpt, const Lack *lack)
{
	bool again = lack->kind == op->lacked && lack->section.item == op->lacked_item;
	if (lack->kind == LACK_NOTHING) {
		kernel_reply_errno(op->req, lack->failed);
		return false;
	}
	if (again && is_undecoded(error, excerpt, lack)) {
		rendered_set_encoded(op->fs->rendered, excerpt->ino);
		return op->advance(op, NULL);
	}
	if ((error && again) || op->lacks == OP_LACKS) {
		kernel_reply_error(op->req, error);
		return false;
	}
	op->lacks++;
	op->lacked = lack->kind;
	op->lacked_item = lack->section.item;
	Op *parked = op_park(op);
	if (!parked)
		return false;
	parked->sized = parked->sized || lack->sizing;
	ask_for(parked, excerpt, lack);
	return true;
}
