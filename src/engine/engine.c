#include "engine/engine.h"

#include <time.h>

#include "engine/private.h"

bool engine_decodes(Engine *engine)
{
	return engine_caps(engine) & IMAP_CAP_BIT(IMAP_CAP_BINARY) &&
	       !g_atomic_int_get(&engine->undecodable);
}

bool engine_names_fresh(Engine *engine, MailboxId mailbox)
{
	Gen gen = store_gen(engine->store, mailbox);
	if (gen == 0 || !store_names_known(engine->store, gen))
		return false;
	if (engine_state(engine) == ENGINE_OFFLINE || g_atomic_int_get(&engine->stuck) ||
		!g_atomic_int_get(&engine->met)) {
		g_autoptr(GMutexLocker) locker G_GNUC_UNUSED =
			g_mutex_locker_new(&engine->inbox_lock);
		imap_set_add(engine->shown_unasked, mailbox, mailbox);
		return true;
	}
	return push_trusts(engine, mailbox);
}

ImapSet *engine_take_shown(Engine *engine)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&engine->inbox_lock);
	ImapSet *shown = engine->shown_unasked;
	engine->shown_unasked = imap_set_new();
	return shown;
}

EngineState engine_state(Engine *engine)
{
	return (EngineState)g_atomic_int_get(&engine->state);
}

char *engine_describe(Engine *engine)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&engine->inbox_lock);
	return g_strdup(engine->description ? engine->description : "");
}

guint64 engine_caps(Engine *engine)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&engine->inbox_lock);
	return engine->caps;
}

guint64 engine_append_limit(Engine *engine)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&engine->inbox_lock);
	return engine->append_limit;
}

void engine_describe_from(Engine *engine, const Session *session)
{
	char *text = session_describe(session);
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&engine->inbox_lock);
	g_free(engine->description);
	engine->description = text;
	engine->caps = session_caps(session);
	engine->append_limit = session_append_limit(session);
}

void engine_verify_size(Engine *engine, Gen gen, guint32 uid, guint64 size)
{
	if (!store_verify_size(engine->store, gen, uid, size))
		return;
	engine->events->message_changed(gen, uid, true, engine->data);
	if (engine->sizes_distrusted)
		return;
	engine->sizes_distrusted = true;
	g_message(
		"%s gives wrong sizes: they are verified from now on", engine->config.session.host);
	engine->events->sizes_distrusted(engine->data);
}

void engine_stop_decoding(Engine *engine, const char *why)
{
	if (!g_atomic_int_get(&engine->undecodable))
		g_info("%s: parts are decoded here from now on: %s", engine->config.session.host,
			why);
	g_atomic_int_set(&engine->undecodable, 1);
}

/* Who has just waited and asks for more is told why he waited: a program opens and then reads, and
 * the kernel asks page by page for what failed to be read ahead, whose error it drops. */
static void fail_away(Engine *engine, Waiter *waiter)
{
	enum { SAME_US = G_USEC_PER_SEC };
	bool waited =
		engine->expired_us != 0 && g_get_monotonic_time() - engine->expired_us < SAME_US;
	if (waited)
		waiter_fail(waiter, MAIL_ERROR_TIMEOUT, "the server did not answer");
	else
		waiter_fail(waiter, MAIL_ERROR_OFFLINE, "the server cannot be reached");
}

/* Known to be away: an answer now is worth more than one in twenty seconds. */
bool engine_away(Engine *engine, Waiter *waiter)
{
	switch (engine_state(engine)) {
	case ENGINE_OFFLINE:
		pool_demand(engine);
		fail_away(engine, waiter);
		return true;
	case ENGINE_REFUSED:
		pool_demand(engine);
		waiter_fail(waiter, MAIL_ERROR_AUTH, "the server refused the login");
		return true;
	case ENGINE_CONNECTING:
		if (engine->conns->len == 0 && !engine->retry)
			pool_connect(engine);
		pool_demand(engine);
		return false;
	case ENGINE_ONLINE:
		break;
	}
	return false;
}

