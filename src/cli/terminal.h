/* Asking the user at the controlling terminal. */
#pragma once

#include <gio/gio.h>

/* Shows prompt and reads a line without echo; the terminal is as before afterwards, also when
 * cancelled. Blocks until there is a line. MAIL_ERROR_AUTH when there is no terminal or no line.
 * The result is for the caller to clear. */
char *terminal_ask(const char *prompt, GCancellable *cancel, GError **error);
