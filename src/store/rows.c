#include "store/rows.h"

gsize store_rows_lower_bound(const Rows *rows, guint32 uid)
{
	gsize lo = 0, hi = rows->n;

	while (lo < hi) {
		gsize mid = lo + (hi - lo) / 2;

		if (rows->at[mid].uid < uid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

Row *store_rows_find(const Rows *rows, guint32 uid)
{
	gsize i = store_rows_lower_bound(rows, uid);

	return i < rows->n && rows->at[i].uid == uid ? &rows->at[i] : NULL;
}

Rows store_rows_build(const Rows *old, const ImapSet *uids, gsize spare)
{
	gsize n_ranges, from = 0;
	const ImapRange *range = imap_set_ranges(uids, &n_ranges);
	Rows rows = {.room = (gsize)imap_set_count(uids) + spare};

	rows.at = g_new(Row, MAX(rows.room, 1));
	for (gsize i = 0; i < n_ranges; i++) {
		for (guint64 uid = range[i].lo; uid <= range[i].hi; uid++) {
			while (from < old->n && old->at[from].uid < uid)
				from++;
			if (from < old->n && old->at[from].uid == uid)
				rows.at[rows.n++] = old->at[from++];
			else
				rows.at[rows.n++] = (Row){.uid = (guint32)uid};
		}
	}
	return rows;
}

void store_rows_clear(Rows *rows)
{
	g_free(rows->at);
	*rows = (Rows){0};
}

bool store_rows_can_append(const Rows *rows, const ImapSet *uids)
{
	return rows->room - rows->n >= imap_set_count(uids) &&
	       (rows->n == 0 || rows->at[rows->n - 1].uid < imap_set_min(uids));
}

void store_rows_append(Rows *rows, const ImapSet *uids)
{
	gsize n_ranges;
	const ImapRange *range = imap_set_ranges(uids, &n_ranges);

	for (gsize i = 0; i < n_ranges; i++)
		for (guint64 uid = range[i].lo; uid <= range[i].hi; uid++)
			rows->at[rows->n++] = (Row){.uid = (guint32)uid};
}

void store_rows_remove(Rows *rows, const ImapSet *uids)
{
	gsize n_ranges, i = 0;
	const ImapRange *range = imap_set_ranges(uids, &n_ranges);

	if (n_ranges == 0)
		return;

	gsize kept = store_rows_lower_bound(rows, range[0].lo);

	for (gsize from = kept; from < rows->n; from++) {
		guint32 uid = rows->at[from].uid;

		while (i < n_ranges && range[i].hi < uid)
			i++;
		if (i == n_ranges || uid < range[i].lo)
			rows->at[kept++] = rows->at[from];
	}
	rows->n = kept;
	if (rows->room / 2 > rows->n) {
		rows->room = rows->n;
		rows->at = g_renew(Row, rows->at, MAX(rows->room, 1));
	}
}

void store_row_set_size(Row *row, guint64 size)
{
	row->size = MIN(size, ROW_SIZE_MAX) & ROW_SIZE_MAX;
	row->has_size = 1;
}

void store_row_set_date(Row *row, gint64 date)
{
	row->date = (guint32)CLAMP(date, 0, (gint64)G_MAXUINT32);
	row->has_date = 1;
}

void store_row_set_flags(Row *row, guint flags)
{
	row->flags = flags & ROW_FLAGS_MASK;
	row->has_flags = 1;
}

bool store_row_known(const Row *row)
{
	return row->has_size && row->has_date && row->has_flags;
}
