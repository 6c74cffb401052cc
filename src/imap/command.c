#include "imap/command.h"

#include "base/limits.h"
#include "base/log.h"

#include <string.h>

typedef enum { PART_TEXT, PART_LITERAL } PartKind;

/* One argument as it goes out. Allocated once at its size: growing would leave copies of secrets.
 */
typedef struct {
	PartKind kind;
	bool secret;
	gsize len;
	char bytes[];
} Part;

struct ImapCommand {
	char *name;
	GPtrArray *parts;
	bool invalid;
};

static void part_free(gpointer data)
{
	Part *part = data;

	if (part->secret)
		explicit_bzero(part->bytes, part->len);
	g_free(part);
}

static Part *part_add(ImapCommand *command, PartKind kind, bool secret, gsize len)
{
	Part *part = g_malloc(sizeof(Part) + len);

	*part = (Part){.kind = kind, .secret = secret, .len = len};
	g_ptr_array_add(command->parts, part);
	return part;
}

static bool is_one_line(const char *text)
{
	return !strpbrk(text, "\r\n");
}

ImapCommand *imap_command_new(const char *name)
{
	ImapCommand *command = g_new0(ImapCommand, 1);

	g_assert(is_one_line(name));
	command->name = g_strdup(name);
	command->parts = g_ptr_array_new_with_free_func(part_free);
	return command;
}

void imap_command_free(ImapCommand *command)
{
	if (!command)
		return;
	g_free(command->name);
	g_ptr_array_unref(command->parts);
	g_free(command);
}

static void add_raw(ImapCommand *command, const char *text, bool secret)
{
	gsize len = strlen(text);

	g_assert(is_one_line(text));
	memcpy(part_add(command, PART_TEXT, secret, len)->bytes, text, len);
}

void imap_command_raw(ImapCommand *command, const char *text)
{
	add_raw(command, text, false);
}

void imap_command_secret_raw(ImapCommand *command, const char *text)
{
	add_raw(command, text, true);
}

void imap_command_rawf(ImapCommand *command, const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	add_raw(command, text, false);
}

typedef enum { FORM_ATOM, FORM_QUOTED, FORM_LITERAL, FORM_NONE } StringForm;

/* The narrowest form every server reads alike. Atoms are kept to the characters that no server
 * takes for syntax; quoted strings to printable ASCII and to a length that fits any line. */
static StringForm string_form(const char *bytes, gsize len)
{
	bool atom = len > 0 && !(len == 3 && g_ascii_strncasecmp(bytes, "NIL", 3) == 0);

	if (len > 0 && memchr(bytes, 0, len))
		return FORM_NONE;
	if (len > LIMIT_COMMAND_LINE / 2)
		return FORM_LITERAL;
	for (gsize i = 0; i < len; i++) {
		if (!g_ascii_isprint(bytes[i]))
			return FORM_LITERAL;
		atom = atom && (g_ascii_isalnum(bytes[i]) || strchr("._-@/", bytes[i]));
	}
	return atom ? FORM_ATOM : FORM_QUOTED;
}

static void add_quoted(ImapCommand *command, const char *bytes, gsize len, bool secret)
{
	gsize size = len + 2;
	char *p;

	for (gsize i = 0; i < len; i++)
		size += bytes[i] == '"' || bytes[i] == '\\';
	p = part_add(command, PART_TEXT, secret, size)->bytes;
	*p++ = '"';
	for (gsize i = 0; i < len; i++) {
		if (bytes[i] == '"' || bytes[i] == '\\')
			*p++ = '\\';
		*p++ = bytes[i];
	}
	*p = '"';
}

static void add_string(
	ImapCommand *command, const char *bytes, gsize len, StringForm form, bool secret)
{
	switch (form) {
	case FORM_ATOM:
		memcpy(part_add(command, PART_TEXT, secret, len)->bytes, bytes, len);
		break;
	case FORM_QUOTED:
		add_quoted(command, bytes, len, secret);
		break;
	case FORM_LITERAL:
		memcpy(part_add(command, PART_LITERAL, secret, len)->bytes, bytes, len);
		break;
	case FORM_NONE:
		command->invalid = true;
		break;
	}
}

