#include "cli/stop.h"

#include <pthread.h>
#include <signal.h>

static sigset_t stop_signals(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	return set;
}

static gpointer wait_for_signals(gpointer data)
{
	GCancellable *stop = data;
	sigset_t set = stop_signals();
	int signal_number;
	for (;;) {
		if (sigwait(&set, &signal_number) == 0)
			g_cancellable_cancel(stop);
	}
	return NULL;
}

GCancellable *stop_new(void)
{
	sigset_t set = stop_signals();
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	GCancellable *stop = g_cancellable_new();
	g_thread_unref(g_thread_new("stop", wait_for_signals, stop));
	return stop;
}
