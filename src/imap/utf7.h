/* Mailbox names on the wire and in Unicode: the modified UTF-7 of RFC 3501 section 5.1.3. Pure. */
#pragma once

#include <glib.h>

/* Decodes len bytes of modified UTF-7 to UTF-8. NULL when the name is not what an encoder
 * would have produced (lone '&', superfluous shift, lone surrogate, 8-bit byte, encoded
 * printable ASCII...): imap_utf7_encode(result) is always the input again. */
char *imap_utf7_decode(const char *name, gsize len);

/* Encodes valid UTF-8 as modified UTF-7. NULL when the input is not valid UTF-8. */
char *imap_utf7_encode(const char *utf8, gsize len);
