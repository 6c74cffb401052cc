#include "fs/alias.h"

#include <string.h>

#include "fs/inode.h"
#include "fs/name.h"

typedef struct {
	AliasPlace place; /* first: the key of by_place */
	Alias alias;
	GSequenceIter *waiting; /* NULL unless it waits */
	guint64 from; /* what it was, source_key(); 0: nothing else */
	GArray *of; /* guint64: the changes that are to bring it before its own does, in order */
	guint flags;
	char *keywords; /* NULL: its flags are not known */
	GStrv names; /* others in the same directory, while it waits; NULL: none */
} Entry;

struct Aliases {
	GMutex lock;
	/* All below: lock. */
	GHashTable *by_place; /* of Entry, which it owns */
	GHashTable *by_number; /* number to Entry */
	GHashTable *by_intent; /* guint64 to Entry */
	GHashTable *by_of; /* guint64, owned, to Entry: of each of Entry.of */
	GHashTable *by_from; /* likewise */
	GHashTable *by_gen; /* gen to a table of UID to a GPtrArray of Entry */
	GSequence *waiting; /* of Entry, by directory and number */
	guint32 last; /* number */
	guint n_instead;
	guint n_named; /* Entry.names */
};

static guint place_hash(gconstpointer key)
{
	const AliasPlace *place = key;
	return g_str_hash(place->name) ^ place->dir * 2654435761U;
}

static gboolean place_equal(gconstpointer a, gconstpointer b)
{
	const AliasPlace *x = a, *y = b;
	return x->dir == y->dir && strcmp(x->name, y->name) == 0;
}

static void entry_free(gpointer data)
{
	Entry *entry = data;
	g_free(entry->place.name);
	g_free(entry->keywords);
	g_strfreev(entry->names);
	g_array_unref(entry->of);
	g_free(entry);
}

Aliases *aliases_new(void)
{
	Aliases *aliases = g_new0(Aliases, 1);
	g_mutex_init(&aliases->lock);
	aliases->by_place = g_hash_table_new_full(place_hash, place_equal, NULL, entry_free);
	aliases->by_number = g_hash_table_new(NULL, NULL);
	aliases->by_intent = g_hash_table_new(g_int64_hash, g_int64_equal);
	aliases->by_of = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	aliases->by_from = g_hash_table_new(g_int64_hash, g_int64_equal);
	aliases->by_gen =
		g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_hash_table_unref);
	aliases->waiting = g_sequence_new(NULL);
	return aliases;
}

void aliases_free(Aliases *aliases)
{
	if (!aliases)
		return;
	g_sequence_free(aliases->waiting);
	g_hash_table_unref(aliases->by_gen);
	g_hash_table_unref(aliases->by_from);
	g_hash_table_unref(aliases->by_of);
	g_hash_table_unref(aliases->by_intent);
	g_hash_table_unref(aliases->by_number);
	g_hash_table_unref(aliases->by_place);
	g_mutex_clear(&aliases->lock);
	g_free(aliases);
}

/* ---- the tables ---- */

static Entry *find_locked(const Aliases *aliases, guint32 dir, const char *name)
{
	AliasPlace place = {dir, (char *)name};
	return g_hash_table_lookup(aliases->by_place, &place);
}

static int compare_waiting(gconstpointer a, gconstpointer b, gpointer data)
{
	const Entry *x = a, *y = b;
	if (x->place.dir != y->place.dir)
		return x->place.dir < y->place.dir ? -1 : 1;
	return (x->alias.number > y->alias.number) - (x->alias.number < y->alias.number);
}

static GPtrArray *of_message_locked(const Aliases *aliases, Gen gen, guint32 uid)
{
	GHashTable *by_uid = g_hash_table_lookup(aliases->by_gen, GUINT_TO_POINTER(gen));
	return by_uid ? g_hash_table_lookup(by_uid, GUINT_TO_POINTER(uid)) : NULL;
}

