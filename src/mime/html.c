#include "mime/html.h"

#include "mime/charset.h"
#include "mime/entity.h"
#include "mime/flow.h"

#include <stdlib.h>
#include <string.h>

/* Tags are taken as they come, as the Encoding and HTML standards of the WHATWG find them in
 * anything; no tree is made of them, so that there is no depth to bound and each byte is looked at
 * a fixed number of times. */

enum {
	/* The longest tag that means something is "blockquote". */
	TAG_BYTES = 16,

	/* "thetasym" and "#1114111". */
	REFERENCE_BYTES = 12,

	/* Where a document declares its charset. The HTML standard has 1,024; mail has comments and
	 * style before it. */
	CHARSET_WITHIN = 4096,
};

typedef enum {
	TAG_BLOCK, /* a line of its own */
	TAG_PARAGRAPH, /* with empty lines around it */
	TAG_BREAK,
	TAG_CELL,
	TAG_IMAGE,
	TAG_ITEM,
	TAG_LINK,
	TAG_PRE,
	TAG_ROW,
	TAG_UNSEEN, /* with all that is in it */
} TagKind;

/* All others are passed over. In the order of strcmp(). */
static const struct tag {
	char name[TAG_BYTES];
	TagKind kind;
} tags[] = {
	{"a", TAG_LINK},
	{"address", TAG_BLOCK},
	{"article", TAG_BLOCK},
	{"aside", TAG_BLOCK},
	{"blockquote", TAG_PARAGRAPH},
	{"body", TAG_BLOCK},
	{"br", TAG_BREAK},
	{"caption", TAG_ROW},
	{"center", TAG_BLOCK},
	{"dd", TAG_BLOCK},
	{"div", TAG_BLOCK},
	{"dl", TAG_BLOCK},
	{"dt", TAG_BLOCK},
	{"fieldset", TAG_BLOCK},
	{"figcaption", TAG_BLOCK},
	{"figure", TAG_BLOCK},
	{"footer", TAG_BLOCK},
	{"form", TAG_BLOCK},
	{"h1", TAG_PARAGRAPH},
	{"h2", TAG_PARAGRAPH},
	{"h3", TAG_PARAGRAPH},
	{"h4", TAG_PARAGRAPH},
	{"h5", TAG_PARAGRAPH},
	{"h6", TAG_PARAGRAPH},
	{"header", TAG_BLOCK},
	{"hr", TAG_PARAGRAPH},
	{"html", TAG_BLOCK},
	{"img", TAG_IMAGE},
	{"legend", TAG_BLOCK},
	{"li", TAG_ITEM},
	{"main", TAG_BLOCK},
	{"nav", TAG_BLOCK},
	{"ol", TAG_BLOCK},
	{"option", TAG_BLOCK},
	{"p", TAG_PARAGRAPH},
	{"pre", TAG_PRE},
	{"script", TAG_UNSEEN},
	{"section", TAG_BLOCK},
	{"style", TAG_UNSEEN},
	{"table", TAG_ROW},
	{"tbody", TAG_ROW},
	{"td", TAG_CELL},
	{"tfoot", TAG_ROW},
	{"th", TAG_CELL},
	{"thead", TAG_ROW},
	{"title", TAG_PARAGRAPH},
	{"tr", TAG_ROW},
	{"ul", TAG_BLOCK},
};

typedef struct {
	const char *at; /* NULL: there is none */
	gsize len;
} Span;

typedef struct {
	char name[TAG_BYTES]; /* in lower case, cut */
	bool closing;
	Span href, alt;
} Tag;

typedef struct {
	Flow flow;
	const char *p, *end;
	bool no_comment_ends; /* behind p */
	char *url; /* of the link that p is in. NULL: it is in none */
} Html;

/* ---- Character references ---- */

/* The controls of C1 are none: who writes them means windows-1252. */
static gunichar numbered(const char *digits)
{
	bool hex = g_ascii_tolower(digits[0]) == 'x';
	guint64 c = g_ascii_strtoull(digits + hex, NULL, hex ? 16 : 10);

	if (c >= 0x80 && c < 0xa0)
		return charset_windows((guchar)c);
	return c && c < 0x110000 && g_unichar_validate((gunichar)c) ? (gunichar)c : 0xfffd;
}

