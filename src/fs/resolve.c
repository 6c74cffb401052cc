#include "fs/resolve.h"

#include <string.h>

#include "fs/fields.h"
#include "fs/name.h"
#include "fs/named.h"
#include "fs/search.h"
#include "fs/unlisted.h"

void resolved_clear(Resolved *resolved)
{
	g_clear_pointer(&resolved->staged, staged_unref);
}

void resolved_source(const Resolved *resolved, EngineChange *ret)
{
	bool waits = resolved->kind == RESOLVED_WAITING;
	ret->of = waits ? resolved->alias.intent : 0;
	ret->gen = waits ? 0 : resolved->gen;
	ret->uid = waits ? 0 : resolved->uid;
}

static bool is_there(Fs *fs, Gen gen, guint32 uid)
{
	StoreMessage message;
	return uid != 0 && store_names_known(fs->store, gen) &&
	       store_try_message(fs->store, gen, uid, &message) != STORE_ABSENT;
}

/* Whether anybody can know it by its UID. */
static bool is_listed(Fs *fs, Gen gen, guint32 uid)
{
	return is_there(fs, gen, uid) && !unlisted_has(fs->unlisted, gen, uid);
}

/* Whether the name that a message has instead of its own is its name: not if another message came
 * that has it by its UID. */
static bool holds(Fs *fs, Gen gen, guint32 uid, const char *instead)
{
	guint32 other = name_to_uid(instead);
	if (other == 0 || other == uid || !is_listed(fs, gen, other))
		return true;
	g_autofree char *others = aliases_instead(fs->aliases, gen, other);
	return others != NULL;
}

const char *resolve_shown(
	Fs *fs, Gen gen, guint32 uid, char ret[static NAME_MESSAGE_BYTES], char **ret_alias)
{
	g_autofree char *instead = aliases_instead(fs->aliases, gen, uid);
	*ret_alias = NULL;
	if (instead && holds(fs, gen, uid, instead))
		return *ret_alias = g_steal_pointer(&instead);
	name_of_message(uid, ret);
	return ret;
}

/* Whether there is a message that has its own names, as far as anybody can know. */
static bool has_own_name(Fs *fs, Gen gen, guint32 uid)
{
	char own[NAME_MESSAGE_BYTES];
	g_autofree char *alias = NULL;
	if (!is_listed(fs, gen, uid))
		return false;
	resolve_shown(fs, gen, uid, own, &alias);
	return !alias;
}

static bool resolve_uid(Fs *fs, const TreeDir *dir, Gen gen, const char *name, Resolved *ret)
{
	guint32 uid = name_to_uid(name);
	if (!has_own_name(fs, gen, uid))
		return false;
	*ret = (Resolved){.kind = RESOLVED_MESSAGE, .dir = dir, .gen = gen, .uid = uid};
	return true;
}

static bool resolve_alias(Fs *fs, const TreeDir *dir, Gen gen, const char *name, Resolved *ret)
{
	Alias alias;
	if (!aliases_find(fs->aliases, dir->id, name, &alias))
		return false;
	if (alias.intent != 0) {
		*ret = (Resolved){.kind = RESOLVED_WAITING, .dir = dir, .alias = alias};
		return true;
	}
	/* Names that are not known yet are asked for by who looks. */
	bool gone = store_names_known(fs->store, gen) && !is_there(fs, gen, alias.uid);
	if (alias.gen != gen || gone)
		return false;
	*ret = (Resolved){
		.kind = RESOLVED_MESSAGE,
		.dir = dir,
		.gen = gen,
		.uid = alias.uid,
		.aliased = true,
		.alias = alias,
	};
	return true;
}

/* Whether a message has this readable name: MESSAGE, NOTHING or UNREAD. */
static ResolvedKind compare(Fs *fs, SubjectForm form, Gen gen, guint32 uid, const char *name)
{
	if (form == SUBJECT_BEHIND_UID && named_is(fs->named, gen, uid, name))
		return RESOLVED_MESSAGE;
	g_autofree char *right = fields_name(fs, form, gen, uid);
	if (!right)
		return RESOLVED_UNREAD;
	return strcmp(right, name) == 0 ? RESOLVED_MESSAGE : RESOLVED_NOTHING;
}

