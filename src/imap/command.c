#include "imap/command.h"

#include "base/limits.h"
#include "base/log.h"

#include <string.h>

typedef enum { PART_TEXT, PART_LITERAL, PART_OPEN, PART_CLOSE } PartKind;

/* One argument as it goes out. Allocated once at its size: growing would leave copies of secrets.
 */
typedef struct {
	PartKind kind;
	bool secret;
	bool binary; /* literal8 */
	GBytes *message; /* the octets of a literal that is not copied here, or NULL */
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
	g_clear_pointer(&part->message, g_bytes_unref);
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

void imap_command_open(ImapCommand *command)
{
	*part_add(command, PART_OPEN, false, 1)->bytes = '(';
}

void imap_command_close(ImapCommand *command)
{
	*part_add(command, PART_CLOSE, false, 1)->bytes = ')';
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

void imap_command_literal(ImapCommand *command, GBytes *bytes, bool binary)
{
	gsize len;
	const char *data = g_bytes_get_data(bytes, &len);
	Part *part = part_add(command, PART_LITERAL, false, 0);

	part->binary = binary;
	part->message = g_bytes_ref(bytes);
	/* RFC 3501 section 9: CHAR8 is any OCTET except NUL. */
	if (!binary && len > 0 && memchr(data, 0, len))
		command->invalid = true;
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

/* The pieces so far, and what is to become the next. */
typedef struct {
	GArray *pieces;
	GString *line;
	bool waits; /* the next one waits for "+" */
} Gather;

static void piece_clear(gpointer data)
{
	g_bytes_unref(((ImapPiece *)data)->bytes);
}

/* Takes bytes. */
static void add_piece(Gather *to, GBytes *bytes)
{
	ImapPiece piece = {bytes, to->waits};

	g_array_append_val(to->pieces, piece);
	to->waits = false;
}

/* Moves what was gathered into a piece and leaves nothing behind. */
static void end_piece(Gather *to)
{
	GString *line = to->line;
	Wiped *wiped = g_malloc(sizeof(Wiped) + line->len);

	wiped->len = line->len;
	memcpy(wiped->bytes, line->str, line->len);
	add_piece(to, g_bytes_new_with_free_func(wiped->bytes, wiped->len, wiped_free, wiped));
	explicit_bzero(line->str, line->len);
	g_string_truncate(line, 0);
}

static gsize literal_len(const Part *part)
{
	return part->message ? g_bytes_get_size(part->message) : part->len;
}

/* RFC 7888 section 5 allows LITERAL- so many octets. LITERAL+ has no bound, but what waits can be
 * refused before it is uploaded. Of literal8, IMAP4rev2 has only the form that waits (RFC 9051
 * section 9). */
static bool may_go_on(const Part *part)
{
	enum { LITERAL_MINUS_OCTETS = 4096 };

	return !part->binary && literal_len(part) <= LITERAL_MINUS_OCTETS;
}

static void begin_literal(Gather *to, const Part *part, bool at_once)
{
	bool goes_on = at_once && may_go_on(part);

	g_string_append_printf(to->line, "%s{%" G_GSIZE_FORMAT "%s}\r\n", part->binary ? "~" : "",
		literal_len(part), goes_on ? "+" : "");
	if (goes_on && !part->message)
		return;
	end_piece(to);
	to->waits = !goes_on;
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

/* The parts are separated by a space, but for what a parenthesis holds together. */
static void add_space(GString *line, const ImapCommand *command, guint i)
{
	const Part *part = command->parts->pdata[i];
	const Part *before = i > 0 ? command->parts->pdata[i - 1] : NULL;

	if (part->kind != PART_CLOSE && !(before && before->kind == PART_OPEN))
		g_string_append_c(line, ' ');
}

GArray *imap_command_pieces(const ImapCommand *command, const char *tag, bool at_once)
{
	g_autoptr(GString) line = g_string_sized_new(longest_line(command, tag));
	Gather to = {.pieces = g_array_new(FALSE, FALSE, sizeof(ImapPiece)), .line = line};

	g_assert(imap_command_valid(command) && is_one_line(tag));
	g_array_set_clear_func(to.pieces, piece_clear);
	g_string_append_printf(line, "%s %s", tag, command->name);
	for (guint i = 0; i < command->parts->len; i++) {
		const Part *part = command->parts->pdata[i];

		add_space(line, command, i);
		if (part->kind == PART_LITERAL)
			begin_literal(&to, part, at_once);
		if (part->message)
			add_piece(&to, g_bytes_ref(part->message));
		g_string_append_len(line, part->bytes, (gssize)part->len);
	}
	g_string_append(line, "\r\n");
	end_piece(&to);
	return to.pieces;
}

char *imap_command_transcript(const ImapCommand *command, const char *tag)
{
	GString *out = g_string_new(NULL);

	g_string_append_printf(out, "%s %s", tag, command->name);
	for (guint i = 0; i < command->parts->len; i++) {
		const Part *part = command->parts->pdata[i];
		g_autofree char *shown = NULL;

		add_space(out, command, i);
		if (part->secret) {
			g_string_append(out, "<secret>");
			continue;
		}
		if (part->kind == PART_LITERAL)
			g_string_append_printf(out, "%s{%" G_GSIZE_FORMAT "}",
				part->binary ? "~" : "", literal_len(part));
		shown = log_escape(part->bytes, part->len, LIMIT_COMMAND_LINE);
		g_string_append(out, shown);
	}
	return g_string_free(out, FALSE);
}