void imap_command_string(ImapCommand *command, const char *bytes, gsize len)
{
	add_string(command, bytes, len, string_form(bytes, len), false);
}

void imap_command_secret_string(ImapCommand *command, const char *bytes, gsize len)
{
	add_string(command, bytes, len, string_form(bytes, len), true);
}

void imap_command_mailbox(ImapCommand *command, const char *bytes, gsize len)
{
	StringForm form = string_form(bytes, len);

	add_string(command, bytes, len, form == FORM_ATOM ? FORM_QUOTED : form, false);
}

bool imap_command_valid(const ImapCommand *command)
{
	return !command->invalid;
}

const char *imap_command_name(const ImapCommand *command)
{
	return command->name;
}

typedef struct {
	gsize len;
	char bytes[];
} Wiped;

static void wiped_free(gpointer data)
{
	Wiped *wiped = data;

	explicit_bzero(wiped->bytes, wiped->len);
	g_free(wiped);
}

/* Moves what was gathered into a piece and leaves nothing behind. */
static void push_piece(GPtrArray *pieces, GString *line)
{
	Wiped *wiped = g_malloc(sizeof(Wiped) + line->len);

	wiped->len = line->len;
	memcpy(wiped->bytes, line->str, line->len);
	g_ptr_array_add(
		pieces, g_bytes_new_with_free_func(wiped->bytes, wiped->len, wiped_free, wiped));
	explicit_bzero(line->str, line->len);
	g_string_truncate(line, 0);
}

/* RFC 7888 section 5: LITERAL- allows the non-synchronising form up to 4096 octets. */
static bool may_go_on(ImapLiteralMode mode, gsize len)
{
	return mode == IMAP_LITERAL_PLUS || (mode == IMAP_LITERAL_MINUS && len <= 4096);
}

/* No more than this is ever gathered, so the buffer never moves and leaves no copy behind. */
static gsize longest_line(const ImapCommand *command, const char *tag)
{
	enum { FRAMING = sizeof(" {18446744073709551615+}\r\n") };
	gsize size = strlen(tag) + strlen(command->name) + FRAMING;

	for (guint i = 0; i < command->parts->len; i++)
		size += ((const Part *)command->parts->pdata[i])->len + FRAMING;
	return size;
}

GPtrArray *imap_command_pieces(const ImapCommand *command, const char *tag, ImapLiteralMode mode)
{
	GPtrArray *pieces = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
	g_autoptr(GString) line = g_string_sized_new(longest_line(command, tag));

	g_assert(imap_command_valid(command) && is_one_line(tag));
	g_string_append_printf(line, "%s %s", tag, command->name);
	for (guint i = 0; i < command->parts->len; i++) {
		const Part *part = command->parts->pdata[i];

		g_string_append_c(line, ' ');
		if (part->kind == PART_LITERAL && may_go_on(mode, part->len)) {
			g_string_append_printf(line, "{%" G_GSIZE_FORMAT "+}\r\n", part->len);
		} else if (part->kind == PART_LITERAL) {
			g_string_append_printf(line, "{%" G_GSIZE_FORMAT "}\r\n", part->len);
			push_piece(pieces, line);
		}
		g_string_append_len(line, part->bytes, (gssize)part->len);
	}
	g_string_append(line, "\r\n");
	push_piece(pieces, line);
	return pieces;
}

char *imap_command_transcript(const ImapCommand *command, const char *tag)
{
	GString *out = g_string_new(NULL);

	g_string_append_printf(out, "%s %s", tag, command->name);
	for (guint i = 0; i < command->parts->len; i++) {
		const Part *part = command->parts->pdata[i];
		g_autofree char *shown = NULL;

		g_string_append_c(out, ' ');
		if (part->secret) {
			g_string_append(out, "<secret>");
			continue;
		}
		if (part->kind == PART_LITERAL)
			g_string_append_printf(out, "{%" G_GSIZE_FORMAT "}", part->len);
		shown = log_escape(part->bytes, part->len, LIMIT_COMMAND_LINE);
		g_string_append(out, shown);
	}
	return g_string_free(out, FALSE);
}
