/* TLS over one wire: handshake with the check of name and certificate, then bytes. Engine thread.
 */
#pragma once

#include "net/stream.h"
#include "net/wire.h"

typedef struct NetTlsLink NetTlsLink;

/* host: name or literal address that the certificate must be for. The wire must hold no clear byte
 * that was received but not handed on, and must outlive the link. NULL: MAIL_ERROR_TLS. */
NetTlsLink *net_tls_link_new(
	NetTrust *trust, NetWire *wire, const char *host, guint16 port, GError **error);

/* Sends close_notify if the handshake is over and nothing broke; never blocks. Accepts NULL. */
void net_tls_link_free(NetTlsLink *link);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NetTlsLink, net_tls_link_free)

/* NET_IO_DONE: the peer is verified. Never NET_IO_END. */
NetIo net_tls_link_handshake(NetTlsLink *link, GError **error);

/* NET_IO_DONE: *ret_len is at least 1. NET_IO_END: close_notify came. After WAIT_* the next write
 * must begin with the same bytes. */
NetIo net_tls_link_read(NetTlsLink *link, void *buf, gsize size, gsize *ret_len, GError **error);
NetIo net_tls_link_write(
	NetTlsLink *link, const void *bytes, gsize len, gsize *ret_len, GError **error);

/* "TLSv1.3 TLS_AES_256_GCM_SHA384, resumed". New string. */
char *net_tls_link_describe(const NetTlsLink *link);
