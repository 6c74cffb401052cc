#include "mime/tree.h"

#include <string.h>

#include "base/limits.h"
#include "mime/build.h"
#include "mime/part-name.h"

/* A section is the beginning of a file name: what is nested deeper than this is not taken apart. */
enum { SECTION_MAX = 150 };

struct MimeTree {
	gint refs;
	GStringChunk *strings;
	GArray *parts; /* of MimePart */
	GArray *readable; /* of guint, at most LIMIT_READABLE_PARTS */
};

/* How well a text can be read, from nothing at all. */
typedef enum { RANK_NONE, RANK_OTHER, RANK_HTML, RANK_PLAIN } Rank;

/* The parts that stand for what was passed. */
typedef struct {
	Rank rank;
	GArray *numbers; /* of guint; NULL: none */
} Choice;

typedef struct {
	bool multipart;
	const char *prefix; /* section of what it is in; "" */
	guint count;
	GArray *choices; /* of Choice: its parts */
} Frame;

struct MimeBuild {
	MimeTree *tree;
	GArray *frames; /* of Frame; the first is the message itself */
	guint words; /* see mime_build_words() */
};

/* ---- the tree ---- */

static MimeTree *tree_new(void)
{
	MimeTree *tree = g_new0(MimeTree, 1);
	tree->refs = 1;
	tree->strings = g_string_chunk_new(256);
	tree->parts = g_array_new(FALSE, TRUE, sizeof(MimePart));
	tree->readable = g_array_new(FALSE, FALSE, sizeof(guint));
	return tree;
}

MimeTree *mime_tree_ref(MimeTree *tree)
{
	g_atomic_int_inc(&tree->refs);
	return tree;
}

void mime_tree_unref(MimeTree *tree)
{
	if (!tree || !g_atomic_int_dec_and_test(&tree->refs))
		return;
	g_string_chunk_free(tree->strings);
	g_array_unref(tree->parts);
	g_array_unref(tree->readable);
	g_free(tree);
}

guint mime_tree_count(const MimeTree *tree)
{
	return tree->parts->len;
}

const MimePart *mime_tree_part(const MimeTree *tree, guint number)
{
	return number < tree->parts->len ? &g_array_index(tree->parts, MimePart, number) : NULL;
}

int mime_tree_find(const MimeTree *tree, const char *name)
{
	for (guint i = 0; i < tree->parts->len; i++) {
		if (strcmp(g_array_index(tree->parts, MimePart, i).name, name) == 0)
			return (int)i;
	}
	return -1;
}

const guint *mime_tree_readable(const MimeTree *tree, guint *ret_n)
{
	*ret_n = tree->readable->len;
	return (const guint *)(gpointer)tree->readable->data;
}

/* ---- choosing what is readable ---- */

static void choice_clear(gpointer data)
{
	Choice *choice = data;
	if (choice->numbers)
		g_array_unref(choice->numbers);
}

static void choice_append(Choice *to, const Choice *from)
{
	to->rank = MAX(to->rank, from->rank);
	if (!to->numbers)
		to->numbers = g_array_new(FALSE, FALSE, sizeof(guint));
	for (guint i = 0;
		from->numbers && i < from->numbers->len && to->numbers->len < LIMIT_READABLE_PARTS;
		i++)
		g_array_append_val(to->numbers, g_array_index(from->numbers, guint, i));
}

/* Of an alternative the one that is read best, of a related one its root, which is the first
 * (RFC 2387), of all others everything. */
static Choice choose(const GArray *choices, const char *subtype)
{
	bool alternative = strcmp(subtype, "alternative") == 0;
	bool related = strcmp(subtype, "related") == 0;
	Choice chosen = {RANK_NONE, NULL};
	for (guint i = 0; i < choices->len; i++) {
		const Choice *choice = &g_array_index(choices, Choice, i);
		bool better = choice->rank > chosen.rank && (alternative || !chosen.rank);
		if ((alternative || related) && !better)
			continue;
		if (alternative)
			choice_clear(&chosen);
		if (alternative)
			chosen = (Choice){RANK_NONE, NULL};
		choice_append(&chosen, choice);
	}
	return chosen;
}

/* Whether it has no room for more than a line end: many programs put such a text beside HTML. */
static bool is_blank(const MimePart *part)
{
	enum { LINE_END = 2, LINE_END_ENCODED = 6 }; /* "DQo=" with a line end of its own */

	return part->octets <= (part->encoding == MIME_ENCODING_NONE ? LINE_END : LINE_END_ENCODED);
}

