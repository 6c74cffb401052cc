/* The command line and the config file as one struct: one table of options drives parsing, --help
 * and the check of the man page. */
#pragma once

#include <sys/types.h>

#include "cli/source.h"
#include "fs/mount.h"

typedef enum {
	OPTIONS_MOUNT,
	OPTIONS_CHECK,
	OPTIONS_STATUS,
	OPTIONS_HELP,
	OPTIONS_VERSION,
} OptionsAction;

typedef struct {
	OptionsAction action;
	bool foreground, debug;
	bool json; /* of OPTIONS_STATUS */
	char *name; /* SOURCE as it was given: a URL without password or an account's name */
	char *account; /* "user@host:port" */
	char *mountpoint; /* absolute, as far as it exists; NULL unless OPTIONS_MOUNT or
			   * OPTIONS_STATUS, which sets nothing below */

	/* From SOURCE and -o tls. */
	Source source; /* port is never 0 */

	/* From -o and the config file; NULL where not given. Files are absolute. */
	char *passcmd, *passfile, *tokencmd;
	char *auth, *cafile, *fingerprint, *folders;
	char *cachedir; /* the account's own directory; never NULL */
	guint64 cache_size;
	guint poll_s, timeout_s, connections;
	bool ro, sync, views, subscribed, show_deleted, allow_other;
	FsDelete delete;
	FsEdit edit;
	FsNames names;
	guint owner_uid, owner_gid; /* uid, gid */
	guint fmask, dmask;
} Options;

/* argv with the program's name. MAIL_ERROR_INVALID with a message that names what is wrong; no
 * password is ever in it. Reads the config file only when SOURCE is the name of an account. */
Options *options_parse(int argc, char *const *argv, GError **error);
void options_free(Options *options); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Options, options_free)

/* What --help prints. New string. */
char *options_help(void);
