/* The engine against scripted servers, for what no mount can see: which commands it makes of which
 * requests, and what it believes of the answers. See script/player.h for the language; here
 *
 *	> sync				engine_sync() of INBOX
 *	> attributes UID		engine_attributes()
 *	> body UID OFFSET LENGTH	engine_body()
 *	> together A; B; C		those requests at one moment
 *	> read UID OFFSET LENGTH	what the store has is news
 *	> message UID			what the store knows is news
 *	> generation			the generation of INBOX now is what requests are about
 *	> stop				engine_free()
 */
#include <string.h>

#include "../script/player.h"
#include "engine/engine.h"
#include "store-fixture.h"
#include "tls-peer.h"

enum { SECONDS = 20, TIMEOUT_MS = 20000, SHORT_MS = 1000 };

#define START                                                                                      \
	"S: * PREAUTH [CAPABILITY IMAP4rev1 ESEARCH] hi\n"                                         \
	"C: A1 LIST *\n"                                                                           \
	"S: * LIST () \"/\" INBOX\n"                                                               \
	"S: A1 OK done\n"

#define EXAMINE(tag, uidvalidity)                                                                  \
	"S: * 3 EXISTS\n"                                                                          \
	"S: * OK [UIDVALIDITY " uidvalidity "] valid\n"                                            \
	"S: " tag " OK done\n"

/* INBOX holds 5, 6 and 7. */
#define SYNC                                                                                       \
	START "= done start ok\n"                                                                  \
	      "> sync\n"                                                                           \
	      "C: A2 EXAMINE \"INBOX\"\n"                                                          \
	      "C: A3 UID SEARCH RETURN (ALL) ALL\n"                                                \
	      "C: A4 UID SEARCH RETURN (ALL) DELETED\n" EXAMINE(                                   \
		      "A2", "1") "S: * ESEARCH (TAG \"A3\") UID ALL 5:7\n"                         \
				 "S: A3 OK done\n"                                                 \
				 "S: * ESEARCH (TAG \"A4\") UID\n"                                 \
				 "S: A4 OK done\n"                                                 \
				 "= done sync ok\n"                                                \
				 "> generation\n"

#define ITEMS "(UID FLAGS INTERNALDATE RFC822.SIZE)"
#define ATTRIBUTES(seq, uid, size)                                                                 \
	"S: * " seq " FETCH (UID " uid " FLAGS () RFC822.SIZE " size                               \
	" INTERNALDATE \"01-Jan-2020 00:00:00 +0000\")\n"

/* Waits for the last of them: only then are all known. */
#define ASK_ALL                                                                                    \
	SYNC "> together attributes 5; attributes 7\n"                                             \
	     "C: A5 UID FETCH 5:7 " ITEMS "\n"
#define ALL_ASKED                                                                                  \
	ATTRIBUTES("2", "6", "10")                                                                 \
	ATTRIBUTES("3", "7", "10")                                                                 \
	"S: A5 OK done\n"                                                                          \
	"= done attributes 5 ok\n"                                                                 \
	"= done attributes 7 ok\n"

/* They have ten bytes each. */
#define KNOWN ASK_ALL ATTRIBUTES("1", "5", "10") ALL_ASKED

/* The first has 300,000 bytes. */
#define LARGE ASK_ALL ATTRIBUTES("1", "5", "300000") ALL_ASKED

typedef struct {
	const char *name;
	const char *text;
	guint timeout_ms; /* 0: TIMEOUT_MS */
} Script;

typedef struct {
	Store *store;
	Engine *engine;
	Player *player;
	GMutex lock;
	GQueue events; /* char*; lock */
	Gen gen; /* test's thread */
} World;

/* A request and how it ends. */
typedef struct {
	World *world;
	char *name;
	Gen gen;
} Asked;

/* ---- news: engine thread ---- */

