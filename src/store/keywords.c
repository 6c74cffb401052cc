#include "store/keywords.h"
#include "base/limits.h"

#include <string.h>

struct Keywords {
	GPtrArray *texts; /* by number; owned */
	GHashTable *numbers; /* text -> number */
	gsize bytes;
};

Keywords *store_keywords_new(void)
{
	Keywords *keywords = g_new0(Keywords, 1);

	keywords->texts = g_ptr_array_new_with_free_func(g_free);
	keywords->numbers = g_hash_table_new(g_str_hash, g_str_equal);
	store_keywords_add(keywords, "");
	return keywords;
}

void store_keywords_free(Keywords *keywords)
{
	if (!keywords)
		return;
	g_hash_table_unref(keywords->numbers);
	g_ptr_array_unref(keywords->texts);
	g_free(keywords);
}

static int compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

char *store_keywords_join(const char *const *names)
{
	g_autoptr(GPtrArray) sorted = g_ptr_array_new();
	GString *joined = g_string_new(NULL);
	const char *last = "";

	for (; names && *names; names++)
		if (!strchr(*names, ' '))
			g_ptr_array_add(sorted, (char *)*names);
	g_ptr_array_sort(sorted, compare_names);
	for (guint i = 0; i < sorted->len; i++) {
		const char *name = g_ptr_array_index(sorted, i);

		if (strcmp(name, last) == 0)
			continue;
		g_string_append_printf(joined, "%s%s", joined->len > 0 ? " " : "", name);
		last = name;
	}
	return g_string_free(joined, FALSE);
}

guint store_keywords_find(const Keywords *keywords, const char *joined)
{
	gpointer number;

	if (!g_hash_table_lookup_extended(keywords->numbers, joined, NULL, &number))
		return G_MAXUINT;
	return GPOINTER_TO_UINT(number);
}

guint store_keywords_add(Keywords *keywords, const char *joined)
{
	guint number = keywords->texts->len;
	gsize len = strlen(joined);

	if (number > KEYWORDS_MAX || len > LIMIT_KEYWORDS - keywords->bytes)
		return 0;
	keywords->bytes += len;
	g_ptr_array_add(keywords->texts, g_strdup(joined));
	g_hash_table_insert(keywords->numbers, g_ptr_array_index(keywords->texts, number),
		GUINT_TO_POINTER(number));
	return number;
}

char **store_keywords_texts(const Keywords *keywords)
{
	char **texts = g_new0(char *, keywords->texts->len + 1);

	for (guint i = 0; i < keywords->texts->len; i++)
		texts[i] = g_strdup(g_ptr_array_index(keywords->texts, i));
	return texts;
}

const char *store_keywords_text(const Keywords *keywords, guint number)
{
	return g_ptr_array_index(keywords->texts, number);
}
