/* What other threads may know of the account; none waits for an engine that is stuck. */
#include "engine/private.h"

void status_init(Engine *engine)
{
	g_mutex_init(&engine->status_lock);
	g_cond_init(&engine->status_changed);
	engine->totals.since_us = g_get_real_time();
	engine->status = engine->totals;
}

void status_clear(Engine *engine)
{
	g_cond_clear(&engine->status_changed);
	g_mutex_clear(&engine->status_lock);
}

static void add_traffic(SessionTraffic *sum, SessionTraffic more)
{
	sum->received += more.received;
	sum->sent += more.sent;
	sum->commands += more.commands;
}

void status_conn_over(Engine *engine, const Conn *conn)
{
	add_traffic(&engine->totals.traffic, session_traffic(conn->session));
}

/* Of the bodies that are on the way. */
static guint64 bytes_to_come(const Conn *conn)
{
	return conn->bytes_flying - MIN(body_arrived(conn), conn->bytes_flying);
}

static EngineConnection connection(const Conn *conn)
{
	return (EngineConnection){
		.ready = conn->ready,
		.mailbox = conn->box ? conn->box->id : 0,
		.idle = session_idle_time(conn->session) != 0,
		.commands = session_pending(conn->session),
		.fetching = conn->wants_flying,
		.fetching_bytes = bytes_to_come(conn),
		.traffic = session_traffic(conn->session),
		.moved_us = session_progress_time(conn->session),
	};
}

static EngineStatus present(const Engine *engine)
{
	EngineStatus now = engine->totals;
	const Waiter *oldest = engine->waiting.head ? engine->waiting.head->data : NULL;
	now.state = (EngineState)g_atomic_int_get(&engine->state);
	now.changes = changes_count(engine);
	now.waiting = engine->waiting.length;
	now.oldest_us = oldest ? oldest->since_us : 0;
	now.failures = engine->attempts;
	now.retry_us = engine->retry ? g_source_get_ready_time(engine->retry) : 0;
	for (guint i = 0; i < engine->conns->len && i < ENGINE_CONNECTIONS; i++) {
		EngineConnection *one = &now.connections[now.n_connections++];
		*one = connection(g_ptr_array_index(engine->conns, i));
		add_traffic(&now.traffic, one->traffic);
	}
	return now;
}

void status_publish(Engine *engine)
{
	EngineStatus now = present(engine);
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&engine->status_lock);
	engine->status = now;
	engine->published++;
	g_cond_broadcast(&engine->status_changed);
}

static guint published(Engine *engine)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&engine->status_lock);
	return engine->published;
}

void engine_status(Engine *engine, EngineStatus *ret)
{
	enum { PATIENCE_US = 50 * 1000 };
	guint before = published(engine);
	engine_ask_status(engine);
	gint64 until = g_get_monotonic_time() + PATIENCE_US;
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&engine->status_lock);
	while (engine->published == before &&
		g_cond_wait_until(&engine->status_changed, &engine->status_lock, until))
		;
	*ret = engine->status;
}

void engine_set_state(Engine *engine, EngineState state, const GError *why)
{
	EngineStatus *totals = &engine->totals;
	bool changed = engine_state(engine) != state;
	if (why) {
		g_strlcpy(totals->reason, why->message, sizeof(totals->reason));
		totals->reason_us = g_get_real_time();
	}
	if (changed)
		totals->since_us = g_get_real_time();
	g_atomic_int_set(&engine->state, (gint)state);
	status_publish(engine);
	if (changed)
		engine->events->state_changed(state, why, engine->data);
}
