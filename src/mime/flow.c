#include "mime/flow.h"

static bool at_line_start(const Flow *flow)
{
	return flow->text->len == 0 || flow->text->str[flow->text->len - 1] == '\n';
}

/* A <pre> may have ended in some already. */
static void add_breaks(Flow *flow)
{
	GString *text = flow->text;
	guint there = 0;

	if (text->len == 0)
		return;
	while (there < flow->breaks && there < text->len &&
		text->str[text->len - 1 - there] == '\n')
		there++;
	for (; there < flow->breaks; there++)
		g_string_append_c(text, '\n');
}

static void add_between(Flow *flow)
{
	add_breaks(flow);
	if (flow->item)
		g_string_append(flow->text, "- ");
	else if ((flow->cell || flow->space) && !at_line_start(flow))
		g_string_append_c(flow->text, flow->cell ? '\t' : ' ');
	flow->breaks = 0;
	flow->of_row = flow->cell = flow->item = flow->space = false;
}

void flow_add_verbatim(Flow *flow, const char *utf8, gsize len)
{
	if (len == 0)
		return;
	add_between(flow);
	if (flow->first == G_MAXSIZE)
		flow->first = flow->text->len;
	g_string_append_len(flow->text, utf8, (gssize)len);
}

/* Length of the white space at p; U+00A0, of which pages are full, counts as such. */
static gsize white_len(const char *p, const char *end)
{
	if (g_ascii_isspace(*p))
		return 1;
	return end - p >= 2 && p[0] == '\xc2' && p[1] == '\xa0' ? 2 : 0;
}

/* Words with one space between each two are as they are to be. */
static const char *words_end(const char *p, const char *end)
{
	while (p < end && (white_len(p, end) == 0 ||
				  (*p == ' ' && p + 1 < end && white_len(p + 1, end) == 0)))
		p++;
	return p;
}

void flow_add(Flow *flow, const char *utf8, gsize len)
{
	const char *p = utf8, *end = utf8 + len;

	if (flow->verbatim) {
		flow_add_verbatim(flow, utf8, len);
		return;
	}
	while (p < end) {
		gsize white = white_len(p, end);
		const char *words = p;

		if (white > 0) {
			flow->space = true;
			p += white;
			continue;
		}
		p = words_end(words, end);
		flow_add_verbatim(flow, words, (gsize)(p - words));
	}
}

void flow_break(Flow *flow, guint breaks)
{
	if (!flow->cell)
		flow->breaks = MAX(flow->breaks, breaks);
}

void flow_break_line(Flow *flow)
{
	flow_break(flow, MIN(flow->breaks + 1, 2));
}

void flow_row(Flow *flow)
{
	flow->cell = false;
	flow->of_row = true;
	flow_break(flow, 1);
}

void flow_cell(Flow *flow)
{
	if (!flow->breaks)
		flow->cell = true;
}

void flow_cell_end(Flow *flow)
{
	/* That a table in the cell has ended still ends its row. */
	if (flow->of_row)
		return;
	flow->breaks = 0;
	flow->cell = true;
}

void flow_item(Flow *flow)
{
	flow->cell = false;
	flow_break(flow, 1);
	flow->item = true;
}
