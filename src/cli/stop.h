/* SIGTERM, SIGINT and SIGHUP end the program in an orderly way, whatever it does. */
#pragma once

#include <gio/gio.h>

/* Before any thread is started: no thread gets these signals from now on but one of our own, which
 * cancels the result. Lives as long as the program. */
GCancellable *stop_new(void);
