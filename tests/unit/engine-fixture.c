#include "engine-fixture.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "../script/player.h"
#include "engine/engine.h"
#include "store-fixture.h"
#include "store/unsent.h"
#include "tls-peer.h"

enum { SECONDS = 20, TIMEOUT_MS = 20000, POLL_S = 60 };

typedef struct {
	Store *store;
	Engine *engine;
	Player *player;
	GMutex lock;
	GQueue events; /* char*; lock */
	char *secret; /* lock */
	bool secret_is_new; /* lock: set since somebody asked */
	gint secret_hangs; /* atomic */
	GThread *stopper; /* ends the engine; NULL: not beside the script */
	gint left; /* of many changes, whose ends are one news; atomic */
	bool tells_begin; /* engine_start() was not called when it was set */
	Gen gen; /* test's thread */
} World;

/* A request and how it ends. */
typedef struct {
	World *world;
	char *name;
	Gen gen;
} Asked;

/* ---- the clock ---- */

static gint64 begun_us; /* set before there is an engine */
static gint ahead_s, looks; /* atomic */

/* The engine's clock, and that of all it is made of, by --wrap of the linker: it stands still but
 * for `later`, so that no script depends on how fast it is played, and an hour need not be waited
 * for. What happens one after the other still differs, by a microsecond for each look. GLib's own
 * timers run on as they do. */
gint64 __real_g_get_monotonic_time(void);
gint64 __wrap_g_get_monotonic_time(void);

gint64 __wrap_g_get_monotonic_time(void)
{
	return begun_us + (gint64)g_atomic_int_get(&ahead_s) * G_USEC_PER_SEC +
	       g_atomic_int_add(&looks, 1);
}

static gint hurry; /* atomic */
static guint asked_ms; /* atomic */
static guint watch_ms; /* set before there is an engine: how long it waits for an answer */

GSource *__real_g_timeout_source_new(guint interval);
GSource *__wrap_g_timeout_source_new(guint interval);

GSource *__wrap_g_timeout_source_new(guint interval)
{
	if (interval > watch_ms || interval + 1000 < watch_ms)
		g_atomic_int_set(&asked_ms, interval);
	return __real_g_timeout_source_new(interval / (guint)MAX(g_atomic_int_get(&hurry), 1));
}

/* The timer that was set last since the connection before, but for those that watch over one: it is
 * what the new one waited for, 0 if it came at once. How long that took is the machine's affair. */
static guint pause_ms(gpointer data)
{
	return (guint)g_atomic_int_and(&asked_ms, 0);
}

gint64 __real_g_source_get_ready_time(GSource *source);
gint64 __wrap_g_source_get_ready_time(GSource *source);

/* As if it had not been hurried. */
gint64 __wrap_g_source_get_ready_time(GSource *source)
{
	gint64 left_us = __real_g_source_get_ready_time(source) - __real_g_get_monotonic_time();

	return g_get_monotonic_time() + left_us * MAX(g_atomic_int_get(&hurry), 1);
}

/* ---- threads ---- */

static gint no_threads; /* atomic */

/* Those that the program makes itself, and can do without; likewise by --wrap. */
GThread *__real_g_thread_try_new(const char *name, GThreadFunc func, gpointer data, GError **error);
GThread *__wrap_g_thread_try_new(const char *name, GThreadFunc func, gpointer data, GError **error);

GThread *__wrap_g_thread_try_new(const char *name, GThreadFunc func, gpointer data, GError **error)
{
	if (!g_atomic_int_get(&no_threads))
		return __real_g_thread_try_new(name, func, data, error);
	g_set_error_literal(error, G_THREAD_ERROR, G_THREAD_ERROR_AGAIN, "no thread is left");
	return NULL;
}

/* ---- the disk ---- */

static gint disk_full; /* atomic */

bool __real_store_intents_update(Intents *intents, const Intent *intent);
bool __wrap_store_intents_update(Intents *intents, const Intent *intent);

bool __wrap_store_intents_update(Intents *intents, const Intent *intent)
{
	if (!g_atomic_int_get(&disk_full))
		return __real_store_intents_update(intents, intent);
	errno = ENOSPC;
	return false;
}

