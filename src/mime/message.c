#include <string.h>

#include "mime/build.h"
#include "mime/fields.h"
#include "mime/header.h"

/* A message is gone through line by line, once, for the boundaries of the multiparts that are open.
 * Offsets and lengths are those that a server counts, and a level that lacks its end is left when
 * an outer boundary comes. ARCHITECTURE.md says why GMime's parser does not do it. */

typedef struct {
	const char *start, *end; /* of the message */
	const char *at; /* the line to be looked at next */
	GPtrArray *boundaries; /* of GString, of those open from the outermost in */
	MimeBuild *build;
	bool full; /* the last part has all that is left */

	/* What ended the content last: the boundary's index in boundaries, -1 for the end of the
	 * message; whether it was the multipart's last; and where the content ended before it. */
	int level;
	bool closing;
	const char *content_end;
} Splitter;

/* What the header of an entity says. */
typedef struct {
	char *type, *disposition, *encoding;
	MimeParams *params, *disposition_params;
} Entity;

static void entity_clear(Entity *entity)
{
	g_free(entity->type);
	g_free(entity->disposition);
	g_free(entity->encoding);
	mime_params_free(entity->params);
	mime_params_free(entity->disposition_params);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Entity, entity_clear)

static const char *line_after(const char *at, const char *end)
{
	const char *newline = at < end ? memchr(at, '\n', (gsize)(end - at)) : NULL;
	return newline ? newline + 1 : end;
}

/* The boundary that a line is: the longest of those that it begins with (RFC 2046 5.1.1), so that
 * one that goes on where another ends is told from it. -1: none. */
static int find_boundary(const Splitter *splitter, const char *line)
{
	gsize left = (gsize)(splitter->end - line), longest = 0;
	int found = -1;
	if (left < 2 || line[0] != '-' || line[1] != '-')
		return -1;
	for (guint i = splitter->boundaries->len; i-- > 0;) {
		const GString *boundary = g_ptr_array_index(splitter->boundaries, i);
		if (boundary->len > longest && boundary->len <= left - 2 &&
			memcmp(line + 2, boundary->str, boundary->len) == 0) {
			found = (int)i;
			longest = boundary->len;
		}
	}
	return found;
}

static const char *next_dashes(const Splitter *splitter, const char *at)
{
	const char *found =
		at < splitter->end ? memmem(at, (gsize)(splitter->end - at), "\n--", 3) : NULL;
	return found ? found + 1 : splitter->end;
}

/* The line end before a boundary belongs to it. */
static const char *before_line_end(const char *line, const char *start)
{
	if (line > start && line[-1] == '\n')
		line--;
	if (line > start && line[-1] == '\r')
		line--;
	return line;
}

/* Goes on behind the next boundary. */
static void pass_content(Splitter *splitter)
{
	const char *content = splitter->at, *line = content;
	splitter->level = find_boundary(splitter, line);
	while (splitter->level < 0 && line < splitter->end) {
		line = next_dashes(splitter, line);
		splitter->level = find_boundary(splitter, line);
	}
	splitter->content_end = line;
	splitter->at = line;
	if (splitter->level < 0)
		return;
	const GString *boundary = g_ptr_array_index(splitter->boundaries, splitter->level);
	const char *behind = line + 2 + boundary->len;
	splitter->closing = splitter->end - behind >= 2 && behind[0] == '-' && behind[1] == '-';
	splitter->content_end = before_line_end(line, content);
	splitter->at = line_after(behind, splitter->end);
}

/* ---- headers ---- */

/* Where the content begins that follows a header: behind its empty line, or where a boundary ends
 * it early. */
static const char *content_after_header(const Splitter *splitter, const char *header)
{
	const char *at = header;
	while (at < splitter->end && find_boundary(splitter, at) < 0) {
		const char *next = line_after(at, splitter->end);
		if (before_line_end(next, at) == at && next[-1] == '\n')
			return next;
		at = next;
	}
	return at;
}

static char *first_word(const MimeField *field)
{
	g_autoptr(MimeParams) ignored = mime_params_new();
	return mime_params_parse(ignored, field->value, field->len);
}

/* Of a field that comes twice the first holds. */
static void read_entity(Entity *entity, const char *header, const char *end, const char *otherwise)
{
	MimeField field;
	*entity = (Entity){.params = mime_params_new(), .disposition_params = mime_params_new()};
	while (mime_header_next(&header, end, &field)) {
		if (!entity->type && mime_field_is(&field, "Content-Type"))
			entity->type = mime_params_parse(entity->params, field.value, field.len);
		else if (!entity->disposition && mime_field_is(&field, "Content-Disposition"))
			entity->disposition = mime_params_parse(
				entity->disposition_params, field.value, field.len);
		else if (!entity->encoding && mime_field_is(&field, "Content-Transfer-Encoding"))
			entity->encoding = first_word(&field);
	}
	if (!entity->type)
		entity->type = g_strdup(otherwise);
}

static char *subject_of(const Splitter *splitter, const char *header)
{
	const char *end = content_after_header(splitter, header);
	MimeField field;
	while (mime_header_next(&header, end, &field)) {
		if (mime_field_is(&field, "Subject"))
			return mime_header_decode(
				field.value, field.len, mime_build_words(splitter->build));
	}
	return g_strdup("");
}

