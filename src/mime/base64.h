/* The digits of base64 (RFC 2045 section 6.8). */
#pragma once

#include <glib.h>

/* What is no digit; all of them are above 63. */
enum { BASE64_PAD = 64, BASE64_LINE_END, BASE64_BLANK, BASE64_FOREIGN };

/* The value of a digit, or what else it is. */
static inline guint base64_value(char c)
{
	if (c >= 'a' && c <= 'z')
		return (guint)(c - 'a') + 26;
	if (c >= 'A' && c <= 'Z')
		return (guint)(c - 'A');
	if (c >= '0' && c <= '9')
		return (guint)(c - '0') + 52;
	switch (c) {
	case '+':
		return 62;
	case '/':
		return 63;
	case '=':
		return BASE64_PAD;
	case '\r':
	case '\n':
		return BASE64_LINE_END;
	case ' ':
	case '\t':
		return BASE64_BLANK;
	default:
		return BASE64_FOREIGN;
	}
}

/* Puts the three bytes of four digits. */
static inline void base64_put(guint32 bits, char *ret)
{
	ret[0] = (char)(bits >> 16);
	ret[1] = (char)(bits >> 8);
	ret[2] = (char)bits;
}