static void link_message_locked(Aliases *aliases, Entry *entry)
{
	gpointer gen = GUINT_TO_POINTER(entry->alias.gen), uid = GUINT_TO_POINTER(entry->alias.uid);
	GHashTable *by_uid = g_hash_table_lookup(aliases->by_gen, gen);
	if (entry->alias.uid == 0)
		return;
	if (!by_uid) {
		by_uid = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_ptr_array_unref);
		g_hash_table_insert(aliases->by_gen, gen, by_uid);
	}
	GPtrArray *entries = g_hash_table_lookup(by_uid, uid);
	if (!entries) {
		entries = g_ptr_array_new();
		g_hash_table_insert(by_uid, uid, entries);
	}
	g_ptr_array_add(entries, entry);
}

static void unlink_message_locked(Aliases *aliases, Entry *entry)
{
	gpointer gen = GUINT_TO_POINTER(entry->alias.gen), uid = GUINT_TO_POINTER(entry->alias.uid);
	GPtrArray *entries = of_message_locked(aliases, entry->alias.gen, entry->alias.uid);
	if (!entries)
		return;
	g_ptr_array_remove_fast(entries, entry);
	if (entries->len > 0)
		return;
	GHashTable *by_uid = g_hash_table_lookup(aliases->by_gen, gen);
	g_hash_table_remove(by_uid, uid);
	if (g_hash_table_size(by_uid) == 0)
		g_hash_table_remove(aliases->by_gen, gen);
}

static guint64 source_key(Gen gen, guint32 uid)
{
	return (guint64)gen << 32 | uid;
}

/* Out of a table that may have another entry of that key by now. */
static void unlink_from_locked(GHashTable *table, const guint64 *key, const Entry *entry)
{
	if (g_hash_table_lookup(table, key) == entry)
		g_hash_table_remove(table, key);
}

/* Into and out of all tables but by_place. */
static void link_locked(Aliases *aliases, Entry *entry)
{
	Alias *alias = &entry->alias;
	g_hash_table_insert(aliases->by_number, GUINT_TO_POINTER(alias->number), entry);
	aliases->n_instead += alias->instead;
	aliases->n_named += entry->names != NULL;
	link_message_locked(aliases, entry);
	if (entry->from != 0)
		g_hash_table_replace(aliases->by_from, &entry->from, entry);
	for (guint i = 0; i < entry->of->len; i++) {
		const guint64 *of = &g_array_index(entry->of, guint64, i);
		g_hash_table_replace(aliases->by_of, g_memdup2(of, sizeof *of), entry);
	}
	if (alias->intent == 0)
		return;
	g_hash_table_replace(aliases->by_intent, &alias->intent, entry);
	entry->waiting = g_sequence_insert_sorted(aliases->waiting, entry, compare_waiting, NULL);
}

static void unlink_locked(Aliases *aliases, Entry *entry)
{
	Alias *alias = &entry->alias;
	g_hash_table_remove(aliases->by_number, GUINT_TO_POINTER(alias->number));
	aliases->n_instead -= alias->instead;
	aliases->n_named -= entry->names != NULL;
	unlink_message_locked(aliases, entry);
	unlink_from_locked(aliases->by_from, &entry->from, entry);
	for (guint i = 0; i < entry->of->len; i++)
		unlink_from_locked(aliases->by_of, &g_array_index(entry->of, guint64, i), entry);
	unlink_from_locked(aliases->by_intent, &alias->intent, entry);
	g_clear_pointer(&entry->waiting, g_sequence_remove);
}

static void remove_locked(Aliases *aliases, Entry *entry)
{
	unlink_locked(aliases, entry);
	g_hash_table_remove(aliases->by_place, &entry->place);
}

/* ---- one alias ---- */

guint64 alias_inode(const Alias *alias)
{
	bool own = alias->copied || alias->uid == 0;
	return own ? inode_waiting(alias->number) : inode_message(alias->gen, alias->uid);
}

bool aliases_find(Aliases *aliases, guint32 dir, const char *name, Alias *ret)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&aliases->lock);
	const Entry *entry = find_locked(aliases, dir, name);
	if (entry)
		*ret = entry->alias;
	return entry != NULL;
}

