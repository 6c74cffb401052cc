/* The password or token at each login: from a command, a file, or asked once at the terminal.
 * Nothing that a server said is passed to a command; nothing read here is logged. */
#pragma once

#include "cli/options.h"

typedef struct Secret Secret;

/* options must outlive it. */
Secret *secret_new(const Options *options);
void secret_free(Secret *secret); /* accepts NULL; clears what is kept */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Secret, secret_free)

/* Whether a passfile can be read at all, so that a wrong name is told before anything connects;
 * it is read at each login. MAIL_ERROR_INVALID. */
bool secret_check(const Options *options, GError **error);

/* Whether the passfile is another one than when it was read last, or when this was called last; of
 * other sources nobody can tell: false. Any thread. */
bool secret_changed(Secret *secret);

/* A SessionSecret with the Secret as data: blocks, any thread. The result is for the caller to
 * clear. MAIL_ERROR_AUTH: the command failed, nothing came, nobody can be asked. MAIL_ERROR_ACCESS:
 * others may read the file. MAIL_ERROR_TIMEOUT, MAIL_ERROR_CANCELLED. */
char *secret_get(gpointer secret, GCancellable *cancel, GError **error);
