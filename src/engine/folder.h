/* CREATE, DELETE and RENAME of mailboxes: one at a time, and while one is in hand no LIST is asked
 * for, so that each answer to LIST is of before it or of after it. */
#pragma once

#include "engine/engine.h"

typedef struct Box Box;
typedef struct Conn Conn;
typedef struct Folder Folder;

void folder_free(Folder *folder); /* accepts NULL */

/* Sends what is to be sent next. */
void folder_pump(Engine *engine);

/* Whether no LIST may go out now. */
bool folder_holds_list(const Engine *engine);

/* Whether the mailbox of this name may not be selected now: before LIST told what it is, a
 * selection would only be made anew. */
bool folder_closes(const Engine *engine, const char *name);

/* Whether this answer to STATUS, this entry of LIST or LSUB, was asked for here. */
bool folder_note_status(Conn *conn, const ImapMailboxStatus *status);
bool folder_note_list(Conn *conn, const ImapList *list);

/* The whole answer to a LIST is there, of ImapList, before the store has it: it tells what became
 * of a command whose own answer was lost. */
void folder_judge(Engine *engine, const GArray *listed);

/* Whether a verb waited for the answer to this LIST; and whether a mailbox of this name can have
 * come or gone by it. */
bool folder_is_listed(const Engine *engine);
bool folder_explains(const Engine *engine, const char *name);

/* LIST was answered, and with error NULL the store has it. */
void folder_listed(Engine *engine, const GError *error);

/* ---- folder-refuse.c ---- */

/* Whether the other mailbox is this one, or below it. */
bool folder_is_within(const char *name, char delimiter, const char *other);

GError *folder_refusal(MailError code, const char *name, const char *why);

/* Why no mailbox of this name can be made; NULL: the server may make one. */
GError *folder_refuse_name(const Engine *engine, const char *name);

/* Why the mailbox cannot be deleted (target NULL), or get this name. */
GError *folder_refuse_mailbox(Engine *engine, const StoreMailbox *mailbox, const char *target);
