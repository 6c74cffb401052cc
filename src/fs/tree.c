#include "fs/tree.h"

#include <string.h>

#include "fs/inode.h"
#include "fs/name.h"

typedef struct {
	TreeDir dir; /* first: a TreeDir of this file is a Node */
	char *name;
	GPtrArray *children; /* of Node, by id; NULL: none */
	GHashTable *by_name; /* Node by its name; NULL: none */
} Node;

struct TreeIds {
	GHashTable *by_place; /* "parent/name" to id */
	guint32 last;
};

struct Tree {
	gint refs; /* atomic */
	GPtrArray *by_id; /* of Node, owned; NULL where no directory has the id now */
	GHashTable *by_mailbox; /* Node by mailbox id */
};

TreeIds *tree_ids_new(void)
{
	TreeIds *ids = g_new0(TreeIds, 1);
	ids->by_place = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	return ids;
}

void tree_ids_free(TreeIds *ids)
{
	if (!ids)
		return;
	g_hash_table_unref(ids->by_place);
	g_free(ids);
}

/* What is below a directory is found by its id, so that it follows when that gets another path. */
static char *place_of(guint32 parent, const char *name)
{
	return g_strdup_printf("%" G_GUINT32_FORMAT "/%s", parent, name);
}

static gboolean has_id(gpointer place, gpointer value, gpointer id)
{
	return value == id;
}

void tree_ids_rename(TreeIds *ids, guint32 id, guint32 parent, const char *name)
{
	gpointer value = GUINT_TO_POINTER(id);
	if (g_hash_table_foreach_remove(ids->by_place, has_id, value) > 0)
		g_hash_table_replace(ids->by_place, place_of(parent, name), value);
}

/* 0 when all are used. */
static guint32 ids_get(TreeIds *ids, guint32 parent, const char *name)
{
	g_autofree char *place = place_of(parent, name);
	guint32 id = GPOINTER_TO_UINT(g_hash_table_lookup(ids->by_place, place));
	if (id != 0 || ids->last == INODE_ID_MAX)
		return id;
	id = ++ids->last;
	g_hash_table_insert(ids->by_place, g_steal_pointer(&place), GUINT_TO_POINTER(id));
	return id;
}

static void node_free(gpointer data)
{
	Node *node = data;
	if (!node)
		return;
	g_clear_pointer(&node->children, g_ptr_array_unref);
	g_clear_pointer(&node->by_name, g_hash_table_unref);
	g_free(node->name);
	g_free(node);
}

static Node *tree_node(const Tree *tree, guint32 id)
{
	return id < tree->by_id->len ? g_ptr_array_index(tree->by_id, id) : NULL;
}

static Node *node_add(Tree *tree, Node *parent, guint32 id, const char *name)
{
	Node *node = g_new0(Node, 1);
	node->name = g_strdup(name);
	node->dir = (TreeDir){.id = id, .name = node->name};
	if (id >= tree->by_id->len)
		g_ptr_array_set_size(tree->by_id, (int)id + 1);
	tree->by_id->pdata[id] = node;
	if (!parent)
		return node;

	node->dir.parent = parent->dir.id;
	if (!parent->children) {
		parent->children = g_ptr_array_new();
		parent->by_name = g_hash_table_new(g_str_hash, g_str_equal);
	}
	g_ptr_array_add(parent->children, node);
	g_hash_table_insert(parent->by_name, node->name, node);
	return node;
}

/* NULL when no id is left. */
static Node *node_child(Tree *tree, TreeIds *ids, Node *parent, const char *name)
{
	Node *node = parent->by_name ? g_hash_table_lookup(parent->by_name, name) : NULL;
	if (node)
		return node;
	guint32 id = ids_get(ids, parent->dir.id, name);
	return id != 0 ? node_add(tree, parent, id, name) : NULL;
}

/* RFC 3501 5.1: INBOX is one mailbox in any case; what is below it is below one directory. */
static bool is_inbox(const char *bytes, gsize len)
{
	return len == 5 && g_ascii_strncasecmp(bytes, "INBOX", 5) == 0;
}

static gsize component_length(const char *bytes, char delimiter, guint depth)
{
	if (delimiter == 0 || depth == TREE_DEPTH)
		return strlen(bytes);
	const char *end = strchr(bytes, delimiter);
	return end ? (gsize)(end - bytes) : strlen(bytes);
}

static void set_wire(Node *node, const StoreMailbox *mailbox, const char *end)
{
	node->dir.wire = mailbox->name;
	node->dir.wire_len = (guint32)(end - mailbox->name);
	node->dir.delimiter = mailbox->delimiter;
}

/* The directory of a mailbox; a new one beside it when another mailbox has that path. */
static Node *mailbox_node(Tree *tree, TreeIds *ids, const StoreMailbox *mailbox)
{
	const char *rest = mailbox->name;
	Node *node = tree_node(tree, 0);
	for (guint depth = 1; node; depth++) {
		gsize len = component_length(rest, mailbox->delimiter, depth);
		g_autofree char *name = depth == 1 && is_inbox(rest, len)
						? g_strdup("INBOX")
						: name_from_component(rest, len);
		Node *parent = node;
		node = node_child(tree, ids, parent, name);
		if (node && !node->dir.wire)
			set_wire(node, mailbox, rest + len);
		if (rest[len] != '\0') {
			rest += len + 1;
			continue;
		}
		bool plain = mailbox->attributes & IMAP_LIST_NOSELECT;
		if (!node || plain || node->dir.mailbox == 0)
			return node;
		g_autofree char *other = name_distinct(name, mailbox->name, strlen(mailbox->name));
		node = node_child(tree, ids, parent, other);
		if (node)
			set_wire(node, mailbox, rest + len);
		return node;
	}
	return NULL;
}