static Rank rank_of(const MimePart *part)
{
	if (!part->text || part->attachment)
		return RANK_NONE;
	if (strcmp(part->type, "text/plain") == 0)
		return is_blank(part) ? RANK_OTHER : RANK_PLAIN;
	return strcmp(part->type, "text/html") == 0 ? RANK_HTML : RANK_OTHER;
}

/* ---- building ---- */

static void frame_clear(gpointer data)
{
	Frame *frame = data;
	g_array_unref(frame->choices);
}

static Frame *top_frame(MimeBuild *build)
{
	return &g_array_index(build->frames, Frame, build->frames->len - 1);
}

guint *mime_build_words(MimeBuild *build)
{
	return &build->words;
}

static void push_frame(MimeBuild *build, bool multipart, const char *prefix)
{
	Frame frame = {multipart, prefix, 0, g_array_new(FALSE, FALSE, sizeof(Choice))};
	g_array_set_clear_func(frame.choices, choice_clear);
	g_array_append_val(build->frames, frame);
}

MimeBuild *mime_build_new(void)
{
	MimeBuild *build = g_new0(MimeBuild, 1);
	build->tree = tree_new();
	build->frames = g_array_new(FALSE, FALSE, sizeof(Frame));
	g_array_set_clear_func(build->frames, frame_clear);
	push_frame(build, false, "");
	return build;
}

void mime_build_free(MimeBuild *build)
{
	if (!build)
		return;
	mime_tree_unref(build->tree);
	g_array_unref(build->frames);
	g_free(build);
}

/* What is in a multipart is numbered; what a message is, unless that is a multipart itself, is its
 * part 1 (RFC 3501 6.4.5). Counts it. */
static const char *next_section(MimeBuild *build)
{
	Frame *frame = top_frame(build);
	frame->count++;
	char section[SECTION_MAX + 16];
	g_snprintf(section, sizeof(section), "%s%s%u", frame->prefix, *frame->prefix ? "." : "",
		frame->count);
	return g_string_chunk_insert(build->tree->strings, section);
}

static bool can_enter(MimeBuild *build)
{
	return build->frames->len < LIMIT_NESTING && strlen(top_frame(build)->prefix) < SECTION_MAX;
}

bool mime_build_enter_multipart(MimeBuild *build)
{
	if (!can_enter(build))
		return false;
	Frame *frame = top_frame(build);
	push_frame(build, true, frame->multipart ? next_section(build) : frame->prefix);
	return true;
}

bool mime_build_enter_message(MimeBuild *build)
{
	if (!can_enter(build))
		return false;
	GArray *parts = build->tree->parts;
	push_frame(build, false, g_array_index(parts, MimePart, parts->len - 1).section);
	return true;
}

/* An attached message says nothing of its own in the one that it is attached to; it does where
 * that is nothing else. */
void mime_build_leave(MimeBuild *build, const char *subtype)
{
	guint depth = build->frames->len - 1;
	Frame *frame = top_frame(build), *outer = frame - 1;
	Choice choice = {RANK_NONE, NULL};
	if (frame->multipart || depth == 1)
		choice = choose(frame->choices, frame->multipart ? subtype : "");
	g_array_append_val(outer->choices, choice);
	g_array_set_size(build->frames, depth);
}

int mime_build_add(MimeBuild *build)
{
	GArray *parts = build->tree->parts;
	if (parts->len == LIMIT_PARTS)
		return -1;
	MimePart part = {.section = next_section(build), .name = "", .type = ""};
	g_array_append_val(parts, part);
	return (int)parts->len - 1;
}

static bool is_token(const char *text)
{
	gsize n = 0;
	while (g_ascii_isalnum(text[n]) || (text[n] && strchr("!#$&-^_.+", text[n])))
		n++;
	return n > 0 && text[n] == '\0';
}

/* What is not well formed is text (RFC 2045 5.2), but as a file better nothing that is known. */
static const char *valid_type(const char *type, bool attachment)
{
	const char *slash = strchr(type, '/');
	g_autofree char *first = slash ? g_strndup(type, (gsize)(slash - type)) : NULL;
	if (slash && is_token(first) && is_token(slash + 1))
		return type;
	return attachment ? "application/octet-stream" : "text/plain";
}