/* ---- sleep of the machine ---- */

static gint slept_s; /* atomic */

int __real_clock_gettime(clockid_t clock, struct timespec *ret);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret);

int __wrap_clock_gettime(clockid_t clock, struct timespec *ret)
{
	int status = __real_clock_gettime(clock, ret);

	if (clock == CLOCK_BOOTTIME)
		ret->tv_sec += g_atomic_int_get(&slept_s);
	return status;
}

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
	case MAIL_ERROR_ACCESS:
		return "ACCESS";
	case MAIL_ERROR_READ_ONLY:
		return "READ_ONLY";
	case MAIL_ERROR_QUOTA:
		return "QUOTA";
	case MAIL_ERROR_TOO_BIG:
		return "TOO_BIG";
	case MAIL_ERROR_INVALID:
		return "INVALID";
	case MAIL_ERROR_BUSY:
		return "BUSY";
	case MAIL_ERROR_DENIED:
		return "DENIED";
	case MAIL_ERROR_NOT_FOUND:
		return "NOT_FOUND";
	case MAIL_ERROR_EXISTS:
		return "EXISTS";
	case MAIL_ERROR_LIMIT:
		return "LIMIT";
	case MAIL_ERROR_NOT_EMPTY:
		return "NOT_EMPTY";
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

static void on_names_changed(
	MailboxId mailbox, Gen gen, const ImapSet *gone, const ImapSet *fresh, gpointer data)
{
	World *world = data;

	if (g_atomic_int_get(&world->left) > 0)
		return;
	g_autofree char *went = gone ? imap_set_to_string(gone) : g_strdup("unknown");
	g_autofree char *came =
		fresh && imap_set_count(fresh) > 0 ? imap_set_to_string(fresh) : NULL;

	tell(data, "names changed, gone: %s%s%s", went, came ? ", new: " : "", came ? came : "");
}

static void on_names_made(Gen gen, const ImapSet *uids, gpointer data)
{
}

static void on_names_doubted(MailboxId mailbox, Gen gen, gpointer data)
{
	tell(data, "names doubted");
}

static void on_message_changed(Gen gen, guint32 uid, bool size, gpointer data)
{
	tell(data, "message %u changed%s", uid, size ? ", size" : "");
}

static void on_generation_changed(MailboxId mailbox, Gen old, gpointer data)
{
	tell(data, "generation changed");
}

static void ignore_flags_told(MailboxId mailbox, gpointer data)
{
}

static void on_sizes_distrusted(gpointer data)
{
	tell(data, "sizes distrusted");
}

static void on_state_changed(EngineState state, const GError *why, gpointer data)
{
}

/* ---- changes ---- */

static const char *const kinds[INTENT_KINDS_] = {
	[INTENT_FLAGS] = "store",
	[INTENT_REMOVE] = "remove",
	[INTENT_MARK] = "mark",
	[INTENT_MOVE] = "move",
	[INTENT_COPY] = "copy",
	[INTENT_APPEND] = "append",
};

static void on_change_begun(
	const Intent *intent, MailboxId mailbox, MailboxId target, gpointer data)
{
	World *world = data;

	if (world->tells_begin)
		tell(world, "begun %s %u", kinds[intent->kind], intent->uid);
}

static void on_change_ended(
	const Intent *intent, Gen gen, guint32 uid, const GError *error, gpointer data)
{
	World *world = data;

	if (error)
		tell(world, "ended %s %u %s %s", kinds[intent->kind], intent->uid, name_of(error),
			error->message);
	else if (g_atomic_int_get(&world->left) == 0)
		tell(world, "ended %s %u ok %u", kinds[intent->kind], intent->uid, uid);
	else if (g_atomic_int_dec_and_test(&world->left))
		tell(world, "ended all");
}

