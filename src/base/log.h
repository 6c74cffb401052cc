/* Logging through GLib's g_debug, g_info, g_message, g_warning. Library code logs at debug
 * only; whoever handles an error logs it once. */
#pragma once

#include <glib.h>

/* Where lines go: standard error while in the foreground, syslog afterwards. */
typedef enum { LOG_TO_STDERR, LOG_TO_SYSLOG } LogTarget;

/* Installs the writer; call before any thread starts. debug: also G_LOG_LEVEL_DEBUG lines. */
void log_init(LogTarget target, gboolean debug);

/* Switches the target after the program went to the background. Any thread. */
void log_retarget(LogTarget target);

/* Server text as it may be logged: control bytes, ANSI escapes and invalid UTF-8 become
 * \xNN; cut after max bytes of input, then it ends in "...". Returns a new string. Any thread. */
char *log_escape(const void *text, gsize len, gsize max);

/* A rate limit for lines that a server can cause at will. Static storage, any thread. */
typedef struct {
	gint64 window_start_us;
	guint count;
} LogLimit;

/* TRUE when one more line fits: at most 5 a minute. */
gboolean log_limit_ok(LogLimit *limit);