bool aliases_numbered(Aliases *aliases, guint32 number, Alias *ret)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&aliases->lock);
	const Entry *entry = g_hash_table_lookup(aliases->by_number, GUINT_TO_POINTER(number));
	if (entry)
		*ret = entry->alias;
	return entry != NULL;
}

void aliases_set(Aliases *aliases, guint32 dir, const char *name, const Alias *alias)
{
	Entry *entry = g_new0(Entry, 1);
	entry->place = (AliasPlace){dir, g_strdup(name)};
	entry->alias = *alias;
	entry->of = g_array_new(FALSE, FALSE, sizeof(guint64));
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&aliases->lock);
	Entry *before = find_locked(aliases, dir, name);
	if (before)
		remove_locked(aliases, before);
	if (alias->number == 0)
		entry->alias.number = ++aliases->last;
	g_hash_table_add(aliases->by_place, entry);
	link_locked(aliases, entry);
}

void aliases_remove(Aliases *aliases, guint32 dir, const char *name)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&aliases->lock);
	Entry *entry = find_locked(aliases, dir, name);
	if (entry)
		remove_locked(aliases, entry);
}

/* Gives an entry that is in no table but by_place another place, and puts it into all. */
static void place_locked(Aliases *aliases, Entry *entry, guint32 dir, const char *name)
{
	Entry *there = find_locked(aliases, dir, name);
	if (there && there != entry)
		remove_locked(aliases, there);
	g_hash_table_steal(aliases->by_place, &entry->place);
	g_free(entry->place.name);
	entry->place = (AliasPlace){dir, g_strdup(name)};
	g_hash_table_add(aliases->by_place, entry);
	link_locked(aliases, entry);
}

void aliases_rename(Aliases *aliases, guint32 dir, const char *from, const char *to, bool instead)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&aliases->lock);
	Entry *entry = find_locked(aliases, dir, from);
	if (!entry)
		return;
	unlink_locked(aliases, entry);
	entry->alias.instead |= instead;
	g_clear_pointer(&entry->names, g_strfreev);
	place_locked(aliases, entry, dir, to);
}

/* ---- changes that end ---- */

/* The first one: it is what the kernel knows by the inode that goes along with the name. */
static void note_source(Entry *entry)
{
	const Alias *alias = &entry->alias;
	if (entry->from == 0 && !alias->copied && alias->uid != 0)
		entry->from = source_key(alias->gen, alias->uid);
}

bool aliases_settle(
	Aliases *aliases, guint64 intent, Gen gen, guint32 uid, guint32 *ret_dir, char **ret_name)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&aliases->lock);
	Entry *entry = g_hash_table_lookup(aliases->by_intent, &intent);
	if (!entry)
		return false;
	*ret_dir = entry->place.dir;
	*ret_name = g_strdup(entry->place.name);
	if (uid == 0) {
		remove_locked(aliases, entry);
		return true;
	}
	unlink_locked(aliases, entry);
	note_source(entry);
	g_clear_pointer(&entry->names, g_strfreev);
	entry->alias = (Alias){
		.number = entry->alias.number,
		.gen = gen,
		.uid = uid,
		.instead = entry->alias.instead,
	};
	link_locked(aliases, entry);
	return true;
}

bool aliases_pass_on(Aliases *aliases, guint64 of, guint64 intent, guint32 dir, const char *name,
	guint32 *ret_dir, char **ret_name)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&aliases->lock);
	Entry *entry = g_hash_table_lookup(aliases->by_intent, &of);
	if (!entry)
		return false;
	*ret_dir = entry->place.dir;
	*ret_name = g_strdup(entry->place.name);
	unlink_locked(aliases, entry);
	g_array_append_val(entry->of, of);
	g_clear_pointer(&entry->names, g_strfreev);
	entry->alias.intent = intent;
	entry->alias.instead = false;
	place_locked(aliases, entry, dir, name);
	return true;
}

