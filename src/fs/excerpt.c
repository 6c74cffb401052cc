#include "fs/excerpt.h"

#include <errno.h>
#include <string.h>

#include "base/limits.h"
#include "fs/octets.h"
#include "fs/rendered.h"
#include "mime/fields.h"

enum {
	/* The octets at both ends of a part in base64 that tell its grid. */
	GRID_SAMPLE = 1024,

	/* Who reads on from what is known to be as the grid says: the kernel reads ahead so far,
	 * and does not wait for one READ before it sends the next. */
	GRID_NEAR = 512 << 10,

	/* A character of one byte, or of an encoded word, becomes three bytes of UTF-8 at most. */
	HEADER_GROWTH = 3,

	/* How long a header may be whose message has no length. */
	HEADER_BOUND = 64 << 10,
};

void excerpt_clear(Excerpt *excerpt)
{
	trees_answer_clear(&excerpt->parts);
}

static bool has_name(const MimeTree *tree, guint number, const char *name)
{
	const MimePart *part = mime_tree_part(tree, number);
	return part && strcmp(part->name, name) == 0;
}

/* The message has other parts than its BODYSTRUCTURE said: what the kernel knows of them is wrong,
 * and what was made of them. Of a part that is being read the length is corrected later (read.c).
 */
static void tell_others(Fs *fs, Gen gen, guint32 uid, const TreesAnswer *parts)
{
	fuse_ino_t dir = inode_parts(gen, uid), text = inode_text(gen, uid);
	for (guint i = 0; i < mime_tree_count(parts->before); i++) {
		fuse_ino_t ino = inode_part(1 + i, gen, uid);
		const char *name = mime_tree_part(parts->before, i)->name;
		rendered_forget(fs->rendered, ino);
		notify_child(fs->notify, dir, name);
		if (has_name(parts->tree, i, name))
			notify_correct_later(fs->notify, ino);
		else
			notify_listing(fs->notify, ino);
	}
	rendered_forget(fs->rendered, text);
	notify_correct_later(fs->notify, text);
}

static bool find_part(Excerpt *excerpt, Lack *ret_lack)
{
	if (excerpt->at.kind != INODE_PART || excerpt->at.part == 0)
		return true;
	excerpt->number = excerpt->at.part - 1;
	excerpt->part = mime_tree_part(excerpt->parts.tree, excerpt->number);
	return excerpt->part || lack_failure(ret_lack, ESTALE);
}

bool excerpt_open(Fs *fs, Inode at, Excerpt *ret, Lack *ret_lack)
{
	*ret = (Excerpt){.fs = fs, .at = at, .ino = inode_pack(at)};
	if (store_gen_mailbox(fs->store, at.id) == 0)
		return lack_failure(ret_lack, ESTALE);
	trees_find(fs->trees, fs->store, at.id, at.uid, &ret->parts);
	if (!ret->parts.tree)
		return lack_of(ret_lack, LACK_OUTLINE);
	if (ret->parts.before)
		tell_others(fs, at.id, at.uid, &ret->parts);
	return find_part(ret, ret_lack);
}

/* ---- text ---- */

/* What the text begins with: the fields that a reader wants. NULL: ret_lack says why. */
static GString *text_fields(const Excerpt *excerpt, Lack *ret_lack)
{
	const Inode *at = &excerpt->at;
	g_autoptr(GBytes) header = excerpt->parts.whole ? octets_of_header(excerpt, ret_lack)
							: store_try_whole(excerpt->fs->store,
								  at->id, at->uid, STORE_FIELDS);
	if (!header && !excerpt->parts.whole)
		lack_of(ret_lack, LACK_OUTLINE);
	if (!header)
		return NULL;
	gsize len;
	const void *bytes = g_bytes_get_data(header, &len);
	g_autoptr(MimeFields) fields = mime_fields_of(bytes, len);
	GString *text = g_string_new(NULL);
	mime_fields_append(text, fields);
	return text;
}

