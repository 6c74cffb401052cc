/* A cursor over one framed response: words, numbers, strings, lists. It is liberal: any number of
 * spaces and TABs separates, words hold any byte that does not end them. Functions that fail leave
 * the cursor where it was or at the next word; a copy of the cursor is a mark to return to.
 * Internal to imap/. */
#pragma once

#include "imap/frame.h"

typedef struct {
	const ImapFrame *frame;
	gsize at;
	gsize literal; /* index of the first literal not before `at` */
	GStringChunk *unquoted; /* where quoted strings with escapes go */
} ImapLexer;

/* The answer of functions that look what comes next. */
typedef enum {
	IMAP_LEX_DONE, /* the list or the response is at its end */
	IMAP_LEX_MORE, /* something follows */
	IMAP_LEX_BAD, /* the text broke off */
} ImapLex;

typedef enum {
	IMAP_STRING_NIL,
	IMAP_STRING_BYTES,
	IMAP_STRING_STREAMED,
	IMAP_STRING_DROPPED
} ImapStringForm;

typedef struct {
	ImapStringForm form;
	ImapBytes bytes; /* data NULL unless IMAP_STRING_BYTES */
	guint64 size; /* of STREAMED and DROPPED too */
} ImapString;

void imap_lex_init(ImapLexer *lexer, const ImapFrame *frame, GStringChunk *unquoted);

/* Skips spaces and TABs; DONE at the end of the response, else MORE. */
ImapLex imap_lex_space(ImapLexer *lexer);

/* Skips spaces, then takes c if it is next. */
bool imap_lex_char(ImapLexer *lexer, char c);

/* What the next byte is, spaces skipped; 0 at the end. */
char imap_lex_peek(ImapLexer *lexer);

/* After "(" of a list or an element of it: DONE takes ")" , MORE: an element follows. */
ImapLex imap_lex_list_next(ImapLexer *lexer);

/* A word up to a space, "(", ")" or the byte `stop`; at least one byte. */
#define IMAP_LEX_NO_STOP ' '
bool imap_lex_word(ImapLexer *lexer, char stop, ImapBytes *ret_word);

/* The next word if it is this one, in any case. */
bool imap_lex_keyword(ImapLexer *lexer, const char *word);

/* A word that is a decimal number without sign, of at most max. A ']' ends it too. */
bool imap_lex_number(ImapLexer *lexer, guint64 max, guint64 *ret_number);

/* A number of 32 bits that is not 0. */
bool imap_lex_nz_number(ImapLexer *lexer, guint32 *ret_number);

/* A word that is a set of UIDs, a new set. */
ImapSet *imap_lex_set(ImapLexer *lexer);

/* nstring: quoted, literal or NIL. */
bool imap_lex_nstring(ImapLexer *lexer, ImapString *ret_string);

/* astring: quoted, literal or a word. */
bool imap_lex_astring(ImapLexer *lexer, ImapBytes *ret_bytes);

/* A mailbox name: quoted, literal, or what else stands before " (" or the end; NIL is such a name.
 * Servers send names with spaces and TABs unquoted. */
bool imap_lex_mailbox(ImapLexer *lexer, ImapBytes *ret_name);

/* A hierarchy delimiter: one quoted character; 0 for NIL. */
bool imap_lex_delimiter(ImapLexer *lexer, char *ret_delimiter);

/* One value of any kind: word, string, list of any depth. ret_depth: how deep; ret_whole: false
 * when a literal in it was not kept. Both may be NULL. Constant memory. */
bool imap_lex_skip(ImapLexer *lexer, guint *ret_depth, bool *ret_whole);

/* "[" ... "]" of an item name, brackets excluded; quoted strings and literals may be in it. */
bool imap_lex_section(ImapLexer *lexer, ImapBytes *ret_section);

/* All that is left, without the spaces around it. */
ImapBytes imap_lex_rest(ImapLexer *lexer);

/* A decimal number without sign, of at most max. */
bool imap_bytes_to_number(ImapBytes word, guint64 max, guint64 *ret_number);

bool imap_bytes_equal_case(ImapBytes bytes, const char *word);
