/* Words to lines: white space that collapses, breaks between blocks, cells of a row. Pure. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* What stands between what was added and what comes next, and is only added with it. */
typedef struct {
	GString *text;
	guint breaks; /* line ends: 2 for an empty line */
	bool of_row; /* the breaks end a row of a table */
	bool cell; /* another cell of the same row comes */
	bool item; /* of a list */
	bool space;
	bool verbatim; /* nothing collapses: <pre> */
	gsize first; /* where that begins which was added since it was G_MAXSIZE */
} Flow;

/* Adds text; the white space in it and around it collapses. */
void flow_add(Flow *flow, const char *utf8, gsize len);

/* Adds text as it is, behind what stands between. */
void flow_add_verbatim(Flow *flow, const char *utf8, gsize len);

/* At least so many line ends come next, 2 at most; at the beginning of a cell none. */
void flow_break(Flow *flow, guint breaks);

/* One line end more comes next. */
void flow_break_line(Flow *flow);

void flow_row(Flow *flow); /* a row begins or ends */
void flow_cell(Flow *flow); /* a cell begins */
void flow_cell_end(Flow *flow);
void flow_item(Flow *flow); /* an item of a list begins */