static bool append_part(const Excerpt *excerpt, GString *text, guint number, Lack *ret_lack)
{
	const MimePart *part = mime_tree_part(excerpt->parts.tree, number);
	g_autoptr(GBytes) octets = octets_of_part(excerpt, part, number, ret_lack);
	if (!octets)
		return ret_lack->kind == LACK_SECTION ? lack_of(ret_lack, LACK_TEXT) : false;
	gsize len;
	const void *bytes = g_bytes_get_data(octets, &len);
	mime_text_append(text, part, bytes, len);
	return true;
}

static GBytes *make_text(const Excerpt *excerpt, Lack *ret_lack)
{
	guint n;
	const guint *readable = mime_tree_readable(excerpt->parts.tree, &n);
	g_autoptr(GString) text = text_fields(excerpt, ret_lack);
	if (!text)
		return NULL;
	for (guint i = 0; i < n; i++)
		if (!append_part(excerpt, text, readable[i], ret_lack))
			return NULL;
	return g_string_free_to_bytes(g_steal_pointer(&text));
}

/* Whether all of it is here, and little. */
static bool is_text_at_hand(const Excerpt *excerpt)
{
	guint n;
	guint64 octets = 0;
	const guint *readable = mime_tree_readable(excerpt->parts.tree, &n);
	for (guint i = 0; i < n; i++) {
		const MimePart *part = mime_tree_part(excerpt->parts.tree, readable[i]);
		octets += part->octets;
		if (octets > LIMIT_MEASURED_BYTES || !octets_here(excerpt, part, readable[i]))
			return false;
	}
	return true;
}

static bool bound_text(const Excerpt *excerpt, guint64 *ret_size, Lack *ret_lack)
{
	guint n;
	const guint *readable = mime_tree_readable(excerpt->parts.tree, &n);
	g_autoptr(GString) fields = text_fields(excerpt, ret_lack);
	if (!fields)
		return false;
	*ret_size = fields->len;
	for (guint i = 0; i < n; i++)
		*ret_size += mime_text_bound(mime_tree_part(excerpt->parts.tree, readable[i]));
	return true;
}

/* ---- header ---- */

static const OctetsPlace header_place = {
	.section = {.item = STORE_HEADER, .section = "HEADER", .octets = G_MAXUINT64}};

static GBytes *make_header(const Excerpt *excerpt, Lack *ret_lack)
{
	const Inode *at = &excerpt->at;
	g_autoptr(GBytes) header = excerpt->parts.whole ? octets_of_header(excerpt, ret_lack)
							: store_try_whole(excerpt->fs->store,
								  at->id, at->uid, STORE_HEADER);
	if (!header && !excerpt->parts.whole)
		*ret_lack = (Lack){
			.kind = LACK_SECTION,
			.section = header_place.section,
			.len = LIMIT_LAST_RANGE,
		};
	if (!header)
		return NULL;
	gsize len;
	const void *bytes = g_bytes_get_data(header, &len);
	char *text = mime_header_text(bytes, len);
	return g_bytes_new_take(text, strlen(text));
}

static bool is_header_at_hand(const Excerpt *excerpt)
{
	const Inode *at = &excerpt->at;
	return excerpt->parts.whole ||
	       store_has_body(excerpt->fs->store, at->id, at->uid, STORE_HEADER);
}

static bool is_inside(const MimePart *part, const MimePart *outer)
{
	gsize len = outer ? strlen(outer->section) : 0;
	return outer && strncmp(part->section, outer->section, len) == 0 &&
	       part->section[len] == '.';
}

/* What the parts leave of the message. */
static guint64 bound_header(const Excerpt *excerpt, const StoreMessage *message)
{
	guint64 parts = 0;
	const MimePart *outer = NULL;
	for (guint i = 0; i < mime_tree_count(excerpt->parts.tree); i++) {
		const MimePart *part = mime_tree_part(excerpt->parts.tree, i);
		if (is_inside(part, outer))
			continue;
		parts += part->octets;
		outer = part->message ? part : outer;
	}
	guint64 header = message->size > parts ? message->size - parts : HEADER_BOUND;
	return header * HEADER_GROWTH;
}

/* ---- a part ---- */

/* Whether the server decoded all of it before. */
static bool has_decoded(const Excerpt *excerpt, guint number, guint64 *ret_size)
{
	const Inode *at = &excerpt->at;
	StoreItem item = store_part_item(number, true);
	return store_length(excerpt->fs->store, at->id, at->uid, item, ret_size);
}

