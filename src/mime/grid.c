#include "mime/text.h"

#include "mime/base64.h"

#include <string.h>

/* Of octets and size all else follows: the content's (size + 2) / 3 quads are in full lines but for
 * the last, and behind them is only white space. */

enum {
	/* The longest line: what is looked at of a part's beginning must show its end. */
	LINE_BYTES = 1024,
};

static guint64 digits_of(const MimeGrid *grid)
{
	return (grid->size + 2) / 3 * 4;
}

static guint pads_of(const MimeGrid *grid)
{
	return (guint)(digits_of(grid) / 4 * 3 - grid->size);
}

static guint pitch_of(const MimeGrid *grid)
{
	return grid->line + grid->ends;
}

/* Where the lines end, the last without its line end. */
static guint64 end_of(const MimeGrid *grid)
{
	guint64 digits = digits_of(grid);

	return digits ? digits + (digits - 1) / grid->line * grid->ends : 0;
}

/* What must be at a position of the part. */
static bool fits(const MimeGrid *grid, guint64 end, guint64 at, char c)
{
	guint column = (guint)(at % pitch_of(grid));

	if (at >= end)
		return base64_value(c) == BASE64_LINE_END || base64_value(c) == BASE64_BLANK;
	if (at >= end - pads_of(grid))
		return c == '=';
	if (column < grid->line)
		return base64_value(c) < 64;
	return c == (column + 1 == pitch_of(grid) ? '\n' : '\r');
}

static bool all_fit(const MimeGrid *grid, guint64 from, const char *bytes, gsize len)
{
	guint64 end = end_of(grid);

	for (gsize i = 0; i < len; i++) {
		if (!fits(grid, end, from + i, bytes[i]))
			return false;
	}
	return true;
}

/* From the first line. */
static bool find_pitch(guint64 octets, const char *head, gsize len, MimeGrid *grid)
{
	const char *lf = memchr(head, '\n', len);

	grid->ends = lf && lf > head && lf[-1] == '\r' ? 2 : 1;
	if (lf)
		grid->line = (guint)(lf + 1 - head) - grid->ends;
	else if (len == octets)
		grid->line = (guint)(len + 3) / 4 * 4;
	else
		return false;
	return grid->line > 0 && grid->line % 4 == 0 && grid->line <= LINE_BYTES;
}

/* From the last line. */
static bool find_size(guint64 octets, const char *tail, gsize len, MimeGrid *grid)
{
	guint64 end, last;
	guint pads = 0;

	for (; len && base64_value(tail[len - 1]) > BASE64_PAD; len--)
		octets--;
	while (pads < 2 && len && tail[len - 1] == '=') {
		pads++;
		len--;
	}
	if (len == 0)
		return false;
	end = octets;
	last = end % pitch_of(grid);
	if (last == 0 || last > grid->line || last % 4)
		return false;
	grid->size = (end / pitch_of(grid) * grid->line + last) / 4 * 3 - pads;
	return true;
}

bool mime_grid_find(guint64 octets, const char *head, gsize head_len, const char *tail,
	gsize tail_len, MimeGrid *ret)
{
	MimeGrid grid = {0};

	if (octets > G_MAXINT64 || head_len > octets || tail_len > octets || head_len > LINE_BYTES)
		return false;
	if (!find_pitch(octets, head, head_len, &grid) ||
		!find_size(octets, tail, tail_len, &grid) || !all_fit(&grid, 0, head, head_len) ||
		!all_fit(&grid, octets - tail_len, tail, tail_len))
		return false;
	*ret = grid;
	return true;
}

void mime_grid_range(const MimeGrid *grid, guint64 octets, guint64 offset, guint64 len,
	guint64 *ret_from, guint64 *ret_len)
{
	guint64 per_line = grid->line / 4 * 3, last;

	*ret_from = *ret_len = 0;
	len = MIN(len, grid->size - offset);
	if (len == 0)
		return;
	*ret_from = offset / per_line * pitch_of(grid);
	last = (offset + len - 1) / per_line;
	*ret_len = MIN((last + 1) * pitch_of(grid), octets) - *ret_from;
}

bool mime_grid_fits(
	const MimeGrid *grid, guint64 octets, guint64 from, const char *bytes, gsize n_bytes)
{
	return from <= octets && n_bytes <= octets - from && all_fit(grid, from, bytes, n_bytes);
}

/* Digits that fit; where the padding is there are zeros. */
static void decode_line(const char *digits, guint n, char *ret)
{
	for (guint i = 0; i < n; i += 4) {
		guint32 bits = 0;

		for (guint k = 0; k < 4; k++)
			bits = bits << 6 | (base64_value(digits[i + k]) & 63);
		base64_put(bits, ret + i / 4 * 3);
	}
}

/* The part of a line's content, which begins at `at`, that is in the range. */
static void copy_overlap(
	const char *line, guint64 at, guint64 n, guint64 offset, guint64 len, char *ret)
{
	guint64 from = MAX(at, offset), to = MIN(at + n, offset + len);

	memcpy(ret + (from - offset), line + (from - at), to - from);
}

bool mime_grid_decode(const MimeGrid *grid, guint64 octets, guint64 offset, guint64 len,
	const char *bytes, gsize n_bytes, void *ret, gsize *ret_len)
{
	char line[LINE_BYTES / 4 * 3];
	guint64 from, n, end = end_of(grid);

	mime_grid_range(grid, octets, offset, len, &from, &n);
	if (n_bytes != n || !all_fit(grid, from, bytes, n_bytes))
		return false;
	len = MIN(len, grid->size - offset);
	for (gsize i = 0; i < n && from + i < end; i += pitch_of(grid)) {
		guint digits = (guint)MIN(grid->line, end - from - i);

		decode_line(bytes + i, digits, line);
		copy_overlap(line, (from + i) / pitch_of(grid) * (grid->line / 4 * 3),
			digits / 4 * 3, offset, len, ret);
	}
	*ret_len = len;
	return true;
}
