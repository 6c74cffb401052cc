#include "fs/name.h"

#include <string.h>

#include "imap/utf7.h"

enum {
	HASH_DIGITS = 16,
	HASH_SUFFIX = 1 + HASH_DIGITS,
};

static const char *const reserved_names[] = {".imapfs", ".text", ".parts", ".search", ".names"};

static const char message_suffix[] = ".eml";

static bool is_reserved(const char *name)
{
	for (gsize i = 0; i < G_N_ELEMENTS(reserved_names); i++) {
		if (strcmp(name, reserved_names[i]) == 0)
			return true;
	}
	return false;
}

/* Wider than the names that messages have, so that 057.eml is not a directory beside 57.eml. */
static bool is_like_message(const char *name)
{
	gsize digits = strspn(name, "0123456789");
	return digits > 0 && strcmp(name + digits, message_suffix) == 0;
}

static bool ends_in_hash(const GString *name)
{
	if (name->len < HASH_SUFFIX || name->str[name->len - HASH_SUFFIX] != '~')
		return false;
	const char *digits = name->str + name->len - HASH_DIGITS;
	return strspn(digits, "0123456789abcdef") == HASH_DIGITS;
}

static void append_escaped(GString *to, const char *bytes, gsize len)
{
	for (gsize i = 0; i < len; i++)
		g_string_append_printf(to, "%%%02X", (guchar)bytes[i]);
}

static void escape_at(GString *name, gsize at)
{
	char escape[4];
	g_snprintf(escape, sizeof(escape), "%%%02X", (guchar)name->str[at]);
	g_string_erase(name, (gssize)at, 1);
	g_string_insert(name, (gssize)at, escape);
}

/* One character or, where the bytes are not UTF-8, one byte. Returns its length. */
static gsize append_character(GString *to, const char *bytes, gsize len)
{
	gunichar c = g_utf8_get_char_validated(bytes, (gssize)len);
	if (c == 0 || c >= (gunichar)-2) {
		append_escaped(to, bytes, 1);
		return 1;
	}
	gsize n = (gsize)g_unichar_to_utf8(c, NULL);
	if (c == '/' || c == '%' || g_unichar_iscntrl(c))
		append_escaped(to, bytes, n);
	else
		g_string_append_len(to, bytes, (gssize)n);
	return n;
}

static void escape_what_misleads(GString *name)
{
	if (strcmp(name->str, ".") == 0 || strcmp(name->str, "..") == 0 || is_reserved(name->str))
		escape_at(name, 0);
	if (is_like_message(name->str))
		escape_at(name, name->len - strlen(message_suffix));
	if (ends_in_hash(name))
		escape_at(name, name->len - HASH_SUFFIX);
}

/* Shortens to max bytes at most without cutting a character or an escape. */
static void cut(GString *name, gsize max)
{
	if (name->len <= max)
		return;
	gsize end = max;
	while (end > 0 && ((guchar)name->str[end] & 0xc0) == 0x80)
		end--;
	for (gsize back = 1; back <= 2 && back <= end; back++) {
		if (name->str[end - back] == '%') {
			end -= back;
			break;
		}
	}
	g_string_truncate(name, end);
}

static void append_hash(GString *name, const char *bytes, gsize len)
{
	g_autofree char *hash =
		g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)bytes, len);
	cut(name, NAME_MAX_BYTES - HASH_SUFFIX);
	g_string_append_c(name, '~');
	g_string_append_len(name, hash, HASH_DIGITS);
}

char *name_from_component(const char *bytes, gsize len)
{
	if (len == 0)
		return g_strdup("%");
	g_autofree char *decoded = imap_utf7_decode(bytes, len);
	const char *text = decoded ? decoded : bytes;
	gsize left = decoded ? strlen(decoded) : len;

	GString *name = g_string_sized_new(left);
	while (left > 0) {
		gsize n = append_character(name, text, left);
		text += n;
		left -= n;
	}
	if (!decoded)
		g_string_append_c(name, '%');
	escape_what_misleads(name);
	if (name->len > NAME_MAX_BYTES)
		append_hash(name, bytes, len);
	return g_string_free(name, FALSE);
}

char *name_distinct(const char *name, const char *bytes, gsize len)
{
	GString *distinct = g_string_new(name);
	append_hash(distinct, bytes, len);
	return g_string_free(distinct, FALSE);
}

void name_of_message(guint32 uid, char ret[static NAME_MESSAGE_BYTES])
{
	g_snprintf(ret, NAME_MESSAGE_BYTES, "%" G_GUINT32_FORMAT "%s", uid, message_suffix);
}

guint32 name_to_uid(const char *name)
{
	if (*name == '0')
		return 0;
	guint64 uid = 0;
	for (; g_ascii_isdigit(*name); name++) {
		uid = uid * 10 + (guint64)g_ascii_digit_value(*name);
		if (uid > G_MAXUINT32)
			return 0;
	}
	return strcmp(name, message_suffix) == 0 ? (guint32)uid : 0;
}
