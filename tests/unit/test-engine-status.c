#include "engine/engine.h"
#include "store-fixture.h"

typedef struct {
	GMutex gate, lock;
	GCond changed;
	bool held; /* lock */
} Hold;

static void hold(const GError *error, gpointer data)
{
	Hold *at = data;

	g_mutex_lock(&at->lock);
	at->held = true;
	g_cond_signal(&at->changed);
	g_mutex_unlock(&at->lock);
	g_mutex_lock(&at->gate);
	g_mutex_unlock(&at->gate);
}

static void wait_until_held(Hold *at)
{
	g_mutex_lock(&at->lock);
	while (!at->held)
		g_cond_wait(&at->changed, &at->lock);
	g_mutex_unlock(&at->lock);
}

/* Whoever asks is answered while the engine thread does not come to it. */
static void test_stuck(void)
{
	static const EngineEvents none;
	EngineConfig config = {.connections = 1, .poll_s = 60, .timeout_ms = 1000};
	EngineStatus status = {.waiting = 7};
	Fixture f;
	Hold at = {.held = false};

	fixture_open(&f, false, 1 << 20, false);
	set_names(f.store, f.gen, "1", "");
	put_message(&f, 1, 10, 0);

	Engine *engine = engine_new(&config, f.store, &none, NULL);

	g_mutex_init(&at.gate);
	g_mutex_init(&at.lock);
	g_cond_init(&at.changed);
	g_mutex_lock(&at.gate);
	engine_attributes(engine, f.gen, 1, hold, &at);
	wait_until_held(&at);
	gint64 start = g_get_monotonic_time();
	engine_status(engine, &status);
	g_assert_cmpuint(status.waiting, <=, 1);
	g_assert_cmpint(g_get_monotonic_time() - start, >=, 50 * 1000);
	g_mutex_unlock(&at.gate);
	engine_free(engine);
	g_mutex_clear(&at.gate);
	g_mutex_clear(&at.lock);
	g_cond_clear(&at.changed);
	fixture_close(&f);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/engine-status/stuck", test_stuck);
	return g_test_run();
}
