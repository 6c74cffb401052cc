/* What a name in a directory means, from memory: the same to LOOKUP, to listings and to whatever
 * changes the tree. The server's names come first, so that no other name ever hides a message. */
#pragma once

#include "fs/alias.h"
#include "fs/name.h"
#include "fs/op.h"
#include "fs/query.h"

typedef enum {
	RESOLVED_NOTHING,
	RESOLVED_DIRECTORY,
	RESOLVED_MESSAGE, /* one that is listed */
	RESOLVED_WAITING, /* an alias of one that a change is about to bring here */
	RESOLVED_STAGED,
	RESOLVED_UNREAD, /* perhaps one that is listed: what its readable name is made of is not
			  * here: op_read_name() */
} ResolvedKind;

typedef struct {
	ResolvedKind kind;
	const TreeDir *dir; /* DIRECTORY; of MESSAGE and WAITING where that is, whatever view shows
			     * it; lives as long as the tree */
	Gen gen; /* MESSAGE, UNREAD */
	guint32 uid; /* likewise */
	bool aliased; /* MESSAGE: the name is an alias */
	bool other; /* STAGED, WAITING: by a name of what it replaces, which is left to others */
	bool readable; /* MESSAGE: the name is made of its subject (-o names=subject) */
	Alias alias; /* WAITING, and MESSAGE if aliased */
	Staged *staged; /* STAGED: a reference */
} Resolved;

void resolved_clear(Resolved *resolved);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Resolved, resolved_clear)

/* As far as names of the mailbox are known, right or not, and without those by UID that nobody can
 * know (fs/unlisted.h). ret: to be cleared. Any thread, never blocks. */
void resolve(Fs *fs, const Tree *tree, const TreeDir *dir, const char *name, Resolved *ret);

/* The same of a name in `.names`, or in a query, where nothing but messages is; `at`: that inode,
 * dir: the directory behind it. found: of a query. */
void resolve_in_view(Fs *fs, const Tree *tree, Inode at, const TreeDir *dir,
	const QueryResult *found, const char *name, Resolved *ret);

/* Either of them, of op->name in the directory of op->at, for a request that may wait: what is
 * lacking is asked for. dir: the one behind it. false: it is answered, or (*ret_parked) waits. */
bool resolve_op(Op *op, const GError *error, const Tree *tree, const TreeDir *dir, Resolved *ret,
	bool *ret_parked);

/* The message of MESSAGE or WAITING, as the source of a change. */
void resolved_source(const Resolved *resolved, EngineChange *ret);

/* The name that listings show of a message: its own, or the one it has instead. ret is the room for
 * its own; a longer one is a new string in *ret_alias, else that is NULL. */
const char *resolve_shown(
	Fs *fs, Gen gen, guint32 uid, char ret[static NAME_MESSAGE_BYTES], char **ret_alias);

/* With -o names=subject the name that listings show instead of that by UID, if nothing else in the
 * directory has it: a new string. NULL with *ret_unread: what it is made of is not here. */
char *resolve_readable(
	Fs *fs, const Tree *tree, const TreeDir *dir, Gen gen, guint32 uid, bool *ret_unread);

/* What a message is called in a search of all mailboxes: "INBOX%2FLists:57.eml". New string; NULL:
 * its folder is not in the mount. */
char *resolve_path(Fs *fs, const Tree *tree, Gen gen);

/* The name itself or a numbered one like it that nothing in the directory is shown as: a new
 * string. over_staged: it may be that of a staged file. */
char *resolve_free_name(
	Fs *fs, const Tree *tree, const TreeDir *dir, const char *name, bool over_staged);