static bool is_encoded(const MimePart *part)
{
	return part->encoding == MIME_ENCODING_BASE64 ||
	       part->encoding == MIME_ENCODING_QUOTED_PRINTABLE;
}

static bool is_decoded(const Excerpt *excerpt)
{
	guint64 size;
	const Fs *fs = excerpt->fs;
	const MimePart *part = excerpt->part;
	if (!is_encoded(part) || part->text || excerpt->parts.whole ||
		octets_here(excerpt, part, excerpt->number))
		return false;
	return has_decoded(excerpt, excerpt->number, &size) ||
	       (engine_decodes(fs->engine) && !rendered_encoded(fs->rendered, excerpt->ino));
}

/* Whether the server's BINARY.SIZE is to be believed. Dovecot 2.3 makes a part that stands before
 * an encoded one shorter by what decoding takes from that one, or longer than any, when it keeps
 * the message with LF at the line ends. */
static bool is_told(const Excerpt *excerpt)
{
	const MimePart *part;
	for (guint i = excerpt->number + 1; (part = mime_tree_part(excerpt->parts.tree, i)); i++)
		if (is_encoded(part))
			return false;
	return is_decoded(excerpt);
}

static GBytes *make_part(const Excerpt *excerpt, Lack *ret_lack)
{
	g_autoptr(GBytes) octets =
		octets_of_part(excerpt, excerpt->part, excerpt->number, ret_lack);
	if (!octets)
		return NULL;
	gsize len;
	const void *bytes = g_bytes_get_data(octets, &len);
	return mime_part_content(excerpt->part, bytes, len);
}

/* true: the part has one (ret->line), or has none. */
static bool find_grid(const Excerpt *excerpt, MimeGrid *ret, Lack *ret_lack)
{
	Rendered *rendered = excerpt->fs->rendered;
	char head[GRID_SAMPLE], tail[GRID_SAMPLE];
	guint64 octets = excerpt->part->octets;
	gsize len = (gsize)MIN(octets, GRID_SAMPLE);
	gsize head_len, tail_len;
	if (rendered_grid(rendered, excerpt->ino, ret))
		return true;
	if (!octets_read(excerpt, 0, len, head, &head_len, ret_lack) ||
		!octets_read(excerpt, octets - len, len, tail, &tail_len, ret_lack))
		return false;
	if (!mime_grid_find(octets, head, head_len, tail, tail_len, ret))
		*ret = (MimeGrid){0};
	rendered_set_grid(rendered, excerpt->ino, ret);
	return true;
}

static bool has_grid(const MimePart *part)
{
	return part && part->encoding == MIME_ENCODING_BASE64 && !part->text;
}

/* In *ret_fits: whether the lines before are as the grid says. Of two that are not the second may
 * make up for what the first does to those between them. Who jumps takes them on trust. */
static bool check_before(
	const Excerpt *excerpt, const MimeGrid *grid, guint64 from, bool *ret_fits, Lack *ret_lack)
{
	Rendered *rendered = excerpt->fs->rendered;
	guint64 checked = rendered_checked(rendered, excerpt->ino);
	gsize n;
	*ret_fits = true;
	if (from <= checked || from - checked > GRID_NEAR)
		return true;
	g_autofree char *bytes = g_malloc(from - checked);
	if (!octets_read(excerpt, checked, from - checked, bytes, &n, ret_lack))
		return false;
	*ret_fits = n == from - checked &&
		    mime_grid_fits(grid, excerpt->part->octets, checked, bytes, n);
	if (*ret_fits)
		rendered_set_checked(rendered, excerpt->ino, checked, from);
	return true;
}

