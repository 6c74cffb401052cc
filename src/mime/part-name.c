#include "mime/part-name.h"

#include <stdbool.h>
#include <string.h>

enum {
	NAME_MAX_BYTES = 255,

	/* What counts as the end of a name that tells its kind, with its `.`. */
	SUFFIX_MAX = 16,
};

static const struct {
	const char *type, *extension;
} extensions[] = {
	{"application/epub+zip", "epub"},
	{"application/gzip", "gz"},
	{"application/ics", "ics"},
	{"application/javascript", "js"},
	{"application/json", "json"},
	{"application/ms-tnef", "tnef"},
	{"application/msword", "doc"},
	{"application/pdf", "pdf"},
	{"application/pgp-encrypted", "txt"},
	{"application/pgp-keys", "asc"},
	{"application/pgp-signature", "asc"},
	{"application/pkcs7-mime", "p7m"},
	{"application/pkcs7-signature", "p7s"},
	{"application/postscript", "ps"},
	{"application/rtf", "rtf"},
	{"application/vnd.ms-excel", "xls"},
	{"application/vnd.ms-powerpoint", "ppt"},
	{"application/vnd.ms-tnef", "tnef"},
	{"application/vnd.oasis.opendocument.presentation", "odp"},
	{"application/vnd.oasis.opendocument.spreadsheet", "ods"},
	{"application/vnd.oasis.opendocument.text", "odt"},
	{"application/vnd.openxmlformats-officedocument.presentationml.presentation", "pptx"},
	{"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"},
	{"application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"},
	{"application/x-7z-compressed", "7z"},
	{"application/x-bzip2", "bz2"},
	{"application/x-gzip", "gz"},
	{"application/x-pkcs7-mime", "p7m"},
	{"application/x-pkcs7-signature", "p7s"},
	{"application/x-tar", "tar"},
	{"application/x-zip-compressed", "zip"},
	{"application/xml", "xml"},
	{"application/zip", "zip"},
	{"audio/aac", "aac"},
	{"audio/mp4", "m4a"},
	{"audio/mpeg", "mp3"},
	{"audio/ogg", "ogg"},
	{"audio/wav", "wav"},
	{"audio/x-wav", "wav"},
	{"image/bmp", "bmp"},
	{"image/gif", "gif"},
	{"image/heic", "heic"},
	{"image/jpeg", "jpg"},
	{"image/jpg", "jpg"},
	{"image/pjpeg", "jpg"},
	{"image/png", "png"},
	{"image/svg+xml", "svg"},
	{"image/tiff", "tif"},
	{"image/webp", "webp"},
	{"message/delivery-status", "txt"},
	{"message/disposition-notification", "txt"},
	{"message/external-body", "txt"},
	{"message/feedback-report", "txt"},
	{"message/global", "eml"},
	{"message/news", "eml"},
	{"message/partial", "txt"},
	{"message/rfc822", "eml"},
	{"text/calendar", "ics"},
	{"text/css", "css"},
	{"text/csv", "csv"},
	{"text/directory", "vcf"},
	{"text/html", "html"},
	{"text/javascript", "js"},
	{"text/markdown", "md"},
	{"text/rtf", "rtf"},
	{"text/vcard", "vcf"},
	{"text/x-diff", "diff"},
	{"text/x-patch", "patch"},
	{"text/x-vcalendar", "ics"},
	{"text/x-vcard", "vcf"},
	{"text/xml", "xml"},
	{"video/mp4", "mp4"},
	{"video/mpeg", "mpg"},
	{"video/quicktime", "mov"},
	{"video/webm", "webm"},
};

static const char *extension_of(const char *type)
{
	for (gsize i = 0; i < G_N_ELEMENTS(extensions); i++) {
		if (strcmp(extensions[i].type, type) == 0)
			return extensions[i].extension;
	}
	return g_str_has_prefix(type, "text/") ? "txt" : "bin";
}

/* Marks, embeddings, overrides and isolates: with them "fdp.exe" is shown as "exe.pdf". */
static bool changes_direction(gunichar c)
{
	return c == 0x061c || c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069);
}

static bool is_unfit(gunichar c)
{
	return c == '/' || c == '\\' || g_unichar_iscntrl(c) || c == 0x2028 || c == 0x2029;
}

/* Without blanks around it and of several in a row one, since some servers unfold fields so. */
static GString *cleaned(const char *given)
{
	GString *name = g_string_new(NULL);
	bool blank = false;
	for (const char *at = given; *at; at = g_utf8_next_char(at)) {
		gunichar c = g_utf8_get_char(at);
		if (changes_direction(c))
			continue;
		if (c != ' ' && blank && name->len > 0)
			g_string_append_c(name, ' ');
		blank = c == ' ';
		if (is_unfit(c))
			g_string_append_c(name, '_');
		else if (!blank)
			g_string_append_len(name, at, g_utf8_next_char(at) - at);
	}
	return name;
}

/* To max bytes at most, at a character's border, with the end that tells the kind. */
static void shorten(GString *name, gsize max)
{
	if (name->len <= max)
		return;
	const char *dot = strrchr(name->str, '.');
	if (!dot || dot == name->str || strlen(dot) > SUFFIX_MAX)
		dot = name->str + name->len;
	g_autofree char *suffix = g_strdup(dot);
	gsize end = max - strlen(suffix);
	while (end > 0 && ((guchar)name->str[end] & 0xc0) == 0x80)
		end--;
	g_string_truncate(name, end);
	g_string_append(name, suffix);
}

char *mime_part_name(const char *section, const char *type, const char *given)
{
	g_autoptr(GString) name = cleaned(given ? given : "");
	if (strspn(name->str, ". ") == name->len)
		return g_strdup_printf("%s.%s", section, extension_of(type));
	shorten(name, NAME_MAX_BYTES - strlen(section) - 1);
	return g_strdup_printf("%s-%s", section, name->str);
}