static bool is_number(const char *name)
{
	bool hex = name[0] == '#' && g_ascii_tolower(name[1]) == 'x';

	return name[0] == '#' && (hex ? g_ascii_isxdigit(name[2]) : g_ascii_isdigit(name[1]));
}

/* The character that "&..." at *p means; *p goes behind it. 0: none. Only those of Latin-1, and in
 * text, may lack the ";" ("?a=1&copy=2" is no copyright). */
static gunichar take_reference(const char **p, const char *end, bool in_attribute)
{
	char name[REFERENCE_BYTES] = {0};
	const char *q = *p + 1;
	gsize n = 0;
	gunichar c;
	bool ends;

	while (q < end && n + 1 < sizeof(name) && (g_ascii_isalnum(*q) || (*q == '#' && !n)))
		name[n++] = *q++;
	ends = q < end && *q == ';';
	c = is_number(name) ? numbered(name + 1) : mime_entity(name);
	if (!c || (!ends && !is_number(name) && (in_attribute || c > 0xff)))
		return 0;
	*p = q + ends;
	return c;
}

static void add_reference(Html *html)
{
	gunichar c = take_reference(&html->p, html->end, false);
	char utf8[6];

	if (c)
		flow_add(&html->flow, utf8, (gsize)g_unichar_to_utf8(c, utf8));
	else
		flow_add(&html->flow, html->p++, 1);
}

/* New string. */
static char *attribute_text(Span span)
{
	GString *text = g_string_sized_new(span.len + 1);
	const char *p = span.at, *end = span.at + span.len;

	while (p < end) {
		gunichar c = *p == '&' ? take_reference(&p, end, true) : 0;

		if (c)
			g_string_append_unichar(text, c);
		else
			g_string_append_c(text, *p++);
	}
	return g_string_free(text, FALSE);
}

/* ---- Links ---- */

/* What leads somewhere: neither within the page nor to a program. */
static char *shown_url(Span href)
{
	static const char *const unseen[] = {"#", "mailto:", "javascript:", "data:"};
	g_autofree char *url = href.at ? g_strstrip(attribute_text(href)) : NULL;

	if (!url || !*url)
		return NULL;
	for (gsize i = 0; i < G_N_ELEMENTS(unseen); i++) {
		if (g_ascii_strncasecmp(url, unseen[i], strlen(unseen[i])) == 0)
			return NULL;
	}
	return g_steal_pointer(&url);
}

/* Whether the text is the URL, "http://" and the last "/" aside. */
static bool is_url(const char *text, const char *url)
{
	const char *bare = strstr(url, "://");
	gsize len = strlen(text);

	if (strcmp(text, url) == 0)
		return true;
	return bare && len && strncmp(bare + 3, text, len) == 0 &&
	       (bare[3 + len] == '\0' || strcmp(bare + 3 + len, "/") == 0);
}

static void end_link(Html *html)
{
	g_autofree char *url = g_steal_pointer(&html->url);
	GString *text = html->flow.text;

	if (!url)
		return;
	if (html->flow.first == G_MAXSIZE)
		flow_add_verbatim(&html->flow, "<", 1);
	else if (!is_url(text->str + html->flow.first, url))
		g_string_append(text, " <");
	else
		return;
	g_string_append(text, url);
	g_string_append_c(text, '>');
}

static void begin_link(Html *html, const Tag *tag)
{
	html->url = shown_url(tag->href);
	html->flow.first = G_MAXSIZE;
}

/* ---- Tags ---- */

static void see_image(Html *html, const Tag *tag)
{
	g_autofree char *alt = tag->alt.at ? attribute_text(tag->alt) : NULL;

	if (alt)
		flow_add(&html->flow, alt, strlen(alt));
}

static void see_pre(Html *html, const Tag *tag)
{
	flow_break(&html->flow, 2);
	html->flow.verbatim = !tag->closing;

	/* The line end behind <pre> is not of its text. */
	if (!tag->closing && html->p < html->end && *html->p == '\r')
		html->p++;
	if (!tag->closing && html->p < html->end && *html->p == '\n')
		html->p++;
}

