#include "cli/check.h"

#include <stdio.h>

#include "cli/account.h"
#include "cli/offers.h"
#include "fs/mount.h"

static void ignore_mailboxes(gpointer data)
{
}

static void ignore_names(
	MailboxId mailbox, Gen gen, const ImapSet *gone, const ImapSet *fresh, gpointer data)
{
}

static void ignore_message(Gen gen, guint32 uid, bool size, gpointer data)
{
}

static void ignore_generation(MailboxId mailbox, Gen gen, gpointer data)
{
}

static void ignore_flags(MailboxId mailbox, gpointer data)
{
}

static void ignore_begun(const Intent *intent, MailboxId mailbox, MailboxId target, gpointer data)
{
}

static void ignore_ended(
	const Intent *intent, Gen gen, guint32 uid, const GError *error, gpointer data)
{
}

static void ignore_made(Gen gen, const ImapSet *uids, gpointer data)
{
}

static void ignore_state(EngineState state, const GError *why, gpointer data)
{
}

static const EngineEvents no_events = {
	.mailboxes_changed = ignore_mailboxes,
	.names_made = ignore_made,
	.names_changed = ignore_names,
	.names_doubted = ignore_generation,
	.message_changed = ignore_message,
	.flags_told = ignore_flags,
	.generation_changed = ignore_generation,
	.sizes_distrusted = ignore_mailboxes,
	.change_begun = ignore_begun,
	.change_ended = ignore_ended,
	.state_changed = ignore_state,
};

static void print(const Options *options, Engine *engine, Store *store)
{
	g_autofree char *facts = engine_describe(engine);
	g_autoptr(GArray) mailboxes = store_mailboxes(store);
	g_autofree char *offers = offers_of_caps(engine_caps(engine), engine_append_limit(engine));
	g_autofree char *special = offers_of_mailboxes(mailboxes);
	printf("%s", facts);
	if (*facts != '\0' && !g_str_has_suffix(facts, "\n"))
		printf("\n");
	printf("%s%s", offers, special);
	if (options->source.tls == SESSION_TLS_NONE)
		printf("warning: mail and password travel in clear text (tls=none)\n");
	printf("%u %s\n", mailboxes->len, mailboxes->len == 1 ? "mailbox" : "mailboxes");
}

/* Whether a mount would find its root. */
static bool has_root(const Options *options, Store *store, GError **error)
{
	FsConfig config = {.root = options->source.mailbox};
	g_autoptr(Fs) fs = fs_new(store, &config);
	return fs_set_root(fs, error);
}

bool check_account(const Options *options, GCancellable *stop, GError **error)
{
	g_autoptr(Account) account = account_new(options, error);
	if (!account)
		return false;
	g_autoptr(Store) store = store_new(NULL, options->cache_size, false, error);
	if (!store)
		return false;
	EngineConfig config = account_engine_config(account);
	config.read_only = true;
	Engine *engine = engine_new(&config, store, &no_events, NULL);
	bool started = account_start(account, engine, 0, stop, error);
	if (started)
		print(options, engine, store);
	engine_free(engine);
	return started && has_root(options, store, error);
}