/* In *ret_fits: whether the part has lines as the grid says. */
static bool read_grid(const Excerpt *excerpt, guint64 offset, gsize size, char *ret_bytes,
	gsize *ret_n, bool *ret_fits, Lack *ret_lack)
{
	MimeGrid grid;
	guint64 octets = excerpt->part->octets;
	guint64 from, len;
	gsize n;
	if (!find_grid(excerpt, &grid, ret_lack))
		return false;
	*ret_n = 0;
	*ret_fits = grid.line != 0;
	if (!*ret_fits || offset >= grid.size)
		return true;
	mime_grid_range(&grid, octets, offset, MIN(size, grid.size - offset), &from, &len);
	g_autofree char *bytes = g_malloc(len);
	if (!octets_read(excerpt, from, len, bytes, &n, ret_lack) ||
		!check_before(excerpt, &grid, from, ret_fits, ret_lack))
		return false;
	*ret_fits = *ret_fits &&
		    mime_grid_decode(&grid, octets, offset, size, bytes, n, ret_bytes, ret_n);
	if (*ret_fits)
		rendered_set_checked(excerpt->fs->rendered, excerpt->ino, from, from + len);
	else
		rendered_set_grid(excerpt->fs->rendered, excerpt->ino, &(MimeGrid){0});
	return true;
}

static bool read_decoded(const Excerpt *excerpt, guint64 offset, gsize size, char *ret_bytes,
	gsize *ret_n, Lack *ret_lack)
{
	OctetsPlace place = octets_place(excerpt, excerpt->part, excerpt->number, true);
	rendered_size(excerpt->fs->rendered, excerpt->ino, &place.section.octets);
	if (!octets_read_at(excerpt, &place, offset, size, ret_bytes, ret_n, ret_lack))
		return false;
	bool ends = *ret_n < size && (*ret_n > 0 || offset == 0);
	if (ends)
		rendered_set_size(excerpt->fs->rendered, excerpt->ino, offset + *ret_n);
	return true;
}

static bool read_exact(const Excerpt *excerpt, guint64 offset, gsize size, char *ret_bytes,
	gsize *ret_n, Lack *ret_lack)
{
	guint64 octets = excerpt->part->octets;
	*ret_n = 0;
	if (offset >= octets)
		return true;
	gsize len = (gsize)MIN(size, octets - offset);
	return octets_read(excerpt, offset, len, ret_bytes, ret_n, ret_lack);
}

/* ---- contents ---- */

static GBytes *make(const Excerpt *excerpt, Lack *ret_lack)
{
	if (excerpt->at.kind == INODE_TEXT)
		return make_text(excerpt, ret_lack);
	return excerpt->part ? make_part(excerpt, ret_lack) : make_header(excerpt, ret_lack);
}

static GBytes *content_of(const Excerpt *excerpt, Lack *ret_lack)
{
	Rendered *rendered = excerpt->fs->rendered;
	GBytes *content = rendered_begin(rendered, excerpt->ino);
	if (content)
		return content;
	content = make(excerpt, ret_lack);
	rendered_end(rendered, excerpt->ino, content);
	return content;
}

static bool read_content(const Excerpt *excerpt, guint64 offset, gsize size, char *ret_bytes,
	gsize *ret_n, Lack *ret_lack)
{
	g_autoptr(GBytes) content = content_of(excerpt, ret_lack);
	if (!content)
		return false;
	gsize len;
	const char *bytes = g_bytes_get_data(content, &len);
	gsize from = (gsize)MIN(offset, len);
	*ret_n = MIN(size, len - from);
	if (*ret_n > 0)
		memcpy(ret_bytes, bytes + from, *ret_n);
	return true;
}

bool excerpt_read(
	Excerpt *excerpt, guint64 offset, gsize size, char *ret_bytes, gsize *ret_n, Lack *ret_lack)
{
	bool fits = false;
	if (excerpt->part && mime_part_is_exact(excerpt->part))
		return read_exact(excerpt, offset, size, ret_bytes, ret_n, ret_lack);
	if (excerpt->part && is_decoded(excerpt))
		return read_decoded(excerpt, offset, size, ret_bytes, ret_n, ret_lack);
	if (has_grid(excerpt->part) &&
		!read_grid(excerpt, offset, size, ret_bytes, ret_n, &fits, ret_lack))
		return false;
	return fits || read_content(excerpt, offset, size, ret_bytes, ret_n, ret_lack);
}

/* ---- lengths ----
 *
 * Who looks at a file to read it relies on its length: tail, mmap and tar go by what fstat says
 * before the first READ. Who lists a folder must not have its texts fetched. The kernel tells of no
 * OPEN that would tell them apart, but who lists begins with READDIR, or looks at one file after
 * the other and reads none. What he is told the kernel does not keep: who reads asks anew. */

