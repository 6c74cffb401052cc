#include "fs/fields.h"

enum {
	/* What is read first: most headers are shorter. What is not within the last is not looked
	 * at: no header of a message is that long. */
	FIRST_BYTES = 16 << 10,
	LAST_BYTES = 1 << 20,
};

/* The beginning of an item; *ret_end: its end came. NULL: a byte of it is not here. */
static char *read_item(
	const Fs *fs, Gen gen, guint32 uid, StoreItem item, gsize size, gsize *ret_n, bool *ret_end)
{
	g_autofree char *bytes = g_malloc(size);
	if (store_try_read(fs->store, gen, uid, item, 0, bytes, size, ret_n) != STORE_HIT)
		return NULL;
	*ret_end = *ret_n < size;
	return g_steal_pointer(&bytes);
}

/* Of the item that has a header, or fields of one, at its beginning. */
static MimeFields *fields_in(const Fs *fs, Gen gen, guint32 uid, StoreItem item)
{
	for (gsize size = FIRST_BYTES; size <= LAST_BYTES; size *= 8) {
		gsize n;
		bool end;
		g_autofree char *bytes = read_item(fs, gen, uid, item, size, &n, &end);
		if (!bytes)
			return NULL;
		gsize len = mime_header_len(bytes, n);
		if (len < n || end || size == LAST_BYTES)
			return mime_fields_of(bytes, len);
	}
	return NULL;
}

MimeFields *fields_try(Fs *fs, Gen gen, guint32 uid)
{
	static const StoreItem items[] = {STORE_FIELDS, STORE_MESSAGE, STORE_HEADER};
	for (guint i = 0; i < G_N_ELEMENTS(items); i++) {
		MimeFields *fields = fields_in(fs, gen, uid, items[i]);
		if (fields)
			return fields;
	}
	return NULL;
}

char *fields_name(Fs *fs, SubjectForm form, Gen gen, guint32 uid)
{
	StoreMessage message;
	if (!store_peek_message(fs->store, gen, uid, &message))
		return NULL;
	if (form == SUBJECT_FULL && !message.known)
		return NULL;
	g_autoptr(MimeFields) fields = fields_try(fs, gen, uid);
	return fields ? subject_name(form, fields, message.date, uid) : NULL;
}
