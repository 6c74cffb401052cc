/* A mailbox gets a new UIDVALIDITY in the middle of LOOKUP and READDIRPLUS, at each of their steps:
 * what was opened never shows a message of the new generation, and the kernel is told to forget
 * whatever it was shown of the old one. The linker puts the functions named __wrap_ here in the
 * place of those that they are named after. */
#include "fs/op.h"
#include "store-fixture.h"

#include <errno.h>
#include <linux/fuse.h>

typedef struct {
	Fixture fixture;
	Fs *fs;
	fuse_ino_t dir;
	Gen gen; /* of before */
	int step, change_at, tell_at; /* steps of the request; 0: not yet, or never */
	bool changed;
	ImapSet *told; /* messages of before that the kernel shall forget; NULL: it was not told */
	ImapSet *shown; /* messages of before that it was answered with */
	bool others; /* it was answered with messages of after */
	int errnum;
	guint answers;
} Case;

static Case *now;

/* ---- the mailbox changes ---- */

static void fill(Store *store, Gen gen)
{
	set_names(store, gen, "1:3", "");
	for (guint32 uid = 1; uid <= 3; uid++) {
		StoreMessage message = {.uid = uid, .size = 10, .date = 1};
		StoreFields all = {.has_flags = true, .has_size = true, .has_date = true};
		store_set_attributes(store, gen, &message, all, NULL);
	}
}

static void change(Case *c)
{
	c->changed = true;
	fill(c->fixture.store, store_gen_open(c->fixture.store, c->fixture.mailbox, 2));
}

static void tell(Case *c)
{
	fs_events()->generation_changed(c->fixture.mailbox, c->gen, c->fs);
}

static void step(void)
{
	if (!now || now->step < 0)
		return;
	int at = ++now->step;
	now->step = -at; /* what happens here has no steps */
	if (at == now->change_at)
		change(now);
	if (at == now->tell_at)
		tell(now);
	now->step = at;
}

/* ---- the steps, each the look at something that changes ---- */

#define STEP(type, name, parameters, arguments)                                                    \
	type __real_##name parameters;                                                             \
	type __wrap_##name parameters;                                                             \
	type __wrap_##name parameters                                                              \
	{                                                                                          \
		step();                                                                            \
		return __real_##name arguments;                                                    \
	}

STEP(Gen, store_gen, (Store * store, MailboxId mailbox), (store, mailbox))
STEP(MailboxId, store_gen_mailbox, (Store * store, Gen gen), (store, gen))
STEP(bool, store_names_known, (Store * store, Gen gen), (store, gen))
STEP(gint64, store_names_time, (Store * store, Gen gen), (store, gen))
STEP(gsize, store_list, (Store * store, Gen gen, guint32 after, StoreMessage *ret, gsize max),
	(store, gen, after, ret, max))
STEP(StoreAnswer, store_try_message, (Store * store, Gen gen, guint32 uid, StoreMessage *ret),
	(store, gen, uid, ret))
STEP(void, shown_add, (Shown * shown, Gen gen, const ImapSet *uids), (shown, gen, uids))

/* ---- the kernel and the engine ---- */

bool __wrap_engine_names_fresh(Engine *engine, MailboxId mailbox);
bool __wrap_engine_names_fresh(Engine *engine, MailboxId mailbox)
{
	return true;
}

/* The server has nothing new to say. */
bool __wrap_op_sync(Op *op, MailboxId mailbox);
bool __wrap_op_sync(Op *op, MailboxId mailbox)
{
	step();
	op->synced = true;
	return op->advance(op, NULL);
}

gpointer __wrap_kernel_owner(fuse_req_t req);
gpointer __wrap_kernel_owner(fuse_req_t req)
{
	return now->fs;
}

static void answered(fuse_ino_t ino)
{
	Inode inode;
	if (!inode_unpack(ino, &inode) || inode.kind != INODE_MESSAGE)
		return;
	if (inode.id == now->gen)
		imap_set_add(now->shown, inode.uid, inode.uid);
	else
		now->others = true;
}

