/* What a part is shown as is UTF-8, without NUL and, in a text, without controls, within its
 * bounds; what a grid decodes in ranges is what is decoded as a whole. The first byte chooses what
 * the rest is said to be. */

#include "fuzz.h"

#include "mime/html.h"
#include "mime/text.h"

#include <string.h>

static const char *const charsets[] = {NULL, "utf-8", "iso-8859-1", "koi8-r", "iso-2022-jp",
	"gb2312", "utf-7", "utf-16", "windows-1255", "shift_jis", "euc-kr", "big5", "iso-2022-kr",
	"x-none", "utf-32", "iso-8859-7"};

static void check_charset(const char *bytes, size_t len, const char *charset)
{
	g_autofree char *utf8 = mime_to_utf8(bytes, len, charset);
	g_autofree char *text = mime_html_text(utf8, strlen(utf8));
	g_autofree char *declared = mime_html_charset(bytes, len);

	g_assert_true(g_utf8_validate(utf8, -1, NULL));
	g_assert_cmpuint(strlen(utf8), <=, 3 * len);
	g_assert_true(g_utf8_validate(text, -1, NULL));
	g_assert_cmpuint(strlen(text), <=, strlen(utf8));
	g_assert_true(!declared || *declared);
}

static bool is_shown(gunichar c)
{
	return c == '\n' || c == '\t' || (c >= 0x20 && c < 0x7f) || c >= 0xa0;
}

static void check_text(const MimePart *part, const char *octets, size_t len)
{
	g_autoptr(GString) text = g_string_new("x\n");

	mime_text_append(text, part, octets, len);
	g_assert_true(g_utf8_validate(text->str, (gssize)text->len, NULL));
	g_assert_cmpuint(text->len - strlen("x\n"), <=, mime_text_bound(part));
	g_assert_true(g_str_has_suffix(text->str, "\n"));
	for (const char *p = text->str; *p; p = g_utf8_next_char(p))
		g_assert_true(is_shown(g_utf8_get_char(p)));
}

static void check_content(const MimePart *part, const char *octets, size_t len)
{
	g_autoptr(GBytes) content = mime_part_content(part, octets, len);
	g_autoptr(GBytes) decoded = mime_part_content_decoded(part, octets, len);

	g_assert_cmpuint(g_bytes_get_size(content), <=, mime_part_content_bound(part));
	g_assert_cmpuint(g_bytes_get_size(decoded), <=, mime_part_content_bound(part));
	if (mime_part_is_exact(part))
		g_assert_true(g_bytes_equal(content, decoded));
}

/* Decodes in pieces of this size. NULL: one of them is not on the grid. */
static GBytes *decode_pieces(const MimeGrid *grid, const char *octets, size_t len, size_t piece)
{
	g_autofree char *out = g_malloc(grid->size);

	for (guint64 at = 0; at < grid->size; at += piece) {
		guint64 from, n;
		gsize got;

		mime_grid_range(grid, len, at, piece, &from, &n);
		g_assert_cmpuint(from + n, <=, len);
		if (!mime_grid_decode(grid, len, at, piece, octets + from, n, out + at, &got))
			return NULL;
		g_assert_cmpuint(got, ==, MIN(piece, grid->size - at));
	}
	return g_bytes_new_take(g_steal_pointer(&out), grid->size);
}

/* Whatever piece of both ends is looked at, and whatever pieces are decoded. */
static void check_grid(const char *octets, size_t len, size_t ends, size_t piece)
{
	MimePart part = {.type = "x/x", .encoding = MIME_ENCODING_BASE64, .octets = len};
	g_autoptr(GBytes) content = NULL;
	g_autoptr(GBytes) pieces = NULL;
	MimeGrid grid;

	ends = MIN(ends, len);
	if (!mime_grid_find(len, octets, ends, octets + len - ends, ends, &grid))
		return;
	pieces = decode_pieces(&grid, octets, len, piece);
	if (!pieces)
		return;
	content = mime_part_content(&part, octets, len);
	g_assert_true(g_bytes_equal(content, pieces));
}

/* The grid of what was encoded in lines is found. */
static void check_encoded(const char *bytes, size_t len, size_t line, size_t piece)
{
	g_autofree char *digits = g_base64_encode((const guchar *)bytes, len);
	g_autoptr(GString) octets = g_string_new(NULL);
	g_autoptr(GBytes) content = g_bytes_new_static(bytes, len);
	g_autoptr(GBytes) pieces = NULL;
	MimeGrid grid;
	size_t n;

	for (size_t at = 0; at < strlen(digits); at += line) {
		g_string_append_len(octets, digits + at, (gssize)MIN(line, strlen(digits) - at));
		g_string_append(octets, "\r\n");
	}
	n = MIN(octets->len, 1024);
	if (len == 0)
		return;
	g_assert_true(mime_grid_find(
		octets->len, octets->str, n, octets->str + octets->len - n, n, &grid));
	pieces = decode_pieces(&grid, octets->str, octets->len, piece);
	g_assert_nonnull(pieces);
	g_assert_true(g_bytes_equal(content, pieces));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const char *const types[] = {"text/plain", "text/html", "application/x"};
	uint8_t choice = len ? bytes[0] : 0;
	const char *octets = len ? (const char *)bytes + 1 : (const char *)bytes;
	MimePart part = {.section = "1", .name = "1", .octets = len ? len - 1 : 0};
	size_t line = 4 * (1 + choice % 32), piece = 1 + choice;

	len = (size_t)part.octets;
	part.charset = charsets[choice % 16];
	for (guint i = 0; i < 12; i++) {
		part.type = types[i % 3];
		part.text = i % 3 < 2;
		part.encoding = (MimeEncoding)(i / 3);
		check_content(&part, octets, len);
		if (part.text)
			check_text(&part, octets, len);
	}
	check_charset(octets, len, part.charset);
	check_grid(octets, len, 8 + choice, piece);
	check_grid(octets, len, 1024, piece);
	check_encoded(octets, len, line, piece);
	return 0;
}
