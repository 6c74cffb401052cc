/* The order of the changes of one message, and what waits for a message that is on its way. */
#include "engine/change.h"

static char *key_of(const char *mailbox, guint32 uidvalidity, guint32 uid)
{
	return g_strdup_printf("%u %u %s", uidvalidity, uid, mailbox);
}

static Chain *chain_new(char *key, Change *maker)
{
	Chain *chain = g_new0(Chain, 1);
	*chain = (Chain){.key = key, .maker = maker};
	return chain;
}

Chain *chain_find(Engine *engine, const char *mailbox, guint32 uidvalidity, guint32 uid)
{
	g_autofree char *key = key_of(mailbox, uidvalidity, uid);
	return g_hash_table_lookup(engine->changes->chains, key);
}

Chain *chain_of_message(Engine *engine, const char *mailbox, guint32 uidvalidity, guint32 uid)
{
	GHashTable *chains = engine->changes->chains;
	g_autofree char *key = key_of(mailbox, uidvalidity, uid);
	Chain *chain = g_hash_table_lookup(chains, key);
	if (chain)
		return chain;
	chain = chain_new(g_steal_pointer(&key), NULL);
	g_hash_table_insert(chains, chain->key, chain);
	return chain;
}

/* MOVE makes no other message: what is asked of it goes on where it was asked for. */
Chain *chain_of_change(Change *change)
{
	if (change->intent->kind == INTENT_MOVE)
		return change->chain;
	if (!change->brings)
		change->brings = chain_new(NULL, change);
	return change->brings;
}

void chain_push(Chain *chain, Change *change)
{
	change->chain = chain;
	g_queue_push_tail(&chain->changes, change);
}

static void chain_free(Engine *engine, Chain *chain)
{
	if (chain->key)
		g_hash_table_remove(engine->changes->chains, chain->key);
	if (chain->maker)
		chain->maker->brings = NULL;
	g_free(chain->key);
	g_free(chain);
}

void chain_remove(Change *change)
{
	Chain *chain = g_steal_pointer(&change->chain);
	if (!chain)
		return;
	g_queue_remove(&chain->changes, change);
	if (chain->changes.length == 0)
		chain_free(change->engine, chain);
}

bool chain_is_first(const Change *change)
{
	const Chain *chain = change->chain;
	return !chain || (!chain->maker && g_queue_peek_head((GQueue *)&chain->changes) == change);
}

/* Somebody may have named the message by what it is there before we were told. */
static Chain *merge(Chain *into, Chain *chain)
{
	for (Change *change; (change = g_queue_pop_head(&chain->changes));)
		chain_push(into, change);
	g_free(chain);
	return into;
}

Chain *chain_settle(
	Engine *engine, Chain *chain, const char *mailbox, guint32 uidvalidity, guint32 uid)
{
	GHashTable *chains = engine->changes->chains;
	if (chain->key)
		g_hash_table_remove(chains, chain->key);
	if (chain->maker)
		chain->maker->brings = NULL;
	g_clear_pointer(&chain->key, g_free);
	chain->maker = NULL;
	g_autofree char *key = key_of(mailbox, uidvalidity, uid);
	Chain *present = g_hash_table_lookup(chains, key);
	if (present)
		return merge(present, chain);
	chain->key = g_steal_pointer(&key);
	g_hash_table_insert(chains, chain->key, chain);
	return chain;
}
