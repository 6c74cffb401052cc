/* One complete response as imap/stream.c cut it out of the byte stream: the text without its last
 * CRLF, and where literals are in it. Internal to imap/. */
#pragma once

#include "imap/stream.h"

typedef enum {
	IMAP_LITERAL_KEPT, /* its octets follow in the text */
	IMAP_LITERAL_STREAMED, /* they went to body_bytes; nothing follows */
	IMAP_LITERAL_DROPPED, /* nobody wanted them; nothing follows */
} ImapLiteralForm;

typedef struct {
	gsize start; /* of its "{" or "~{" in the text */
	gsize octets; /* of its first octet, after CRLF */
	guint64 size; /* as announced */
	ImapLiteralForm form;
} ImapLiteral;

typedef struct {
	const char *text;
	gsize len;
	const ImapLiteral *literals; /* ascending */
	gsize n_literals;
} ImapFrame;

/* The announcement at the end of a line, if there is one. */
typedef enum {
	IMAP_LINE_ENDS, /* the response is complete */
	IMAP_LINE_LITERAL, /* a literal and more text follow */
	IMAP_LINE_BAD, /* it announces what is no possible size */
} ImapLineEnd;

/* Reads the last characters of a line without its CRLF: "{n}", "{n+}", "~{n}". ret_literal gets
 * start and size. Whether they are a literal or text is for imap_scan_may_start_literal(). */
ImapLineEnd imap_line_end(const char *line, gsize len, ImapLiteral *ret_literal);

/* Follows the text of an incomplete response just as far as needed to know what a literal belongs
 * to. Zeroed at the start of a response; every byte is looked at once. */
typedef enum { IMAP_SCAN_NEW, IMAP_SCAN_TEXT, IMAP_SCAN_DATA, IMAP_SCAN_FETCH } ImapScanKind;

typedef struct {
	ImapScanKind kind;
	gsize at; /* all before is looked at */
	guint depth;
	bool quoted, escaped;
	bool fresh; /* a string or literal may start here */

	/* Of FETCH: the word being read or read last directly in the list of items, 0 when
	 * something else came after it, and the [section] in it. */
	gsize word, section, section_end;
	bool in_word, in_section;
	bool after_uid;
	guint32 seq, uid;
} ImapScan;

/* Looks at text up to len. The text before the previous len is the same as then. */
void imap_scan_advance(ImapScan *scan, const char *text, gsize len);

/* Goes on behind a literal that ended at `at`. */
void imap_scan_skip_literal(ImapScan *scan, gsize at);

/* After imap_scan_advance() up to "{": whether it announces a literal. It is text in the
 * free text of OK, NO, BAD..., in a quoted string, in an atom. */
bool imap_scan_may_start_literal(const ImapScan *scan);

/* Whether the literal is the value of a BODY[...] or BINARY[...] item; fills all but size. */
bool imap_scan_is_body(const ImapScan *scan, const char *text, ImapBodyStart *ret_start);
