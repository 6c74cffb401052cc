/* A tree as text: each part a line of section, name, type, charset, encoding, flags, octets, and
 * the sections that are readable. */
#pragma once

#include "mime/tree.h"

static inline char *mime_dump(const MimeTree *tree)
{
	static const char encodings[] = {'-', 'b', 'q', 'u'};
	if (!tree)
		return g_strdup("none");
	GString *text = g_string_new(NULL);
	const MimePart *part;
	for (guint i = 0; (part = mime_tree_part(tree, i)); i++)
		g_string_append_printf(text, "%s %s %s %s %c%s%s%s %" G_GUINT64_FORMAT "\n",
			part->section, part->name, part->type, part->charset ? part->charset : "-",
			encodings[part->encoding], part->text ? "t" : "",
			part->attachment ? "a" : "", part->message ? "m" : "", part->octets);
	guint n;
	const guint *readable = mime_tree_readable(tree, &n);
	g_string_append(text, "=");
	for (guint i = 0; i < n; i++)
		g_string_append_printf(text, " %s", mime_tree_part(tree, readable[i])->section);
	return g_string_free(text, FALSE);
}
