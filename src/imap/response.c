#include "imap/parser.h"

static const char *const no_strings[] = {NULL};

ImapParser *imap_parser_new(void)
{
	ImapParser *parser = g_new0(ImapParser, 1);

	parser->strings = g_string_chunk_new(512);
	parser->keywords = g_ptr_array_new();
	parser->mechs = g_ptr_array_new();
	parser->bodies = g_array_new(FALSE, FALSE, sizeof(ImapBody));
	parser->sizes = g_array_new(FALSE, FALSE, sizeof(ImapBodySize));
	parser->namespaces = g_array_new(FALSE, FALSE, sizeof(ImapNamespace));
	parser->roots = g_array_new(FALSE, FALSE, sizeof(ImapBytes));
	parser->sets = g_ptr_array_new_with_free_func((GDestroyNotify)imap_set_free);
	parser->empty = imap_set_new();
	return parser;
}

void imap_parser_free(ImapParser *parser)
{
	if (!parser)
		return;
	g_string_chunk_free(parser->strings);
	g_ptr_array_unref(parser->keywords);
	g_ptr_array_unref(parser->mechs);
	g_array_unref(parser->bodies);
	g_array_unref(parser->sizes);
	g_array_unref(parser->namespaces);
	g_array_unref(parser->roots);
	g_ptr_array_unref(parser->sets);
	imap_set_free(parser->empty);
	g_free(parser);
}

const ImapSet *imap_parser_keep_set(ImapParser *parser, ImapSet *set)
{
	g_ptr_array_add(parser->sets, set);
	return set;
}

static void reset(ImapParser *parser)
{
	g_string_chunk_clear(parser->strings);
	g_ptr_array_set_size(parser->keywords, 0);
	g_ptr_array_set_size(parser->mechs, 0);
	g_ptr_array_add(parser->mechs, NULL);
	g_array_set_size(parser->bodies, 0);
	g_array_set_size(parser->sizes, 0);
	g_array_set_size(parser->namespaces, 0);
	g_array_set_size(parser->roots, 0);
	g_ptr_array_set_size(parser->sets, 0);
	parser->response = (ImapResponse){
		.kind = IMAP_RESPONSE_OTHER,
		.caps.mechs = no_strings,
		.flags.keywords = no_strings,
		.fetch.flags.keywords = no_strings,
		.search.all = parser->empty,
		.vanished = parser->empty,
	};
}

/* resp-cond-state, resp-cond-auth, resp-cond-bye */
static bool read_condition(ImapParser *parser, ImapLexer *lexer)
{
	static const char *const names[] = {
		[IMAP_STATUS_OK] = "OK",
		[IMAP_STATUS_NO] = "NO",
		[IMAP_STATUS_BAD] = "BAD",
		[IMAP_STATUS_PREAUTH] = "PREAUTH",
		[IMAP_STATUS_BYE] = "BYE",
	};

	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		if (imap_lex_keyword(lexer, names[i]))
			return imap_parse_status(parser, lexer, (ImapStatusKind)i);
	}
	return false;
}

static bool read_flags(ImapParser *parser, ImapLexer *lexer)
{
	return imap_parse_flags(parser, lexer, &parser->response.flags);
}

/* "*" SP keyword ... */
static const struct {
	const char *name;
	ImapResponseKind kind;
	bool (*parse)(ImapParser *parser, ImapLexer *lexer);
} data_responses[] = {
	{"LIST", IMAP_RESPONSE_LIST, imap_parse_list},
	{"LSUB", IMAP_RESPONSE_LIST, imap_parse_list},
	{"STATUS", IMAP_RESPONSE_MAILBOX_STATUS, imap_parse_mailbox_status},
	{"SEARCH", IMAP_RESPONSE_SEARCH, imap_parse_search},
	{"ESEARCH", IMAP_RESPONSE_SEARCH, imap_parse_esearch},
	{"VANISHED", IMAP_RESPONSE_VANISHED, imap_parse_vanished},
	{"FLAGS", IMAP_RESPONSE_FLAGS, read_flags},
	{"CAPABILITY", IMAP_RESPONSE_CAPABILITY, imap_parse_capabilities},
	{"ENABLED", IMAP_RESPONSE_ENABLED, imap_parse_capabilities},
	{"NAMESPACE", IMAP_RESPONSE_NAMESPACE, imap_parse_namespaces},
	{"QUOTA", IMAP_RESPONSE_QUOTA, imap_parse_quota},
	{"QUOTAROOT", IMAP_RESPONSE_QUOTAROOT, imap_parse_quota_root},
	{"MYRIGHTS", IMAP_RESPONSE_MYRIGHTS, imap_parse_rights},
};

/* "*" SP number SP keyword */
static const struct {
	const char *name;
	ImapResponseKind kind;
} number_responses[] = {
	{"EXISTS", IMAP_RESPONSE_EXISTS},
	{"RECENT", IMAP_RESPONSE_RECENT},
	{"EXPUNGE", IMAP_RESPONSE_EXPUNGE},
};

static ImapResponseKind read_numbered(ImapParser *parser, ImapLexer *lexer, guint32 number)
{
	if (imap_lex_keyword(lexer, "FETCH"))
		return imap_parse_fetch(parser, lexer, number) ? IMAP_RESPONSE_FETCH
							       : IMAP_RESPONSE_OTHER;
	for (guint i = 0; i < G_N_ELEMENTS(number_responses); i++) {
		if (imap_lex_keyword(lexer, number_responses[i].name)) {
			parser->response.number = number;
			return number_responses[i].kind;
		}
	}
	return IMAP_RESPONSE_OTHER;
}

static ImapResponseKind read_untagged(ImapParser *parser, ImapLexer *lexer)
{
	guint64 number;

	if (imap_lex_number(lexer, G_MAXUINT32, &number))
		return read_numbered(parser, lexer, (guint32)number);
	if (read_condition(parser, lexer))
		return IMAP_RESPONSE_STATUS;
	for (guint i = 0; i < G_N_ELEMENTS(data_responses); i++) {
		if (imap_lex_keyword(lexer, data_responses[i].name))
			return data_responses[i].parse(parser, lexer) ? data_responses[i].kind
								      : IMAP_RESPONSE_OTHER;
	}
	return IMAP_RESPONSE_OTHER;
}

const ImapResponse *imap_parser_parse(ImapParser *parser, const ImapFrame *frame)
{
	ImapResponse *response = &parser->response;
	ImapLexer lexer;

	reset(parser);
	imap_lex_init(&lexer, frame, parser->strings);
	if (imap_lex_char(&lexer, '+')) {
		response->kind = IMAP_RESPONSE_CONTINUATION;
		response->text = imap_lex_rest(&lexer);
	} else if (imap_lex_keyword(&lexer, "*")) {
		response->kind = read_untagged(parser, &lexer);
	} else if (imap_lex_word(&lexer, IMAP_LEX_NO_STOP, &response->tag)) {
		if (read_condition(parser, &lexer))
			response->kind = IMAP_RESPONSE_TAGGED;
	}
	return response;
}
