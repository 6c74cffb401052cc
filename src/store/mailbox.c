/* The table of mailboxes. LIST's whole answer replaces both arrays, which are made outside the
 * lock. */
#include "store/private.h"
#include "base/limits.h"

#include <string.h>

void store_mailboxes_init(Store *store)
{
	store->mailboxes = g_array_new(FALSE, FALSE, sizeof(StoreMailbox));
	store->listed = g_array_new(FALSE, FALSE, sizeof(StoreMailbox));
	store->names = g_hash_table_new(g_str_hash, g_str_equal);
	store->owned_names = g_ptr_array_new_with_free_func(g_free);
}

void store_mailboxes_clear(Store *store)
{
	g_array_unref(store->mailboxes);
	g_array_unref(store->listed);
	g_hash_table_destroy(store->names);
	g_ptr_array_unref(store->owned_names);
}

/* The name by which a mailbox is known, or NULL for one that is left out. "The special name
 * INBOX is interpreted as a case-insensitive name" (RFC 3501 5.1); the empty one is the answer to
 * LIST "" "". */
static char *canonical_name(ImapBytes name)
{
	if (name.len == 0 || name.len > LIMIT_MAILBOX_NAME || memchr(name.data, '\0', name.len))
		return NULL;
	if (name.len == 5 && g_ascii_strncasecmp(name.data, "INBOX", 5) == 0)
		return g_strdup("INBOX");
	return g_strndup(name.data, name.len);
}

/* Whether another name may be kept; and keeps it as long as the store lives. */
static bool has_room(const Store *store, const char *name)
{
	return strlen(name) <= LIMIT_MAILBOX_NAMES - store->names_bytes;
}

static const char *own_name(Store *store, char *name)
{
	g_ptr_array_add(store->owned_names, name);
	store->names_bytes += strlen(name);
	return name;
}

static MailboxId lookup(const Store *store, const char *name)
{
	return GPOINTER_TO_UINT(g_hash_table_lookup(store->names, name));
}

static void set_name(Store *store, const char *name, MailboxId id)
{
	g_hash_table_insert(store->names, (char *)name, GUINT_TO_POINTER(id));
}

/* The entry of a name in all, a new one at need; NULL when there are too many. */
static StoreMailbox *find_or_add(Store *store, GArray *all, char *name)
{
	g_autofree char *owned = name;
	MailboxId id = lookup(store, name);

	if (id == 0) {
		if (all->len == LIMIT_MAILBOXES || !has_room(store, name))
			return NULL;

		StoreMailbox fresh = {
			.id = all->len + 1, .name = own_name(store, g_steal_pointer(&owned))};

		set_name(store, fresh.name, fresh.id);
		g_array_append_val(all, fresh);
		id = fresh.id;
	}
	return &g_array_index(all, StoreMailbox, id - 1);
}

MailboxId store_find_mailbox(Store *store, const char *name)
{
	g_autofree char *canonical = canonical_name((ImapBytes){name, strlen(name)});

	return canonical ? lookup(store, canonical) : 0;
}

MailboxId store_mailbox_recall(Store *store, ImapBytes name)
{
	char *owned = canonical_name(name);
	const StoreMailbox *mailbox = owned ? find_or_add(store, store->mailboxes, owned) : NULL;

	return mailbox ? mailbox->id : 0;
}

static int compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(((const StoreMailbox *)a)->name, ((const StoreMailbox *)b)->name);
}

/* \Marked and \Unmarked come and go with every message: no change of the tree. */
static guint lasting(guint attributes)
{
	return attributes & ~(guint)(IMAP_LIST_MARKED | IMAP_LIST_UNMARKED);
}

static bool same_listing(const GArray *a, const GArray *b)
{
	if (a->len != b->len)
		return false;
	for (guint i = 0; i < a->len; i++) {
		const StoreMailbox *x = &g_array_index(a, StoreMailbox, i);
		const StoreMailbox *y = &g_array_index(b, StoreMailbox, i);

		if (x->id != y->id || x->delimiter != y->delimiter ||
			lasting(x->attributes) != lasting(y->attributes))
			return false;
	}
	return true;
}

static void swap_arrays(GArray **a, GArray **b)
{
	GArray *swapped = *a;

	*a = *b;
	*b = swapped;
}

