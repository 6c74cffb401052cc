/* Aliases: names that users gave to messages by mv, cp and create. The server gives other names, by
 * UID; an alias lives until unmount. A directory is meant by its id of fs/tree.h, which it keeps
 * when it is renamed. Any thread, never blocks. */
#pragma once

#include "store/store.h"

typedef struct Aliases Aliases;

typedef struct {
	guint32 number; /* the inode of what is on its way; 0: aliases_set() gives one, ascending */
	guint64 intent; /* the change that is to bring the message here; 0: it is here */
	Gen gen; /* of the message; while the change waits: of its source (MOVE, COPY), 0: APPEND */
	guint32 uid; /* likewise */
	guint64 file; /* while APPEND waits: its number in store/unsent.h; 0: it is no APPEND */
	guint64 size; /* while the change waits, as far as is known */
	gint64 date; /* likewise */
	bool copied; /* the change is a COPY: the source stays what it is */
	bool instead; /* it was renamed within its mailbox: its own name is gone */
} Alias;

/* What the kernel knows it by while it waits: a moved message stays what it was, a copy is
 * something of its own; of one that is appended staged.h tells. */
guint64 alias_inode(const Alias *alias);

/* Where an alias is. */
typedef struct {
	guint32 dir;
	char *name;
} AliasPlace;

Aliases *aliases_new(void);
void aliases_free(Aliases *aliases); /* accepts NULL */

/* The message of this name in a directory. false: it is no alias. */
bool aliases_find(Aliases *aliases, guint32 dir, const char *name, Alias *ret);

/* The one of this number, as it is now. false: it is gone. */
bool aliases_numbered(Aliases *aliases, guint32 number, Alias *ret);

/* A name for a message, instead of an alias that has it. */
void aliases_set(Aliases *aliases, guint32 dir, const char *name, const Alias *alias);
void aliases_remove(Aliases *aliases, guint32 dir, const char *name);

/* The alias has another name in its directory, in the place of one that has it, and with `instead`
 * the message has no other. Nothing happens when there is none. */
void aliases_rename(Aliases *aliases, guint32 dir, const char *from, const char *to, bool instead);

/* The change is over: the alias that waits for it is of this message of the target, or goes (uid
 * 0). Returns its directory and its name (new string); false: none did. */
bool aliases_settle(
	Aliases *aliases, guint64 intent, Gen gen, guint32 uid, guint32 *ret_dir, char **ret_name);

/* The alias that waits for `of` waits for another change of its message from now on, under another
 * name, in the place of one that has it. Returns where it was, as above; false: none does. */
bool aliases_pass_on(Aliases *aliases, guint64 of, guint64 intent, guint32 dir, const char *name,
	guint32 *ret_dir, char **ret_name);

/* The directory of the alias that waits for this change. false: none does. */
bool aliases_waits_in(Aliases *aliases, guint64 intent, guint32 *ret_dir);

/* The alias that waits for a move of this message. false: none does. */
bool aliases_leaving(Aliases *aliases, Gen gen, guint32 uid, Alias *ret);

/* What waits has these names as well, those of what it replaces, until it is renamed or moved, or
 * the change ends. Ignored when none waits for this change. */
void aliases_set_names(Aliases *aliases, guint64 intent, const GStrv names);

/* New strings; NULL: it has none. */
GStrv aliases_names(Aliases *aliases, guint64 intent);

/* What waits in a directory and has this name so. */
bool aliases_find_other(Aliases *aliases, guint32 dir, const char *name, Alias *ret);

/* The flags of what waits, IMAP_FLAG_*, and its keywords, separated by spaces: those of
 * its source when the change was asked for, as they were changed since. Ignored when none waits for
 * this change. */
void aliases_set_flags(Aliases *aliases, guint64 intent, guint flags, const char *keywords);

/* The same of the one that waits for this change, or for one that is about what this is to bring:
 * the keywords as a new string; NULL: not known. */
char *aliases_flags(Aliases *aliases, guint64 intent, guint *ret_flags);

/* What a message that was moved away is now: its old inode still means it. false: nothing is known
 * of it. */
bool aliases_moved(Aliases *aliases, Gen gen, guint32 uid, Alias *ret);

/* A change is over, and what another one of its chain is about (aliases_pass_on()) is now this
 * message. */
void aliases_follow(Aliases *aliases, guint64 of, Gen gen, guint32 uid);

/* For listings: the one of a directory whose change waits with the lowest number above `after`.
 * false: no more. Name: new string. */
bool aliases_waiting_after(
	Aliases *aliases, guint32 dir, guint32 after, Alias *ret, char **ret_name);

/* The name that a message has instead of its own; NULL: its own. New string. Costs nothing while
 * there is none. */
char *aliases_instead(Aliases *aliases, Gen gen, guint32 uid);

/* The names of messages that are here, of these UIDs (NULL: of all of the generation), as
 * AliasPlace; NULL: there is none. */
GArray *aliases_places(Aliases *aliases, Gen gen, const ImapSet *uids);

/* Those of the UIDs whose own names are aliases in the directory: a new set; NULL: none is. */
ImapSet *aliases_like_uids(Aliases *aliases, guint32 dir, const ImapSet *uids);

/* These messages are no more (uids NULL: none of the generation): nor are their names, but those
 * that wait. */
void aliases_forget(Aliases *aliases, Gen gen, const ImapSet *uids);
