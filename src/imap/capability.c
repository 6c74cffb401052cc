#include "imap/parser.h"

#include "base/limits.h"

#include <string.h>

static const char *const names[IMAP_CAP_COUNT_] = {
	[IMAP_CAP_IMAP4REV1] = "IMAP4rev1",
	[IMAP_CAP_IMAP4REV2] = "IMAP4rev2",
	[IMAP_CAP_STARTTLS] = "STARTTLS",
	[IMAP_CAP_LOGINDISABLED] = "LOGINDISABLED",
	[IMAP_CAP_SASL_IR] = "SASL-IR",
	[IMAP_CAP_ID] = "ID",
	[IMAP_CAP_ENABLE] = "ENABLE",
	[IMAP_CAP_IDLE] = "IDLE",
	[IMAP_CAP_NAMESPACE] = "NAMESPACE",
	[IMAP_CAP_LITERAL_PLUS] = "LITERAL+",
	[IMAP_CAP_LITERAL_MINUS] = "LITERAL-",
	[IMAP_CAP_UIDPLUS] = "UIDPLUS",
	[IMAP_CAP_UNSELECT] = "UNSELECT",
	[IMAP_CAP_MOVE] = "MOVE",
	[IMAP_CAP_CONDSTORE] = "CONDSTORE",
	[IMAP_CAP_QRESYNC] = "QRESYNC",
	[IMAP_CAP_ESEARCH] = "ESEARCH",
	[IMAP_CAP_SEARCHRES] = "SEARCHRES",
	[IMAP_CAP_LIST_EXTENDED] = "LIST-EXTENDED",
	[IMAP_CAP_LIST_STATUS] = "LIST-STATUS",
	[IMAP_CAP_SPECIAL_USE] = "SPECIAL-USE",
	[IMAP_CAP_CREATE_SPECIAL_USE] = "CREATE-SPECIAL-USE",
	[IMAP_CAP_CHILDREN] = "CHILDREN",
	[IMAP_CAP_NOTIFY] = "NOTIFY",
	[IMAP_CAP_BINARY] = "BINARY",
	[IMAP_CAP_REPLACE] = "REPLACE",
	[IMAP_CAP_QUOTA] = "QUOTA",
	[IMAP_CAP_ACL] = "ACL",
	[IMAP_CAP_COMPRESS_DEFLATE] = "COMPRESS=DEFLATE",
	[IMAP_CAP_UTF8_ACCEPT] = "UTF8=ACCEPT",
	[IMAP_CAP_OBJECTID] = "OBJECTID",
	[IMAP_CAP_STATUS_SIZE] = "STATUS=SIZE",
	[IMAP_CAP_PARTIAL] = "PARTIAL",
	[IMAP_CAP_MULTISEARCH] = "MULTISEARCH",
};

G_STATIC_ASSERT(IMAP_CAP_COUNT_ <= 64);

static bool is_name(const char *name, const char *word, gsize len)
{
	return strlen(name) == len && g_ascii_strncasecmp(name, word, len) == 0;
}

ImapCap imap_cap_from_name(const char *word, gsize len)
{
	for (guint cap = 0; cap < IMAP_CAP_COUNT_; cap++) {
		if (is_name(names[cap], word, len))
			return (ImapCap)cap;
	}
	/* RFC 6855 section 4: UTF8=ONLY implies UTF8=ACCEPT and is announced in its place. */
	return is_name("UTF8=ONLY", word, len) ? IMAP_CAP_UTF8_ACCEPT : IMAP_CAP_COUNT_;
}

const char *imap_cap_name(ImapCap cap)
{
	return names[cap];
}

/* What follows "NAME=" in word. */
static bool has_prefix(ImapBytes word, const char *prefix, ImapBytes *ret_value)
{
	gsize len = strlen(prefix);

	if (word.len <= len || g_ascii_strncasecmp(word.data, prefix, len) != 0)
		return false;
	*ret_value = (ImapBytes){word.data + len, word.len - len};
	return true;
}

static void add_mech(ImapParser *parser, ImapBytes name)
{
	GPtrArray *mechs = parser->mechs;
	char *upper;

	if (mechs->len > LIMIT_LIST_ITEMS)
		return;
	upper = g_string_chunk_insert_len(parser->strings, name.data, (gssize)name.len);
	for (char *p = upper; *p; p++)
		*p = g_ascii_toupper(*p);
	mechs->pdata[mechs->len - 1] = upper;
	g_ptr_array_add(mechs, NULL);
}

static void add_capability(ImapParser *parser, ImapCapabilities *caps, ImapBytes word)
{
	ImapCap cap = imap_cap_from_name(word.data, word.len);
	ImapBytes value;

	if (cap != IMAP_CAP_COUNT_)
		caps->caps |= IMAP_CAP_BIT(cap);
	else if (has_prefix(word, "AUTH=", &value))
		add_mech(parser, value);
	else if (has_prefix(word, "APPENDLIMIT=", &value))
		imap_bytes_to_number(value, G_MAXINT64, &caps->append_limit);
}

bool imap_parse_capabilities(ImapParser *parser, ImapLexer *lexer)
{
	ImapCapabilities *caps = &parser->response.caps;
	ImapBytes word;

	do {
		while (imap_lex_word(lexer, ']', &word))
			add_capability(parser, caps, word);
	} while (imap_lex_char(lexer, '(') || imap_lex_char(lexer, ')'));
	caps->mechs = (const char *const *)parser->mechs->pdata;
	return true;
}