static void tell(World *world, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void tell(World *world, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_mutex_lock(&world->lock);
	g_queue_push_tail(&world->events, g_strdup_vprintf(format, args));
	g_mutex_unlock(&world->lock);
	va_end(args);
	player_wake(world->player);
}

static char *next_event(gpointer data)
{
	World *world = data;

	g_mutex_lock(&world->lock);
	char *event = g_queue_pop_head(&world->events);
	g_mutex_unlock(&world->lock);
	return event;
}

static const char *name_of(const GError *error)
{
	switch ((MailError)error->code) {
	case MAIL_ERROR_IO:
		return "IO";
	case MAIL_ERROR_NOT_FOUND:
		return "NOT_FOUND";
	case MAIL_ERROR_STALE:
		return "STALE";
	case MAIL_ERROR_TIMEOUT:
		return "TIMEOUT";
	case MAIL_ERROR_OFFLINE:
		return "OFFLINE";
	case MAIL_ERROR_UNAVAILABLE:
		return "UNAVAILABLE";
	case MAIL_ERROR_AUTH:
		return "AUTH";
	case MAIL_ERROR_CANCELLED:
		return "CANCELLED";
	default:
		return "other";
	}
}

static void on_done(const GError *error, gpointer data)
{
	Asked *asked = data;

	if (error)
		tell(asked->world, "done %s %s %s", asked->name, name_of(error), error->message);
	else
		tell(asked->world, "done %s ok", asked->name);
	g_free(asked->name);
	g_free(asked);
}

static void on_mailboxes_changed(gpointer data)
{
}

static void on_names_changed(MailboxId mailbox, Gen gen, const ImapSet *gone, gpointer data)
{
	g_autofree char *text = gone ? imap_set_to_string(gone) : g_strdup("unknown");

	tell(data, "names changed, gone: %s", text);
}

static void on_message_changed(Gen gen, guint32 uid, bool size, gpointer data)
{
	tell(data, "message %u changed%s", uid, size ? ", size" : "");
}

static void on_generation_changed(MailboxId mailbox, Gen old, gpointer data)
{
	tell(data, "generation changed");
}

static void on_sizes_distrusted(gpointer data)
{
	tell(data, "sizes distrusted");
}

static const EngineEvents events = {
	.mailboxes_changed = on_mailboxes_changed,
	.names_changed = on_names_changed,
	.message_changed = on_message_changed,
	.generation_changed = on_generation_changed,
	.sizes_distrusted = on_sizes_distrusted,
};

/* ---- actions ---- */

static Asked *asked_new(World *world, const char *name)
{
	Asked *asked = g_new(Asked, 1);

	*asked = (Asked){world, g_strdup(name), world->gen};
	return asked;
}

static void ask(const char *text, Asked *asked)
{
	Engine *engine = asked->world->engine;
	g_auto(GStrv) words = g_strsplit(text, " ", -1);
	guint32 numbers[3] = {0};

	for (guint i = 1; words[i] && i <= G_N_ELEMENTS(numbers); i++)
		numbers[i - 1] = (guint32)g_ascii_strtoull(words[i], NULL, 10);
	if (g_str_equal(words[0], "sync"))
		engine_sync(engine, id_of(asked->world->store, "INBOX"), on_done, asked);
	else if (g_str_equal(words[0], "attributes"))
		engine_attributes(engine, asked->gen, numbers[0], on_done, asked);
	else if (g_str_equal(words[0], "body"))
		engine_body(engine, asked->gen, numbers[0], numbers[1], numbers[2], on_done, asked);
	else
		g_error("no such action: %s", text);
}

/* In the engine thread nothing is sent before all of them are there. */
static void ask_all(const GError *error, gpointer data)
{
	Asked *asked = data;
	g_auto(GStrv) requests = g_strsplit(asked->name, "; ", -1);

	for (char **request = requests; *request; request++) {
		Asked *each = g_new(Asked, 1);
		*each = (Asked){asked->world, g_strdup(*request), asked->gen};
		ask(*request, each);
	}
	g_free(asked->name);
	g_free(asked);
}

static void show_read(World *world, const char *text)
{
	static const char *const ANSWERS[] = {"hit", "miss", "absent"};
	guint uid, offset, len;
	char buf[100];
	gsize n = 0;

	g_assert_cmpint(sscanf(text, "%u %u %u", &uid, &offset, &len), ==, 3);
	StoreAnswer answer = store_try_read(
		world->store, world->gen, uid, offset, buf, MIN(len, sizeof(buf)), &n);
	tell(world, "read %s %.*s", ANSWERS[answer], answer == STORE_HIT ? (int)n : 0, buf);
}

static void show_message(World *world, const char *text)
{
	StoreMessage message = {0};
	guint32 uid = (guint32)g_ascii_strtoull(text, NULL, 10);
	bool found = store_peek_message(world->store, world->gen, uid, &message);

	tell(world, "message %u: %s%s size %" G_GUINT64_FORMAT, uid,
		!found          ? "absent"
		: message.known ? "known"
				: "unknown",
		message.size_verified ? " verified" : "", message.size);
}

static void act(const char *text, gpointer data)
{
	World *world = data;

	if (g_str_has_prefix(text, "together "))
		/* Generation 0 is refused in the engine thread: a moment in it. */
		engine_attributes(
			world->engine, 0, 1, ask_all, asked_new(world, text + strlen("together ")));
	else if (g_str_has_prefix(text, "read "))
		show_read(world, text + strlen("read "));
	else if (g_str_has_prefix(text, "message "))
		show_message(world, text + strlen("message "));
	else if (g_str_equal(text, "generation"))
		world->gen = store_gen(world->store, id_of(world->store, "INBOX"));
	else if (g_str_equal(text, "stop"))
		g_clear_pointer(&world->engine, engine_free);
	else
		ask(text, asked_new(world, text));
}

/* ---- scripts ---- */

static char *no_secret(gpointer data, GCancellable *cancel, GError **error)
{
	return g_strdup("pencil");
}

static Engine *start_engine(World *world, NetTrust *trust, guint timeout_ms)
{
	const EngineConfig config = {
		.session = {.host = "127.0.0.1",
			.port = player_port(world->player),
			.tls = SESSION_TLS_NONE,
			.user = "user",
			.secret = no_secret,
			.trust = trust,
			.timeout_ms = timeout_ms},
		.connections = 1,
		.poll_s = 60,
		.timeout_ms = timeout_ms,
	};

	return engine_new(&config, world->store, &events, world);
}

static void play(gconstpointer data)
{
	static const PlayerHooks hooks = {act, next_event};
	const Script *script = data;
	g_autoptr(GMainContext) context = g_main_context_new();
	g_autoptr(NetTrust) trust = net_trust_new(player_cafile(), NULL, NULL);
	World world = {0};

	g_mutex_init(&world.lock);
	world.store = store_new(NULL, 1 << 20, false, NULL);
	world.player = player_new(context, script->name, script->text, SECONDS, &hooks, &world);
	world.engine =
		start_engine(&world, trust, script->timeout_ms ? script->timeout_ms : TIMEOUT_MS);
	engine_start(world.engine, on_done, asked_new(&world, "start"));
	player_run(world.player);
	player_hang_up(world.player);
	engine_free(world.engine);
	store_free(world.store);
	player_free(world.player);
	g_queue_clear_full(&world.events, g_free);
	g_mutex_clear(&world.lock);
}

#define RECONNECT(tags)                                                                            \
	"@accept\n"                                                                                \
	"S: * PREAUTH [CAPABILITY IMAP4rev1 ESEARCH] hi\n"                                         \
	"C: " tags "1 LIST *\n"                                                                    \
	"S: * LIST () \"/\" INBOX\n"                                                               \
	"S: " tags "1 OK done\n"                                                                   \
	"C: " tags "2 EXAMINE \"INBOX\"\n"

static const Script scripts[] = {
	{"start", SYNC},
	{"equal-requests-share-a-command",
		KNOWN "> together body 5 0 10; body 5 2 3; body 5 0 10\n"
		      "C: A6 UID FETCH 5 (UID BODY.PEEK[])\n"
		      "S: * 1 FETCH (UID 5 BODY[] {10}\\r\\n0123456789)\n"
		      "= done body 5 *\n"
		      "= done body 5 *\n"
		      "= done body 5 *\n"
		      "S: A6 OK done\n"
		      "> read 5 2 3\n"
		      "= read hit 234\n"
		      "> body 5 0 10\n"
		      "= done body 5 0 10 ok\n"},
	{"equal-request-joins-what-flies",
		KNOWN "> body 5 0 10\n"
		      "C: A6 UID FETCH 5 (UID BODY.PEEK[])\n"
		      "> body 5 4 1\n"
		      "> attributes 5\n"
		      "= done attributes 5 ok\n"
		      "S: * 1 FETCH (UID 5 BODY[] {10}\\r\\n0123456789)\n"
		      "= done body 5 * ok\n"
		      "= done body 5 * ok\n"
		      "S: A6 OK done\n"
		      "> sync\n"
		      "C: A7 NOOP\n"},
	{"neighbours-share-a-command", KNOWN "> together body 7 0 10; body 5 0 10; body 6 0 10\n"
					     "C: A6 UID FETCH 5:7 (UID BODY.PEEK[])\n"
					     "S: * 2 FETCH (UID 6 BODY[] {10}\\r\\nsix6666666)\n"
					     "= done body 6 0 10 ok\n"
					     "S: * 3 FETCH (BODY[] {10}\\r\\nseven77777 UID 7)\n"
					     "= done body 7 0 10 ok\n"
					     "S: * 1 FETCH (UID 5 BODY[] {10}\\r\\nfive555555)\n"
					     "= done body 5 0 10 ok\n"
					     "S: A6 OK done\n"
					     "> read 5 0 4\n"
					     "= read hit five\n"
					     "> read 6 0 3\n"
					     "= read hit six\n"
					     "> read 7 0 5\n"
					     "= read hit seven\n"},
	{"body-without-uid-goes-by-the-map", KNOWN "> body 6 0 10\n"
						   "C: A6 UID FETCH 6 (UID BODY.PEEK[])\n"
						   "S: * 2 FETCH (BODY[] {10}\\r\\n0123456789)\n"
						   "= done body 6 0 10 ok\n"},
	{"ok-without-fetch", KNOWN "> body 5 0 10\n"
				   "C: A6 UID FETCH 5 (UID BODY.PEEK[])\n"
				   "S: A6 OK done\n"
				   "C: A7 NOOP\n"
				   "C: A8 UID FETCH 5 (UID BODY.PEEK[])\n"
				   "S: A7 OK done\n"
				   "S: A8 OK done\n"
				   "= done body 5 0 10 IO *does not answer*\n"
				   "C: A9 NOOP\n"
				   "> read 5 0 10\n"
				   "= read miss \n"},
	{"ok-without-fetch-because-expunged", KNOWN "> body 5 0 10\n"
						    "C: A6 UID FETCH 5 (UID BODY.PEEK[])\n"
						    "S: A6 OK done\n"
						    "C: A7 NOOP\n"
						    "C: A8 UID FETCH 5 (UID BODY.PEEK[])\n"
						    "S: * 1 EXPUNGE\n"
						    "= names changed, gone: 5\n"
						    "S: A7 OK done\n"
						    "S: A8 OK done\n"
						    "= done body 5 0 10 *\n"
						    "> message 5\n"
						    "= message 5: absent*\n"
						    "> message 6\n"
						    "= message 6: known*\n"},
	{"other-uid-than-asked", KNOWN "> body 5 0 10\n"
				       "C: A6 UID FETCH 5 (UID BODY.PEEK[])\n"
				       "S: * 2 FETCH (UID 6 BODY[] {10}\\r\\nsix6666666)\n"
				       "S: * 2 FETCH (UID 99 BODY[] {10}\\r\\nnew9999999)\n"
				       "S: * 2 FETCH (BODY[] {10}\\r\\nsix6666666 UID 6)\n"
				       "S: A6 OK done\n"
				       "C: A7 NOOP\n"
				       "C: A8 UID FETCH 5 (UID BODY.PEEK[])\n"
				       "S: A7 OK done\n"
				       "S: * 1 FETCH (UID 5 BODY[] {10}\\r\\nfive555555)\n"
				       "= done body 5 0 10 ok\n"
				       "S: A8 OK done\n"
				       "> read 5 0 4\n"
				       "= read hit five\n"
				       "> read 6 0 3\n"
				       "= read miss \n"},
	{"unsolicited-body", KNOWN "S: * 1 FETCH (UID 5 BODY[] {10}\\r\\nevil555555)\n"
				   "S: * 1 FETCH (BODY[] {10}\\r\\nevil555555 UID 5)\n"
				   "S: * 1 FETCH (BODY[] {10}\\r\\nevil555555)\n"
				   "S: * 1 FETCH (UID 5 BODY[] \"evil\")\n"
				   "> sync\n"
				   "C: A6 NOOP\n"
				   "S: A6 OK done\n"
				   "= done sync ok\n"
				   "> read 5 0 10\n"
				   "= read miss \n"},
	{"body-of-nobody-knows-what",
		/* It may not stand in the way of the next. */
		KNOWN "> body 5 0 10\n"
		      "C: A6 UID FETCH 5 (UID BODY.PEEK[])\n"
		      "S: * 9 FETCH (BODY[] {10}\\r\\nwhose99999)\n"
		      "S: * 1 FETCH (UID 5 BODY[] {10}\\r\\n0123456789)\n"
		      "= done body 5 0 10 ok\n"
		      "> read 5 0 10\n"
		      "= read hit 0123456789\n"},
	{"range-longer-than-asked", LARGE "> body 5 0 10\n"
					  "C: A6 UID FETCH 5 (UID BODY.PEEK[]<0.65536>)\n"
					  "S:+ * 1 FETCH (UID 5 BODY[]<0> {65537}\\r\\n\n"
					  "@bytes 65537\n"
					  "S: )\n"
					  "S: A6 OK done\n"
					  "C: A7 NOOP\n"
					  "C: A8 UID FETCH 5 (UID BODY.PEEK[]<0.65536>)\n"
					  "S: A7 OK done\n"
					  "S: A8 OK done\n"
					  "= done body 5 0 10 IO *does not answer*\n"},
	{"body-nil", KNOWN "> body 5 0 10\n"
			   "C: A6 UID FETCH 5 (UID BODY.PEEK[])\n"
			   "S: * 1 FETCH (UID 5 BODY[] NIL)\n"
			   "S: A6 OK done\n"
			   "C: A7 NOOP\n"
			   "C: A8 UID FETCH 5 (UID BODY.PEEK[])\n"
			   "S: A7 OK done\n"
			   "S: * 1 FETCH (UID 5 BODY[] NIL)\n"
			   "S: A8 OK done\n"
			   "= done body 5 0 10 IO *\n"
			   "> message 5\n"
			   "= message 5: known size 10\n"},
	{"body-empty-of-a-message-with-a-size", KNOWN "> body 5 0 10\n"
						      "C: A6 UID FETCH 5 (UID BODY.PEEK[])\n"
						      "S: * 1 FETCH (UID 5 BODY[] {0}\\r\\n)\n"
						      "S: A6 OK done\n"
						      "C: A7 NOOP\n"
						      "C: A8 UID FETCH 5 (UID BODY.PEEK[])\n"
						      "S: A7 OK done\n"
						      "S: * 1 FETCH (UID 5 BODY[] \"\")\n"
						      "S: A8 OK done\n"
						      "= done body 5 0 10 IO *\n"},
	{"body-of-another-section",
		KNOWN "> body 5 0 10\n"
		      "C: A6 UID FETCH 5 (UID BODY.PEEK[])\n"
		      "S: * 1 FETCH (UID 5 BODY[HEADER] {4}\\r\\nhead BODY[]<4> {4}\\r\\npart)\n"
		      "S: * 1 FETCH (UID 5 BODY[] {10}\\r\\n0123456789)\n"
		      "= done body 5 0 10 ok\n"
		      "> read 5 0 10\n"
		      "= read hit 0123456789\n"},
	{"body-quoted", KNOWN "> body 5 0 10\n"
			      "C: A6 UID FETCH 5 (UID BODY.PEEK[])\n"
			      "S: * 1 FETCH (UID 5 BODY[] \"0123456789\")\n"
			      "= done body 5 0 10 ok\n"
			      "> read 5 0 10\n"
			      "= read hit 0123456789\n"},
	{"body-longer-than-its-size", KNOWN "> body 5 0 10\n"
					    "C: A6 UID FETCH 5 (UID BODY.PEEK[])\n"
					    "S: * 1 FETCH (UID 5 BODY[] {12}\\r\\n0123456789ab)\n"
					    "= message 5 changed, size\n"
					    "= sizes distrusted\n"
					    "= done body 5 0 10 ok\n"
					    "> message 5\n"
					    "= message 5: known verified size 12\n"
					    "S: A6 OK done\n"
					    "> attributes 6\n"
					    "C: A7 UID FETCH 6 (UID BODY.PEEK[])\n"
					    "S: * 2 FETCH (UID 6 BODY[] {10}\\r\\n0123456789)\n"
					    "= done attributes 6 ok\n"
					    "> message 6\n"
					    "= message 6: known verified size 10\n"},
	{"body-shorter-than-its-size", KNOWN "> body 5 0 10\n"
					     "C: A6 UID FETCH 5 (UID BODY.PEEK[])\n"
					     "S: * 1 FETCH (UID 5 BODY[] {3}\\r\\n012)\n"
					     "= message 5 changed, size\n"
					     "= sizes distrusted\n"
					     "= done body 5 0 10 ok\n"
					     "> read 5 0 10\n"
					     "= read hit 012\n"},
	{"size-zero-is-found-out",
		SYNC "> attributes 5\n"
		     "C: A5 UID FETCH 5:7 " ITEMS
		     "\n" ATTRIBUTES("1", "5", "0") ATTRIBUTES("2", "6", "10")
			     ATTRIBUTES("3", "7", "10") "S: A5 OK done\n"
							"C: A6 UID FETCH 5 (UID BODY.PEEK[])\n"
							"S: * 1 FETCH (UID 5 BODY[] {3}\\r\\n012)\n"
							"= *\n"},
	{"fetch-refused",
		/* Together first, then each alone: only the one that is bad fails. */
		KNOWN "> together body 5 0 10; body 6 0 10\n"
		      "C: A6 UID FETCH 5:6 (UID BODY.PEEK[])\n"
		      "S: A6 NO one of them is broken\n"
		      "C: A7 UID FETCH 5 (UID BODY.PEEK[])\n"
		      "C: A8 UID FETCH 6 (UID BODY.PEEK[])\n"
		      "S: A7 NO this one\n"
		      "= done body 5 0 10 IO *this one*\n"
		      "S: * 2 FETCH (UID 6 BODY[] {10}\\r\\n0123456789)\n"
		      "= done body 6 0 10 ok\n"
		      "S: A8 OK done\n"},
	{"expunge-within-fetch", KNOWN "> together body 5 0 10; body 7 0 10\n"
				       "C: A6 UID FETCH 5,7 (UID BODY.PEEK[])\n"
				       "S: * 2 EXPUNGE\n"
				       "= names changed, gone: 6\n"
				       "S: * 2 FETCH (BODY[] {10}\\r\\nseven77777)\n"
				       "= done body 7 0 10 ok\n"
				       "S: * 1 FETCH (BODY[] {10}\\r\\nfive555555)\n"
				       "= done body 5 0 10 ok\n"
				       "S: A6 OK done\n"
				       "> message 6\n"
				       "= message 6: absent*\n"},
	{"connection-lost-and-tried-again",
		KNOWN "> body 5 0 10\n"
		      "C: A6 UID FETCH 5 (UID BODY.PEEK[])\n"
		      "S:+ * 1 FETCH (UID 5 BODY[] {10}\\r\\n01234\n"
		      "@close\n" RECONNECT("A1") "C: A13 UID FETCH 5 (UID BODY.PEEK[])\n" EXAMINE(
			      "A12", "1") "S: * 1 FETCH (UID 5 BODY[] {10}\\r\\n0123456789)\n"
					  "= done body 5 0 10 ok\n"
					  "S: A13 OK done\n"
					  "> read 5 0 10\n"
					  "= read hit 0123456789\n"},
	{"connection-killed-by-a-command",
		/* Three times is enough. */
		KNOWN
		"> body 5 0 10\n"
		"C: A6 UID FETCH 5 (UID BODY.PEEK[])\n"
		"@close\n" RECONNECT("A1") "C: A13 UID FETCH 5 (UID BODY.PEEK[])\n" EXAMINE("A12",
			"1") "@close\n" RECONNECT("A2") "C: A23 UID FETCH 5 (UID "
							"BODY.PEEK[])\n" EXAMINE("A22",
								"1") "@close\n"
								     "= done body 5 0 10 *\n"},
	{"connection-lost-within-attributes", SYNC
		"> attributes 5\n"
		"C: A5 UID FETCH 5:7 " ITEMS "\n" ATTRIBUTES("2", "6", "10") "@close\n" RECONNECT(
			"A1") "C: A13 UID FETCH 5* " ITEMS "\n" EXAMINE("A12", "1")
			ATTRIBUTES("1", "5", "10") "= done attributes 5 ok\n"},
	{"connection-lost-within-sync", START
		"= done start ok\n"
		"> sync\n"
		"C: A2 EXAMINE \"INBOX\"\n"
		"C: A3 UID SEARCH RETURN (ALL) ALL\n"
		"C: A4 UID SEARCH RETURN (ALL) DELETED\n" EXAMINE("A2", "1") "@close\n" RECONNECT(
			"A1") "C: A13 UID SEARCH RETURN (ALL) ALL\n"
			      "C: A14 UID SEARCH RETURN (ALL) DELETED\n" EXAMINE(
				      "A12", "1") "S: * ESEARCH UID ALL 5:7\n"
						  "S: A13 OK done\n"
						  "S: * ESEARCH UID\n"
						  "S: A14 OK done\n"
						  "= done sync ok\n"},
	{"uidvalidity-changed",
		KNOWN "> body 5 0 10\n"
		      "C: A6 UID FETCH 5 (UID BODY.PEEK[])\n"
		      "@close\n" RECONNECT("A1") "C: A13 UID FETCH 5 (UID BODY.PEEK[])\n" EXAMINE(
			      "A12", "2") "= done body 5 0 10 STALE *\n"
					  "= generation changed\n"
					  "S: * 1 FETCH (UID 5 BODY[] {10}\\r\\nother55555)\n"
					  "S: A13 OK done\n"
					  "> body 5 0 10\n"
					  "= done body 5 0 10 STALE *\n"
					  "> read 5 0 10\n"
					  "= read absent \n"
					  "> generation\n"
					  "> read 5 0 10\n"
					  "= read * \n"},
	{"search-does-not-add-up", START "= done start ok\n"
					 "> sync\n"
					 "C: A2 EXAMINE \"INBOX\"\n"
					 "C: A3 UID SEARCH RETURN (ALL) ALL\n"
					 "C: A4 UID SEARCH RETURN (ALL) DELETED\n" EXAMINE(
						 "A2", "1") "S: * ESEARCH UID ALL 5\n"
							    "S: A3 OK done\n"
							    "S: A4 OK done\n"
							    "C: A5 NOOP\n"
							    "C: A6 UID SEARCH ALL\n"
							    "C: A7 UID SEARCH DELETED\n"
							    "S: A5 OK done\n"
							    "S: A6 OK done\n"
							    "S: A7 OK done\n"
							    "= done sync IO *does not say*\n"},
	{"mailbox-refused", START "= done start ok\n"
				  "> sync\n"
				  "C: A2 EXAMINE \"INBOX\"\n"
				  "C: A3 UID SEARCH RETURN (ALL) ALL\n"
				  "C: A4 UID SEARCH RETURN (ALL) DELETED\n"
				  "S: A2 NO [NONEXISTENT] gone\n"
				  "S: A3 BAD no mailbox\n"
				  "S: A4 BAD no mailbox\n"
				  "= done sync NOT_FOUND *gone*\n"
				  "> sync\n"
				  "C: A5 EXAMINE \"INBOX\"\n"},
	{"new-mail", KNOWN "S: * 4 EXISTS\n"
			   "= names changed, gone: unknown\n"
			   "> sync\n"
			   "C: A6 UID SEARCH RETURN (ALL) ALL\n"
			   "C: A7 UID SEARCH RETURN (ALL) DELETED\n"
			   "S: * ESEARCH UID ALL 5:8\n"
			   "S: A6 OK done\n"
			   "S: A7 OK done\n"
			   "= done sync ok\n"
			   "> message 8\n"
			   "= message 8: unknown size 0\n"},
	{"listed-anew-without-a-message",
		/* Nobody could name it when it went: its going is news once it is found out. */
		KNOWN "S: * 2 EXISTS\n"
		      "= names changed, gone: unknown\n"
		      "= names changed, gone: unknown\n"
		      "> sync\n"
		      "C: A6 UID SEARCH RETURN (ALL) ALL\n"
		      "C: A7 UID SEARCH RETURN (ALL) DELETED\n"
		      "S: * ESEARCH UID ALL 5,7\n"
		      "S: A6 OK done\n"
		      "S: A7 OK done\n"
		      "= names changed, gone: 6\n"
		      "= done sync ok\n"},
	{"range-of-another-origin", LARGE "> body 5 0 10\n"
					  "C: A6 UID FETCH 5 (UID BODY.PEEK[]<0.65536>)\n"
					  "S: * 1 FETCH (UID 5 BODY[]<100> {4}\\r\\nevil)\n"
					  "S: A6 OK done\n"
					  "C: A7 NOOP\n"
					  "C: A8 UID FETCH 5 (UID BODY.PEEK[]<0.65536>)\n"
					  "S: A7 OK done\n"
					  "S:+ * 1 FETCH (UID 5 BODY[]<0> {65536}\\r\\n\n"
					  "@bytes 65536\n"
					  "S: )\n"
					  "= done body 5 0 10 ok\n"
					  "S: A8 OK done\n"
					  "> read 5 65530 6\n"
					  "= read hit xxxxxx\n"
					  "> read 5 65536 1\n"
					  "= read miss \n"},
	{"range-that-ends-early",
		/* The announced size was too large: two answers that agree show the end. */
		LARGE "> body 5 0 10\n"
		      "C: A6 UID FETCH 5 (UID BODY.PEEK[]<0.65536>)\n"
		      "S: * 1 FETCH (UID 5 BODY[]<0> {5}\\r\\nshort)\n"
		      "S: A6 OK done\n"
		      "C: A7 UID FETCH 5 (UID BODY.PEEK[]<5.65536>)\n"
		      "S: * 1 FETCH (UID 5 BODY[]<5> {0}\\r\\n)\n"
		      "= message 5 changed, size\n"
		      "= sizes distrusted\n"
		      "= done body 5 0 10 ok\n"
		      "> read 5 0 10\n"
		      "= read hit short\n"},
	{"range-longer-than-announced",
		/* What comes behind the announced end shows that the size is wrong, not how wrong.
		 */
		SYNC "> attributes 5\n"
		     "C: A5 UID FETCH 5:7 " ITEMS "\n" ATTRIBUTES("1", "5",
			     "140000") "S: A5 OK done\n"
				       "= done attributes 5 ok\n"
				       "> body 5 131072 10\n"
				       "C: A6 UID FETCH 5 (UID BODY.PEEK[]<131072.131072>)\n"
				       "S:+ * 1 FETCH (UID 5 BODY[]<131072> {131072}\\r\\n\n"
				       "@bytes 131072\n"
				       "S: )\n"
				       "S: A6 OK done\n"
				       "C: A7 UID FETCH 5 (UID BODY.PEEK[])\n"
				       "S:+ * 1 FETCH (UID 5 BODY[] {300000}\\r\\n\n"
				       "@bytes 300000\n"
				       "S: )\n"
				       "= message 5 changed, size\n"
				       "= sizes distrusted\n"
				       "= done body 5 131072 10 ok\n"},
	{"range-cut-short-once",
		/* One answer that is shorter than asked is no end. */
		LARGE "> body 5 0 10\n"
		      "C: A6 UID FETCH 5 (UID BODY.PEEK[]<0.65536>)\n"
		      "S: * 1 FETCH (UID 5 BODY[]<0> {5}\\r\\nshort)\n"
		      "S: A6 OK done\n"
		      "C: A7 UID FETCH 5 (UID BODY.PEEK[]<5.65536>)\n"
		      "S:+ * 1 FETCH (UID 5 BODY[]<5> {65536}\\r\\n\n"
		      "@bytes 65536\n"
		      "S: )\n"
		      "= done body 5 0 10 ok\n"
		      "> read 5 0 10\n"
		      "= read hit shortxxxxx\n"},
	{"range-answered-by-nothing",
		/* Neither "" nor NIL makes an empty file of a large message. */
		LARGE "> body 5 0 10\n"
		      "C: A6 UID FETCH 5 (UID BODY.PEEK[]<0.65536>)\n"
		      "S: * 1 FETCH (UID 5 BODY[]<0> {0}\\r\\n)\n"
		      "S: A6 OK done\n"
		      "C: A7 NOOP\n"
		      "C: A8 UID FETCH 5 (UID BODY.PEEK[]<0.65536>)\n"
		      "S: A7 OK done\n"
		      "S: * 1 FETCH (UID 5 BODY[]<0> NIL)\n"
		      "S: A8 OK done\n"
		      "= done body 5 0 10 IO *does not answer*\n"
		      "> message 5\n"
		      "= message 5: known size 300000\n"},
	{"range-answered-by-all", LARGE "> body 5 0 10\n"
					"C: A6 UID FETCH 5 (UID BODY.PEEK[]<0.65536>)\n"
					"S:+ * 1 FETCH (UID 5 BODY[] {300000}\\r\\n\n"
					"@bytes 300000\n"
					"S: )\n"
					"= done body 5 0 10 ok\n"
					"> read 5 299999 10\n"
					"= read hit x\n"
					"> message 5\n"
					"= message 5: known verified size 300000\n"},
	{"range-cut-off-by-the-connection",
		/* Nothing of it is believed: the end of the stream is not the end of the body. */
		LARGE "> body 5 0 10\n"
		      "C: A6 UID FETCH 5 (UID BODY.PEEK[]<0.65536>)\n"
		      "S:+ * 1 FETCH (UID 5 BODY[]<0> {65536}\\r\\nevil\n"
		      "@close\n" RECONNECT("A1") "C: A13 UID FETCH 5 *\n"
						 "> read 5 0 4\n"
						 "= read miss \n"},
	{"attributes-left-out", SYNC "> attributes 5\n"
				     "C: A5 UID FETCH 5:7 " ITEMS "\n"
				     "S: A5 OK done\n"
				     "C: A6 UID FETCH 5 " ITEMS "\n"
				     "S: A6 OK done\n"
				     "= done attributes 5 IO *does not answer*\n"},
	{"stop-with-requests-under-way",
		KNOWN "> together body 5 0 10; body 6 0 10; sync; attributes 99\n"
		      "= done attributes 99 NOT_FOUND *\n"
		      "C: A6 NOOP\n"
		      "C: A7 UID FETCH 5:6 (UID BODY.PEEK[])\n"
		      "S:+ * 1 FETCH (UID 5 BODY[] {10}\\r\\n01234\n"
		      "> stop\n"
		      "= done * CANCELLED *\n"
		      "= done * CANCELLED *\n"
		      "= done * CANCELLED *\n"},
	{"stop-with-attributes-under-way", SYNC "> attributes 5\n"
						"C: A5 UID FETCH 5:7 " ITEMS "\n"
						"> stop\n"
						"= done attributes 5 CANCELLED *\n"},
	{"stop-within-sync", START "= done start ok\n"
				   "> sync\n"
				   "C: A2 EXAMINE \"INBOX\"\n"
				   "C: A3 UID SEARCH *\n"
				   "> stop\n"
				   "= done sync CANCELLED *\n"},
	{"stop-before-login", "S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hi\n"
			      "C: A1 AUTHENTICATE *\n"
			      "> stop\n"
			      "= done start CANCELLED *\n"},
	{"silence",
		KNOWN "> body 5 0 10\n"
		      "C: A6 UID FETCH 5 (UID BODY.PEEK[])\n"
		      "= done body 5 0 10 TIMEOUT *\n"
		      "> body 5 0 10\n"
		      "= done body 5 0 10 OFFLINE *\n",
		SHORT_MS},
	{"silence-before-login", "= done start TIMEOUT *\n", SHORT_MS},
};

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	for (gsize i = 0; i < G_N_ELEMENTS(scripts); i++) {
		g_autofree char *path = g_strdup_printf("/engine/%s", scripts[i].name);
		g_test_add_data_func(path, &scripts[i], play);
	}
	int status = g_test_run();
	peer_forget_authority();
	return status;
}
