#include "mime/fields.h"

#include <gmime/gmime.h>
#include <string.h>

#include "mime/header.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(InternetAddressList, g_object_unref)

/* ---- who a message is from ---- */

enum {
	/* Of the field: its first address is what is wanted, and GMime keeps all that there are. */
	ADDRESSES_MAX = 2048,
};

/* Stands for the beginning of an encoded word: what GMime decodes is lost where the charset that
 * it names is not the one it is in, so it gets none to decode. */
#define WORD_MARK "\xee\x80\x80"

static char *replaced(const char *text, const char *from, const char *to)
{
	g_auto(GStrv) pieces = g_strsplit(text, from, -1);
	return g_strjoinv(to, pieces);
}

static char *name_of(InternetAddress *address, guint *decoded)
{
	const char *name = internet_address_get_name(address);
	if ((!name || !*name) && INTERNET_ADDRESS_IS_MAILBOX(address))
		name = internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(address));
	g_autofree char *words = replaced(name ? name : "", WORD_MARK, "=?");
	return mime_header_decode(words, strlen(words), decoded);
}

/* The display name of the first address, else the address itself, of a group its name; and what is
 * there if that is none. */
static char *make_from_name(const char *value, gsize len, guint *words)
{
	g_autofree char *line = mime_header_plain(value, MIN(len, ADDRESSES_MAX));
	g_autofree char *marked = replaced(line, "=?", WORD_MARK);
	g_autoptr(InternetAddressList) list = internet_address_list_parse(NULL, marked);
	InternetAddress *first = list ? internet_address_list_get_address(list, 0) : NULL;
	g_autofree char *name = first ? name_of(first, words) : NULL;
	return name && *name ? g_steal_pointer(&name) : mime_header_decode(value, len, words);
}

/* ---- the fields ---- */

static const struct {
	const char *name;
	gsize at; /* in MimeFields */
	bool joined, shown;
} wanted[] = {
	{"From", G_STRUCT_OFFSET(MimeFields, from), false, true},
	{"To", G_STRUCT_OFFSET(MimeFields, to), true, true},
	{"Cc", G_STRUCT_OFFSET(MimeFields, cc), true, true},
	{"Date", G_STRUCT_OFFSET(MimeFields, date), false, true},
	{"Subject", G_STRUCT_OFFSET(MimeFields, subject), false, true},
	{"Message-ID", G_STRUCT_OFFSET(MimeFields, message_id), false, false},
};

static char **slot_of(const MimeFields *fields, gsize i)
{
	return (char **)G_STRUCT_MEMBER_P(fields, wanted[i].at);
}

/* Some programs write more beside it. */
static void keep_message_id(char **id)
{
	const char *open = strchr(*id, '<');
	const char *close = open ? strchr(open, '>') : NULL;
	if (!close)
		return;
	char *alone = g_strndup(open, (gsize)(close - open) + 1);
	g_free(*id);
	*id = alone;
}

static void take_field(MimeFields *fields, GString *texts[], const MimeField *field, guint *words)
{
	gsize i = 0;
	while (i < G_N_ELEMENTS(wanted) && !mime_field_is(field, wanted[i].name))
		i++;
	if (i == G_N_ELEMENTS(wanted) || (texts[i]->len > 0 && !wanted[i].joined))
		return;
	g_autofree char *text = mime_header_decode(field->value, field->len, words);
	if (*text == '\0')
		return;
	if (texts[i]->len > 0)
		g_string_append(texts[i], ", ");
	g_string_append(texts[i], text);
	if (slot_of(fields, i) == &fields->from)
		fields->from_name = make_from_name(field->value, field->len, words);
}

MimeFields *mime_fields_of(const void *header, gsize len)
{
	MimeFields *fields = g_new0(MimeFields, 1);
	GString *texts[G_N_ELEMENTS(wanted)];
	for (gsize i = 0; i < G_N_ELEMENTS(wanted); i++)
		texts[i] = g_string_new(NULL);
	const char *at = header, *end = at + len;
	MimeField field;
	guint words = 0;
	while (mime_header_next(&at, end, &field))
		take_field(fields, texts, &field, &words);
	for (gsize i = 0; i < G_N_ELEMENTS(wanted); i++)
		*slot_of(fields, i) = g_string_free(texts[i], FALSE);
	if (!fields->from_name)
		fields->from_name = g_strdup("");
	keep_message_id(&fields->message_id);
	return fields;
}

void mime_fields_free(MimeFields *fields)
{
	if (!fields)
		return;
	for (gsize i = 0; i < G_N_ELEMENTS(wanted); i++)
		g_free(*slot_of(fields, i));
	g_free(fields->from_name);
	g_free(fields);
}

bool mime_date_parse(const char *date, gint64 *ret_time)
{
	g_autoptr(GDateTime) time = g_mime_utils_header_decode_date(date);
	if (time)
		*ret_time = g_date_time_to_unix(time);
	return time != NULL;
}

void mime_fields_append(GString *text, const MimeFields *fields)
{
	for (gsize i = 0; i < G_N_ELEMENTS(wanted); i++) {
		const char *value = *slot_of(fields, i);
		if (wanted[i].shown && *value)
			g_string_append_printf(text, "%s: %s\n", wanted[i].name, value);
	}
	g_string_append_c(text, '\n');
}

char *mime_header_text(const void *header, gsize len)
{
	GString *text = g_string_sized_new(len);
	const char *at = header, *end = at + len;
	MimeField field;
	guint words = 0;
	while (mime_header_next(&at, end, &field)) {
		g_autofree char *value = mime_header_decode(field.value, field.len, &words);
		if (field.name) {
			g_autofree char *name = mime_header_plain(field.name, field.name_len);
			g_string_append_printf(text, "%s: ", name);
		}
		g_string_append_printf(text, "%s\n", value);
	}
	return g_string_free(text, FALSE);
}