static MimeEncoding encoding_of(const char *name)
{
	static const struct {
		const char *name;
		MimeEncoding encoding;
	} encodings[] = {
		{"base64", MIME_ENCODING_BASE64},
		{"quoted-printable", MIME_ENCODING_QUOTED_PRINTABLE},
		{"uue", MIME_ENCODING_UUENCODE},
		{"uuencode", MIME_ENCODING_UUENCODE},
		{"x-uue", MIME_ENCODING_UUENCODE},
		{"x-uuencode", MIME_ENCODING_UUENCODE},
	};
	for (gsize i = 0; name && i < G_N_ELEMENTS(encodings); i++) {
		if (strcmp(encodings[i].name, name) == 0)
			return encodings[i].encoding;
	}
	return MIME_ENCODING_NONE;
}

bool mime_leaf_is_message(const MimeLeaf *leaf)
{
	return strcmp(leaf->type, "message/rfc822") == 0 &&
	       encoding_of(leaf->encoding) == MIME_ENCODING_NONE;
}

/* What servers say where a message says nothing (RFC 2045 5.2) says nothing. */
static const char *charset_of(MimeBuild *build, const MimeParams *params)
{
	g_autofree char *charset = mime_params_text(params, "charset", &build->words);
	if (!charset)
		return NULL;
	charset[strcspn(charset, " (;")] = '\0';
	if (!is_token(charset) || g_ascii_strcasecmp(charset, "us-ascii") == 0)
		return NULL;
	return g_string_chunk_insert(build->tree->strings, charset);
}

/* Where it stands, and where it stands by mistake. */
static char *given_name(const MimeLeaf *leaf, guint *words)
{
	const struct {
		const MimeParams *params;
		const char *name;
	} places[] = {
		{leaf->disposition_params, "filename"},
		{leaf->params, "name"},
		{leaf->disposition_params, "name"},
		{leaf->params, "filename"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(places); i++) {
		const MimeParams *params = places[i].params;
		g_autofree char *name =
			params ? mime_params_text(params, places[i].name, words) : NULL;
		if (name && *name)
			return g_steal_pointer(&name);
	}
	return NULL;
}

static bool is_attachment(const MimeLeaf *leaf, const char *given)
{
	if (!leaf->disposition || !*leaf->disposition)
		return given != NULL;
	/* One that nobody knows is an attachment (RFC 2183 2.8). */
	return strcmp(leaf->disposition, "inline") != 0;
}

static const char *make_name(
	MimeBuild *build, const MimePart *part, const char *given, const char *subject)
{
	g_autofree char *of_message = NULL;
	if (part->message && !given && subject && *subject)
		given = of_message = g_strconcat(subject, ".eml", NULL);
	g_autofree char *name = mime_part_name(part->section, part->type, given);
	return g_string_chunk_insert(build->tree->strings, name);
}

void mime_build_describe(MimeBuild *build, guint number, const MimeLeaf *leaf)
{
	MimePart *part = &g_array_index(build->tree->parts, MimePart, number);
	g_autofree char *given = given_name(leaf, &build->words);
	part->attachment = is_attachment(leaf, given);
	part->type = g_string_chunk_insert_const(
		build->tree->strings, valid_type(leaf->type, part->attachment));
	part->charset = charset_of(build, leaf->params);
	part->encoding = encoding_of(leaf->encoding);
	part->text = g_str_has_prefix(part->type, "text/");
	part->message = mime_leaf_is_message(leaf);
	part->octets = leaf->octets;
	part->offset = leaf->offset;
	part->name = make_name(build, part, given, leaf->subject);

	Choice own = {rank_of(part), NULL}, choice = {RANK_NONE, NULL};
	if (own.rank > RANK_NONE) {
		own.numbers = g_array_new(FALSE, FALSE, sizeof(guint));
		g_array_append_val(own.numbers, number);
		choice = own;
	}
	g_array_append_val(top_frame(build)->choices, choice);
}

void mime_build_extend(MimeBuild *build, guint number, guint64 octets)
{
	g_array_index(build->tree->parts, MimePart, number).octets = octets;
}

/* A text that is all of a message is what there is to read, even if it is called an attachment. */
MimeTree *mime_build_finish(MimeBuild *build)
{
	MimeTree *tree = build->tree;
	Choice all = choose(top_frame(build)->choices, "");
	guint first = 0;
	if (all.numbers && all.numbers->len > 0)
		g_array_append_vals(tree->readable, all.numbers->data, all.numbers->len);
	else if (tree->parts->len == 1 && g_array_index(tree->parts, MimePart, 0).text)
		g_array_append_val(tree->readable, first);
	choice_clear(&all);
	return mime_tree_ref(tree);
}
