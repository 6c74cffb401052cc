/* File names of messages that say what is in them. They are made of what senders wrote, so of
 * anything: what is no part of a file name, or would make one look like another, is left out. The
 * UID makes each unique in its mailbox; the name never changes, as nothing that it is made of does.
 * Pure. */
#pragma once

#include "mime/fields.h"

typedef enum {
	SUBJECT_BEHIND_UID, /* "57 Quarterly report.eml"; without a subject "57.eml" */
	SUBJECT_FULL, /* "2026-11-02 Alice Example - Quarterly report [57].eml": without a subject
		       * or a sender as much of it as there is */
} SubjectForm;

/* 1 to NAME_MAX_BYTES bytes of UTF-8. date: INTERNALDATE, seconds since 1970; its day is that of
 * UTC, so that it is the same wherever the mount is. New string. */
char *subject_name(SubjectForm form, const MimeFields *fields, gint64 date, guint32 uid);

/* The UID in a name of this form, whatever else it says; 0: it is of another one. */
guint32 subject_to_uid(SubjectForm form, const char *name);
