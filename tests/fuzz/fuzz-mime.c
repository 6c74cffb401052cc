/* Any bytes as a message: all that is made of it is UTF-8, and every part is inside of it. */

#include "fuzz.h"

#include "fuzz-tree.h"

#include "mime/fields.h"
#include "mime/text.h"

static void check_utf8(const char *text, gsize len)
{
	g_assert_true(g_utf8_validate(text, (gssize)len, NULL));
}

static void check_line(const char *text)
{
	check_utf8(text, strlen(text));
	for (const char *at = text; *at; at = g_utf8_next_char(at))
		g_assert_false(g_unichar_iscntrl(g_utf8_get_char(at)));
}

static void check_fields(const void *bytes, gsize len)
{
	g_autoptr(MimeFields) fields = mime_fields_of(bytes, len);
	const char *lines[] = {fields->from, fields->to, fields->cc, fields->date, fields->subject,
		fields->message_id, fields->from_name};
	gsize header = mime_header_len(bytes, len);
	g_autofree char *text = mime_header_text(bytes, len);

	for (gsize i = 0; i < G_N_ELEMENTS(lines); i++)
		check_line(lines[i]);
	g_assert_cmpuint(header, <=, len);
	check_utf8(text, strlen(text));
}

static void check_part(const MimePart *part, const uint8_t *bytes, size_t len)
{
	g_autoptr(GString) text = g_string_new(NULL);

	g_assert_cmpuint(part->offset, <=, len);
	g_assert_cmpuint(part->octets, <=, len - part->offset);

	g_autoptr(GBytes) content = mime_part_content(part, bytes + part->offset, part->octets);

	g_assert_cmpuint(g_bytes_get_size(content), <=, mime_part_content_bound(part));
	if (mime_part_is_exact(part))
		g_assert_cmpuint(g_bytes_get_size(content), ==, part->octets);
	mime_text_append(text, part, bytes + part->offset, part->octets);
	g_assert_cmpuint(text->len, <=, mime_text_bound(part));
	check_utf8(text->str, text->len);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	fuzz_mime_init();
	g_autoptr(MimeTree) tree = mime_tree_of_message(bytes, len);

	fuzz_check_tree(tree);
	for (guint i = 0; i < mime_tree_count(tree); i++)
		check_part(mime_tree_part(tree, i), bytes, len);
	check_fields(bytes, len);
	return 0;
}
