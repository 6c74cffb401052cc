/* What a selection says of a mailbox that was known before (RFC 7162). */
#pragma once

#include "engine/engine.h"

typedef struct Box Box;
typedef struct Conn Conn;

/* How changes are found out, best last. */
typedef enum {
	RESYNC_LIST, /* nothing known can serve: everything is listed */
	RESYNC_PLAIN, /* UIDNEXT and EXISTS tell whether the names are still right */
	RESYNC_CONDSTORE, /* with HIGHESTMODSEQ they tell whether anything changed */
	RESYNC_QRESYNC, /* EXAMINE says what changed */
} ResyncMode;

typedef struct {
	/* when EXAMINE was sent */
	ResyncMode mode;
	bool covered; /* another connection has it selected and hears of what changes */
	bool settled; /* flags were right once, and every change since was told here */
	Gen gen; /* of what was known */
	ImapSet *uids; /* the names then, NULL: unknown or not of use; until it is answered */
	StoreMark mark;

	/* when it was answered, until resync_settle() */
	enum {
		RESYNC_UNSURE, /* list it */
		RESYNC_NAMES, /* its names are right; flags, \Deleted among them, are not known to
				 be */
		RESYNC_ALL, /* names and flags are right */
	} result;
	StoreMark now;
} Resync;

/* Fills conn->resync and queues EXAMINE. */
void resync_select(Conn *conn, Box *box, SessionDone done);

/* EXAMINE was answered OK, the generation is settled: applies what it said if it adds up. */
void resync_selected(Conn *conn);

/* EXAMINE was refused: whether its parameters may be at fault, and it is worth a try without. */
bool resync_refused(Conn *conn, Box *box, const ImapStatus *status);

/* A command that asks for the flags that changed; NULL: they are in doubt from now on. */
ImapCommand *resync_flags_command(Conn *conn);

/* Its answer: flags are in doubt if it was none. */
void resync_flags_done(Conn *conn, const ImapStatus *status, const GError *error);

/* Names and flags are known as of EXAMINE or later: the next selection begins from here. */
void resync_settle(Conn *conn);

/* Messages arrived and are in the store: UIDNEXT, which is said at EXAMINE alone, grew with them.
 */
void resync_arrived(Conn *conn);

/* Flags came, and nobody can say of which message. */
void resync_missed(Conn *conn);

/* A command was answered on this connection, and all that came with it is in the store: with the
 * flags of before it is as the server had it when it told this HIGHESTMODSEQ (STATUS), if it had
 * told it when the command was sent. */
void resync_heard(Conn *conn, guint64 modseq);