static void resolve_subject(Fs *fs, const TreeDir *dir, Gen gen, const char *name, Resolved *ret)
{
	guint32 uid = subject_to_uid(SUBJECT_BEHIND_UID, name);
	if (has_own_name(fs, gen, uid))
		*ret = (Resolved){
			.kind = compare(fs, SUBJECT_BEHIND_UID, gen, uid, name),
			.dir = dir,
			.gen = gen,
			.uid = uid,
			.readable = true,
		};
}

/* What replaces a message has all of its names from the beginning. In this order: it is waiting
 * before it is no longer going to. */
static void resolve_going(Fs *fs, const TreeDir *dir, const char *name, Resolved *ret)
{
	Alias alias;
	if ((ret->staged = staged_going(fs->staged, dir->id, name))) {
		ret->kind = RESOLVED_STAGED;
		ret->other = true;
	} else if (aliases_find_other(fs->aliases, dir->id, name, &alias))
		*ret = (Resolved){
			.kind = RESOLVED_WAITING, .dir = dir, .alias = alias, .other = true};
}

void resolve(Fs *fs, const Tree *tree, const TreeDir *dir, const char *name, Resolved *ret)
{
	Gen gen = dir->mailbox != 0 ? store_gen(fs->store, dir->mailbox) : 0;
	*ret = (Resolved){0};
	if (gen != 0 && resolve_uid(fs, dir, gen, name, ret))
		return;
	if ((ret->staged = staged_find(fs->staged, dir->id, name))) {
		ret->kind = RESOLVED_STAGED;
		return;
	}
	if (resolve_alias(fs, dir, gen, name, ret))
		return;
	if ((ret->dir = tree_child(tree, dir, name)))
		ret->kind = RESOLVED_DIRECTORY;
	else if (gen != 0 && fs->names == FS_NAMES_SUBJECT)
		resolve_subject(fs, dir, gen, name, ret);
	if (ret->kind == RESOLVED_NOTHING)
		resolve_going(fs, dir, name, ret);
}

/* Whether a name is left to what has it only if nothing else does. */
static bool is_left(Fs *fs, const Tree *tree, const TreeDir *dir, const char *name)
{
	Alias alias;
	g_autoptr(Staged) staged = staged_find(fs->staged, dir->id, name);
	return !staged && !aliases_find(fs->aliases, dir->id, name, &alias) &&
	       !tree_child(tree, dir, name);
}

char *resolve_readable(
	Fs *fs, const Tree *tree, const TreeDir *dir, Gen gen, guint32 uid, bool *ret_unread)
{
	g_autofree char *name = fields_name(fs, SUBJECT_BEHIND_UID, gen, uid);
	*ret_unread = !name;
	return name && is_left(fs, tree, dir, name) ? g_steal_pointer(&name) : NULL;
}

/* ---- views ---- */

/* A message whose readable name cannot be made is called by its UID there. */
static void resolve_full(Fs *fs, const TreeDir *dir, const char *name, Resolved *ret)
{
	Gen gen = store_gen(fs->store, dir->mailbox);
	guint32 own = name_to_uid(name);
	guint32 uid = own != 0 ? own : subject_to_uid(SUBJECT_FULL, name);
	if (gen == 0 || !is_there(fs, gen, uid))
		return;
	*ret = (Resolved){
		.kind = own != 0 ? RESOLVED_MESSAGE : compare(fs, SUBJECT_FULL, gen, uid, name),
		.dir = dir,
		.gen = gen,
		.uid = uid,
		.readable = own == 0,
	};
}

static void resolve_found(Fs *fs, const Tree *tree, const TreeDir *dir, const QueryResult *found,
	const char *name, Resolved *ret)
{
	resolve(fs, tree, dir, name, ret);
	if (ret->kind == RESOLVED_UNREAD)
		return;
	const ImapSet *uids =
		ret->kind == RESOLVED_MESSAGE ? query_result_in(found, ret->gen) : NULL;
	if (uids && imap_set_contains(uids, ret->uid))
		return;
	resolved_clear(ret);
	*ret = (Resolved){0};
}