bool aliases_waits_in(Aliases *aliases, guint64 intent, guint32 *ret_dir)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&aliases->lock);
	const Entry *entry = g_hash_table_lookup(aliases->by_intent, &intent);
	if (entry)
		*ret_dir = entry->place.dir;
	return entry != NULL;
}

bool aliases_leaving(Aliases *aliases, Gen gen, guint32 uid, Alias *ret)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&aliases->lock);
	const GPtrArray *entries = of_message_locked(aliases, gen, uid);
	for (guint i = 0; entries && i < entries->len; i++) {
		const Entry *entry = g_ptr_array_index(entries, i);
		if (entry->alias.intent == 0 || entry->alias.copied)
			continue;
		*ret = entry->alias;
		return true;
	}
	return false;
}

void aliases_set_names(Aliases *aliases, guint64 intent, const GStrv names)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&aliases->lock);
	Entry *entry = g_hash_table_lookup(aliases->by_intent, &intent);
	if (!entry)
		return;
	unlink_locked(aliases, entry);
	g_strfreev(entry->names);
	entry->names = g_strdupv(names);
	link_locked(aliases, entry);
}

GStrv aliases_names(Aliases *aliases, guint64 intent)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&aliases->lock);
	const Entry *entry = g_hash_table_lookup(aliases->by_intent, &intent);
	return entry ? g_strdupv(entry->names) : NULL;
}

bool aliases_find_other(Aliases *aliases, guint32 dir, const char *name, Alias *ret)
{
	Entry from = {.place.dir = dir};
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&aliases->lock);
	if (aliases->n_named == 0)
		return false;
	GSequenceIter *at = g_sequence_search(aliases->waiting, &from, compare_waiting, NULL);
	for (; !g_sequence_iter_is_end(at); at = g_sequence_iter_next(at)) {
		const Entry *entry = g_sequence_get(at);
		if (entry->place.dir != dir)
			break;
		if (!entry->names || !g_strv_contains((const char *const *)entry->names, name))
			continue;
		*ret = entry->alias;
		return true;
	}
	return false;
}

void aliases_set_flags(Aliases *aliases, guint64 intent, guint flags, const char *keywords)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&aliases->lock);
	Entry *entry = g_hash_table_lookup(aliases->by_intent, &intent);
	if (!entry)
		return;
	g_free(entry->keywords);
	entry->flags = flags;
	entry->keywords = g_strdup(keywords);
}

char *aliases_flags(Aliases *aliases, guint64 intent, guint *ret_flags)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&aliases->lock);
	const Entry *entry = g_hash_table_lookup(aliases->by_intent, &intent);
	if (!entry)
		entry = g_hash_table_lookup(aliases->by_of, &intent);
	if (!entry || !entry->keywords)
		return NULL;
	*ret_flags = entry->flags;
	return g_strdup(entry->keywords);
}

bool aliases_moved(Aliases *aliases, Gen gen, guint32 uid, Alias *ret)
{
	guint64 key = source_key(gen, uid);
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&aliases->lock);
	const Entry *entry = g_hash_table_lookup(aliases->by_from, &key);
	if (entry)
		*ret = entry->alias;
	return entry != NULL;
}

/* This change is over, and so are those before it. */
static void forget_before(Entry *entry, guint64 of)
{
	guint n = 0;
	while (g_array_index(entry->of, guint64, n) != of)
		n++;
	g_array_remove_range(entry->of, 0, n + 1);
}

void aliases_follow(Aliases *aliases, guint64 of, Gen gen, guint32 uid)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&aliases->lock);
	Entry *entry = g_hash_table_lookup(aliases->by_of, &of);
	if (!entry)
		return;
	unlink_locked(aliases, entry);
	note_source(entry);
	forget_before(entry, of);
	entry->alias.file = 0;
	entry->alias.copied = false;
	entry->alias.gen = gen;
	entry->alias.uid = uid;
	link_locked(aliases, entry);
}

