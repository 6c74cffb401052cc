/* `.imapfs/events`: what changed, a line of JSON each. */
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "fs/fs.h"

/* RFC 3339 with milliseconds, in UTC. */
static char *time_now(void)
{
	gint64 now_us = g_get_real_time();
	g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(now_us / G_USEC_PER_SEC);
	g_autofree char *text = g_date_time_format(time, "%Y-%m-%dT%H:%M:%S");
	return g_strdup_printf("%s.%03dZ", text, (int)(now_us / 1000 % 1000));
}

static JsonWriter *line_begin(const char *kind)
{
	g_autofree char *time = time_now();
	JsonWriter *json = json_writer_new(false);
	json_open(json, NULL, '{');
	json_text(json, "time", time);
	json_text(json, "kind", kind);
	return json;
}

static void line_end(JsonWriter *json, GString *to)
{
	json_close(json);
	g_autofree char *text = json_writer_finish(json);
	g_string_append_printf(to, "%s\n", text);
}

static void append_message(GString *lines, const char *kind, const char *folder, guint32 uid)
{
	JsonWriter *json = line_begin(kind);
	json_text(json, "folder", folder);
	json_number(json, "uid", uid);
	line_end(json, lines);
}

static void append_more(GString *lines, const char *kind, const char *folder, guint64 more)
{
	JsonWriter *json = line_begin(kind);
	json_text(json, "folder", folder);
	json_number(json, "more", (gint64)more);
	line_end(json, lines);
}

static void write_lines(Fs *fs, const GString *lines)
{
	store_note(fs->store, lines->str, lines->len);
}

static bool has_room(const GString *lines, guint64 room)
{
	return room > 0 && lines->len < LIMIT_EVENT_BYTES;
}

void journal_messages(Fs *fs, const char *kind, MailboxId mailbox, const ImapSet *uids)
{
	if (!uids || imap_set_count(uids) == 0)
		return;
	g_autofree char *folder = fs_mailbox_path(fs, mailbox);
	if (!folder)
		return;
	g_autoptr(GString) lines = g_string_new(NULL);
	guint64 left = imap_set_count(uids), room = LIMIT_EVENT_LINES;
	gsize n;
	const ImapRange *ranges = imap_set_ranges(uids, &n);
	for (gsize i = 0; i < n; i++)
		for (guint64 uid = ranges[i].lo; uid <= ranges[i].hi && has_room(lines, room);
			uid++) {
			append_message(lines, kind, folder, (guint32)uid);
			room--;
			left--;
		}
	if (left > 0)
		append_more(lines, kind, folder, left);
	write_lines(fs, lines);
}

void journal_message(Fs *fs, const char *kind, MailboxId mailbox, guint32 uid)
{
	g_autoptr(ImapSet) uids = imap_set_new();
	imap_set_add(uids, uid, uid);
	journal_messages(fs, kind, mailbox, uids);
}

static void note_folder(Fs *fs, const char *kind, const char *folder)
{
	if (!folder)
		return;
	g_autoptr(GString) line = g_string_new(NULL);
	JsonWriter *json = line_begin(kind);
	json_text(json, "folder", folder);
	line_end(json, line);
	write_lines(fs, line);
}

void journal_mailbox(Fs *fs, const char *kind, MailboxId mailbox)
{
	g_autofree char *folder = fs_mailbox_path(fs, mailbox);
	note_folder(fs, kind, folder);
}

/* A directory keeps its id when it is renamed, as those below it do. */
static bool has_same_path(const Tree *tree, const Tree *other, const TreeDir *dir)
{
	for (; dir->id != 0; dir = tree_dir(tree, dir->parent)) {
		const TreeDir *there = tree_dir(other, dir->id);
		if (!there || there->parent != dir->parent || strcmp(there->name, dir->name) != 0)
			return false;
	}
	return true;
}

/* The mailboxes that one tree shows and the other does not, or not there. */
static void note_difference(Fs *fs, const char *kind, const Tree *tree, const Tree *other)
{
	guint32 root = (guint32)g_atomic_int_get(&fs->root);
	for (const TreeDir *dir = tree_dir(tree, 0); dir; dir = tree_dir_after(tree, dir->id)) {
		const TreeDir *there = tree_dir(other, dir->id);
		if (dir->mailbox == 0 || (there && there->mailbox == dir->mailbox &&
						 has_same_path(tree, other, dir)))
			continue;
		g_autofree char *path = tree_path(tree, root, dir);
		note_folder(fs, kind, path);
	}
}

void journal_folders(Fs *fs)
{
	g_autoptr(Tree) before = fs->journaled;
	fs->journaled = fs_tree(fs);
	if (!before)
		return;
	note_difference(fs, "folder-gone", before, fs->journaled);
	note_difference(fs, "folder-new", fs->journaled, before);
}

static const char *intent_word(IntentKind kind)
{
	static const char *const words[INTENT_KINDS_] = {
		[INTENT_FLAGS] = "flags",
		[INTENT_REMOVE] = "remove",
		[INTENT_MARK] = "mark",
		[INTENT_MOVE] = "move",
		[INTENT_COPY] = "copy",
		[INTENT_APPEND] = "append",
	};
	return words[kind];
}

/* The path of a mailbox by its name on the wire, that name if it is not in the mount. */
static void write_folder(JsonWriter *json, Fs *fs, const char *key, const char *wire)
{
	MailboxId mailbox = wire ? store_find_mailbox(fs->store, wire) : 0;
	g_autofree char *path = mailbox != 0 ? fs_mailbox_path(fs, mailbox) : NULL;
	json_text(json, key, path ? path : wire);
}

void journal_refused(Fs *fs, const Intent *intent, const char *why)
{
	g_autoptr(GString) line = g_string_new(NULL);
	JsonWriter *json = line_begin("refused");
	json_text(json, "change", intent_word(intent->kind));
	if (intent->uid != 0) {
		write_folder(json, fs, "folder", intent->mailbox);
		json_number(json, "uid", intent->uid);
	}
	if (intent->target) {
		write_folder(json, fs, "target", intent->target);
		json_text(json, "name", intent->name);
	}
	json_text(json, "why", why);
	line_end(json, line);
	write_lines(fs, line);
}

void journal_query(Fs *fs, guint32 dir, const char *query, const char *why)
{
	g_autoptr(Tree) tree = fs_tree(fs);
	const TreeDir *in = tree_dir(tree, dir);
	g_autofree char *path =
		in ? tree_path(tree, (guint32)g_atomic_int_get(&fs->root), in) : NULL;
	g_autoptr(GString) line = g_string_new(NULL);
	JsonWriter *json = line_begin("query-refused");
	json_text(json, "folder", path);
	json_text(json, "query", query);
	json_text(json, "why", why);
	line_end(json, line);
	write_lines(fs, line);
}

void journal_state(Fs *fs, EngineState state, const char *why)
{
	g_autoptr(GString) line = g_string_new(NULL);
	JsonWriter *json = line_begin(status_state_name(state));
	if (why)
		json_text(json, "why", why);
	line_end(json, line);
	write_lines(fs, line);
}
