/* What goes to the server of a staged file: a text of its own in store/unsent.h, which has CRLF at
 * the ends of lines and is not changed any more. */
#include "fs/staging.h"

#include <errno.h>
#include <unistd.h>

#include "base/limits.h"
#include "fs/text.h"
#include "store/unsent.h"

enum { PIECE = 64 << 10 };

/* One piece. Returns how many bytes it had, 0: that was the end; -1 with errno. */
static gssize move_piece(int from, guint64 at, TextLines *lines, int to, guint64 *to_at)
{
	char bytes[PIECE], moved[2 * PIECE];
	gsize n = staged_read_all(from, at, bytes, sizeof bytes);
	if (n == 0)
		return errno != 0 ? -1 : 0;
	gsize len = text_lines(lines, bytes, n, moved);
	int failed = staged_write_all(to, moved, len, *to_at);
	if (failed != 0) {
		errno = failed;
		return -1;
	}
	*to_at += len;
	return (gssize)n;
}

/* false with errno. */
static bool move_text(int from, int to, TextLines *lines)
{
	guint64 at = 0, to_at = 0;
	gssize n;
	while ((n = move_piece(from, at, lines, to, &to_at)) > 0)
		at += (guint64)n;
	return n == 0;
}

static bool fail(GError **error, int errnum)
{
	g_propagate_error(error, staged_error(errnum));
	return false;
}

/* Whether it can be a message, and the date that it says it has. */
static bool check_text(int fd, gint64 *ret_date, GError **error)
{
	g_autofree char *head = g_malloc(LIMIT_DATE_HEADER);
	gsize n = staged_read_all(fd, 0, head, LIMIT_DATE_HEADER);
	if (!text_is_message(head, n)) {
		g_set_error_literal(error, MAIL_ERROR, MAIL_ERROR_INVALID,
			"it does not begin with a header field");
		return false;
	}
	*ret_date = 0;
	text_date(head, n, ret_date);
	return true;
}

/* RFC 3516 4.4: only a literal8 may have NUL. What the server can is not known before a login. */
static bool may_have_nul(Fs *fs)
{
	guint64 caps = engine_caps(fs->engine);
	return caps == 0 || caps & IMAP_CAP_BIT(IMAP_CAP_BINARY);
}

static bool make_text(Fs *fs, int from, int to, GError **error)
{
	TextLines lines = {0};
	if (!move_text(from, to, &lines))
		return fail(error, errno);
	if (!lines.nul || may_have_nul(fs))
		return true;
	g_set_error_literal(
		error, MAIL_ERROR, MAIL_ERROR_INVALID, "the server takes no message with NUL");
	return false;
}

bool staged_keep_text(Fs *fs, int from, bool durable, StagedText *ret, GError **error)
{
	StagedText text = {0};
	if (!check_text(from, &text.date, error))
		return false;
	int to = store_unsent_new(fs->store, &text.file);
	if (to < 0)
		return fail(error, errno);
	bool kept = make_text(fs, from, to, error);
	if (kept && !store_unsent_keep(fs->store, text.file, to, durable))
		kept = fail(error, errno);
	close(to);
	if (!kept)
		store_unsent_drop(fs->store, text.file);
	else
		*ret = text;
	return kept;
}
