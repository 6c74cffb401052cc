/* SETXATTR and REMOVEXATTR: the flags of a message, and the keywords among them. */
#include <errno.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/limits.h"
#include "fs/op.h"

enum {
	SYSTEM_FLAGS = IMAP_FLAG_SEEN | IMAP_FLAG_ANSWERED | IMAP_FLAG_FLAGGED | IMAP_FLAG_DELETED |
		       IMAP_FLAG_DRAFT,
};

typedef enum {
	FLAGS, /* user.imap.flags: all of them */
	TAGS, /* user.xdg.tags: the keywords */
	FIXED, /* what the server gave, and what the message says */
	STRANGE,
} Kind;

static Kind kind_of(const char *name)
{
	static const struct {
		const char *name;
		Kind kind;
	} names[] = {
		{"user.imap.flags", FLAGS},
		{"user.xdg.tags", TAGS},
		{"user.imap.uid", FIXED},
		{"user.imap.uidvalidity", FIXED},
		{"user.imap.mailbox", FIXED},
		{"user.mime_type", FIXED},
		{"user.xdg.origin.email.subject", FIXED},
		{"user.xdg.origin.email.from", FIXED},
		{"user.xdg.origin.email.message-id", FIXED},
	};
	for (guint i = 0; i < G_N_ELEMENTS(names); i++)
		if (strcmp(names[i].name, name) == 0)
			return names[i].kind;
	return STRANGE;
}

/* The keywords as imap_flags_parse() reads them: the commas are spaces, and what xattr.c escapes is
 * itself. NULL: an escape is none, or of what separates keywords. */
static char *tags_to_flags(const char *tags)
{
	g_autoptr(GString) text = g_string_new(NULL);
	for (const char *at = tags; *at; at++) {
		int hi = at[0] == '%' ? g_ascii_xdigit_value(at[1]) : 0;
		int lo = at[0] == '%' && hi >= 0 ? g_ascii_xdigit_value(at[2]) : 0;
		char c = at[0] == '%' ? (char)(hi * 16 + lo) : at[0];
		if (hi < 0 || lo < 0 || c == '\0' || c == ' ' || c == '\\')
			return NULL;
		g_string_append_c(text, at[0] == ',' ? ' ' : c);
		at += at[0] == '%' ? 2 : 0;
	}
	return g_strdup(text->str);
}

static bool has_keyword(char *const *keywords, const char *keyword)
{
	for (; *keywords; keywords++)
		if (g_ascii_strcasecmp(*keywords, keyword) == 0)
			return true;
	return false;
}

/* Those of a set that are not in another, separated by spaces; NULL: there are none. New string. */
static char *keywords_without(char *const *keywords, char *const *others)
{
	g_autoptr(GString) text = g_string_new(NULL);
	for (; *keywords; keywords++) {
		if (has_keyword(others, *keywords))
			continue;
		g_string_append_printf(text, "%s%s", text->len > 0 ? " " : "", *keywords);
	}
	return text->len > 0 ? g_strdup(text->str) : NULL;
}

/* What is to be: false when the value tells of no flags. */
static bool read_value(const Op *op, guint have, guint *ret_system, char ***ret_keywords)
{
	guint system;
	bool tags = kind_of(op->name) == TAGS;
	const char *value = op->value ? op->value : "";
	g_autofree char *text = tags ? tags_to_flags(value) : g_strdup(value);
	if (!text || !imap_flags_parse(text, &system, ret_keywords))
		return false;
	*ret_system = tags ? have & SYSTEM_FLAGS : system;
	return true;
}

static bool change(Op *op, const StoreMessage *message, const char *keywords)
{
	Fs *fs = op->fs;
	guint system;
	g_auto(GStrv) wanted = NULL;
	if (!read_value(op, message->flags, &system, &wanted)) {
		kernel_reply_errno(op->req, EINVAL);
		return false;
	}
	g_auto(GStrv) had = g_strsplit(keywords ? keywords : "", " ", -1);
	g_autofree char *add = keywords_without(wanted, had);
	g_autofree char *remove = keywords_without(had, wanted);
	EngineChange flags = {
		.kind = INTENT_FLAGS,
		.of = op->of,
		.gen = op->of == 0 ? op->at.id : 0,
		.uid = op->of == 0 ? op->at.uid : 0,
		.flags_add = system & ~message->flags,
		.flags_remove = message->flags & SYSTEM_FLAGS & ~system,
		.keywords_add = add,
		.keywords_remove = remove,
	};
	if (flags.flags_add & IMAP_FLAG_DELETED && fs->delete == FS_DELETE_DENY) {
		kernel_reply_errno(op->req, EPERM);
		return false;
	}
	/* They go out in one line, beside the numbers of messages. */
	if (add && strlen(add) > LIMIT_COMMAND_LINE / 2) {
		kernel_reply_errno(op->req, E2BIG);
		return false;
	}
	if (flags.flags_add != 0 || flags.flags_remove != 0 || add || remove)
		return op_change(op, &flags);
	kernel_reply_errno(op->req, 0);
	return false;
}

/* 0: it may be changed. */
static int refusal(Op *op)
{
	Kind kind = kind_of(op->name);
	if (!op->value && kind == STRANGE && g_str_has_prefix(op->name, "user."))
		return ENODATA;
	if (kind == STRANGE || !op_described(op))
		return EOPNOTSUPP;
	if (kind == FIXED)
		return EPERM;
	return op->flags & XATTR_CREATE ? EEXIST : 0;
}

static bool advance(Op *op, const GError *error)
{
	if (op->changed) {
		kernel_reply_done(op->req, error);
		return false;
	}
	int errnum = refusal(op);
	StoreMessage message;
	g_autofree char *keywords = NULL;
	if (errnum == 0 && !op_flagged(op, &message, &keywords))
		errnum = ESTALE;
	if (errnum != 0) {
		kernel_reply_errno(op->req, errnum);
		return false;
	}
	if ((!message.known || message.flags_stale) && !op->fetched)
		return op_flags(op, op->at.id, op->at.uid);
	/* Only the difference is sent: to old flags while the server is away. */
	if (message.known)
		return change(op, &message, keywords);
	kernel_reply_error(op->req, error);
	return false;
}

static void request(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value, int flags)
{
	Op op = {
		.advance = advance,
		.fs = kernel_owner(req),
		.req = req,
		.ino = ino,
		.name = name,
		.value = value,
		.flags = (guint)flags,
	};
	op_run(&op);
}

void set_xattr_request(
	fuse_req_t req, fuse_ino_t ino, const char *name, const char *value, size_t size, int flags)
{
	g_autofree char *text = g_strndup(value, size);
	/* No flag has a NUL; some programs end the value with one. */
	if (strlen(text) + 1 < size)
		kernel_reply_errno(req, EINVAL);
	else
		request(req, ino, name, text, flags);
}

void remove_xattr_request(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	request(req, ino, name, NULL, 0);
}
