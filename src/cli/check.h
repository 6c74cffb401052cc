/* `imapfs check [options] SOURCE`: what would a mount find? */
#pragma once

#include "cli/options.h"

/* Connects, logs in and lists; prints what the server offers, what that means for a
 * mount, and the number of mailboxes. */
bool check_account(const Options *options, GCancellable *stop, GError **error);
