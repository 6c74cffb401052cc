#include "mime/text.h"

#include <string.h>

static const MimePart binary = {.section = "1",
	.name = "1.bin",
	.type = "application/octet-stream",
	.encoding = MIME_ENCODING_BASE64};

/* base64 of n bytes in lines. */
static GString *encode(const guint8 *bytes, gsize n, gsize line, const char *line_end)
{
	g_autofree char *digits = g_base64_encode(bytes, n);
	GString *octets = g_string_new(NULL);
	gsize len = strlen(digits);

	for (gsize i = 0; i < len; i += line) {
		g_string_append_len(octets, digits + i, (gssize)MIN(line, len - i));
		if (i + line < len)
			g_string_append(octets, line_end);
	}
	return octets;
}

static bool find(const GString *octets, MimeGrid *ret)
{
	gsize n = MIN(octets->len, 1024);

	return mime_grid_find(octets->len, octets->str, n, octets->str + octets->len - n, n, ret);
}

/* Decodes a range into exactly as much room as it needs. */
static GBytes *read_range(const MimeGrid *grid, const GString *octets, guint64 offset, guint64 len)
{
	guint64 from, n;
	gsize got = G_MAXSIZE;
	g_autofree char *copy = NULL, *out = NULL;

	mime_grid_range(grid, octets->len, offset, len, &from, &n);
	g_assert_cmpuint(from + n, <=, octets->len);
	copy = g_memdup2(octets->str + from, n);
	out = g_malloc(MIN(len, grid->size - offset));
	if (!mime_grid_decode(grid, octets->len, offset, len, copy, n, out, &got))
		return NULL;
	return g_bytes_new_take(g_steal_pointer(&out), got);
}

static void check_bytes(GBytes *bytes, const guint8 *expected, guint64 len)
{
	g_autoptr(GBytes) other = g_bytes_new_static(expected, len);

	g_assert_nonnull(bytes);
	g_assert_true(g_bytes_equal(bytes, other));
}

static void check_range(const MimeGrid *grid, const GString *octets, guint64 offset, guint64 len,
	const guint8 *content)
{
	g_autoptr(GBytes) got = read_range(grid, octets, offset, len);

	check_bytes(got, content + offset, MIN(len, grid->size - offset));
}

static void check_ranges(const GString *octets, const guint8 *content, gsize n)
{
	g_autoptr(GBytes) whole = mime_part_content(&binary, octets->str, octets->len);
	MimeGrid grid;

	g_assert_true(find(octets, &grid));
	g_assert_cmpuint(grid.size, ==, n);
	check_bytes(whole, content, n);
	check_range(&grid, octets, 0, n, content);
	check_range(&grid, octets, 0, G_MAXUINT64, content);
	check_range(&grid, octets, n, 1, content);
	for (guint i = 0; i < 20; i++)
		check_range(&grid, octets, (guint64)g_test_rand_int_range(0, (gint32)n),
			(guint64)g_test_rand_int_range(0, 200), content);
}

static void test_ranges(void)
{
	static const gsize sizes[] = {1, 2, 3, 56, 57, 58, 113, 114, 115, 766, 767, 768, 769, 5000};
	static const gsize lines[] = {4, 60, 76};
	static const char *const ends[] = {"\r\n", "\n"};
	static const char *const tails[] = {"", "\r\n", "\n", "\r\n\r\n", "\n \n"};
	guint8 content[5000];

	for (gsize i = 0; i < sizeof(content); i++)
		content[i] = (guint8)g_test_rand_int();
	for (gsize i = 0; i < G_N_ELEMENTS(lines) * G_N_ELEMENTS(ends); i++) {
		for (gsize k = 0; k < G_N_ELEMENTS(sizes) * G_N_ELEMENTS(tails); k++) {
			gsize n = sizes[k % G_N_ELEMENTS(sizes)];
			g_autoptr(GString) octets = encode(content, n, lines[i / 2], ends[i % 2]);

			g_string_append(octets, tails[k / G_N_ELEMENTS(sizes)]);
			check_ranges(octets, content, n);
		}
	}
}

/* A read of a few bytes needs a line, wherever it is. */
static void test_little(void)
{
	MimeGrid grid = {76, 2, 20 << 20};
	guint64 from, n;

	mime_grid_range(&grid, G_MAXINT64, 10000 * 57 + 3, 10, &from, &n);
	g_assert_cmpuint(from, ==, 10000 * 78);
	g_assert_cmpuint(n, ==, 78);
	mime_grid_range(&grid, G_MAXINT64, 10000 * 57 - 1, 2, &from, &n);
	g_assert_cmpuint(from, ==, 9999 * 78);
	g_assert_cmpuint(n, ==, 2 * 78);
}