/* A server that does not answer LOGOUT does not keep us. */
static gboolean stop_now(gpointer data)
{
	g_main_loop_quit(((Engine *)data)->loop);
	return G_SOURCE_REMOVE;
}

static void stop(Engine *engine)
{
	enum { LOGOUT_MS = 500 };
	engine->stopping = true;
	g_autoptr(GSource) source = g_timeout_source_new(LOGOUT_MS);
	g_source_set_callback(source, stop_now, engine, NULL);
	g_source_attach(source, engine->context);
	pool_stop(engine);
}

/* While the server is there what waits for it is done first, if it does not take too long. */
static void stop_settled(Engine *engine)
{
	if (!engine->closing || engine->stopping)
		return;
	if (changes_count(engine) == 0 || engine_state(engine) != ENGINE_ONLINE ||
		g_get_monotonic_time() >= engine->close_us)
		stop(engine);
}

void engine_close(Engine *engine)
{
	engine->closing = true;
	engine->close_us = g_get_monotonic_time() + engine->config.timeout_ms * 1000LL;
	engine->starter = NULL;
	g_autoptr(GError) error =
		g_error_new_literal(MAIL_ERROR, MAIL_ERROR_CANCELLED, "the mount ends");
	waiters_finish_all(engine, error);
	changes_hurry(engine);
	engine_pump(engine);
}

void engine_pump(Engine *engine)
{
	g_source_set_ready_time(engine->pump_source, 0);
}

/* Mailboxes that were pumped and have nothing to do are at rest until they are pumped again. */
static void settle_busy(Engine *engine)
{
	for (GList *l = engine->busy.head, *next; l; l = next) {
		next = l->next;
		sync_flush(l->data);
		if (!box_has_work(l->data))
			box_rest(l->data);
	}
}

static void serve_busy(Engine *engine, bool urgent)
{
	for (GList *l = engine->busy.head; l; l = l->next) {
		Box *box = l->data;
		if (!box_has_work(box) || box_is_urgent(box) != urgent)
			continue;
		Conn *conn = pool_conn(engine, box);
		if (!conn)
			continue;
		sync_dispatch(box, conn);
		search_dispatch(box, conn);
		change_dispatch(box, conn);
		attribute_dispatch(box, conn);
		flags_dispatch(box, conn);
		sizes_dispatch(box, conn);
		body_dispatch(box, conn);
	}
}

/* Sends what is queued for every mailbox, those first for which somebody waits. */
static gboolean pump(gpointer data)
{
	Engine *engine = data;
	g_source_set_ready_time(engine->pump_source, -1);
	pool_reap(engine);
	changes_pump(engine);
	stop_settled(engine);
	if (engine->stopping)
		return G_SOURCE_CONTINUE;
	if (engine_state(engine) == ENGINE_CONNECTING && engine->conns->len == 0 &&
		!engine->retry && engine->waiting.length > 0)
		pool_connect(engine);
	search_pump(engine);
	settle_busy(engine);
	if (pool_paused(engine))
		return G_SOURCE_CONTINUE;
	folder_pump(engine);
	append_dispatch(engine);
	list_pump(engine);
	serve_busy(engine, true);
	serve_busy(engine, false);
	return G_SOURCE_CONTINUE;
}

/* A source that is only ever woken by its ready time. */
static gboolean dispatch_ready(GSource *source, GSourceFunc callback, gpointer data)
{
	return callback(data);
}

GSource *engine_source(Engine *engine, GSourceFunc callback)
{
	static GSourceFuncs funcs = {.dispatch = dispatch_ready};
	GSource *source = g_source_new(&funcs, sizeof(GSource));
	g_source_set_callback(source, callback, engine, NULL);
	g_source_attach(source, engine->context);
	return source;
}

static gint64 clock_us(clockid_t clock)
{
	struct timespec time;
	clock_gettime(clock, &time);
	return time.tv_sec * G_USEC_PER_SEC + time.tv_nsec / 1000;
}