/* To the end tag, or to the end if there is none. */
static void skip_content(Html *html, const char *name)
{
	gsize len = strlen(name);
	const char *p = html->p;

	while ((p = memchr(p, '<', (gsize)(html->end - p)))) {
		if ((gsize)(html->end - p) > len + 2 && p[1] == '/' &&
			g_ascii_strncasecmp(p + 2, name, len) == 0 && !g_ascii_isalnum(p[len + 2]))
			break;
		p++;
	}
	html->p = p ? p : html->end;
}

static void see_cell(Html *html, const Tag *tag)
{
	if (tag->closing)
		flow_cell_end(&html->flow);
	else
		flow_cell(&html->flow);
}

static void see_item(Html *html, const Tag *tag)
{
	if (!tag->closing) {
		flow_item(&html->flow);
		return;
	}
	html->flow.item = false;
	flow_break(&html->flow, 1);
}

static void see_link(Html *html, const Tag *tag)
{
	end_link(html);
	if (!tag->closing)
		begin_link(html, tag);
}

static int compare_tag(const void *name, const void *tag)
{
	return strcmp(name, ((const struct tag *)tag)->name);
}

static void see_tag(Html *html, const Tag *tag)
{
	const struct tag *known =
		bsearch(tag->name, tags, G_N_ELEMENTS(tags), sizeof(tags[0]), compare_tag);

	if (!known)
		return;
	switch (known->kind) {
	case TAG_BLOCK:
		flow_break(&html->flow, 1);
		break;
	case TAG_PARAGRAPH:
		flow_break(&html->flow, 2);
		break;
	case TAG_BREAK:
		flow_break_line(&html->flow);
		break;
	case TAG_CELL:
		see_cell(html, tag);
		break;
	case TAG_IMAGE:
		see_image(html, tag);
		break;
	case TAG_ITEM:
		see_item(html, tag);
		break;
	case TAG_LINK:
		see_link(html, tag);
		break;
	case TAG_PRE:
		see_pre(html, tag);
		break;
	case TAG_ROW:
		flow_row(&html->flow);
		break;
	case TAG_UNSEEN:
		if (!tag->closing)
			skip_content(html, tag->name);
		break;
	}
}

/* ---- Markup ---- */

static const char *skip_white(const char *p, const char *end)
{
	while (p < end && g_ascii_isspace(*p))
		p++;
	return p;
}

static const char *name_end(const char *p, const char *end)
{
	while (p < end && !g_ascii_isspace(*p) && *p != '/' && *p != '>')
		p++;
	return p;
}

/* A value behind "=". NULL: it has no end. */
static const char *take_value(const char *p, const char *end, Span *ret)
{
	const char *stop;

	p = skip_white(p, end);
	if (p == end)
		return NULL;
	if (*p == '"' || *p == '\'') {
		stop = memchr(p + 1, *p, (gsize)(end - p - 1));
		if (!stop)
			return NULL;
		*ret = (Span){p + 1, (gsize)(stop - p - 1)};
		return stop + 1;
	}
	for (stop = p; stop < end && !g_ascii_isspace(*stop) && *stop != '>';)
		stop++;
	*ret = (Span){p, (gsize)(stop - p)};
	return stop;
}

/* An attribute; the first of a name holds. NULL: it has no end. */
static const char *take_attribute(const char *p, const char *end, Tag *tag)
{
	const char *name = p;
	Span value = {0};
	gsize len;

	while (p < end && !g_ascii_isspace(*p) && *p != '/' && *p != '>' &&
		(*p != '=' || p == name))
		p++;
	len = (gsize)(p - name);
	p = skip_white(p, end);
	if (p < end && *p == '=' && !(p = take_value(p + 1, end, &value)))
		return NULL;
	if (len == 4 && g_ascii_strncasecmp(name, "href", 4) == 0 && !tag->href.at)
		tag->href = value;
	if (len == 3 && g_ascii_strncasecmp(name, "alt", 3) == 0 && !tag->alt.at)
		tag->alt = value;
	return p;
}

/* What is between "<" or "</" and ">"; returns what is behind. NULL: it has no end. */
static const char *take_tag(const char *p, const char *end, Tag *tag)
{
	const char *stop = name_end(p, end);

	for (gsize i = 0; i + 1 < TAG_BYTES && p + i < stop; i++)
		tag->name[i] = g_ascii_tolower(p[i]);
	for (p = stop; p && p < end;) {
		if (*p == '>')
			return p + 1;
		if (*p == '/' || g_ascii_isspace(*p))
			p++;
		else
			p = take_attribute(p, end, tag);
	}
	return NULL;
}

