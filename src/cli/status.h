/* `imapfs status MOUNTPOINT`: how does a running mount stand? */
#pragma once

#include "cli/options.h"

/* Prints what the mount says of itself, as JSON or for people; on a terminal again each second
 * until it is interrupted. For any path in the mount. Never waits for a mount that hangs:
 * MAIL_ERROR_TIMEOUT after a few seconds; MAIL_ERROR_NOT_FOUND when no imapfs is mounted there,
 * MAIL_ERROR_IO when there is no such path. */
bool status_show(const Options *options, GError **error);