/* Whether the machine slept since the last call (CLOCK_MONOTONIC stands still then). */
static bool slept(Engine *engine)
{
	enum { JUMP_S = 2 };
	gint64 before = engine->slept_us;
	engine->slept_us = clock_us(CLOCK_BOOTTIME) - clock_us(CLOCK_MONOTONIC);
	return engine->slept_us - before >= JUMP_S * G_USEC_PER_SEC;
}

/* What time alone brings about. */
static gboolean tick(gpointer data)
{
	Engine *engine = data;
	gint64 now = g_get_monotonic_time();
	bool stuck = waiters_expire(engine, now);
	g_atomic_int_set(&engine->stuck, stuck);
	pool_break(engine, now);
	if (slept(engine)) {
		pool_resume(engine);
		push_probe(engine);
	}
	if (stuck)
		sync_cut_off(engine);
	if (!stuck && engine_state(engine) == ENGINE_ONLINE)
		sync_forget_shown(engine);
	pool_look(engine);
	push_age(engine, now);
	quota_age(engine, now);
	changes_age(engine, now);
	stop_settled(engine);
	if (engine->paused_us != 0 && (engine->busy.length > 0 || engine->list_due))
		engine_pump(engine);
	/* Who waited for one may have given up, or a connection be at rest. */
	if (engine->folders.length > 0)
		engine_pump(engine);
	status_publish(engine);
	return G_SOURCE_CONTINUE;
}

static void start_ticking(Engine *engine)
{
	enum { TICK_MS = 250 };
	slept(engine);
	engine->tick = g_timeout_source_new(TICK_MS);
	g_source_set_callback(engine->tick, tick, engine, NULL);
	g_source_attach(engine->tick, engine->context);
}

static gpointer run(gpointer data)
{
	Engine *engine = data;
	g_main_context_push_thread_default(engine->context);
	start_ticking(engine);
	g_main_loop_run(engine->loop);
	pool_stop_now(engine);
	/* What was cancelled, name lookups among it, ends in the context. */
	while (g_main_context_iteration(engine->context, FALSE))
		;
	g_main_context_pop_thread_default(engine->context);
	return NULL;
}

Engine *engine_new(
	const EngineConfig *config, Store *store, const EngineEvents *events, gpointer data)
{
	Engine *engine = g_new0(Engine, 1);
	engine->config = *config;
	engine->config.folders = g_strdup(config->folders);
	engine->store = store;
	engine->events = events;
	engine->data = data;
	engine->context = g_main_context_new();
	engine->loop = g_main_loop_new(engine->context, FALSE);
	engine->shown_unasked = imap_set_new();
	engine->covered = imap_set_new();
	inbox_init(engine);
	engine->pump_source = engine_source(engine, pump);
	engine->boxes = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)box_free);
	pool_init(engine);
	status_init(engine);
	engine->list_waiters = waiters_new();
	changes_init(engine);
	engine->thread = g_thread_new("engine", run, engine);
	return engine;
}

void engine_free_source(GSource *source)
{
	g_source_destroy(source);
	g_source_unref(source);
}

void engine_free(Engine *engine)
{
	if (!engine)
		return;
	inbox_stop(engine);
	g_thread_join(engine->thread);
	pool_free(engine);
	list_reset(engine);
	changes_free(engine);
	search_free_all(engine);
	g_queue_clear_full(&engine->folders, (GDestroyNotify)folder_free);
	g_ptr_array_unref(engine->list_waiters);
	g_hash_table_unref(engine->boxes);
	ahead_clear(engine);
	engine_free_source(engine->pump_source);
	engine_free_source(engine->tick);
	imap_set_free(engine->shown_unasked);
	imap_set_free(engine->covered);
	inbox_clear(engine);
	status_clear(engine);
	g_main_loop_unref(engine->loop);
	g_main_context_unref(engine->context);
	g_free((char *)engine->config.folders);
	g_free(engine->description);
	g_free(engine->tried_sum);
	g_free(engine->refused_sum);
	g_free(engine);
}
