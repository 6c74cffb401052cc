/* What is known of charsets. Pure. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* The character of a byte in windows-1252; U+FFFD: it has none. */
gunichar charset_windows(guchar byte);

/* Whether its units are longer than a byte: then text has NULs. charset: as declared, or NULL. */
bool charset_is_wide(const char *charset);
