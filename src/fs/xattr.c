/* GETXATTR and LISTXATTR: what the server says of a message beside its bytes, and what its header
 * does. */
#include <errno.h>
#include <linux/limits.h>
#include <string.h>

#include "fs/alias.h"
#include "fs/fields.h"
#include "fs/op.h"

/* What there is to say, as far as it is needed. */
typedef struct {
	guint flags;
	const char *keywords;
	const MimeFields *fields;
} Known;

/* New string; NULL: the message is gone. */
typedef char *(*Value)(const Op *op, const Known *known);

static char *uid_text(const Op *op, const Known *known)
{
	return g_strdup_printf("%u", op->at.uid);
}

static char *uidvalidity_text(const Op *op, const Known *known)
{
	return g_strdup_printf("%u", store_gen_uidvalidity(op->fs->store, op->at.id));
}

static char *mailbox_text(const Op *op, const Known *known)
{
	return fs_mailbox_path(op->fs, store_gen_mailbox(op->fs->store, op->at.id));
}

static char *flags_text(const Op *op, const Known *known)
{
	return imap_flags_text(known->flags & ~(guint)IMAP_FLAG_ANY_KEYWORD, known->keywords);
}

/* Between commas, as the freedesktop.org specification wants them; but a keyword is an atom (RFC
 * 3501), which may hold a comma of its own. */
static char *tags_text(const Op *op, const Known *known)
{
	GString *tags = g_string_new(NULL);
	for (const char *at = known->keywords; *at; at++) {
		if (*at == ',' || *at == '%')
			g_string_append_printf(tags, "%%%02X", (guint)*at);
		else
			g_string_append_c(tags, *at == ' ' ? ',' : *at);
	}
	return g_string_free(tags, FALSE);
}

static char *mime_text(const Op *op, const Known *known)
{
	return g_strdup("message/rfc822");
}

/* As much of a header field as a value can hold; "" where the message has none. */
static char *field_text(const char *field)
{
	gsize len = strnlen(field, XATTR_SIZE_MAX + 1);
	if (len > XATTR_SIZE_MAX)
		len = (gsize)(g_utf8_find_prev_char(field, field + len) - field);
	return g_strndup(field, len);
}

static char *subject_text(const Op *op, const Known *known)
{
	return field_text(known->fields->subject);
}

static char *from_text(const Op *op, const Known *known)
{
	return field_text(known->fields->from);
}

static char *message_id_text(const Op *op, const Known *known)
{
	return field_text(known->fields->message_id);
}

static const struct {
	const char *name;
	Value value;
	bool of_place; /* the server has it where it is: what is on its way has none */
	bool of_flags; /* needs the message's flags */
	bool of_header; /* needs its fields */
} attributes[] = {
	{"user.imap.uid", uid_text, .of_place = true},
	{"user.imap.uidvalidity", uidvalidity_text, .of_place = true},
	{"user.imap.mailbox", mailbox_text, .of_place = true},
	{"user.imap.flags", flags_text, .of_flags = true},
	{"user.xdg.tags", tags_text, .of_flags = true},
	{"user.mime_type", mime_text},
	{"user.xdg.origin.email.subject", subject_text, .of_place = true, .of_header = true},
	{"user.xdg.origin.email.from", from_text, .of_place = true, .of_header = true},
	{"user.xdg.origin.email.message-id", message_id_text, .of_place = true, .of_header = true},
};

static int find(const char *name)
{
	for (guint i = 0; i < G_N_ELEMENTS(attributes); i++)
		if (strcmp(attributes[i].name, name) == 0)
			return (int)i;
	return -1;
}

/* Answers with the attribute i of a message, or asks for what it is made of. */
static bool advance_one(Op *op, const GError *error, int i)
{
	StoreMessage message;
	g_autofree char *keywords = NULL;
	bool found = op_flagged(op, &message, &keywords);
	if (!found || (attributes[i].of_place && op->of != 0)) {
		kernel_reply_errno(op->req, found ? ENODATA : ESTALE);
		return false;
	}
	bool lacking = !message.known || message.flags_stale;
	if (attributes[i].of_flags && lacking && !op->fetched)
		return op_flags(op, op->at.id, op->at.uid);
	g_autoptr(MimeFields) fields =
		attributes[i].of_header ? fields_try(op->fs, op->at.id, op->at.uid) : NULL;
	if (attributes[i].of_header && !fields && !op->outlined)
		return op_outline(op, op->at.id, op->at.uid, false);
	/* Old flags are better than none while the server is away. */
	if ((attributes[i].of_flags && !message.known) || (attributes[i].of_header && !fields)) {
		kernel_reply_error(op->req, error);
		return false;
	}
	Known known = {message.flags, keywords ? keywords : "", fields};
	g_autofree char *value = attributes[i].value(op, &known);
	if (value)
		kernel_reply_xattr(op->req, value, strlen(value), op->size);
	else
		kernel_reply_errno(op->req, ESTALE);
	return false;
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
	if (i < 0 || !op_described(op)) {
		kernel_reply_errno(op->req, ENODATA);
		return false;
	}
	return advance_one(op, error, i);
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

/* Whether it has attributes, and (ret) those that the server gives a message in its mailbox, too.
 */
static bool is_described(Fs *fs, Inode inode, bool *ret_placed)
{
	Alias alias;
	Op op = {.fs = fs, .at = inode};
	if (inode.kind == INODE_STAGED && !op_described(&op))
		return false;
	if (op.at.kind == INODE_MESSAGE) {
		*ret_placed =
			op.of == 0 && !aliases_leaving(fs->aliases, op.at.id, op.at.uid, &alias);
		return true;
	}
	if (inode.kind != INODE_WAITING || !aliases_numbered(fs->aliases, inode.uid, &alias))
		return false;
	*ret_placed = alias.intent == 0;
	return true;
}

/* The same for all messages: listing asks nobody. */
void xattr_list_request(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	Fs *fs = kernel_owner(req);
	g_autoptr(GString) names = g_string_new(NULL);
	Inode inode;
	bool placed = false;
	if (!inode_unpack(ino, &inode)) {
		kernel_reply_errno(req, ESTALE);
		return;
	}
	bool described = is_described(fs, inode, &placed);
	for (guint i = 0; described && i < G_N_ELEMENTS(attributes); i++)
		if (placed || !attributes[i].of_place)
			g_string_append_len(
				names, attributes[i].name, (gssize)strlen(attributes[i].name) + 1);
	kernel_reply_xattr(req, names->str, names->len, size);
}
