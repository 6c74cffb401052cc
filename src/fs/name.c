#include "fs/name.h"

#include <string.h>

#include "fs/view.h"
#include "imap/utf7.h"

enum {
	HASH_DIGITS = 16,
	HASH_SUFFIX = 1 + HASH_DIGITS,

	/* Leaves room for ':' and the name of a message. */
	PATH_MAX_BYTES = NAME_MAX_BYTES - NAME_MESSAGE_BYTES,

	/* Of name_numbered(): what counts as the end of a name that tells its kind, with its `.`,
	 * and " (4294967295)" with its NUL. */
	SUFFIX_MAX = 16,
	ADDED_MAX = 14,
};

static const char message_suffix[] = ".eml";

static bool is_reserved(const char *name)
{
	ViewKind kind;
	return strcmp(name, OWN_NAME) == 0 || view_find(name, &kind);
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

/* Behind as much of the name as leaves it max bytes. */
static void append_hash(GString *name, const char *bytes, gsize len, gsize max)
{
	g_autofree char *hash =
		g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)bytes, len);
	cut(name, max - HASH_SUFFIX);
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
		append_hash(name, bytes, len, NAME_MAX_BYTES);
	return g_string_free(name, FALSE);
}

char *name_of_path(const char *path)
{
	GString *name = g_string_new(NULL);
	gsize len = strlen(path);
	for (gsize at = 0; at < len;)
		at += append_character(name, path + at, len - at);
	if (ends_in_hash(name))
		escape_at(name, name->len - HASH_SUFFIX);
	if (name->len > PATH_MAX_BYTES)
		append_hash(name, path, len, PATH_MAX_BYTES);
	return g_string_free(name, FALSE);
}

/* The bytes that %XX stand for; NULL: a `%` is none of those. */
static char *unescape(const char *name)
{
	g_autoptr(GString) text = g_string_new(NULL);
	for (const char *at = name; *at; at++) {
		if (*at != '%') {
			g_string_append_c(text, *at);
			continue;
		}
		if (!g_ascii_isxdigit(at[1]) || !g_ascii_isxdigit(at[2]))
			return NULL;
		g_string_append_c(text,
			(char)(g_ascii_xdigit_value(at[1]) * 16 + g_ascii_xdigit_value(at[2])));
		at += 2;
	}
	/* A mailbox name has no NUL. */
	if (strlen(text->str) != text->len)
		return NULL;
	return g_strdup(text->str);
}

char *name_to_component(const char *name, char delimiter)
{
	g_autofree char *text = unescape(name);
	g_autofree char *component = text ? imap_utf7_encode(text, strlen(text)) : NULL;
	if (!component || *component == '\0')
		return NULL;
	if (delimiter != '\0' && strchr(component, delimiter))
		return NULL;
	g_autofree char *back = name_from_component(component, strlen(component));
	return strcmp(back, name) == 0 ? g_steal_pointer(&component) : NULL;
}

bool name_is_scratch(const char *name)
{
	enum { SED_LENGTH = 3 + 6 };
	gsize len = strlen(name);
	if (len == 0)
		return false;
	if (name[0] == '.' || name[len - 1] == '~')
		return true;
	if (len > 2 && name[0] == '#' && name[len - 1] == '#')
		return true;
	if (len != SED_LENGTH || !g_str_has_prefix(name, "sed"))
		return false;
	for (gsize i = 3; i < len; i++)
		if (!g_ascii_isalnum(name[i]))
			return false;
	return true;
}

char *name_numbered(const char *name, guint number)
{
	const char *suffix = strrchr(name, '.');
	if (!suffix || suffix == name || strlen(suffix) > SUFFIX_MAX)
		suffix = name + strlen(name);
	char added[ADDED_MAX];
	g_snprintf(added, sizeof(added), " (%u)", number);
	GString *numbered = g_string_new_len(name, suffix - name);
	cut(numbered, NAME_MAX_BYTES - strlen(added) - strlen(suffix));
	g_string_append(numbered, added);
	g_string_append(numbered, suffix);
	return g_string_free(numbered, FALSE);
}

char *name_distinct(const char *name, const char *bytes, gsize len)
{
	GString *distinct = g_string_new(name);
	append_hash(distinct, bytes, len, NAME_MAX_BYTES);
	return g_string_free(distinct, FALSE);
}

void name_of_message(guint32 uid, char ret[static NAME_MESSAGE_BYTES])
{
	name_by_uid(uid, message_suffix, ret);
}

void name_by_uid(guint32 uid, const char *suffix, char ret[static NAME_MESSAGE_BYTES])
{
	g_snprintf(ret, NAME_MESSAGE_BYTES, "%" G_GUINT32_FORMAT "%s", uid, suffix);
}

guint32 name_to_uid(const char *name)
{
	return name_to_uid_by(name, message_suffix);
}

guint32 name_to_uid_by(const char *name, const char *suffix)
{
	if (*name == '0')
		return 0;
	guint64 uid = 0;
	for (; g_ascii_isdigit(*name); name++) {
		uid = uid * 10 + (guint64)g_ascii_digit_value(*name);
		if (uid > G_MAXUINT32)
			return 0;
	}
	return strcmp(name, suffix) == 0 ? (guint32)uid : 0;
}
