/* Transfer encodings of RFC 2045 section 6, and uuencode. Pure. */
#pragma once

#include "mime/tree.h"

/* Undoes one. NULL: there is none, or the octets are not in it, and are to be taken as they are.
 * Never longer than the octets. keep_rest: what follows the end of the encoded data, the footer of
 * a mailing list, is kept, as it is. New; not terminated. */
char *mime_transfer_decode(
	MimeEncoding encoding, const char *octets, gsize len, bool keep_rest, gsize *ret_len);
