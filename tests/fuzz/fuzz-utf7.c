/* A mailbox name has at most one Unicode form and comes back from it unchanged. */

#include "fuzz.h"

#include "imap/utf7.h"

#include <stdbool.h>
#include <string.h>

static bool is_same(const char *text, const char *bytes, size_t len)
{
	return text && strlen(text) == len && memcmp(text, bytes, len) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const char *input = (const char *)bytes;
	g_autofree char *decoded = imap_utf7_decode(input, len);
	g_autofree char *encoded = imap_utf7_encode(input, len);

	if (decoded) {
		g_autofree char *again = imap_utf7_encode(decoded, strlen(decoded));

		g_assert_true(g_utf8_validate(decoded, -1, NULL));
		g_assert_true(is_same(again, input, len));
	}
	if (encoded) {
		g_autofree char *again = imap_utf7_decode(encoded, strlen(encoded));

		g_assert_true(is_same(again, input, len));
	}
	return 0;
}
