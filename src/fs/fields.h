/* What the header of a message says, from what is kept here of it: its fields, or the message
 * itself. Any thread, never waits for the server. */
#pragma once

#include "fs/fs.h"
#include "fs/subject.h"
#include "mime/fields.h"

/* NULL: they are not here: engine_outline(). New. */
MimeFields *fields_try(Fs *fs, Gen gen, guint32 uid);

/* The readable name of a message; NULL: not all that it is made of is here, which are its fields,
 * and for SUBJECT_FULL its date. New string. */
char *fields_name(Fs *fs, SubjectForm form, Gen gen, guint32 uid);