static void add_mailbox(Tree *tree, TreeIds *ids, const StoreMailbox *mailbox)
{
	/* RFC 5258 3: named only because it is subscribed or has children, which make its
	 * directory. */
	if (mailbox->attributes & IMAP_LIST_NONEXISTENT)
		return;
	Node *node = mailbox_node(tree, ids, mailbox);
	if (!node) {
		g_debug("more directories than inode numbers: mailbox %u is left out", mailbox->id);
		return;
	}
	if (mailbox->attributes & IMAP_LIST_NOSELECT)
		return;
	node->dir.mailbox = mailbox->id;
	/* Of two that differ in the case of INBOX: its own. */
	set_wire(node, mailbox, mailbox->name + strlen(mailbox->name));
	g_hash_table_insert(tree->by_mailbox, GUINT_TO_POINTER(mailbox->id), node);
}

static int compare_ids(gconstpointer a, gconstpointer b)
{
	guint32 x = (*(Node *const *)a)->dir.id;
	guint32 y = (*(Node *const *)b)->dir.id;
	return (x > y) - (x < y);
}

Tree *tree_new(TreeIds *ids, const GArray *mailboxes)
{
	Tree *tree = g_new0(Tree, 1);
	tree->refs = 1;
	tree->by_id = g_ptr_array_new_with_free_func(node_free);
	tree->by_mailbox = g_hash_table_new(NULL, NULL);
	Node *root = node_add(tree, NULL, 0, "");
	root->dir.wire = "";

	/* INBOX comes first in every listing: it takes the first id, and a new mailbox is named as
	 * it is. */
	for (int others = 0; others < 2; others++) {
		for (guint i = 0; i < mailboxes->len; i++) {
			const StoreMailbox *mailbox = &g_array_index(mailboxes, StoreMailbox, i);
			if (is_inbox(mailbox->name, strlen(mailbox->name)) == others)
				continue;
			add_mailbox(tree, ids, mailbox);
			if (root->dir.delimiter == '\0')
				root->dir.delimiter = mailbox->delimiter;
		}
	}
	for (guint i = 0; i < tree->by_id->len; i++) {
		Node *node = g_ptr_array_index(tree->by_id, i);
		if (node && node->children)
			g_ptr_array_sort(node->children, compare_ids);
	}
	return tree;
}

Tree *tree_ref(Tree *tree)
{
	g_atomic_int_inc(&tree->refs);
	return tree;
}

void tree_unref(Tree *tree)
{
	if (!tree || !g_atomic_int_dec_and_test(&tree->refs))
		return;
	g_hash_table_unref(tree->by_mailbox);
	g_ptr_array_unref(tree->by_id);
	g_free(tree);
}

const TreeDir *tree_dir(const Tree *tree, guint32 id)
{
	const Node *node = tree_node(tree, id);
	return node ? &node->dir : NULL;
}

const TreeDir *tree_child(const Tree *tree, const TreeDir *dir, const char *name)
{
	const Node *parent = tree_node(tree, dir->id);
	if (!parent || !parent->by_name)
		return NULL;
	const Node *node = g_hash_table_lookup(parent->by_name, name);
	return node ? &node->dir : NULL;
}

const TreeDir *tree_of_mailbox(const Tree *tree, MailboxId mailbox)
{
	const Node *node = g_hash_table_lookup(tree->by_mailbox, GUINT_TO_POINTER(mailbox));
	return node ? &node->dir : NULL;
}

const TreeDir *tree_find(const Tree *tree, const char *path)
{
	const TreeDir *dir = tree_dir(tree, 0);
	g_auto(GStrv) names = g_strsplit(path, "/", -1);
	for (guint i = 0; dir && names[i]; i++) {
		const char *name = names[i];
		if (*name == '\0')
			continue;
		if (dir->id == 0 && is_inbox(name, strlen(name)))
			name = "INBOX";
		dir = tree_child(tree, dir, name);
	}
	return dir;
}

char *tree_path(const Tree *tree, guint32 from, const TreeDir *to)
{
	g_autofree char *path = NULL;
	for (; to && to->id != from; to = tree_dir(tree, to->parent)) {
		if (to->id == 0)
			return NULL;
		char *longer = path ? g_strdup_printf("%s/%s", to->name, path) : g_strdup(to->name);
		g_free(path);
		path = longer;
	}
	return path ? g_steal_pointer(&path) : g_strdup(".");
}

const TreeDir *tree_child_after(const Tree *tree, const TreeDir *dir, guint32 after)
{
	const Node *parent = tree_node(tree, dir->id);
	if (!parent || !parent->children)
		return NULL;
	guint lo = 0, hi = parent->children->len;
	while (lo < hi) {
		guint middle = lo + (hi - lo) / 2;
		const Node *node = g_ptr_array_index(parent->children, middle);
		if (node->dir.id > after)
			hi = middle;
		else
			lo = middle + 1;
	}
	if (lo == parent->children->len)
		return NULL;
	return &((const Node *)g_ptr_array_index(parent->children, lo))->dir;
}

guint tree_n_children(const Tree *tree, const TreeDir *dir)
{
	const Node *node = tree_node(tree, dir->id);
	return node && node->children ? node->children->len : 0;
}

const TreeDir *tree_dir_after(const Tree *tree, guint32 after)
{
	for (guint id = after + 1; id < tree->by_id->len; id++) {
		const Node *node = g_ptr_array_index(tree->by_id, id);
		if (node)
			return &node->dir;
	}
	return NULL;
}