void __wrap_kernel_reply_bytes(fuse_req_t req, const void *bytes, gsize len);
void __wrap_kernel_reply_bytes(fuse_req_t req, const void *bytes, gsize len)
{
	step();
	now->answers++;
	for (gsize at = 0; at < len;) {
		const struct fuse_direntplus *entry = (const void *)((const char *)bytes + at);
		answered(entry->entry_out.nodeid);
		at += FUSE_DIRENTPLUS_SIZE(entry);
	}
}

void __wrap_kernel_reply_entry(fuse_req_t req, const struct fuse_entry_param *entry);
void __wrap_kernel_reply_entry(fuse_req_t req, const struct fuse_entry_param *entry)
{
	step();
	now->answers++;
	answered(entry->ino);
}

void __wrap_kernel_reply_errno(fuse_req_t req, int errnum);
void __wrap_kernel_reply_errno(fuse_req_t req, int errnum)
{
	now->answers++;
	now->errnum = errnum;
}

void __wrap_notify_renumbered(Notify *notify, fuse_ino_t dir, ImapSet *uids);
void __wrap_notify_renumbered(Notify *notify, fuse_ino_t dir, ImapSet *uids)
{
	g_assert_cmpuint(dir, ==, now->dir);
	g_assert_null(now->told);
	now->told = uids ? uids : imap_set_new();
}

/* ---- the cases ---- */

static void list(Case *c)
{
	struct fuse_file_info info = {.fh = c->gen};
	dir_plus_request(NULL, c->dir, 4096, 0, &info);
}

static void look_up(Case *c)
{
	lookup_request(NULL, c->dir, "2.eml");
}

/* Returns how many steps there were. */
static int run(void (*request)(Case *c), int change_at, int tell_at)
{
	Case c = {.change_at = change_at, .tell_at = tell_at, .step = -1, .shown = imap_set_new()};
	FsConfig config = {.source = "test", .account = "test"};
	now = &c;
	fixture_open(&c.fixture, false, 1 << 20, false);
	c.gen = c.fixture.gen;
	fill(c.fixture.store, c.gen);
	c.fs = fs_new(c.fixture.store, &config);
	g_assert_true(fs_set_root(c.fs, NULL));
	g_autoptr(Tree) tree = fs_tree(c.fs);
	c.dir = fs_dir_inode(c.fs, tree_of_mailbox(tree, c.fixture.mailbox));

	c.step = 0;
	request(&c);
	int steps = c.step;
	c.step = -1;
	g_assert_cmpuint(c.answers, ==, 1);
	if (c.changed && !c.told)
		tell(&c);
	if (request == list)
		g_assert_false(c.others);
	if (c.told)
		imap_set_subtract(c.shown, c.told);
	else
		g_assert_cmpuint(imap_set_count(c.shown), ==, request == list ? 3 : 1);
	if (c.changed)
		assert_set(c.shown, "");
	g_assert_true(c.errnum == 0 || c.errnum == ESTALE);

	imap_set_free(c.told);
	imap_set_free(c.shown);
	g_clear_pointer(&tree, tree_unref);
	fs_free(c.fs);
	fixture_close(&c.fixture);
	now = NULL;
	return steps;
}

static void test_each_step(gconstpointer data)
{
	void (*request)(Case * c) = data;
	int steps = run(request, 0, 0);
	g_assert_cmpint(steps, >, 3);
	for (int change_at = 1; change_at <= steps; change_at++)
		for (int tell_at = change_at; tell_at <= steps + 1; tell_at++)
			run(request, change_at, tell_at);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_data_func("/fs-generation/readdirplus", list, test_each_step);
	g_test_add_data_func("/fs-generation/lookup", look_up, test_each_step);
	return g_test_run();
}
