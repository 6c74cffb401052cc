/* From a host's name to a connected socket: lookup off the thread, then the addresses of both
 * families in turn, the next started before the last has failed. Engine thread. */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

typedef struct NetConnect NetConnect;

/* Called once, from the main loop: fd is connected, nonblocking and the caller's; or -1 and error
 * says why (MAIL_ERROR_OFFLINE). Must not free the NetConnect. */
typedef void (*NetConnectDone)(int fd, bool is_loopback, const GError *error, gpointer data);

NetConnect *net_connect_new(
	GMainContext *context, const char *host, guint16 port, NetConnectDone done, gpointer data);

/* Gives up whatever is under way; done is not called any more. Accepts NULL. */
void net_connect_free(NetConnect *connect);
