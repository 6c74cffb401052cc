#include "base/fault.h"

#include <signal.h>
#include <unistd.h>

static gint fatal_pass(void)
{
	static gsize known;
	static gint pass;

	if (g_once_init_enter(&known)) {
		const char *text = g_getenv("IMAPFS_FAULT_AT");

		pass = text ? (gint)g_ascii_strtoll(text, NULL, 10) : 0;
		g_once_init_leave(&known, 1);
	}
	return pass;
}

void fault_point(void)
{
	static gint passes; /* atomic */

	if (g_atomic_int_add(&passes, 1) + 1 == fatal_pass())
		kill(getpid(), SIGKILL);
}
