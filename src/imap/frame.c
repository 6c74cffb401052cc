#include "imap/frame.h"

#include <string.h>

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

/* literal = "{" number64 ["+"] "}", literal8 = "~{" number64 ["+"] "}" (RFC 9051 section 9);
 * number64 is below 2^63 there, which has at most 19 digits. */
ImapLineEnd imap_line_end(const char *line, gsize len, ImapLiteral *ret_literal)
{
	gsize open, digits = 0, start;
	guint64 size = 0;
	bool valid = true;

	if (len < 2 || line[len - 1] != '}')
		return IMAP_LINE_ENDS;
	for (open = len - 1; open > 0 && line[open - 1] != '{'; open--) {
		char c = line[open - 1];

		if (!g_ascii_isdigit(c) && c != '+' && c != '-')
			return IMAP_LINE_ENDS;
		digits += g_ascii_isdigit(c);
	}
	if (open == 0 || digits == 0)
		return IMAP_LINE_ENDS;

	for (gsize i = open; i < len - 1 && valid; i++) {
		if (line[i] == '+' && i == len - 2)
			break;
		valid = g_ascii_isdigit(line[i]) && size <= (guint64)G_MAXINT64 / 10;
		size = size * 10 + (guint64)(line[i] - '0');
	}
	start = open - 1;
	if (start > 0 && line[start - 1] == '~')
		start--;
	*ret_literal = (ImapLiteral){.start = start, .size = size};
	return valid && size <= (guint64)G_MAXINT64 ? IMAP_LINE_LITERAL : IMAP_LINE_BAD;
}

static bool word_is(const char *text, gsize from, gsize to, const char *word)
{
	return to - from == strlen(word) && g_ascii_strncasecmp(text + from, word, to - from) == 0;
}

/* A word from *at on; moves *at behind it and the spaces around it. */
static gsize next_word(const char *text, gsize len, gsize *at, gsize *ret_end)
{
	gsize start;

	while (*at < len && is_space(text[*at]))
		++*at;
	start = *at;
	while (*at < len && !is_space(text[*at]) && text[*at] != '(')
		++*at;
	*ret_end = *at;
	return start;
}

static bool word_number(const char *text, gsize from, gsize to, guint32 *ret_number)
{
	guint64 number = 0;

	if (from == to)
		return false;
	for (gsize i = from; i < to; i++) {
		if (!g_ascii_isdigit(text[i]))
			return false;
		number = number * 10 + (guint64)(text[i] - '0');
		if (number > G_MAXUINT32)
			return false;
	}
	*ret_number = (guint32)number;
	return true;
}

/* Only untagged data has literals: tagged responses, "+" and untagged OK, NO... end in text. */
static ImapScanKind classify(ImapScan *scan, const char *text, gsize len)
{
	static const char *const conditions[] = {"OK", "NO", "BAD", "PREAUTH", "BYE"};
	gsize at = 0, end, start = next_word(text, len, &at, &end);

	if (!word_is(text, start, end, "*"))
		return IMAP_SCAN_TEXT;
	scan->at = at;
	start = next_word(text, len, &at, &end);
	for (guint i = 0; i < G_N_ELEMENTS(conditions); i++) {
		if (word_is(text, start, end, conditions[i]))
			return IMAP_SCAN_TEXT;
	}
	if (!word_number(text, start, end, &scan->seq))
		return IMAP_SCAN_DATA;
	start = next_word(text, len, &at, &end);
	if (!word_is(text, start, end, "FETCH"))
		return IMAP_SCAN_DATA;
	scan->at = at;
	return IMAP_SCAN_FETCH;
}

/* The word directly in the list of items ends before `at`. */
static void end_word(ImapScan *scan, const char *text, gsize at)
{
	guint32 uid;

	if (!scan->in_word)
		return;
	scan->in_word = false;
	if (scan->after_uid && scan->uid == 0 && word_number(text, scan->word, at, &uid))
		scan->uid = uid;
	scan->after_uid = word_is(text, scan->word, at, "UID");
}

/* Something other than a word comes: what was read before names it no longer. */
static void leave_word(ImapScan *scan, const char *text, gsize at)
{
	end_word(scan, text, at);
	scan->word = scan->section = scan->section_end = 0;
	scan->after_uid = false;
}