static const EngineEvents events = {
	.change_begun = on_change_begun,
	.change_ended = on_change_ended,
	.mailboxes_changed = on_mailboxes_changed,
	.names_made = on_names_made,
	.names_changed = on_names_changed,
	.names_doubted = on_names_doubted,
	.message_changed = on_message_changed,
	.flags_told = ignore_flags_told,
	.generation_changed = on_generation_changed,
	.sizes_distrusted = on_sizes_distrusted,
	.state_changed = on_state_changed,
};

/* ---- actions ---- */

static Asked *asked_new(World *world, const char *name)
{
	Asked *asked = g_new(Asked, 1);

	*asked = (Asked){world, g_strdup(name), world->gen};
	return asked;
}

static MailboxId mailbox_of(const World *world, const char *name)
{
	return id_of(world->store, name ? name : "INBOX");
}

static IntentKind kind_of(const char *word)
{
	for (IntentKind kind = 0; kind < INTENT_KINDS_; kind++)
		if (g_str_equal(kinds[kind], word))
			return kind;
	return INTENT_KINDS_;
}

static guint64 keep_text(World *world, const char *text)
{
	gsize more = g_str_equal(text, "large") ? 1 << 20 : 0;
	g_autofree char *body = g_strnfill(more, 'x');
	g_autofree char *message = g_strdup_printf("Message-ID: <%s>\r\n\r\n%s", text, body);
	guint64 number;
	int fd = store_unsent_new(world->store, &number);

	g_assert_cmpint(fd, >=, 0);
	g_assert_cmpint(write(fd, message, strlen(message)), ==, (gssize)strlen(message));
	g_assert_true(store_unsent_keep(world->store, number, fd, false));
	close(fd);
	return number;
}

static guint flag_of(const char *name)
{
	static const struct {
		const char *name;
		guint flag;
	} flags[] = {{"seen", IMAP_FLAG_SEEN}, {"flagged", IMAP_FLAG_FLAGGED},
		{"deleted", IMAP_FLAG_DELETED}};

	for (gsize i = 0; i < G_N_ELEMENTS(flags); i++)
		if (g_str_equal(flags[i].name, name))
			return flags[i].flag;
	return 0;
}

static void read_flags(char **words, EngineChange *change, char **ret_add, char **ret_remove)
{
	for (; *words; words++) {
		guint flag = flag_of(*words + 1);
		bool adds = **words == '+';

		if (flag)
			*(adds ? &change->flags_add : &change->flags_remove) |= flag;
		else
			*(adds ? ret_add : ret_remove) = g_strdup(*words + 1);
	}
	change->keywords_add = *ret_add;
	change->keywords_remove = *ret_remove;
}

/* [WHEN] [of N] KIND ...; false: it is none of these. */
static bool ask_change(const char *text, Asked *asked)
{
	World *world = asked->world;
	g_auto(GStrv) all = g_strsplit(text, " ", -1);
	char **words = all;
	EngineUntil until = ENGINE_UNTIL_KEPT;
	g_autofree char *add = NULL, *remove = NULL;
	EngineChange change = {.name = "name.eml"};

	if (g_str_equal(*words, "answered") || g_str_equal(*words, "done"))
		until = **words++ == 'a' ? ENGINE_UNTIL_ANSWERED : ENGINE_UNTIL_DONE;
	if (g_str_equal(*words, "of")) {
		change.of = g_ascii_strtoull(words[1], NULL, 10);
		words += 2;
	}
	change.kind = kind_of(*words);
	if (change.kind == INTENT_KINDS_)
		return false;
	if (change.kind == INTENT_APPEND)
		change.file = keep_text(world, words[1]);
	const char *uid = change.kind == INTENT_APPEND ? (words[2] ? words[3] : NULL) : words[1];
	change.uid = uid ? (guint32)g_ascii_strtoull(uid, NULL, 10) : 0;
	change.gen = change.uid ? asked->gen : 0;
	if (change.kind == INTENT_FLAGS)
		read_flags(words + 2, &change, &add, &remove);
	else if (words[1] && words[2])
		change.target = mailbox_of(world, words[2]);
	engine_change(world->engine, &change, until, on_done, asked);
	return true;
}

static void on_done_quietly(const GError *error, gpointer data)
{
	g_assert_no_error(error);
}