/* ---- entities ---- */

static void pass_entity(Splitter *splitter, const char *otherwise);

/* The last part that there may be has the rest, so that nothing is left out. */
static int add_part(Splitter *splitter)
{
	int number = mime_build_add(splitter->build);
	splitter->full = number < 0;
	if (splitter->full) {
		splitter->at = splitter->end;
		splitter->level = -1;
	}
	return number;
}

static MimeLeaf leaf_of(const Splitter *splitter, const Entity *entity, const char *content)
{
	return (MimeLeaf){
		.type = entity->type,
		.params = entity->params,
		.disposition = entity->disposition,
		.disposition_params = entity->disposition_params,
		.encoding = entity->encoding,
		.offset = (guint64)(content - splitter->start),
	};
}

static void describe(Splitter *splitter, int number, MimeLeaf *leaf, const char *end)
{
	guint64 content_end = (guint64)(end - splitter->start);
	leaf->octets = content_end - MIN(content_end, leaf->offset);
	mime_build_describe(splitter->build, (guint)number, leaf);
}

static void pass_leaf(Splitter *splitter, const Entity *entity)
{
	int number = add_part(splitter);
	if (number < 0)
		return;
	MimeLeaf leaf = leaf_of(splitter, entity, splitter->at);
	bool message = mime_leaf_is_message(&leaf);
	g_autofree char *subject = message ? subject_of(splitter, splitter->at) : NULL;
	leaf.subject = subject;
	if (message && mime_build_enter_message(splitter->build)) {
		pass_entity(splitter, "text/plain");
		mime_build_leave(splitter->build, "");
	} else {
		pass_content(splitter);
	}
	describe(splitter, number, &leaf, splitter->content_end);
}

/* A multipart without a part: what it holds is shown as a text, so that it is not lost. */
static void pass_as_text(Splitter *splitter, const char *content, const char *end)
{
	g_autoptr(MimeParams) params = mime_params_new();
	MimeLeaf leaf = {.type = "text/plain",
		.params = params,
		.offset = (guint64)(content - splitter->start)};
	int number = add_part(splitter);
	if (number >= 0)
		describe(splitter, number, &leaf, end);
}

/* multipart-body = [preamble CRLF] dash-boundary CRLF body-part *encapsulation close-delimiter
 * [CRLF epilogue] (RFC 2046 5.1.1) */
static void pass_parts(Splitter *splitter, GString *boundary, bool digest)
{
	const char *content = splitter->at;
	int own = (int)splitter->boundaries->len;
	bool empty = true;
	g_ptr_array_add(splitter->boundaries, boundary);
	pass_content(splitter);
	while (splitter->level == own && !splitter->closing && splitter->at[-1] == '\n') {
		pass_entity(splitter, digest ? "message/rfc822" : "text/plain");
		empty = false;
	}
	bool closed = splitter->level == own;
	g_ptr_array_set_size(splitter->boundaries, own);
	if (closed)
		pass_content(splitter);
	if (empty)
		pass_as_text(splitter, content, splitter->content_end);
}

static bool pass_multipart(Splitter *splitter, const Entity *entity)
{
	const GString *boundary = mime_params_octets(entity->params, "boundary");
	if (!boundary || boundary->len == 0 || !mime_build_enter_multipart(splitter->build))
		return false;
	const char *subtype = strchr(entity->type, '/') + 1;
	pass_parts(splitter, g_string_new_len(boundary->str, (gssize)boundary->len),
		strcmp(subtype, "digest") == 0);
	mime_build_leave(splitter->build, subtype);
	return true;
}

/* A header and its content, up to and with the boundary that ends it. */
static void pass_entity(Splitter *splitter, const char *otherwise)
{
	g_auto(Entity) entity = {0};
	const char *header = splitter->at;
	splitter->at = content_after_header(splitter, header);
	read_entity(&entity, header, splitter->at, otherwise);
	bool multipart = g_str_has_prefix(entity.type, "multipart/");
	if (multipart && pass_multipart(splitter, &entity))
		return;
	if (!multipart) {
		pass_leaf(splitter, &entity);
		return;
	}
	const char *content = splitter->at;
	pass_content(splitter);
	pass_as_text(splitter, content, splitter->content_end);
}

static void boundary_free(gpointer boundary)
{
	g_string_free(boundary, TRUE);
}

MimeTree *mime_tree_of_message(const void *message, gsize len)
{
	g_autoptr(MimeBuild) build = mime_build_new();
	g_autoptr(GPtrArray) boundaries = g_ptr_array_new_with_free_func(boundary_free);
	const char *start = len > 0 ? message : "";
	Splitter splitter = {.start = start,
		.end = start + len,
		.at = start,
		.boundaries = boundaries,
		.build = build,
		.level = -1,
		.content_end = start};
	pass_entity(&splitter, "text/plain");
	MimeTree *tree = mime_build_finish(build);
	const MimePart *last = mime_tree_part(tree, mime_tree_count(tree) - 1);
	if (splitter.full)
		mime_build_extend(build, mime_tree_count(tree) - 1, len - last->offset);
	return tree;
}
