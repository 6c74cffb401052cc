#include "net/wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"

/* Four TLS records for each system call; more were not faster. OpenSSL's own read-ahead would move
 * what is left over for each record. */
enum { READ_AHEAD_BYTES = 64 << 10 };

struct NetWire {
	int fd;
	bool drained; /* the kernel had no more in this turn */
	bool eof; /* FIN */
	int read_errno; /* what broke the socket, or 0 */
	int write_errno;

	guint8 *ahead; /* received, not yet taken by the BIO's owner; NULL without TLS */
	gsize ahead_start;
	gsize ahead_end;
};

NetWire *net_wire_new(int fd)
{
	NetWire *wire = g_new0(NetWire, 1);

	wire->fd = fd;
	return wire;
}

void net_wire_free(NetWire *wire)
{
	if (!wire)
		return;
	close(wire->fd);
	g_free(wire->ahead);
	g_free(wire);
}

void net_wire_wake(NetWire *wire)
{
	wire->drained = false;
}

static NetIo wire_recv(NetWire *wire, void *buf, gsize size, gsize *ret_len)
{
	ssize_t n;

	if (wire->drained)
		return NET_IO_WAIT_READ;
	do {
		n = recv(wire->fd, buf, size, 0);
	} while (n < 0 && errno == EINTR);

	if (n < 0 && errno != EAGAIN) {
		wire->read_errno = errno;
		return NET_IO_FAILED;
	}
	wire->drained = n < (ssize_t)size;
	if (n < 0)
		return NET_IO_WAIT_READ;
	if (n == 0) {
		wire->eof = true;
		return NET_IO_END;
	}
	*ret_len = (gsize)n;
	return NET_IO_DONE;
}

static NetIo wire_send(NetWire *wire, const void *bytes, gsize len, gsize *ret_len)
{
	ssize_t n;

	do {
		n = send(wire->fd, bytes, len, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);

	if (n < 0 && errno == EAGAIN)
		return NET_IO_WAIT_WRITE;
	if (n < 0) {
		wire->write_errno = errno;
		return NET_IO_FAILED;
	}
	*ret_len = (gsize)n;
	return NET_IO_DONE;
}

static void set_errno(GError **error, int code)
{
	g_set_error(error, MAIL_ERROR, code == ETIMEDOUT ? MAIL_ERROR_TIMEOUT : MAIL_ERROR_IO,
		"the connection broke: %s", g_strerror(code));
}

NetIo net_wire_read(NetWire *wire, void *buf, gsize size, gsize *ret_len, GError **error)
{
	NetIo io = wire_recv(wire, buf, size, ret_len);

	if (io == NET_IO_FAILED)
		set_errno(error, wire->read_errno);
	return io;
}

NetIo net_wire_write(NetWire *wire, const void *bytes, gsize len, gsize *ret_len, GError **error)
{
	NetIo io = wire_send(wire, bytes, len, ret_len);

	if (io == NET_IO_FAILED)
		set_errno(error, wire->write_errno);
	return io;
}

bool net_wire_failure(const NetWire *wire, GError **error)
{
	int code = wire->read_errno ? wire->read_errno : wire->write_errno;

	if (code)
		set_errno(error, code);
	else if (wire->eof)
		g_set_error(error, MAIL_ERROR, MAIL_ERROR_IO,
			"the connection was truncated: it ended without a TLS close_notify");
	return code || wire->eof;
}

static int wire_bio_read(BIO *bio, char *buf, int size)
{
	NetWire *wire = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	if (wire->ahead_start == wire->ahead_end) {
		gsize n = 0;
		NetIo io = wire_recv(wire, wire->ahead, READ_AHEAD_BYTES, &n);
		if (io == NET_IO_WAIT_READ)
			BIO_set_retry_read(bio);
		if (io != NET_IO_DONE)
			return io == NET_IO_END ? 0 : -1;
		wire->ahead_start = 0;
		wire->ahead_end = n;
	}
	int len = (int)MIN((gsize)size, wire->ahead_end - wire->ahead_start);
	memcpy(buf, wire->ahead + wire->ahead_start, (gsize)len);
	wire->ahead_start += (gsize)len;
	return len;
}

static int wire_bio_write(BIO *bio, const char *bytes, int len)
{
	gsize n = 0;
	NetIo io = wire_send(BIO_get_data(bio), bytes, (gsize)len, &n);

	BIO_clear_retry_flags(bio);
	if (io == NET_IO_WAIT_WRITE)
		BIO_set_retry_write(bio);
	return io == NET_IO_DONE ? (int)n : -1;
}

static long wire_bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
	const NetWire *wire = BIO_get_data(bio);

	if (command == BIO_CTRL_EOF)
		return wire->eof;
	return command == BIO_CTRL_FLUSH;
}

BIO_METHOD *net_wire_bio_method_new(void)
{
	BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "imapfs socket");

	if (!method)
		return NULL;
	BIO_meth_set_read(method, wire_bio_read);
	BIO_meth_set_write(method, wire_bio_write);
	BIO_meth_set_ctrl(method, wire_bio_ctrl);
	return method;
}

BIO *net_wire_bio_new(NetWire *wire, const BIO_METHOD *method)
{
	BIO *bio = BIO_new(method);

	if (!bio)
		return NULL;
	if (!wire->ahead)
		wire->ahead = g_malloc(READ_AHEAD_BYTES);
	BIO_set_data(bio, wire);
	BIO_set_init(bio, 1);
	return bio;
}
