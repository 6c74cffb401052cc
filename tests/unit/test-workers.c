#include "fs/workers.h"

#include <stdbool.h>

enum {
	MOST = 2,
	DEADLINE_US = 60 * G_USEC_PER_SEC,
};

static GMutex lock;
static GCond changed;
static bool held; /* lock: who was called waits */
static guint running, most_running; /* lock */
static GArray *taken; /* lock: of guint, in order */
static GThread *last; /* lock: who took one */
static bool no_threads;

GThread *__real_g_thread_try_new(const char *name, GThreadFunc fn, gpointer data, GError **error);
GThread *__wrap_g_thread_try_new(const char *name, GThreadFunc fn, gpointer data, GError **error);

GThread *__wrap_g_thread_try_new(const char *name, GThreadFunc fn, gpointer data, GError **error)
{
	return no_threads ? NULL : __real_g_thread_try_new(name, fn, data, error);
}

static void take(gpointer item)
{
	guint number = GPOINTER_TO_UINT(item);
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&lock);
	g_array_append_val(taken, number);
	last = g_thread_self();
	running++;
	most_running = MAX(most_running, running);
	g_cond_broadcast(&changed);
	while (held)
		g_cond_wait(&changed, &lock);
	running--;
}

static void wait_for_running(guint n)
{
	gint64 end = g_get_monotonic_time() + DEADLINE_US;
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&lock);
	while (running < n)
		g_assert_true(g_cond_wait_until(&changed, &lock, end));
}

static void hold(bool on)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&lock);
	held = on;
	g_cond_broadcast(&changed);
}

static void push(Workers *workers, guint from, guint n)
{
	for (guint i = from; i < from + n; i++)
		workers_push(workers, GUINT_TO_POINTER(i));
}

static void begin(void)
{
	g_clear_pointer(&taken, g_array_unref);
	taken = g_array_new(FALSE, FALSE, sizeof(guint));
	most_running = 0;
}

static void test_so_many_at_once(void)
{
	Workers *workers = workers_new(MOST, take);
	begin();
	hold(true);
	push(workers, 1, 3 * MOST);
	wait_for_running(MOST);
	hold(false);
	workers_free(workers);
	g_assert_cmpuint(taken->len, ==, 3 * MOST);
	g_assert_cmpuint(most_running, ==, MOST);
}

static void test_in_order_of_arrival(void)
{
	Workers *workers = workers_new(1, take);
	begin();
	hold(true);
	push(workers, 1, 5);
	wait_for_running(1);
	hold(false);
	workers_free(workers);
	g_assert_cmpuint(taken->len, ==, 5);
	for (guint i = 0; i < taken->len; i++)
		g_assert_cmpuint(g_array_index(taken, guint, i), ==, i + 1);
}

static void test_without_threads_by_the_caller(void)
{
	Workers *workers = workers_new(MOST, take);
	begin();
	no_threads = true;
	push(workers, 1, 1);
	no_threads = false;
	g_assert_true(last == g_thread_self());
	workers_free(workers);
}

static void test_nothing_to_do(void)
{
	workers_free(NULL);
	workers_free(workers_new(MOST, take));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/workers/so-many-at-once", test_so_many_at_once);
	g_test_add_func("/workers/in-order-of-arrival", test_in_order_of_arrival);
	g_test_add_func(
		"/workers/without-threads-by-the-caller", test_without_threads_by_the_caller);
	g_test_add_func("/workers/nothing-to-do", test_nothing_to_do);
	int result = g_test_run();
	g_clear_pointer(&taken, g_array_unref);
	return result;
}
