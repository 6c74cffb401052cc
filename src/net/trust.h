/* The inside of NetTrust: what a TLS handshake takes from it. Engine thread. */
#pragma once

#include "net/stream.h"
#include "net/verify.h"
#include "net/wire.h"

/* A client SSL over wire: trust, versions and pin are set, and the newest session with
 * handshake->peer is offered for resumption. handshake must outlive the SSL. NULL: MAIL_ERROR_TLS.
 */
SSL *net_trust_ssl_new(NetTrust *trust, NetWire *wire, NetHandshake *handshake, GError **error);

/* Remembers the session of an SSL that is up for the next connection, where the server sends no
 * ticket of its own accord (TLS 1.2). */
void net_trust_keep_session(NetTrust *trust, SSL *ssl);

/* Why OpenSSL failed last, in the system's words or its own, as static text; empties its error
 * queue. */
const char *net_trust_reason(void);
