#include "fs/subject.h"

#include <stdbool.h>
#include <string.h>

#include "fs/name.h"

enum {
	/* A sender is told from others by less, and the subject has the rest. */
	SENDER_MAX_BYTES = 80,

	/* "YYYY-MM-DD", and " [4294967295].eml", each with its NUL. */
	DAY_BYTES = 11,
	END_BYTES = 18,
};

static const char suffix[] = ".eml";

/* Characters that are not seen and change how others look (Unicode UAX #9: bidirectional marks,
 * embeddings, overrides, isolates), or could make two names look equal. */
static bool is_deceptive(gunichar c)
{
	return c == 0x061c || (c >= 0x200e && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069) || c == 0x200b || c == 0x2060 || c == 0xfeff;
}

/* Leaves room for nothing but whole characters, and no blank at the end. */
static void cut(GString *text, gsize max)
{
	if (text->len > max)
		g_string_truncate(text,
			(gsize)(g_utf8_find_prev_char(text->str, text->str + max + 1) - text->str));
	while (text->len > 0 && text->str[text->len - 1] == ' ')
		g_string_truncate(text, text->len - 1);
}

/* One line without blanks around it, of at most max bytes. */
static GString *clean(const char *text, gsize max)
{
	g_autofree char *valid = g_utf8_make_valid(text, -1);
	GString *line = g_string_new(NULL);
	for (const char *at = valid; *at; at = g_utf8_next_char(at)) {
		gunichar c = g_utf8_get_char(at);
		if (is_deceptive(c))
			continue;
		if (c == '/')
			g_string_append_c(line, '-');
		else if (!g_unichar_isspace(c) && !g_unichar_iscntrl(c))
			g_string_append_unichar(line, c);
		else if (line->len > 0 && line->str[line->len - 1] != ' ')
			g_string_append_c(line, ' ');
		if (line->len > max)
			break;
	}
	cut(line, max);
	return line;
}

static char *behind_uid(const MimeFields *fields, guint32 uid)
{
	char own[NAME_MESSAGE_BYTES];
	name_of_message(uid, own);
	gsize digits = strlen(own) - strlen(suffix);
	GString *subject = clean(fields->subject, NAME_MAX_BYTES - strlen(own) - 1);
	if (subject->len > 0)
		g_string_prepend_c(subject, ' ');
	g_string_prepend_len(subject, own, (gssize)digits);
	g_string_append(subject, suffix);
	return g_string_free(subject, FALSE);
}

static void write_day(gint64 date, char ret[static DAY_BYTES])
{
	g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(date);
	if (time)
		g_snprintf(ret, DAY_BYTES, "%04d-%02d-%02d", g_date_time_get_year(time),
			g_date_time_get_month(time), g_date_time_get_day_of_month(time));
	else
		g_strlcpy(ret, "0000-00-00", DAY_BYTES);
}

static void append(GString *name, const char *between, const char *text, gsize max)
{
	gsize taken = name->len + strlen(between);
	g_autofree char *line =
		taken < max ? g_string_free(clean(text, max - taken), FALSE) : g_strdup("");
	if (*line != '\0')
		g_string_append_printf(name, "%s%s", between, line);
}

static char *full(const MimeFields *fields, gint64 date, guint32 uid)
{
	char day[DAY_BYTES], end[END_BYTES];
	write_day(date, day);
	g_snprintf(end, sizeof(end), " [%" G_GUINT32_FORMAT "]%s", uid, suffix);
	GString *name = g_string_new(day);
	append(name, " ", fields->from_name, DAY_BYTES + SENDER_MAX_BYTES);
	bool sent = name->len >= DAY_BYTES;
	append(name, sent ? " - " : " ", fields->subject, NAME_MAX_BYTES - strlen(end));
	g_string_append(name, end);
	return g_string_free(name, FALSE);
}

char *subject_name(SubjectForm form, const MimeFields *fields, gint64 date, guint32 uid)
{
	switch (form) {
	case SUBJECT_BEHIND_UID:
		return behind_uid(fields, uid);
	case SUBJECT_FULL:
		break;
	}
	return full(fields, date, uid);
}

/* Decimal, no leading zero, followed by one of these characters. */
static guint32 read_uid(const char *digits, char end)
{
	gsize n = strspn(digits, "0123456789");
	if (digits[n] != end || n > NAME_MESSAGE_BYTES - sizeof(suffix))
		return 0;
	char own[NAME_MESSAGE_BYTES];
	g_snprintf(own, sizeof(own), "%.*s%s", (int)n, digits, suffix);
	return name_to_uid(own);
}

guint32 subject_to_uid(SubjectForm form, const char *name)
{
	if (!g_str_has_suffix(name, form == SUBJECT_FULL ? "].eml" : suffix))
		return 0;
	if (form == SUBJECT_BEHIND_UID)
		return read_uid(name, ' ');
	const char *bracket = strrchr(name, '[');
	return bracket ? read_uid(bracket + 1, ']') : 0;
}
