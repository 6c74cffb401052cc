/* The table of mailboxes. LIST's whole answer replaces both arrays, which are made outside the
 * lock. */
#include "store/private.h"
#include "base/limits.h"

#include <string.h>

void store_mailboxes_init(Store *store)
{
	store->mailboxes = g_array_new(FALSE, FALSE, sizeof(StoreMailbox));
	store->listed = g_array_new(FALSE, FALSE, sizeof(StoreMailbox));
	store->names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

void store_mailboxes_clear(Store *store)
{
	g_array_unref(store->mailboxes);
	g_array_unref(store->listed);
	g_hash_table_destroy(store->names);
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

/* The entry of a name in all, a new one at need; NULL when there are too many. */
static StoreMailbox *find_or_add(Store *store, GArray *all, char *name)
{
	g_autofree char *owned = name;
	guint id = GPOINTER_TO_UINT(g_hash_table_lookup(store->names, name));

	if (id == 0) {
		gsize len = strlen(name);

		if (all->len == LIMIT_MAILBOXES || len > LIMIT_MAILBOX_NAMES - store->names_bytes)
			return NULL;
		store->names_bytes += len;

		StoreMailbox fresh = {.id = all->len + 1, .name = g_steal_pointer(&owned)};

		g_hash_table_insert(store->names, name, GUINT_TO_POINTER(fresh.id));
		g_array_append_val(all, fresh);
		id = fresh.id;
	}
	return &g_array_index(all, StoreMailbox, id - 1);
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
			store_gen_unlisted_locked(store, id);
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