/* Of one message. The array goes with its last entry. */
static void forget_message_locked(Aliases *aliases, const GPtrArray *entries)
{
	for (guint i = entries->len; i-- > 0;) {
		Entry *entry = g_ptr_array_index(entries, i);
		bool last = entries->len == 1;
		if (entry->alias.intent == 0)
			remove_locked(aliases, entry);
		if (last)
			return;
	}
}

void aliases_forget(Aliases *aliases, Gen gen, const ImapSet *uids)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&aliases->lock);
	GHashTable *by_uid = g_hash_table_lookup(aliases->by_gen, GUINT_TO_POINTER(gen));
	if (!by_uid)
		return;
	g_autoptr(GList) keys = g_hash_table_get_keys(by_uid);
	for (const GList *l = keys; l; l = l->next) {
		const GPtrArray *entries =
			of_message_locked(aliases, gen, GPOINTER_TO_UINT(l->data));
		if (!uids || imap_set_contains(uids, GPOINTER_TO_UINT(l->data)))
			forget_message_locked(aliases, entries);
	}
}

/* ---- what there is ---- */

bool aliases_waiting_after(
	Aliases *aliases, guint32 dir, guint32 after, Alias *ret, char **ret_name)
{
	Entry from = {.place.dir = dir, .alias.number = after};
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&aliases->lock);
	GSequenceIter *next = g_sequence_search(aliases->waiting, &from, compare_waiting, NULL);
	if (g_sequence_iter_is_end(next))
		return false;
	const Entry *entry = g_sequence_get(next);
	if (entry->place.dir != dir)
		return false;
	*ret = entry->alias;
	*ret_name = g_strdup(entry->place.name);
	return true;
}

char *aliases_instead(Aliases *aliases, Gen gen, guint32 uid)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&aliases->lock);
	if (aliases->n_instead == 0)
		return NULL;
	const GPtrArray *entries = of_message_locked(aliases, gen, uid);
	for (guint i = 0; entries && i < entries->len; i++) {
		const Entry *entry = g_ptr_array_index(entries, i);
		if (entry->alias.instead && entry->alias.intent == 0)
			return g_strdup(entry->place.name);
	}
	return NULL;
}

static void place_clear(gpointer data)
{
	g_free(((AliasPlace *)data)->name);
}

GArray *aliases_places(Aliases *aliases, Gen gen, const ImapSet *uids)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&aliases->lock);
	GHashTable *by_uid = g_hash_table_lookup(aliases->by_gen, GUINT_TO_POINTER(gen));
	GHashTableIter iter;
	gpointer key, value;
	if (!by_uid)
		return NULL;
	GArray *places = g_array_new(FALSE, FALSE, sizeof(AliasPlace));
	g_array_set_clear_func(places, place_clear);
	g_hash_table_iter_init(&iter, by_uid);
	while (g_hash_table_iter_next(&iter, &key, &value)) {
		const GPtrArray *entries = value;
		if (uids && !imap_set_contains(uids, GPOINTER_TO_UINT(key)))
			continue;
		for (guint i = 0; i < entries->len; i++) {
			const Entry *entry = g_ptr_array_index(entries, i);
			AliasPlace place = {entry->place.dir, NULL};
			if (entry->alias.intent != 0)
				continue;
			place.name = g_strdup(entry->place.name);
			g_array_append_val(places, place);
		}
	}
	return places;
}

ImapSet *aliases_like_uids(Aliases *aliases, guint32 dir, const ImapSet *uids)
{
	ImapSet *like = NULL;
	gsize n;
	const ImapRange *ranges = imap_set_ranges(uids, &n);
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&aliases->lock);
	if (g_hash_table_size(aliases->by_place) == 0)
		return NULL;
	for (gsize i = 0; i < n; i++) {
		for (guint64 uid = ranges[i].lo; uid <= ranges[i].hi; uid++) {
			char name[NAME_MESSAGE_BYTES];
			name_of_message((guint32)uid, name);
			if (!find_locked(aliases, dir, name))
				continue;
			like = like ? like : imap_set_new();
			imap_set_add(like, (guint32)uid, (guint32)uid);
		}
	}
	return like;
}
