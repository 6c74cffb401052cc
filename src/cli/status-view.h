/* The status of a mount as people read it. Pure. */
#pragma once

#include "base/json.h"

/* One fact a line, of some lines that go on below; folders come last. reader: `.imapfs/status`. New
 * string. */
char *status_view(const JsonReader *reader);
