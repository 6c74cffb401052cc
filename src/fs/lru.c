#include "fs/lru.h"

typedef struct {
	guint64 key;
	gpointer value;
	guint64 cost;
	GList link; /* data: this */
} Entry;

struct Lru {
	guint64 max_cost, cost;
	GDestroyNotify free_value;
	GHashTable *entries; /* key to Entry */
	GQueue order; /* of Entry, the one used last first */
};

static void remove_entry(Lru *lru, Entry *entry)
{
	g_queue_unlink(&lru->order, &entry->link);
	g_hash_table_remove(lru->entries, &entry->key);
	lru->cost -= entry->cost;
	if (lru->free_value)
		lru->free_value(entry->value);
	g_free(entry);
}

Lru *lru_new(guint64 max_cost, GDestroyNotify free_value)
{
	Lru *lru = g_new0(Lru, 1);
	lru->max_cost = max_cost;
	lru->free_value = free_value;
	lru->entries = g_hash_table_new(g_int64_hash, g_int64_equal);
	return lru;
}

void lru_free(Lru *lru)
{
	if (!lru)
		return;
	while (lru->order.head)
		remove_entry(lru, lru->order.head->data);
	g_hash_table_unref(lru->entries);
	g_free(lru);
}

void lru_remove(Lru *lru, guint64 key)
{
	Entry *entry = g_hash_table_lookup(lru->entries, &key);
	if (entry)
		remove_entry(lru, entry);
}

gpointer lru_get(Lru *lru, guint64 key)
{
	Entry *entry = g_hash_table_lookup(lru->entries, &key);
	if (!entry)
		return NULL;
	g_queue_unlink(&lru->order, &entry->link);
	g_queue_push_head_link(&lru->order, &entry->link);
	return entry->value;
}

void lru_put(Lru *lru, guint64 key, gpointer value, guint64 cost)
{
	lru_remove(lru, key);
	Entry *entry = g_new0(Entry, 1);
	*entry = (Entry){.key = key, .value = value, .cost = cost, .link = {.data = entry}};
	g_hash_table_insert(lru->entries, &entry->key, entry);
	g_queue_push_head_link(&lru->order, &entry->link);
	lru->cost += cost;
	while (lru->cost > lru->max_cost && lru->order.tail != &entry->link)
		remove_entry(lru, lru->order.tail->data);
}
