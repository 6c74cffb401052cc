/* File names of parts, from what strangers call them. Internal to mime/. */
#pragma once

#include <glib.h>

/* The name of a part: its section, then `-` and the name that it was given, or the extension of its
 * type: "2-report.pdf", "1.1.txt". given: UTF-8; NULL or nothing usable: it has none. At most 255
 * bytes. New string. */
char *mime_part_name(const char *section, const char *type, const char *given);
