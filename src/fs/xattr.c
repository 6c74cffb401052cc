/* GETXATTR and LISTXATTR: what the server says of a message beside its bytes. */
#include <errno.h>
#include <string.h>

#include "fs/op.h"

typedef char *(*Value)(const Op *op, const StoreMessage *message);

static char *uid_text(const Op *op, const StoreMessage *message)
{
	return g_strdup_printf("%u", op->at.uid);
}

static char *uidvalidity_text(const Op *op, const StoreMessage *message)
{
	return g_strdup_printf("%u", store_gen_uidvalidity(op->fs->store, op->at.id));
}

static char *mailbox_text(const Op *op, const StoreMessage *message)
{
	return fs_mailbox_path(op->fs, store_gen_mailbox(op->fs->store, op->at.id));
}

static char *flags_text(const Op *op, const StoreMessage *message)
{
	g_autofree char *keywords = store_keywords(op->fs->store, op->at.id, op->at.uid);
	return imap_flags_text(message->flags & ~(guint)IMAP_FLAG_ANY_KEYWORD, keywords);
}

/* Between commas, as the freedesktop.org specification wants them; but a keyword is an atom (RFC
 * 3501), which may hold a comma of its own. */
static char *tags_text(const Op *op, const StoreMessage *message)
{
	g_autofree char *keywords = store_keywords(op->fs->store, op->at.id, op->at.uid);
	if (!keywords)
		return NULL;
	GString *tags = g_string_new(NULL);
	for (const char *at = keywords; *at; at++) {
		if (*at == ',' || *at == '%')
			g_string_append_printf(tags, "%%%02X", (guint)*at);
		else
			g_string_append_c(tags, *at == ' ' ? ',' : *at);
	}
	return g_string_free(tags, FALSE);
}

static char *mime_text(const Op *op, const StoreMessage *message)
{
	return g_strdup("message/rfc822");
}

static const struct {
	const char *name;
	Value value;
	bool of_flags; /* needs the message's flags */
} attributes[] = {
	{"user.imap.uid", uid_text, false},
	{"user.imap.uidvalidity", uidvalidity_text, false},
	{"user.imap.mailbox", mailbox_text, false},
	{"user.imap.flags", flags_text, true},
	{"user.xdg.tags", tags_text, true},
	{"user.mime_type", mime_text, false},
};

static int find(const char *name)
{
	for (guint i = 0; i < G_N_ELEMENTS(attributes); i++)
		if (strcmp(attributes[i].name, name) == 0)
			return (int)i;
	return -1;
}

static bool advance(Op *op, const GError *error)
{
	int i = find(op->name);
	/* Only for the namespace as a whole do programs take a no for an answer: `ls -l` then does
	 * not ask again for each file's ACL and security label. */
	if (!g_str_has_prefix(op->name, "user.")) {
		kernel_reply_errno(op->req, EOPNOTSUPP);
		return false;
	}
	if (op->at.kind != INODE_MESSAGE || i < 0) {
		kernel_reply_errno(op->req, ENODATA);
		return false;
	}
	StoreMessage message;
	if (!store_peek_message(op->fs->store, op->at.id, op->at.uid, &message)) {
		kernel_reply_errno(op->req, ESTALE);
		return false;
	}
	bool lacking = !message.known || message.flags_stale;
	if (attributes[i].of_flags && lacking && !op->fetched)
		return op_flags(op, op->at.id, op->at.uid);
	/* Old flags are better than none while the server is away. */
	if (attributes[i].of_flags && !message.known) {
		kernel_reply_error(op->req, error);
		return false;
	}
	g_autofree char *value = attributes[i].value(op, &message);
	if (value)
		kernel_reply_xattr(op->req, value, strlen(value), op->size);
	else
		kernel_reply_errno(op->req, ESTALE);
	return false;
}

void xattr_request(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	Op op = {
		.advance = advance,
		.fs = kernel_owner(req),
		.req = req,
		.ino = ino,
		.name = name,
		.size = size,
	};
	op_run(&op);
}

/* The same for all messages: listing asks nobody. */
void xattr_list_request(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	g_autoptr(GString) names = g_string_new(NULL);
	Inode inode;
	if (!inode_unpack(ino, &inode)) {
		kernel_reply_errno(req, ESTALE);
		return;
	}
	for (guint i = 0; inode.kind == INODE_MESSAGE && i < G_N_ELEMENTS(attributes); i++)
		g_string_append_len(
			names, attributes[i].name, (gssize)strlen(attributes[i].name) + 1);
	kernel_reply_xattr(req, names->str, names->len, size);
}