static void scan_quoted(ImapScan *scan, char c)
{
	if (scan->escaped) {
		scan->escaped = false;
	} else if (c == '\\') {
		scan->escaped = true;
	} else if (c == '"') {
		scan->quoted = false;
		scan->fresh = true;
	}
}

/* section = "[" [section-spec] "]"; header names in it may be quoted. */
static void scan_section(ImapScan *scan, gsize at, char c)
{
	if (c == ']') {
		scan->in_section = false;
		scan->section_end = at;
		scan->fresh = true;
	} else if (c == '"' && scan->fresh) {
		scan->quoted = true;
	} else {
		scan->fresh = is_space(c) || c == '(' || c == ')';
	}
}

static void scan_word(ImapScan *scan, gsize at, char c)
{
	if (!scan->in_word) {
		scan->in_word = true;
		scan->word = at;
		scan->section = scan->section_end = 0;
	} else if (c == '[' && !scan->section) {
		scan->in_section = true;
		scan->section = at + 1;
	}
	scan->fresh = scan->in_section || (c == '>' && scan->section_end);
}

static void scan_byte(ImapScan *scan, const char *text, gsize at)
{
	char c = text[at];
	bool item = scan->kind == IMAP_SCAN_FETCH && scan->depth == 1;

	if (scan->quoted) {
		scan_quoted(scan, c);
	} else if (scan->in_section) {
		scan_section(scan, at, c);
	} else if (is_space(c)) {
		end_word(scan, text, at);
		scan->fresh = true;
	} else if (c == '(' || c == ')') {
		leave_word(scan, text, at);
		if (c == '(')
			scan->depth++;
		else if (scan->depth > 0)
			scan->depth--;
		scan->fresh = true;
	} else if (c == '"' && scan->fresh) {
		leave_word(scan, text, at);
		scan->quoted = true;
	} else if (item) {
		scan_word(scan, at, c);
	} else {
		scan->fresh = false;
	}
}

void imap_scan_advance(ImapScan *scan, const char *text, gsize len)
{
	if (scan->kind == IMAP_SCAN_NEW)
		scan->kind = classify(scan, text, len);
	if (scan->kind != IMAP_SCAN_TEXT) {
		for (; scan->at < len; scan->at++)
			scan_byte(scan, text, scan->at);
	}
}

void imap_scan_skip_literal(ImapScan *scan, gsize at)
{
	if (!scan->in_section) {
		scan->in_word = false;
		scan->word = scan->section = scan->section_end = 0;
		scan->after_uid = false;
	}
	scan->fresh = true;
	scan->at = at;
}

bool imap_scan_may_start_literal(const ImapScan *scan)
{
	return scan->kind != IMAP_SCAN_TEXT && !scan->quoted && scan->fresh;
}

/* "<" number ">" */
static bool read_origin(const char *text, gsize from, gsize to, ImapBodyStart *start)
{
	guint64 origin = 0;

	if (from == to)
		return true;
	if (to - from < 3 || text[from] != '<' || text[to - 1] != '>')
		return false;
	for (gsize i = from + 1; i < to - 1; i++) {
		if (!g_ascii_isdigit(text[i]) || origin > (guint64)G_MAXINT64 / 10)
			return false;
		origin = origin * 10 + (guint64)(text[i] - '0');
	}
	start->has_origin = true;
	start->origin = origin;
	return true;
}

bool imap_scan_is_body(const ImapScan *scan, const char *text, ImapBodyStart *ret_start)
{
	ImapBodyStart start = {.seq = scan->seq, .uid = scan->uid};
	gsize end = scan->at;

	if (scan->kind != IMAP_SCAN_FETCH || scan->depth != 1 || !scan->section_end)
		return false;
	start.section.data = text + scan->section;
	start.section.len = scan->section_end - scan->section;
	start.binary = word_is(text, scan->word, scan->section - 1, "BINARY");
	if (!start.binary && !word_is(text, scan->word, scan->section - 1, "BODY"))
		return false;
	while (is_space(text[end - 1]))
		end--;
	if (!read_origin(text, scan->section_end + 1, end, &start))
		return false;
	*ret_start = start;
	return true;
}
