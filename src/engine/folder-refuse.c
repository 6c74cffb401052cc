/* Which mailboxes are not made, deleted or renamed, as far as it is known without asking. */
#include <string.h>

#include "engine/private.h"

static bool is_below(const char *name, char delimiter, const char *other)
{
	gsize len = strlen(name);
	return delimiter && strncmp(name, other, len) == 0 && other[len] == delimiter;
}

bool folder_is_within(const char *name, char delimiter, const char *other)
{
	return strcmp(name, other) == 0 || is_below(name, delimiter, other);
}

GError *folder_refusal(MailError code, const char *name, const char *why)
{
	return g_error_new(MAIL_ERROR, (gint)code, "%s: %s", name, why);
}

/* The mailbox in which this one would be, if it was ever looked at. */
static const Box *parent_box(const Engine *engine, const char *name)
{
	GHashTableIter iter;
	g_hash_table_iter_init(&iter, engine->boxes);
	for (Box *box; (box = box_next(&iter));) {
		StoreMailbox mailbox;
		if (store_mailbox(engine->store, box->id, &mailbox) &&
			is_below(box->name, mailbox.delimiter, name) &&
			!strchr(name + strlen(box->name) + 1, mailbox.delimiter))
			return box;
	}
	return NULL;
}

GError *folder_refuse_name(const Engine *engine, const char *name)
{
	if (*name == '\0' || strlen(name) > LIMIT_MAILBOX_NAME)
		return folder_refusal(MAIL_ERROR_INVALID, name, "this is no name of a mailbox");
	if (g_ascii_strcasecmp(name, "INBOX") == 0)
		return folder_refusal(MAIL_ERROR_EXISTS, name, "it exists already");
	g_autoptr(GArray) all = store_mailboxes(engine->store);
	char delimiter = 0;
	for (guint i = 0; i < all->len; i++) {
		const StoreMailbox *other = &g_array_index(all, StoreMailbox, i);
		if (strcmp(other->name, name) == 0 && !(other->attributes & IMAP_LIST_NOSELECT))
			return folder_refusal(MAIL_ERROR_EXISTS, name, "it exists already");
		delimiter = delimiter ? delimiter : other->delimiter;
	}
	if (!list_shows(engine, name, delimiter))
		return folder_refusal(
			MAIL_ERROR_DENIED, name, "`folders` keeps it out of the mount");
	const Box *parent = parent_box(engine, name);
	if (parent && box_lacks(parent, 'k'))
		return folder_refusal(
			MAIL_ERROR_ACCESS, name, "the right to create it (k) is missing");
	return NULL;
}

/* \HasChildren may be of mailboxes that `folders` hides. */
static bool has_children(const Engine *engine, const StoreMailbox *mailbox)
{
	if (mailbox->attributes & IMAP_LIST_HASCHILDREN)
		return true;
	g_autoptr(GArray) all = store_mailboxes(engine->store);
	for (guint i = 0; i < all->len; i++) {
		const StoreMailbox *other = &g_array_index(all, StoreMailbox, i);
		if (is_below(mailbox->name, mailbox->delimiter, other->name) &&
			!(other->attributes & IMAP_LIST_NONEXISTENT))
			return true;
	}
	return false;
}

GError *folder_refuse_mailbox(Engine *engine, const StoreMailbox *mailbox, const char *target)
{
	const Box *box = box_get(engine, mailbox->id);
	if (strcmp(mailbox->name, "INBOX") == 0)
		return folder_refusal(MAIL_ERROR_BUSY, mailbox->name, "this mailbox stays");
	if (box && box_lacks(box, 'x'))
		return folder_refusal(MAIL_ERROR_ACCESS, mailbox->name,
			"the right to delete or rename it (x) is missing");
	if (!target && has_children(engine, mailbox))
		return folder_refusal(
			MAIL_ERROR_NOT_EMPTY, mailbox->name, "there are mailboxes below it");
	if (target && is_below(mailbox->name, mailbox->delimiter, target))
		return folder_refusal(MAIL_ERROR_INVALID, target, "it would be below itself");
	return target ? folder_refuse_name(engine, target) : NULL;
}
