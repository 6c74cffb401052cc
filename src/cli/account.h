/* An account as the options describe it: what the engine needs of it, and its start. */
#pragma once

#include "cli/options.h"
#include "engine/engine.h"

typedef struct Account Account;

/* options must outlive it. MAIL_ERROR_INVALID and MAIL_ERROR_TLS: the trust options are wrong. */
Account *account_new(const Options *options, GError **error);
void account_free(Account *account); /* after its engine; accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Account, account_free)

/* Valid as long as the account. */
EngineConfig account_engine_config(Account *account);

/* Starts the account's engine, once, and waits until it is logged in and has listed the mailboxes,
 * or until stop is cancelled. patience_ms: how long the server is waited for; the engine goes on
 * after that MAIL_ERROR_TIMEOUT. 0: until it gives up. The time that somebody needs for a password
 * does not count. */
bool account_start(
	Account *account, Engine *engine, guint patience_ms, GCancellable *stop, GError **error);