static void ask_each(World *world, const char *text)
{
	g_auto(GStrv) words = g_strsplit(text, " ", -1);
	guint32 first = (guint32)g_ascii_strtoull(words[0], NULL, 10);
	guint32 last = (guint32)g_ascii_strtoull(words[1], NULL, 10);
	EngineChange change = {.kind = kind_of(words[2]), .gen = world->gen, .name = "name.eml"};

	change.target = words[3] ? mailbox_of(world, words[3]) : 0;
	g_atomic_int_set(&world->left, (gint)(last - first + 1));
	for (guint32 uid = first; uid <= last; uid++) {
		change.uid = uid;
		engine_change(world->engine, &change, ENGINE_UNTIL_KEPT, on_done_quietly, NULL);
	}
}

static void on_sizes(const GError *error, const guint64 *sizes, guint n, gpointer data)
{
	Asked *asked = data;
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < n; i++)
		g_string_append_printf(text, " %" G_GINT64_FORMAT, (gint64)sizes[i]);
	if (!error)
		tell(asked->world, "sizes%s", text->str);
	on_done(error, asked);
}

static void ask_section(char **words, StoreItem item, Asked *asked)
{
	guint64 octets = g_ascii_strtoull(words[3], NULL, 10);
	EngineSection section = {item, words[2], octets ? octets : G_MAXUINT64};

	engine_section(asked->world->engine, asked->gen,
		(guint32)g_ascii_strtoull(words[1], NULL, 10), &section,
		g_ascii_strtoull(words[4], NULL, 10), (guint32)g_ascii_strtoull(words[5], NULL, 10),
		on_done, asked);
}

/* false: it is not about what a message holds. */
static bool ask_part(char **words, Asked *asked)
{
	static const EngineSection header = {STORE_HEADER, NULL, 0};
	Engine *engine = asked->world->engine;
	guint32 numbers[3] = {0};

	for (guint i = 1; words[i] && i <= G_N_ELEMENTS(numbers); i++)
		numbers[i - 1] = (guint32)g_ascii_strtoull(words[i], NULL, 10);
	if (g_str_equal(words[0], "fields"))
		engine_outline(engine, asked->gen, numbers[0], false, on_done, asked);
	else if (g_str_equal(words[0], "outline"))
		engine_outline(engine, asked->gen, numbers[0], true, on_done, asked);
	else if (g_str_equal(words[0], "text"))
		engine_text(engine, asked->gen, numbers[0], on_done, asked);
	else if (g_str_equal(words[0], "header"))
		engine_section(engine, asked->gen, numbers[0], &header, numbers[1], numbers[2],
			on_done, asked);
	else if (g_str_equal(words[0], "part"))
		ask_section(words, store_part_item(1, false), asked);
	else if (g_str_equal(words[0], "decoded"))
		ask_section(words, store_part_item(1, true), asked);
	else if (g_str_equal(words[0], "sizes"))
		engine_sizes(engine, asked->gen, numbers[0], (const char *const *)words + 2,
			on_sizes, asked);
	else
		return false;
	return true;
}

/* The mailboxes by their names: which was searched first does not matter. */
static void on_found(const GError *error, const EngineHits *hits, guint n, gpointer data)
{
	Asked *asked = data;
	Store *store = asked->world->store;
	g_autoptr(GArray) mailboxes = store_mailboxes(store);
	g_autoptr(GString) found = g_string_new(NULL);

	for (guint m = 0; m < mailboxes->len; m++) {
		const StoreMailbox *mailbox = &g_array_index(mailboxes, StoreMailbox, m);

		for (guint i = 0; i < n; i++) {
			if (store_gen_mailbox(store, hits[i].gen) != mailbox->id)
				continue;
			g_autofree char *uids = imap_set_to_string(hits[i].uids);
			g_string_append_printf(
				found, "%s%s %s", found->len > 0 ? ", " : "", mailbox->name, uids);
		}
	}
	if (!error) {
		char *name = g_strdup_printf("%s [%s]", asked->name, found->str);
		g_free(asked->name);
		asked->name = name;
	}
	on_done(error, asked);
}

