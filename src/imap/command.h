/* Builds one client command: atoms, strings in the narrowest safe form, literals, secrets.
 * Nothing that a caller passes can end the line or add a command. Pure. */
#pragma once

#include "imap/set.h"

typedef struct ImapCommand ImapCommand;

/* How literals may be sent (RFC 7888). */
typedef enum {
	IMAP_LITERAL_SYNC, /* {n}: wait for "+" */
	IMAP_LITERAL_MINUS, /* {n+} up to 4096 octets */
	IMAP_LITERAL_PLUS, /* {n+} */
} ImapLiteralMode;

/* name: "LOGIN", "UID FETCH"... from our own source only. */
ImapCommand *imap_command_new(const char *name);
void imap_command_free(ImapCommand *command); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ImapCommand, imap_command_free)

/* Each adds a space and the argument. Raw text is our own syntax, asserted to be one line. */
void imap_command_raw(ImapCommand *command, const char *text);
void imap_command_rawf(ImapCommand *command, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* atom, quoted or literal, as the bytes need; NUL makes the command invalid. */
void imap_command_string(ImapCommand *command, const char *bytes, gsize len);

/* A mailbox name: as string, always quoted or literal (never an atom such as NIL). The bytes are
 * those of the wire; nothing is encoded here. */
void imap_command_mailbox(ImapCommand *command, const char *bytes, gsize len);

/* As string and raw, but shown as "<secret>" in transcripts. */
void imap_command_secret_string(ImapCommand *command, const char *bytes, gsize len);
void imap_command_secret_raw(ImapCommand *command, const char *text);

/* false when an argument held a NUL or no valid form: it must not be sent. */
bool imap_command_valid(const ImapCommand *command);

/* The command's name as given, for logs. */
const char *imap_command_name(const ImapCommand *command);

/* The line with its tag as pieces to send one after another: after every piece but the last the
 * sender waits for "+". Returns a GPtrArray of GBytes, CRLF included; pieces are cleared when they
 * are freed. The command must be valid (asserted). */
GPtrArray *imap_command_pieces(const ImapCommand *command, const char *tag, ImapLiteralMode mode);

/* What a debug transcript shows: one line, secrets redacted, bytes escaped. */
char *imap_command_transcript(const ImapCommand *command, const char *tag);