/* "<a@example.org>" and "<https://example.org>" are what they look like; returns what is behind the
 * name that shows it. NULL: it is a tag. */
static const char *after_address(const char *p, const char *end)
{
	const char *stop = name_end(p, end);

	return stop[-1] == ':' || memchr(p, '@', (gsize)(stop - p)) ? stop : NULL;
}

/* What is within "<!" or "<?". NULL: it has no end. */
static const char *after_comment(Html *html)
{
	const char *p = html->p + 2;
	const char *stop = NULL;

	if (html->end - p >= 2 && memcmp(p, "--", 2) == 0 && !html->no_comment_ends) {
		stop = memmem(p, (gsize)(html->end - p), "-->", 3);
		html->no_comment_ends = !stop;
	}
	if (stop)
		return stop + 3;
	stop = memchr(p, '>', (gsize)(html->end - p));
	return stop ? stop + 1 : NULL;
}

static void take_as_text(Html *html, const char *to)
{
	flow_add(&html->flow, html->p, (gsize)(to - html->p));
	html->p = to;
}

static void take_comment(Html *html)
{
	const char *next = after_comment(html);

	if (next)
		html->p = next;
	else
		take_as_text(html, html->end);
}

/* At "<". What has no end is text, with all that follows. */
static void take_markup(Html *html)
{
	const char *p = html->p + 1, *next;
	bool closing = p < html->end && *p == '/';
	Tag tag = {.closing = closing};

	p += closing;
	if (!closing && p < html->end && (*p == '!' || *p == '?')) {
		take_comment(html);
		return;
	}
	next = p < html->end && g_ascii_isalpha(*p) ? after_address(p, html->end) : p;
	if (next) {
		take_as_text(html, next);
		return;
	}
	next = take_tag(p, html->end, &tag);
	if (!next) {
		take_as_text(html, html->end);
		return;
	}
	html->p = next;
	see_tag(html, &tag);
}

static void take_text(Html *html)
{
	const char *p = html->p;

	while (p < html->end && *p != '<' && *p != '&')
		p++;
	take_as_text(html, p);
}

char *mime_html_text(const char *html, gsize len)
{
	GString *text = g_string_sized_new(len / 2);
	Html state = {.flow = {.text = text}, .p = html, .end = html + len};

	while (state.p < state.end) {
		if (*state.p == '<')
			take_markup(&state);
		else if (*state.p == '&')
			add_reference(&state);
		else
			take_text(&state);
	}
	end_link(&state);
	return g_string_free(text, FALSE);
}

/* ---- <meta charset> ---- */

/* Behind the word, in whatever case. NULL: it is not there. */
static const char *after_word(const char *p, const char *end, const char *word)
{
	gsize len = strlen(word);

	for (; (gsize)(end - p) >= len; p++) {
		if (g_ascii_strncasecmp(p, word, len) == 0)
			return p + len;
	}
	return NULL;
}

/* Of `charset=x` or of `content="text/html; charset=x"`. */
static char *declared_in(const char *p, const char *end)
{
	const char *stop;

	p = after_word(p, end, "charset");
	p = p ? skip_white(p, end) : end;
	if (p == end || *p != '=')
		return NULL;
	p = skip_white(p + 1, end);
	while (p < end && (*p == '"' || *p == '\''))
		p++;
	for (stop = p; stop < end && (g_ascii_isalnum(*stop) || *stop == '-' || *stop == '_');)
		stop++;

	/* That of UTF-16 could not have been read. */
	if (stop == p || g_ascii_strncasecmp(p, "utf-16", 6) == 0)
		return NULL;
	return g_strndup(p, (gsize)(stop - p));
}

char *mime_html_charset(const char *html, gsize len)
{
	const char *p = html, *end = html + MIN(len, CHARSET_WITHIN);

	while ((p = after_word(p, end, "<meta"))) {
		const char *stop = memchr(p, '>', (gsize)(end - p));
		char *charset = declared_in(p, stop ? stop : end);

		if (charset)
			return charset;
	}
	return NULL;
}
