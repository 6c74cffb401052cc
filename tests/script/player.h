/* A server that plays a transcript over real sockets, and drives and watches the client beside it.
 * It runs in a GMainContext at a priority below everything else: what a line sends the client has
 * taken before the next line is played, so that nothing depends on time.
 *
 *	S: text		sends text and CRLF; \r \n \0 \\ and \xNN are escapes; A1, A2... become the
 *			tags of the commands so named
 *	S:+ text	sends text alone
 *	C: pattern	the next line of the client must match ('*' for anything); A1, A2... as its
 *			first word names the command
 *	> text		the client is told to do something (PlayerHooks.act)
 *	= pattern	the next news of the client must match (PlayerHooks.next_event)
 *	@accept		waits for the next connection; the first one needs no word. It takes the
 *			place of the one spoken on if that is closed, else it is one more
 *	@accept N M	as @accept; the client waited N to M ms for it (PlayerHooks.pause_ms)
 *	@nobody		no connection waits to be accepted
 *	@on N		from here on the Nth connection is spoken on; the first is 1
 *	@tls		the server's end of a TLS handshake
 *	@scram N	answers a SCRAM client-first with a nonce that continues it and N iterations
 *	@bytes N	sends N octets 'x'
 *	@take N		the client must send N octets more, whatever they are
 *	@narrow		from here on the kernel takes few bytes that no line asked for
 *	@split N	from here on each segment has N octets; 0: no limit
 *	@close		closes in order (close_notify)
 *	@truncate	closes without close_notify
 *	@reset		closes with RST
 *	@quiet		the client must have sent nothing more
 *	@eof		the client must close, and send nothing more
 *	# text		is for the reader
 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

typedef struct {
	void (*act)(const char *text, gpointer data);

	/* The oldest news that was not asked for yet, NULL: none. New string. */
	char *(*next_event)(gpointer data);

	/* How long the client meant to wait for the connection that was just accepted; NULL where
	 * no script asks. */
	guint (*pause_ms)(gpointer data);
} PlayerHooks;

typedef struct Player Player;

/* Listens on 127.0.0.1; a test that is not over after seconds fails. hooks and text (which name, a
 * file or test, is blamed for) must outlive it. */
Player *player_new(GMainContext *context, const char *name, const char *text, guint seconds,
	const PlayerHooks *hooks, gpointer data);
void player_free(Player *player); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Player, player_free)

guint16 player_port(const Player *player);

/* Of the authority that signed the server's certificate; it is for "localhost". */
const char *player_cafile(void);

/* There is news: a line that waits for it looks again. Any thread that runs the context. */
void player_wake(Player *player);

/* Closes the connection, and takes no other. */
void player_hang_up(Player *player);

/* Plays to the end in the context; fails the test where the client does otherwise. */
void player_run(Player *player);
