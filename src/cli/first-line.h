/* The first line of a file or of a command's output, bounded in size and time and cancellable.
 * Blocks; any thread. What was read beyond the result is cleared from memory. */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

/* Reads until a line is whole or fd at its end; the line without its newline. MAIL_ERROR_AUTH when
 * it cannot be read, is empty, holds a NUL or is longer than LIMIT_SECRET; MAIL_ERROR_TIMEOUT,
 * MAIL_ERROR_CANCELLED. */
char *first_line_read(int fd, GCancellable *cancel, GError **error);

/* Runs `/bin/sh -c text` with nothing as its input. name is what messages call it. As
 * first_line_read(); also MAIL_ERROR_AUTH when it fails by itself within a second after its
 * line; one that goes on is ended, and the line is good. The command itself is in no message. */
char *first_line_of_command(
	const char *name, const char *text, GCancellable *cancel, GError **error);

/* Waits until fd can be read. false: error says why not. end: g_get_monotonic_time(), -1: never. */
bool first_line_wait(int fd, gint64 end, GCancellable *cancel, GError **error);
