/* Named characters of HTML. Pure. */
#pragma once

#include <glib.h>

/* The character of "nbsp". 0: there is none. */
gunichar mime_entity(const char *name);
