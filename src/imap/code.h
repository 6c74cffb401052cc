/* The table of response codes: names and the form of what follows them. Internal to imap/. */
#pragma once

#include "imap/response.h"

typedef enum {
	IMAP_CODE_WITH_NOTHING, /* or nothing that we read */
	IMAP_CODE_WITH_NUMBER32,
	IMAP_CODE_WITH_NUMBER64,
	IMAP_CODE_WITH_UID, /* APPENDUID: nz-number SP append-uid */
	IMAP_CODE_WITH_UID_PAIRS, /* COPYUID: nz-number SP uid-set SP uid-set */
	IMAP_CODE_WITH_SET,
	IMAP_CODE_WITH_FLAGS,
	IMAP_CODE_WITH_CAPABILITIES,
} ImapCodeArgument;

/* IMAP_CODE_OTHER when unknown; any case. */
ImapCode imap_code_from_name(const char *word, gsize len);

ImapCodeArgument imap_code_argument(ImapCode code);