/* search MAILBOX QUERY */
static void ask_search(const char *text, Asked *asked)
{
	g_auto(GStrv) words = g_strsplit(text, " ", 3);
	g_autoptr(ImapQuery) query = imap_query_parse(words[2], NULL);
	bool all = g_str_equal(words[1], "*");

	g_assert_nonnull(query);
	engine_search(asked->world->engine, all ? 0 : mailbox_of(asked->world, words[1]), query,
		on_found, asked);
}

static void ask(const char *text, Asked *asked)
{
	if (ask_change(text, asked))
		return;
	Engine *engine = asked->world->engine;
	g_auto(GStrv) words = g_strsplit(text, " ", -1);
	guint32 numbers[3] = {0};

	if (ask_part(words, asked))
		return;
	for (guint i = 1; words[i] && i <= G_N_ELEMENTS(numbers); i++)
		numbers[i - 1] = (guint32)g_ascii_strtoull(words[i], NULL, 10);
	if (g_str_equal(words[0], "sync"))
		engine_sync(engine, mailbox_of(asked->world, words[1]), on_done, asked);
	else if (g_str_equal(words[0], "attributes"))
		engine_attributes(engine, asked->gen, numbers[0], on_done, asked);
	else if (g_str_equal(words[0], "flags"))
		engine_flags(engine, asked->gen, numbers[0], on_done, asked);
	else if (g_str_equal(words[0], "settle"))
		engine_settle(
			engine, words[1] ? mailbox_of(asked->world, words[1]) : 0, on_done, asked);
	else if (g_str_equal(words[0], "body"))
		engine_body(engine, asked->gen, numbers[0], numbers[1], numbers[2], on_done, asked);
	else if (g_str_equal(words[0], "search"))
		ask_search(text, asked);
	else if (g_str_equal(words[0], "create"))
		engine_create_mailbox(engine, words[1], on_done, asked);
	else if (g_str_equal(words[0], "delete"))
		engine_delete_mailbox(engine, mailbox_of(asked->world, words[1]), on_done, asked);
	else if (g_str_equal(words[0], "rename"))
		engine_rename_mailbox(
			engine, mailbox_of(asked->world, words[1]), words[2], on_done, asked);
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

static void on_turned(const GError *error, gpointer data)
{
	tell(data, "turned");
}

/* Once around the loop what could go out is sent, behind this. */
static void on_turning(const GError *error, gpointer data)
{
	World *world = data;

	engine_attributes(world->engine, 0, 1, on_turned, world);
}

/* What was asked or said before is queued by the end of this turn of the loop. */
static void on_turn(const GError *error, gpointer data)
{
	World *world = data;

	engine_attributes(world->engine, 0, 1, on_turning, world);
}

static void show_read(World *world, const char *text)
{
	static const char *const ANSWERS[] = {"hit", "miss", "absent"};
	guint uid, offset, len;
	char buf[100];
	gsize n = 0;

	g_assert_cmpint(sscanf(text, "%u %u %u", &uid, &offset, &len), ==, 3);
	StoreAnswer answer = store_try_read(world->store, world->gen, uid, STORE_MESSAGE, offset,
		buf, MIN(len, sizeof(buf)), &n);
	tell(world, "read %s %.*s", ANSWERS[answer], answer == STORE_HIT ? (int)n : 0, buf);
}

static void show_items(World *world, const char *text)
{
	guint32 uid = (guint32)g_ascii_strtoull(text, NULL, 10);
	g_autoptr(GString) items = g_string_new(NULL);

	for (StoreItem item = 0; item < store_part_item(10, false); item++)
		if (store_has_body(world->store, world->gen, uid, item))
			g_string_append_printf(items, " %u", item);
	tell(world, "items%s", items->str);
}

static void show_item(World *world, const char *text)
{
	guint uid, item;
	char buf[100];
	gsize n = 0;

	g_assert_cmpint(sscanf(text, "%u %u", &uid, &item), ==, 2);
	StoreAnswer answer = store_try_read(
		world->store, world->gen, uid, (StoreItem)item, 0, buf, sizeof(buf), &n);
	g_autofree char *bytes = g_strndup(buf, n);
	g_autofree char *shown = g_strescape(bytes, NULL);
	tell(world, "item %s %s", answer == STORE_HIT ? "hit" : "miss", shown);
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

static void show_row(World *world, const char *text)
{
	StoreMessage message = {0};
	guint32 uid = (guint32)g_ascii_strtoull(text, NULL, 10);
	Gen gen = store_gen(world->store, mailbox_of(world, NULL));
	bool found = store_peek_message(world->store, gen, uid, &message);

	tell(world, "row %u: %s flags %x%s", uid,
		!found          ? "absent"
		: message.known ? "known"
				: "unknown",
		message.flags, message.flags_stale ? " stale" : "");
}

static void show_mark(World *world)
{
	StoreMark mark = store_mark(world->store, store_gen(world->store, mailbox_of(world, NULL)));

	tell(world, "mark %u %" G_GUINT64_FORMAT, mark.uidnext, mark.highestmodseq);
}

static void show_listing(World *world)
{
	StoreMessage rows[100];
	Gen gen = store_gen(world->store, mailbox_of(world, NULL));
	gsize n = store_list_rows(world->store, gen, 0, rows, G_N_ELEMENTS(rows));
	g_autoptr(ImapSet) uids = imap_set_new();

	for (gsize i = 0; i < n; i++)
		imap_set_add(uids, rows[i].uid, rows[i].uid);
	g_autofree char *text = imap_set_to_string(uids);
	tell(world, "listing %s", text);
}

static void show_mailboxes(World *world)
{
	g_autoptr(GArray) all = store_mailboxes(world->store);
	g_autoptr(GString) text = g_string_new("mailboxes");

	for (guint i = 0; i < all->len; i++)
		g_string_append_printf(text, " %s", g_array_index(all, StoreMailbox, i).name);
	tell(world, "%s", text->str);
}

static void show_quota(World *world)
{
	guint64 figures[4] = {0};

	engine_quota(world->engine, &figures[0], &figures[1]);
	engine_quota_messages(world->engine, &figures[2], &figures[3]);
	tell(world,
		"quota %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT ", %" G_GUINT64_FORMAT
		" of %" G_GUINT64_FORMAT,
		figures[0], figures[1], figures[2], figures[3]);
}

static void set_secret(World *world, const char *text)
{
	g_mutex_lock(&world->lock);
	g_free(world->secret);
	world->secret = text ? g_strdup(text) : NULL;
	world->secret_is_new = true;
	g_mutex_unlock(&world->lock);
}

/* A thread of its own: the server goes on meanwhile. */
static gpointer stop(gpointer data)
{
	World *world = data;

	engine_free(world->engine);
	tell(world, "stopped");
	return NULL;
}

static void act(const char *text, gpointer data)
{
	World *world = data;
	g_auto(GStrv) words = g_strsplit(text, " ", 2);

	if (g_str_has_prefix(text, "together "))
		/* Generation 0 is refused in the engine thread: a moment in it. */
		engine_attributes(
			world->engine, 0, 1, ask_all, asked_new(world, text + strlen("together ")));
	else if (g_str_has_prefix(text, "each "))
		ask_each(world, text + strlen("each "));
	else if (g_str_equal(text, "unsent"))
		tell(world, "unsent %u", store_unsent_count(world->store));
	else if (g_str_has_prefix(text, "read "))
		show_read(world, text + strlen("read "));
	else if (g_str_has_prefix(text, "items "))
		show_items(world, text + strlen("items "));
	else if (g_str_has_prefix(text, "item "))
		show_item(world, text + strlen("item "));
	else if (g_str_equal(text, "decodes"))
		tell(world, "decodes: %s", engine_decodes(world->engine) ? "yes" : "no");
	else if (g_str_has_prefix(text, "message "))
		show_message(world, text + strlen("message "));
	else if (g_str_has_prefix(text, "row "))
		show_row(world, text + strlen("row "));
	else if (g_str_equal(text, "mark"))
		show_mark(world);
	else if (g_str_equal(text, "listing"))
		show_listing(world);
	else if (g_str_equal(text, "mailboxes"))
		show_mailboxes(world);
	else if (g_str_equal(text, "quota"))
		show_quota(world);
	else if (g_str_equal(text, "fresh"))
		tell(world, "fresh: %s",
			engine_names_fresh(world->engine, mailbox_of(world, NULL)) ? "yes" : "no");
	else if (g_str_equal(words[0], "generation"))
		world->gen = store_gen(world->store, mailbox_of(world, words[1]));
	else if (g_str_equal(words[0], "secret"))
		set_secret(world, words[1]);
	else if (g_str_equal(words[0], "threads"))
		g_atomic_int_set(&no_threads, words[1] != NULL);
	else if (g_str_equal(words[0], "later"))
		g_atomic_int_add(&ahead_s, (gint)g_ascii_strtoull(words[1], NULL, 10));
	else if (g_str_equal(words[0], "no"))
		g_atomic_int_set(&world->secret_hangs, 1);
	else if (g_str_equal(words[0], "full"))
		g_atomic_int_set(&disk_full, 1);
	else if (g_str_equal(words[0], "hurry"))
		g_atomic_int_set(&hurry, (gint)g_ascii_strtoull(words[1], NULL, 10));
	else if (g_str_equal(words[0], "sleep"))
		g_atomic_int_add(&slept_s, (gint)g_ascii_strtoull(words[1], NULL, 10));
	else if (g_str_equal(text, "turn"))
		engine_attributes(world->engine, 0, 1, on_turn, world);
	else if (g_str_equal(text, "stop beside"))
		world->stopper = g_thread_new("stopper", stop, world);
	else if (g_str_equal(text, "stop"))
		g_clear_pointer(&world->engine, engine_free);
	else
		ask(text, asked_new(world, text));
}

/* ---- scripts ---- */

/* Until nobody wants it any more. */
static void hang(GCancellable *cancel)
{
	GPollFD end;

	g_assert_true(g_cancellable_make_pollfd(cancel, &end));
	while (!g_cancellable_is_cancelled(cancel))
		g_poll(&end, 1, -1);
	g_cancellable_release_fd(cancel);
}

/* A thread of its own. */
static char *give_secret(gpointer data, GCancellable *cancel, GError **error)
{
	World *world = data;

	if (g_atomic_int_get(&world->secret_hangs)) {
		tell(world, "secret is asked for");
		hang(cancel);
	}
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&world->lock);
	if (!world->secret)
		g_set_error_literal(error, MAIL_ERROR, MAIL_ERROR_AUTH, "there is no password");
	world->secret_is_new = false;
	return g_strdup(world->secret);
}

static bool tell_new_secret(gpointer data)
{
	World *world = data;
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&world->lock);
	bool is_new = world->secret_is_new;

	world->secret_is_new = false;
	return is_new;
}