/* Of a part too large to have here: 2^62 octets. */
static void test_huge(void)
{
	guint64 octets = (G_GUINT64_CONSTANT(1) << 62) / 78 * 78 + 8, from, n;
	char head[78 * 2], tail[78 + 8];
	MimeGrid grid;

	memset(head, 'A', sizeof(head));
	memcpy(head + 76, "\r\n", 2);
	memcpy(head + 78 + 76, "\r\n", 2);
	memcpy(tail, head, 78);
	memcpy(tail + 78, "AAAAAAA=", 8);
	g_assert_true(mime_grid_find(octets, head, sizeof(head), tail, sizeof(tail), &grid));
	g_assert_cmpuint(grid.size, ==, octets / 78 * 57 + 5);
	mime_grid_range(&grid, octets, grid.size - 1, 1, &from, &n);
	g_assert_cmpuint(from, ==, octets - 8);
	g_assert_cmpuint(n, ==, 8);
}

static void test_none(void)
{
	static const char *const cases[] = {
		"", /* nothing */
		"\r\n", /* only white space */
		"YWFh\r\nYWE\r\n", /* a quad that was cut */
		"YWFhY\r\nWFh\r\n", /* a quad over two lines */
		"YWFh\r\nYWFhYWFh\r\n", /* the last line longer */
		"YWFhYWFh\r\nYWFh\r\nYWFhYWFh\r\n", /* one in the middle shorter */
		"YWFh\r\nYWFh\nYWFh\r\n", /* two kinds of line end */
		"YQ==\r\nYWFh\r\n", /* padding in the middle */
		"YWFh\r\nY===\r\n", /* too much of it */
		"YW=h\r\n", /* before a digit */
		"YWFh\r\nYW!h\r\n", /* no digit */
		"YWFh\r\n\r\nYWFh\r\n", /* an empty line */
		"\r\nYWFh\r\n", /* at the beginning */
		" YWFh\r\nYWFh\r\n", /* a blank before */
		"YWFh \r\nYWFh\r\n", /* and behind */
		"YQ==\r\nfooter", /* something behind it */
	};
	g_autofree char *long_line = g_strnfill(2000, 'A');
	MimeGrid grid = {0};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GString) octets = g_string_new(cases[i]);

		if (find(octets, &grid))
			g_error("there is a grid in \"%s\"", cases[i]);
	}
	g_assert_false(mime_grid_find(2000, long_line, 1024, long_line, 1024, &grid));
	g_assert_false(mime_grid_find(G_MAXUINT64, "YWFh\r\nYWFh", 10, "YWFh\r\nYWFh", 10, &grid));
	g_assert_cmpuint(grid.line, ==, 0);
}

/* What neither end shows is found when it is decoded. */
static void test_middle(void)
{
	static const char bad[] = {'\r', '\n', '=', ' ', '!', '\0', '-'};
	guint8 content[3000] = {0};
	g_autoptr(GString) octets = encode(content, sizeof(content), 76, "\r\n");
	gsize at = 25 * 78;
	MimeGrid grid;

	g_assert_true(find(octets, &grid));
	for (gsize column = 0; column < 78; column += 7) {
		for (gsize i = 0; i < sizeof(bad); i++) {
			char good = octets->str[at + column];
			g_autoptr(GBytes) got = NULL;

			if (bad[i] == good)
				continue;
			octets->str[at + column] = bad[i];
			g_assert_true(find(octets, &grid));
			got = read_range(&grid, octets, 25 * 57, 57);
			g_assert_null(got);
			check_range(&grid, octets, 24 * 57, 57, content);
			check_range(&grid, octets, 26 * 57, 57, content);
			octets->str[at + column] = good;
		}
	}
	octets->str[at + 76] = 'A';
	g_assert_null(read_range(&grid, octets, 25 * 57, 57));
}

/* Not the octets that were asked for. */
static void test_other_octets(void)
{
	guint8 content[300] = {0};
	g_autoptr(GString) octets = encode(content, sizeof(content), 76, "\r\n");
	char out[57];
	MimeGrid grid;
	gsize n;

	g_assert_true(find(octets, &grid));
	g_assert_false(mime_grid_decode(&grid, octets->len, 0, 57, octets->str, 77, out, &n));
	g_assert_false(mime_grid_decode(&grid, octets->len, 0, 57, octets->str, 79, out, &n));
	g_assert_true(mime_grid_decode(&grid, octets->len, 0, 57, octets->str, 78, out, &n));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/mime-grid/ranges", test_ranges);
	g_test_add_func("/mime-grid/little", test_little);
	g_test_add_func("/mime-grid/huge", test_huge);
	g_test_add_func("/mime-grid/none", test_none);
	g_test_add_func("/mime-grid/middle", test_middle);
	g_test_add_func("/mime-grid/other-octets", test_other_octets);
	return g_test_run();
}
