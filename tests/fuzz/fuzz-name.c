/* Every mailbox component has a file name, and no two have the same one. The input is a component
 * and, after a newline, another one. */

#include "fuzz.h"

#include "fs/name.h"
#include "imap/utf7.h"

#include <stdbool.h>
#include <string.h>

static char *checked_name(const char *bytes, size_t len)
{
	char *name = name_from_component(bytes, len);
	size_t n = strlen(name);

	g_assert_true(n > 0 && n <= NAME_MAX_BYTES);
	g_assert_true(g_utf8_validate(name, -1, NULL));
	g_assert_null(strchr(name, '/'));
	g_assert_true(strcmp(name, ".") != 0 && strcmp(name, "..") != 0);
	g_assert_cmpuint(name_to_uid(name), ==, 0);
	for (size_t i = 0; i < n; i++)
		g_assert_false(g_ascii_iscntrl(name[i]));
	return name;
}

static size_t unescape(const char *name, char *to)
{
	size_t len = 0;

	while (*name) {
		if (name[0] == '%' && g_ascii_isxdigit(name[1]) && g_ascii_isxdigit(name[2])) {
			to[len++] = (char)(g_ascii_xdigit_value(name[1]) << 4 |
					   g_ascii_xdigit_value(name[2]));
			name += 3;
		} else {
			to[len++] = *name++;
		}
	}
	return len;
}

/* What was not cut can be turned back: by way of its Unicode form, or from a final % as it is. */
static void check_reverse(const char *name, const char *bytes, size_t len)
{
	char raw[NAME_MAX_BYTES];
	size_t n = unescape(name, raw);
	size_t end = strlen(name);

	if (name[end - 1] == '%') {
		g_assert_true(n - 1 == len && memcmp(raw, bytes, len) == 0);
		return;
	}
	g_autofree char *wire = imap_utf7_encode(raw, n);

	g_assert_nonnull(wire);
	g_assert_true(strlen(wire) == len && memcmp(wire, bytes, len) == 0);
}

static bool is_cut(const char *name)
{
	size_t n = strlen(name);

	return n > 17 && name[n - 17] == '~' && strspn(name + n - 16, "0123456789abcdef") == 16;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const char *first = (const char *)bytes;
	const char *newline = len > 0 ? memchr(first, '\n', len) : NULL;
	size_t first_len = newline ? (size_t)(newline - first) : len;
	const char *second = newline ? newline + 1 : first;
	size_t second_len = newline ? len - first_len - 1 : 0;
	g_autofree char *a = checked_name(first, first_len);
	g_autofree char *b = checked_name(second, second_len);
	bool same = first_len == second_len && memcmp(first, second, first_len) == 0;

	g_assert_cmpint(strcmp(a, b) == 0, ==, same);
	if (!is_cut(a))
		check_reverse(a, first, first_len);

	g_autofree char *text = g_strndup(first, first_len);
	guint32 uid = name_to_uid(text);

	if (uid != 0) {
		char again[NAME_MESSAGE_BYTES];

		name_of_message(uid, again);
		g_assert_cmpstr(again, ==, text);
	}
	return 0;
}