static Engine *start_engine(World *world, NetTrust *trust, const Script *script)
{
	guint timeout_ms = script->timeout_ms ? script->timeout_ms : TIMEOUT_MS;
	const EngineConfig config = {
		.session = {.host = "127.0.0.1",
			.port = player_port(world->player),
			.tls = SESSION_TLS_NONE,
			.user = "user",
			.secret = give_secret,
			.secret_data = world,
			.trust = trust,
			.timeout_ms = timeout_ms},
		.read_only = script->read_only,
		.connections = MAX(script->connections, 1),
		.poll_s = script->poll_s ? script->poll_s : POLL_S,
		.timeout_ms = timeout_ms,
		.folders = script->folders,
		.subscribed = script->subscribed,
		.secret_changed = script->secret_is_told ? tell_new_secret : NULL,
	};

	return engine_new(&config, world->store, &events, world);
}

static void know(Store *store, const Known *known)
{
	static const StoreFields all = {true, true, true};
	ImapList lists[] = {list_of("INBOX"), list_of("Other")};
	g_autoptr(ImapSet) uids = set_of(known->uids);
	gsize n;

	store_set_mailboxes(store, lists, G_N_ELEMENTS(lists));

	Gen gen = store_gen_open(store, id_of(store, "INBOX"), known->uidvalidity);

	set_names(store, gen, known->uids, "");
	const ImapRange *ranges = imap_set_ranges(uids, &n);
	for (gsize i = 0; i < n; i++)
		for (guint32 uid = ranges[i].lo; uid <= ranges[i].hi; uid++)
			store_set_attributes(store, gen,
				&(StoreMessage){.uid = uid,
					.size = known->size ? known->size : 10,
					.date = 1},
				all, NULL);
	store_set_mark(store, gen, (StoreMark){known->uidnext, known->highestmodseq});
	store_names_confirm(store, gen, false);
}

