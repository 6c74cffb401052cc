/* The socket of one stream: nonblocking reads and writes that raise no SIGPIPE, and the same as a
 * BIO under OpenSSL. Engine thread. */
#pragma once

#include <glib.h>
#include <openssl/bio.h>
#include <stdbool.h>

/* What came of one attempt to move bytes; also for TLS. */
typedef enum {
	NET_IO_DONE,
	NET_IO_WAIT_READ, /* again when the socket is readable */
	NET_IO_WAIT_WRITE, /* again when it is writable */
	NET_IO_END, /* the peer ended it in good order */
	NET_IO_FAILED, /* the GError says why */
} NetIo;

typedef struct NetWire NetWire;

/* Takes fd, which must be nonblocking. */
NetWire *net_wire_new(int fd);
void net_wire_free(NetWire *wire); /* closes the socket; accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NetWire, net_wire_free)

/* Must precede the reads of each turn of the main loop: within a turn, a short read counts as the
 * proof that the kernel has no more and saves the call that would say so. */
void net_wire_wake(NetWire *wire);

/* Clear bytes. NET_IO_DONE: *ret_len is at least 1. */
NetIo net_wire_read(NetWire *wire, void *buf, gsize size, gsize *ret_len, GError **error);
NetIo net_wire_write(NetWire *wire, const void *bytes, gsize len, gsize *ret_len, GError **error);

/* Whether the socket itself failed or ended under the BIO. Sets error if so; FIN is MAIL_ERROR_IO
 * with the word "truncated". */
bool net_wire_failure(const NetWire *wire, GError **error);

/* The BIO reads ahead in large pieces, so from net_wire_bio_new() on the wire belongs to it.
 * method must outlive the BIO; the wire too. NULL if OpenSSL has no memory. */
BIO_METHOD *net_wire_bio_method_new(void);
BIO *net_wire_bio_new(NetWire *wire, const BIO_METHOD *method);
