/* The directories of the account: an immutable snapshot made from the list of mailboxes. Each name
 * is split at its own delimiter; parents that nobody listed and \Noselect names are plain
 * directories. A snapshot may be read by any thread that holds a reference. */
#pragma once

#include "store/store.h"

enum {
	/* Levels below the root. A deeper name is not split further: its rest is one component.
	 * Directories that deep are past what PATH_MAX allows anyway. */
	TREE_DEPTH = 64,
};

typedef struct {
	guint32 id; /* 0: the root */
	guint32 parent; /* id; the root's is 0 */
	MailboxId mailbox; /* 0: a plain directory */
	const char *name; /* file name; "" for the root */

	/* What a mailbox here has its name begin with on the wire, and what then follows it before
	 * that of one below (0: none can be). Lives as long as the store. */
	const char *wire;
	guint32 wire_len;
	char delimiter;
} TreeDir;

/* Directory ids by path: the same path has the same id in every snapshot, and no id is used for
 * another path, unless the directory was renamed. One thread at a time. */
typedef struct TreeIds TreeIds;
TreeIds *tree_ids_new(void);
void tree_ids_free(TreeIds *ids); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TreeIds, tree_ids_free)

/* The directory of this id has another path from the next snapshot on, and those below it with it;
 * its old path gets a new id if it comes again. A directory that had the new path before loses its
 * id. parent: id of the directory that it is in then. Nothing happens when no directory ever had
 * the id. */
void tree_ids_rename(TreeIds *ids, guint32 id, guint32 parent, const char *name);

typedef struct Tree Tree;

/* mailboxes: StoreMailbox, as store_mailboxes() gives them. Past INODE_ID_MAX directories the rest
 * is left out. */
Tree *tree_new(TreeIds *ids, const GArray *mailboxes);
Tree *tree_ref(Tree *tree);
void tree_unref(Tree *tree); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Tree, tree_unref)

/* What these return lives as long as the tree. NULL: there is none. */
const TreeDir *tree_dir(const Tree *tree, guint32 id);
const TreeDir *tree_child(const Tree *tree, const TreeDir *dir, const char *name);
const TreeDir *tree_of_mailbox(const Tree *tree, MailboxId mailbox);

/* "Archive/2026": file names, INBOX in any case. "" is the root. */
const TreeDir *tree_find(const Tree *tree, const char *path);

/* The way from one directory down to another: "Archive/2026", "." when they are the same; NULL when
 * it does not lead there. New string. */
char *tree_path(const Tree *tree, guint32 from, const TreeDir *to);

/* The child with the lowest id above `after` (0: the first); children come in order of id. */
const TreeDir *tree_child_after(const Tree *tree, const TreeDir *dir, guint32 after);
guint tree_n_children(const Tree *tree, const TreeDir *dir);

/* Every directory with the root, in order of id. */
const TreeDir *tree_dir_after(const Tree *tree, guint32 after);
