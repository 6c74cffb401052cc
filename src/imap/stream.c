#include "imap/parser.h"

#include "base/error.h"
#include "base/limits.h"

#include <string.h>

struct ImapStream {
	const ImapStreamEvents *events;
	gpointer data;
	ImapParser *parser;

	/* The response under way, when it did not come in one piece or has literals. */
	GString *text;
	gsize segment; /* where the text behind the last literal begins */
	GArray *literals;
	ImapScan scan;

	/* The literal under way; `left` octets of it are still to come. */
	bool in_literal;
	ImapLiteralForm form;
	guint64 left;

	bool over; /* a callback or an error ended it */
};

/* A buffer above this is given back after the response that needed it. */
enum { KEEP_BUFFER = 64 << 10 };

ImapStream *imap_stream_new(const ImapStreamEvents *events, gpointer data)
{
	ImapStream *stream = g_new0(ImapStream, 1);

	stream->events = events;
	stream->data = data;
	stream->parser = imap_parser_new();
	stream->text = g_string_new(NULL);
	stream->literals = g_array_new(FALSE, FALSE, sizeof(ImapLiteral));
	return stream;
}

void imap_stream_free(ImapStream *stream)
{
	if (!stream)
		return;
	imap_parser_free(stream->parser);
	g_string_free(stream->text, TRUE);
	g_array_unref(stream->literals);
	g_free(stream);
}

bool imap_stream_at_boundary(const ImapStream *stream)
{
	return stream->text->len == 0;
}

static bool fail(GError **error, const char *reason)
{
	g_set_error(error, MAIL_ERROR, MAIL_ERROR_PROTOCOL, "The server %s", reason);
	return false;
}

static bool fits(const ImapStream *stream, guint64 more)
{
	return stream->text->len + more <= LIMIT_RESPONSE_BYTES;
}

/* A line without its LF, and without the CR before it if there is one. */
static gsize trim_cr(const char *line, gsize len)
{
	return len > 0 && line[len - 1] == '\r' ? len - 1 : len;
}

static bool is_blank(const char *text, gsize len)
{
	for (gsize i = 0; i < len; i++) {
		if (text[i] != ' ' && text[i] != '\t')
			return false;
	}
	return true;
}

static bool emit(ImapStream *stream, const char *text, gsize len)
{
	ImapFrame frame = {
		.text = text,
		.len = len,
		.literals = (const ImapLiteral *)(gpointer)stream->literals->data,
		.n_literals = stream->literals->len,
	};

	if (is_blank(text, len))
		return true;
	return stream->events->response(imap_parser_parse(stream->parser, &frame), stream->data);
}

static void start_over(ImapStream *stream)
{
	if (stream->text->allocated_len > KEEP_BUFFER) {
		g_string_free(stream->text, TRUE);
		stream->text = g_string_new(NULL);
	}
	g_string_truncate(stream->text, 0);
	g_array_set_size(stream->literals, 0);
	stream->segment = 0;
	stream->scan = (ImapScan){0};
}

/* Whose are the octets that follow? */
static bool place_literal(ImapStream *stream, ImapLiteral *literal, GError **error)
{
	const ImapStreamEvents *events = stream->events;
	ImapBodyStart start;

	if (imap_scan_is_body(&stream->scan, stream->text->str, &start)) {
		start.size = literal->size;
		literal->form = events->body_begin && events->body_begin(&start, stream->data)
					? IMAP_LITERAL_STREAMED
					: IMAP_LITERAL_DROPPED;
		return true;
	}
	literal->form = IMAP_LITERAL_KEPT;
	if (literal->size <= LIMIT_INLINE_LITERAL)
		return fits(stream, literal->size) ||
		       fail(error, "sent a response beyond all bounds");
	/* One odd message must not end every listing of its mailbox. */
	if (stream->scan.kind != IMAP_SCAN_FETCH)
		return fail(error, "sent a literal beyond all bounds");
	literal->form = IMAP_LITERAL_DROPPED;
	return true;
}

static bool begin_literal(ImapStream *stream, ImapLiteral literal, GError **error)
{
	if (stream->literals->len >= LIMIT_LITERALS)
		return fail(error, "sent too many literals in one response");
	literal.octets = stream->text->len;
	if (!place_literal(stream, &literal, error))
		return false;
	g_array_append_val(stream->literals, literal);
	stream->form = literal.form;
	stream->left = literal.size;
	stream->in_literal = true;
	return true;
}

/* The buffered line is complete: either a literal follows or the response ends. */
static bool end_line(ImapStream *stream, GError **error)
{
	const char *text = stream->text->str;
	gsize end = trim_cr(text + stream->segment, stream->text->len - stream->segment - 1);
	ImapLiteral literal;
	ImapLineEnd kind = imap_line_end(text + stream->segment, end, &literal);
	bool go_on;

	end += stream->segment;
	if (kind != IMAP_LINE_ENDS) {
		literal.start += stream->segment;
		imap_scan_advance(&stream->scan, text, literal.start);
		if (imap_scan_may_start_literal(&stream->scan)) {
			if (kind == IMAP_LINE_BAD)
				return fail(error, "announced a literal of no possible size");
			return begin_literal(stream, literal, error);
		}
	}
	go_on = emit(stream, text, end);
	start_over(stream);
	return go_on;
}

/* Takes what bytes have of the literal; returns how much in *ret_used. */
static bool feed_literal(ImapStream *stream, const char *bytes, gsize len, gsize *ret_used)
{
	gsize used = (gsize)MIN(stream->left, len);
	bool go_on = true;

	stream->left -= used;
	*ret_used = used;
	if (stream->form == IMAP_LITERAL_KEPT)
		g_string_append_len(stream->text, bytes, (gssize)used);
	else if (stream->form == IMAP_LITERAL_STREAMED && used > 0)
		go_on = stream->events->body_bytes(bytes, used, stream->data);
	if (stream->left == 0) {
		stream->in_literal = false;
		stream->segment = stream->text->len;
		imap_scan_skip_literal(&stream->scan, stream->text->len);
	}
	return go_on;
}

/* Takes a line, or the part of it that is there. */
static bool feed_line(
	ImapStream *stream, const char *bytes, gsize len, gsize *ret_used, GError **error)
{
	const char *lf = memchr(bytes, '\n', len);
	gsize used = lf ? (gsize)(lf + 1 - bytes) : len;
	gsize end = lf ? trim_cr(bytes, used - 1) : used;

	*ret_used = used;
	if (!fits(stream, used))
		return fail(error, "sent a line beyond all bounds");

	/* Nearly every response is one line that lies in the caller's buffer: no copy. */
	if (lf && stream->text->len == 0 && (end == 0 || bytes[end - 1] != '}'))
		return emit(stream, bytes, end);

	g_string_append_len(stream->text, bytes, (gssize)used);
	return !lf || end_line(stream, error);
}

bool imap_stream_feed(ImapStream *stream, const void *bytes, gsize len, GError **error)
{
	const char *at = bytes;

	if (stream->over)
		return fail(error, "sent bytes to a stream that has ended");
	while (len > 0 || (stream->in_literal && stream->left == 0)) {
		gsize used;

		stream->over = stream->in_literal ? !feed_literal(stream, at, len, &used)
						  : !feed_line(stream, at, len, &used, error);
		if (stream->over)
			return false;
		at += used;
		len -= used;
	}
	return true;
}
