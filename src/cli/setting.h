/* What options-parse.c finds and options.c understands: an option as it was given. */
#pragma once

#include "cli/options.h"

typedef struct {
	char *name;
	char *value; /* NULL: none given */
} Setting;

/* Sets what they say, in their order. settings: of Setting. MAIL_ERROR_INVALID. */
bool options_apply(Options *options, const GArray *settings, GError **error);

/* Sets MAIL_ERROR_INVALID; returns false. */
bool options_invalid(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