/* How many lengths are found out in a row without a READ. */
enum { GLANCES = 3 };

void excerpt_listed(Fs *fs)
{
	g_atomic_int_set(&fs->glances, GLANCES);
}

void excerpt_was_read(Fs *fs)
{
	g_atomic_int_set(&fs->glances, 0);
}

/* How many its content is made of; G_MAXUINT64: its length is told otherwise. */
static guint64 count_octets(const Excerpt *excerpt)
{
	const MimePart *part = excerpt->part;
	guint64 octets = 0;
	guint n = 0;
	if (part)
		return part->text || part->encoding != MIME_ENCODING_BASE64 ? part->octets
									    : G_MAXUINT64;
	const guint *readable = mime_tree_readable(excerpt->parts.tree, &n);
	for (guint i = 0; excerpt->at.kind == INODE_TEXT && i < n; i++)
		octets += mime_tree_part(excerpt->parts.tree, readable[i])->octets;
	return octets;
}

static bool is_about_to_be_read(const Excerpt *excerpt)
{
	return count_octets(excerpt) <= LIMIT_MEASURED_BYTES &&
	       g_atomic_int_add(&excerpt->fs->glances, 1) < GLANCES;
}

static bool is_at_hand(const Excerpt *excerpt)
{
	if (excerpt->at.kind == INODE_TEXT)
		return is_text_at_hand(excerpt);
	if (!excerpt->part)
		return is_header_at_hand(excerpt);
	return excerpt->part->octets <= LIMIT_MEASURED_BYTES &&
	       octets_here(excerpt, excerpt->part, excerpt->number);
}

static bool size_of_part(Excerpt *excerpt, bool asked, guint64 *ret_size, Lack *ret_lack)
{
	MimeGrid grid = {0};
	if (is_decoded(excerpt) && has_decoded(excerpt, excerpt->number, ret_size))
		return true;
	if (is_told(excerpt) && !asked) {
		*ret_lack = (Lack){.kind = LACK_SIZE, .sizing = true};
		return false;
	}
	if (!is_told(excerpt) && has_grid(excerpt->part) && !find_grid(excerpt, &grid, ret_lack))
		return false;
	*ret_size = grid.line != 0 ? grid.size : mime_part_content_bound(excerpt->part);
	excerpt->bounded = grid.line == 0 && !is_told(excerpt);
	return true;
}

static bool measure(const Excerpt *excerpt, guint64 *ret_size, Lack *ret_lack)
{
	g_autoptr(GBytes) content = content_of(excerpt, ret_lack);
	if (content)
		*ret_size = g_bytes_get_size(content);
	return content != NULL;
}

static bool find_size(Excerpt *excerpt, const StoreMessage *message, bool asked, guint64 *ret_size,
	Lack *ret_lack)
{
	if (excerpt->part && !octets_proved(excerpt, excerpt->part, excerpt->number, ret_lack))
		return false;
	if (excerpt->part && mime_part_is_exact(excerpt->part)) {
		*ret_size = excerpt->part->octets;
		return true;
	}
	if (rendered_size(excerpt->fs->rendered, excerpt->ino, ret_size))
		return true;
	if (is_at_hand(excerpt))
		return measure(excerpt, ret_size, ret_lack);
	if (!asked && is_about_to_be_read(excerpt)) {
		bool measured = measure(excerpt, ret_size, ret_lack);
		ret_lack->sizing = !measured;
		return measured;
	}
	if (excerpt->part)
		return size_of_part(excerpt, asked, ret_size, ret_lack);
	excerpt->bounded = true;
	if (excerpt->at.kind == INODE_TEXT)
		return bound_text(excerpt, ret_size, ret_lack);
	*ret_size = bound_header(excerpt, message);
	return true;
}

bool excerpt_size(Excerpt *excerpt, const StoreMessage *message, bool asked, guint64 *ret_size,
	Lack *ret_lack)
{
	guint64 size;
	if (!find_size(excerpt, message, asked, &size, ret_lack))
		return false;
	rendered_tell(excerpt->fs->rendered, excerpt->ino, size);
	*ret_size = size;
	return true;
}