/* KIND UID STEP UIDNEXT TARGET ; UID 0 of an APPEND, whose text is "left". */
static void intent_know(World *world, const char *line)
{
	char kind[20], target[20], mailbox[] = "INBOX", message_id[] = "<left>";
	guint uid, step, uidnext;

	g_assert_cmpint(
		sscanf(line, "%19s %u %u %u %19s", kind, &uid, &step, &uidnext, target), ==, 5);

	Intent intent = {.kind = kind_of(kind),
		.step = step,
		.uid = uid,
		.mailbox = uid ? mailbox : NULL,
		.uidvalidity = uid ? 1 : 0,
		.target = g_str_equal(target, "-") ? NULL : target,
		.target_uidvalidity = 1,
		.target_uidnext = uidnext};

	if (intent.kind == INTENT_APPEND) {
		intent.file = keep_text(world, "left");
		intent.message_id = message_id;
		intent.size = strlen("Message-ID: <left>\r\n\r\n");
	}
	g_assert_true(store_intents_add(store_intents(world->store), &intent));
}

static void intents_know(World *world, const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (char **line = lines; *line; line++)
		intent_know(world, *line);
	world->tells_begin = true;
}

static void play(gconstpointer data)
{
	static const PlayerHooks hooks = {act, next_event, pause_ms};
	const Script *script = data;
	g_autoptr(GMainContext) context = g_main_context_new();
	g_autoptr(NetTrust) trust = net_trust_new(player_cafile(), NULL, NULL);
	World world = {0};

	g_mutex_init(&world.lock);
	set_secret(&world, "pencil");
	g_autofree char *cache =
		script->cached ? g_dir_make_tmp("imapfs-engine-XXXXXX", NULL) : NULL;
	world.store = store_new(cache, cache ? 1 << 30 : 1 << 20, script->show_deleted, NULL);
	if (script->known.uids)
		know(world.store, &script->known);
	if (script->intents)
		intents_know(&world, script->intents);
	world.player = player_new(context, script->name, script->text, SECONDS, &hooks, &world);
	begun_us = __real_g_get_monotonic_time();
	watch_ms = script->timeout_ms ? script->timeout_ms : TIMEOUT_MS;
	g_atomic_int_set(&ahead_s, 0);
	g_atomic_int_set(&hurry, 1);
	g_atomic_int_set(&disk_full, 0);
	world.engine = start_engine(&world, trust, script);
	engine_start(world.engine, on_done, asked_new(&world, "start"));
	player_run(world.player);
	player_hang_up(world.player);
	if (world.stopper)
		g_thread_join(world.stopper);
	else
		engine_free(world.engine);
	store_free(world.store);
	if (cache)
		remove_tree(cache);
	player_free(world.player);
	g_queue_clear_full(&world.events, g_free);
	g_free(world.secret);
	g_mutex_clear(&world.lock);
}

int engine_scripts_run(int argc, char **argv, const char *suite, const Script *scripts, gsize n)
{
	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	for (gsize i = 0; i < n; i++) {
		g_autofree char *path = g_strdup_printf("/%s/%s", suite, scripts[i].name);
		g_test_add_data_func(path, &scripts[i], play);
	}
	int status = g_test_run();
	peer_forget_authority();
	return status;
}