bool store_set_mailboxes(Store *store, const ImapList *lists, gsize n)
{
	g_autoptr(GArray) all = g_array_copy(store->mailboxes);
	g_autoptr(GArray) listed = g_array_new(FALSE, FALSE, sizeof(StoreMailbox));
	g_autofree bool *seen = g_new0(bool, store->mailboxes->len + n);

	for (gsize i = 0; i < n; i++) {
		char *name = canonical_name(lists[i].name);
		StoreMailbox *mailbox = name ? find_or_add(store, all, name) : NULL;

		if (!mailbox)
			continue;
		mailbox->delimiter = lists[i].delimiter;
		mailbox->attributes = lists[i].attributes;
		seen[mailbox->id - 1] = true;
	}
	for (guint i = 0; i < all->len; i++)
		if (seen[i])
			g_array_append_val(listed, g_array_index(all, StoreMailbox, i));
	g_array_sort(listed, compare_names);

	bool changed = !same_listing(listed, store->listed);

	store_lock_write(store);
	swap_arrays(&store->mailboxes, &all);
	swap_arrays(&store->listed, &listed);
	for (guint i = 0; i < listed->len; i++) {
		MailboxId id = g_array_index(listed, StoreMailbox, i).id;

		if (!seen[id - 1])
			store_gen_changed_locked(store, id);
	}
	store->unsaved_mailboxes |= changed;
	store_unlock(store);
	if (changed)
		store_save_soon(store);
	return changed;
}

GArray *store_mailboxes(Store *store)
{
	store_lock_read(store);

	GArray *copy = g_array_copy(store->listed);

	store_unlock(store);
	return copy;
}

bool store_mailbox(Store *store, MailboxId id, StoreMailbox *ret)
{
	store_lock_read(store);

	bool found = id >= 1 && id <= store->mailboxes->len;

	if (found)
		*ret = g_array_index(store->mailboxes, StoreMailbox, id - 1);
	store_unlock(store);
	return found;
}

/* ---- renaming ---- */

typedef struct {
	MailboxId id;
	char *name; /* the new one, owned */
} Renaming;

static void clear_renaming(gpointer renaming)
{
	g_free(((Renaming *)renaming)->name);
}

static bool is_inferior(const StoreMailbox *mailbox, const StoreMailbox *of)
{
	gsize len = strlen(of->name);

	return of->delimiter != '\0' && strncmp(mailbox->name, of->name, len) == 0 &&
	       mailbox->name[len] == of->delimiter;
}

/* The mailbox and those below it, listed or not, with their names to be. */
static GArray *plan_renaming(Store *store, const StoreMailbox *from, const char *to)
{
	GArray *plan = g_array_new(FALSE, FALSE, sizeof(Renaming));

	g_array_set_clear_func(plan, clear_renaming);
	for (guint i = 0; i < store->mailboxes->len; i++) {
		const StoreMailbox *mailbox = &g_array_index(store->mailboxes, StoreMailbox, i);

		if (lookup(store, mailbox->name) != mailbox->id ||
			(mailbox->id != from->id && !is_inferior(mailbox, from)))
			continue;

		Renaming renaming = {
			mailbox->id, g_strconcat(to, mailbox->name + strlen(from->name), NULL)};

		g_array_append_val(plan, renaming);
	}
	return plan;
}

/* Whoever has the name now is of the past, and another one's messages are not to be taken for
 * its. */
static void give_name(Store *store, Renaming *renaming)
{
	MailboxId before = lookup(store, renaming->name);
	const char *name = own_name(store, g_steal_pointer(&renaming->name));

	if (before != 0)
		store_gen_close(store, before);
	/* The key is the new string: the old one may be another's name. */
	g_hash_table_replace(store->names, (char *)name, GUINT_TO_POINTER(renaming->id));
	store_lock_write(store);
	g_array_index(store->mailboxes, StoreMailbox, renaming->id - 1).name = name;
	store_gen_changed_locked(store, renaming->id);
	store_unlock(store);
}

void store_rename_mailbox(Store *store, MailboxId mailbox, const char *name)
{
	g_autofree char *to = canonical_name((ImapBytes){name, strlen(name)});
	StoreMailbox from;

	/* RENAME of INBOX moves its messages and leaves it, and those below it, where they are (RFC
	 * 3501 6.3.5). */
	if (!to || !store_mailbox(store, mailbox, &from) || strcmp(from.name, "INBOX") == 0 ||
		strcmp(to, "INBOX") == 0 || strcmp(to, from.name) == 0)
		return;

	g_autoptr(GArray) plan = plan_renaming(store, &from, to);

	/* A name may be one of another's that is renamed, too. */
	for (guint i = 0; i < plan->len; i++) {
		MailboxId id = g_array_index(plan, Renaming, i).id;

		g_hash_table_remove(
			store->names, g_array_index(store->mailboxes, StoreMailbox, id - 1).name);
	}
	for (guint i = 0; i < plan->len; i++) {
		Renaming *renaming = &g_array_index(plan, Renaming, i);

		if (strlen(renaming->name) <= LIMIT_MAILBOX_NAME && has_room(store, renaming->name))
			give_name(store, renaming);
		else
			store_gen_close(store, renaming->id);
	}
	store_save_soon(store);
}