char *resolve_path(Fs *fs, const Tree *tree, Gen gen)
{
	const TreeDir *dir = tree_of_mailbox(tree, store_gen_mailbox(fs->store, gen));
	g_autofree char *path =
		dir ? tree_path(tree, (guint32)g_atomic_int_get(&fs->root), dir) : NULL;
	return path ? name_of_path(path) : NULL;
}

static bool has_path(Fs *fs, const Tree *tree, Gen gen, const char *name, gsize len)
{
	g_autofree char *path = resolve_path(fs, tree, gen);
	return path && strlen(path) == len && strncmp(path, name, len) == 0;
}

static void resolve_found_anywhere(
	Fs *fs, const Tree *tree, const QueryResult *found, const char *name, Resolved *ret)
{
	const char *colon = strrchr(name, ':');
	guint32 uid = colon ? name_to_uid(colon + 1) : 0;
	for (guint i = 0; uid != 0 && i < found->n; i++) {
		const QueryHits *hits = &found->hits[i];
		if (!imap_set_contains(hits->uids, uid) || !is_there(fs, hits->gen, uid) ||
			!has_path(fs, tree, hits->gen, name, (gsize)(colon - name)))
			continue;
		*ret = (Resolved){
			.kind = RESOLVED_MESSAGE,
			.dir = tree_of_mailbox(tree, store_gen_mailbox(fs->store, hits->gen)),
			.gen = hits->gen,
			.uid = uid,
		};
		return;
	}
}

void resolve_in_view(Fs *fs, const Tree *tree, Inode at, const TreeDir *dir,
	const QueryResult *found, const char *name, Resolved *ret)
{
	*ret = (Resolved){0};
	if (at.kind == INODE_VIEW && at.part == VIEW_NAMES)
		resolve_full(fs, dir, name, ret);
	else if (at.kind == INODE_QUERY && dir->mailbox == 0)
		resolve_found_anywhere(fs, tree, found, name, ret);
	else if (at.kind == INODE_QUERY)
		resolve_found(fs, tree, dir, found, name, ret);
}

bool resolve_op(Op *op, const GError *error, const Tree *tree, const TreeDir *dir, Resolved *ret,
	bool *ret_parked)
{
	g_autoptr(QueryResult) found = NULL;
	*ret_parked = false;
	if (op->at.kind == INODE_QUERY) {
		found = search_result(op, error, dir, SEARCH_KEPT, ret_parked);
		if (!found)
			return false;
	}
	if (op->at.kind == INODE_QUERY || op->at.kind == INODE_VIEW)
		resolve_in_view(op->fs, tree, op->at, dir, found, op->name, ret);
	else
		resolve(op->fs, tree, dir, op->name, ret);
	return ret->kind != RESOLVED_UNREAD || !op_read_name(op, ret->gen, ret->uid, ret_parked);
}

/* Of an alias that is not shown nothing is lost: its message has another name. */
static bool is_free(
	Fs *fs, const Tree *tree, const TreeDir *dir, const char *name, bool over_staged)
{
	g_auto(Resolved) there = {0};
	resolve(fs, tree, dir, name, &there);
	switch (there.kind) {
	case RESOLVED_NOTHING:
	case RESOLVED_UNREAD:
		return true;
	case RESOLVED_STAGED:
		return over_staged;
	case RESOLVED_MESSAGE:
		return there.aliased && !there.alias.instead;
	case RESOLVED_DIRECTORY:
	case RESOLVED_WAITING:
		break;
	}
	return false;
}

char *resolve_free_name(
	Fs *fs, const Tree *tree, const TreeDir *dir, const char *name, bool over_staged)
{
	char *free_name = g_strdup(name);
	for (guint n = 2; !is_free(fs, tree, dir, free_name, over_staged); n++) {
		g_free(free_name);
		free_name = name_numbered(name, n);
	}
	return free_name;
}
