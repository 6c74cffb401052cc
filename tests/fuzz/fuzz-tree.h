/* What holds for every tree of a message. */
#pragma once

#include "base/limits.h"
#include "mime/init.h"
#include "mime/tree.h"

#include <string.h>

static inline void fuzz_mime_init(void)
{
	static bool done;

	if (!done)
		mime_init();
	done = true;
}

static inline void fuzz_check_name(const char *name)
{
	g_assert_cmpuint(strlen(name), <=, 255);
	g_assert_true(g_ascii_isdigit(name[0]));
	g_assert_true(g_utf8_validate(name, -1, NULL));
	g_assert_null(strchr(name, '/'));
	for (const char *at = name; *at; at = g_utf8_next_char(at)) {
		gunichar c = g_utf8_get_char(at);

		g_assert_false(g_unichar_iscntrl(c));
		g_assert_false((c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069));
	}
}

static inline void fuzz_check_tree(const MimeTree *tree)
{
	guint count = mime_tree_count(tree), n;
	const guint *readable = mime_tree_readable(tree, &n);

	g_assert_cmpuint(count, >, 0);
	g_assert_cmpuint(count, <=, LIMIT_PARTS);
	for (guint i = 0; i < count; i++) {
		const MimePart *part = mime_tree_part(tree, i);

		fuzz_check_name(part->name);
		g_assert_true(g_str_has_prefix(part->name, part->section));
		g_assert_cmpint(mime_tree_find(tree, part->name), ==, (int)i);
		g_assert_nonnull(strchr(part->type, '/'));
	}
	g_assert_cmpuint(n, <=, LIMIT_READABLE_PARTS);
	for (guint i = 0; i < n; i++)
		g_assert_true(mime_tree_part(tree, readable[i])->text);
}
