/* Builds one client command: atoms, strings in the narrowest safe form, literals, secrets.
 * Nothing that a caller passes can end the line or add a command. Pure. */
#pragma once

#include "imap/set.h"

typedef struct ImapCommand ImapCommand;

/* name: "LOGIN", "UID FETCH"... from our own source only. */
ImapCommand *imap_command_new(const char *name);
void imap_command_free(ImapCommand *command); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ImapCommand, imap_command_free)

/* Each adds a space and the argument. Raw text is our own syntax, asserted to be one line. */
void imap_command_raw(ImapCommand *command, const char *text);
void imap_command_rawf(ImapCommand *command, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* atom, quoted or literal, as the bytes need; NUL makes the command invalid. */
void imap_command_string(ImapCommand *command, const char *bytes, gsize len);

/* A parenthesised list: what is added between the two are its members. */
void imap_command_open(ImapCommand *command);
void imap_command_close(ImapCommand *command);

/* A mailbox name: as string, always quoted or literal (never an atom such as NIL). The bytes are
 * those of the wire; nothing is encoded here. */
void imap_command_mailbox(ImapCommand *command, const char *bytes, gsize len);

/* A literal of these bytes, which are not copied (a reference is held): a message. Shown by its
 * length in transcripts. NUL bytes need `binary`, literal8 (RFC 3516 4.4); without it they make the
 * command invalid. */
void imap_command_literal(ImapCommand *command, GBytes *bytes, bool binary);

/* As string and raw, but shown as "<secret>" in transcripts. */
void imap_command_secret_string(ImapCommand *command, const char *bytes, gsize len);
void imap_command_secret_raw(ImapCommand *command, const char *text);

/* false when an argument held a NUL or no valid form: it must not be sent. */
bool imap_command_valid(const ImapCommand *command);

/* The command's name as given, for logs. */
const char *imap_command_name(const ImapCommand *command);

/* What goes out in one go. */
typedef struct {
	GBytes *bytes;
	bool waits; /* it is not sent before the server said "+" to what went before */
} ImapPiece;

/* The line with its tag as a GArray of ImapPiece to send one after another, CRLF included; what
 * was not passed as a literal of GBytes is cleared when the array is freed. at_once: the server
 * has LITERAL+ or LITERAL- (RFC 7888), so that short literals need not wait for "+"; literal8 and
 * what is longer than 4096 octets do all the same. The command must be valid (asserted). */
GArray *imap_command_pieces(const ImapCommand *command, const char *tag, bool at_once);

/* What a debug transcript shows: one line, secrets redacted, bytes escaped. */
char *imap_command_transcript(const ImapCommand *command, const char *tag);
