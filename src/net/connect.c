#include "net/connect.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"

enum {
	/* RFC 8305 section 5: "Connection Attempt Delay", recommended value. */
	ATTEMPT_DELAY_US = 250 * 1000,

	/* Addresses tried of those a name has; a server's names have fewer than ten. */
	ADDRESSES_TRIED = 16,

	/* A silent peer is probed after a minute, and lost after another without an answer. NAT
	 * tables of that patience are the rule. */
	KEEPALIVE_IDLE_S = 60,
	KEEPALIVE_INTERVAL_S = 15,
	USER_TIMEOUT_MS = 60 * 1000,

	/* What the kernel takes beyond what is on the wire: four TLS records. It would take
	 * megabytes, which on a slow wire say nothing for longer than a request waits. */
	UNSENT_BYTES = 64 << 10,
};

typedef struct {
	int fd;
	gpointer tag;
	bool is_loopback;
} Attempt;

struct NetConnect {
	guint refs; /* the owner's and a lookup's */
	bool over;
	GSource *source;
	GCancellable *lookup;
	char *host;
	guint16 port;
	GQueue addresses; /* GSocketAddress, not tried yet */
	GArray *attempts; /* Attempt, under way, oldest first */
	gint64 next_us; /* when the next address is due */
	GError *failure; /* of the attempt that failed last */
	NetConnectDone done;
	gpointer data;
};

typedef struct {
	GSource source;
	NetConnect *connect;
} ConnectSource;

static void attempt_drop(NetConnect *self, guint at)
{
	Attempt *attempt = &g_array_index(self->attempts, Attempt, at);

	g_source_remove_unix_fd(self->source, attempt->tag);
	if (attempt->fd >= 0)
		close(attempt->fd);
	g_array_remove_index(self->attempts, at);
}

static void connect_unref(NetConnect *self)
{
	if (--self->refs > 0)
		return;
	g_source_unref(self->source);
	g_object_unref(self->lookup);
	g_queue_clear_full(&self->addresses, g_object_unref);
	g_array_unref(self->attempts);
	g_clear_error(&self->failure);
	g_free(self->host);
	g_free(self);
}

static void connect_stop(NetConnect *self)
{
	self->over = true;
	g_cancellable_cancel(self->lookup);
	while (self->attempts->len > 0)
		attempt_drop(self, 0);
	g_source_destroy(self->source);
}

/* The last thing a dispatch does. */
static void connect_finish(NetConnect *self, int fd, bool is_loopback)
{
	g_autoptr(GError) error = g_steal_pointer(&self->failure);

	connect_stop(self);
	self->done(fd, is_loopback, fd < 0 ? error : NULL, self->data);
}

static void note_failure(NetConnect *self, int code)
{
	g_clear_error(&self->failure);
	self->failure = g_error_new(MAIL_ERROR, MAIL_ERROR_OFFLINE, "connecting to port %u: %s",
		self->port, g_strerror(code));
}

/* Options are wishes: a kernel without one of them still carries the stream. */
static int open_socket(int family)
{
	static const struct {
		int level;
		int name;
		int value;
	} options[] = {
		{IPPROTO_TCP, TCP_NODELAY, 1},
		{SOL_SOCKET, SO_KEEPALIVE, 1},
		{IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S},
		{IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S},
		{IPPROTO_TCP, TCP_USER_TIMEOUT, USER_TIMEOUT_MS},
		{IPPROTO_TCP, TCP_NOTSENT_LOWAT, UNSENT_BYTES},
	};
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);

	for (gsize i = 0; fd >= 0 && i < G_N_ELEMENTS(options); i++)
		setsockopt(fd, options[i].level, options[i].name, &options[i].value, sizeof(int));
	return fd;
}

static bool attempt_start(NetConnect *self, GSocketAddress *address)
{
	struct sockaddr_storage native;
	GInetAddress *inet = g_inet_socket_address_get_address(G_INET_SOCKET_ADDRESS(address));
	socklen_t size = (socklen_t)g_socket_address_get_native_size(address);

	if (!g_socket_address_to_native(address, &native, sizeof(native), NULL)) {
		note_failure(self, EAFNOSUPPORT);
		return false;
	}
	Attempt attempt = {.fd = open_socket(native.ss_family),
		.is_loopback = g_inet_address_get_is_loopback(inet)};
	if (attempt.fd < 0) {
		note_failure(self, errno);
		return false;
	}
	if (connect(attempt.fd, (struct sockaddr *)&native, size) < 0 && errno != EINPROGRESS) {
		note_failure(self, errno);
		close(attempt.fd);
		return false;
	}
	attempt.tag = g_source_add_unix_fd(self->source, attempt.fd, G_IO_OUT);
	g_array_append_val(self->attempts, attempt);
	return true;
}

/* Starts what is due: at once when nothing is under way or an attempt just failed. */
static void start_attempts(NetConnect *self)
{
	gint64 now = g_get_monotonic_time();

	while (!g_queue_is_empty(&self->addresses)) {
		if (self->attempts->len > 0 && now < self->next_us)
			break;
		g_autoptr(GSocketAddress) address = g_queue_pop_head(&self->addresses);
		if (attempt_start(self, address))
			self->next_us = now + ATTEMPT_DELAY_US;
	}
	bool is_waiting = self->attempts->len > 0;
	bool has_more = !g_queue_is_empty(&self->addresses);
	g_source_set_ready_time(self->source, !is_waiting ? 0 : has_more ? self->next_us : -1);
}

static int socket_error(int fd)
{
	int code = 0;
	socklen_t len = sizeof(code);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &len) < 0)
		return errno;
	return code;
}

static gboolean connect_dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
	NetConnect *self = ((ConnectSource *)source)->connect;

	for (guint i = 0; i < self->attempts->len;) {
		Attempt *attempt = &g_array_index(self->attempts, Attempt, i);
		if (!g_source_query_unix_fd(source, attempt->tag)) {
			i++;
			continue;
		}
		int code = socket_error(attempt->fd);
		if (code == 0) {
			int fd = attempt->fd;
			attempt->fd = -1;
			connect_finish(self, fd, attempt->is_loopback);
			return G_SOURCE_REMOVE;
		}
		note_failure(self, code);
		attempt_drop(self, i);
		self->next_us = 0;
	}
	start_attempts(self);
	if (self->attempts->len > 0)
		return G_SOURCE_CONTINUE;
	connect_finish(self, -1, false);
	return G_SOURCE_REMOVE;
}

/* RFC 8305 section 4: families take turns, beginning with that of the first address, each in the
 * order of the resolver. */
static void take_addresses(NetConnect *self, GList *found)
{
	g_autoptr(GList) same = NULL;
	g_autoptr(GList) other = NULL;

	for (GList *l = g_list_last(found); l; l = l->prev) {
		if (g_inet_address_get_family(l->data) == g_inet_address_get_family(found->data))
			same = g_list_prepend(same, l->data);
		else
			other = g_list_prepend(other, l->data);
	}
	GList *turn = same;
	GList *rest = other;
	while (turn || rest) {
		if (turn && g_queue_get_length(&self->addresses) < ADDRESSES_TRIED)
			g_queue_push_tail(&self->addresses,
				g_inet_socket_address_new(turn->data, self->port));
		GList *next = turn ? turn->next : NULL;
		turn = rest;
		rest = next;
	}
	start_attempts(self);
}

static void on_found(GObject *resolver, GAsyncResult *result, gpointer data)
{
	NetConnect *self = data;
	g_autoptr(GError) error = NULL;
	GList *found = g_resolver_lookup_by_name_finish(G_RESOLVER(resolver), result, &error);

	if (!self->over && found) {
		take_addresses(self, found);
	} else if (!self->over) {
		self->failure = g_error_new(MAIL_ERROR, MAIL_ERROR_OFFLINE, "name lookup: %s",
			error ? error->message : "the name has no address");
		g_source_set_ready_time(self->source, 0);
	}
	g_resolver_free_addresses(found);
	connect_unref(self);
}

static void look_up(NetConnect *self, GMainContext *context)
{
	g_autoptr(GResolver) resolver = g_resolver_get_default();

	self->refs++;
	/* Never let go: the resolver's thread, which nobody joins, may do so after all else has
	 * ended, and must not be the one to take the context down. */
	g_main_context_ref(context);
	g_main_context_push_thread_default(context);
	g_resolver_lookup_by_name_async(resolver, self->host, self->lookup, on_found, self);
	g_main_context_pop_thread_default(context);
}

/* RFC 6761 section 6.3: "localhost" and what ends in ".localhost" is never looked up. */
static bool is_localhost(const char *host)
{
	g_autofree char *name = g_ascii_strdown(host, -1);

	if (g_str_has_suffix(name, "."))
		name[strlen(name) - 1] = '\0';
	return strcmp(name, "localhost") == 0 || g_str_has_suffix(name, ".localhost");
}

static void find_addresses(NetConnect *self, GMainContext *context)
{
	/* Other than g_inet_address_new_from_string() this reads a scope: fe80::1%eth0. */
	GSocketAddress *literal = g_inet_socket_address_new_from_string(self->host, self->port);

	if (literal) {
		g_queue_push_tail(&self->addresses, literal);
		start_attempts(self);
	} else if (is_localhost(self->host)) {
		g_autoptr(GInetAddress) v6 = g_inet_address_new_loopback(G_SOCKET_FAMILY_IPV6);
		g_autoptr(GInetAddress) v4 = g_inet_address_new_loopback(G_SOCKET_FAMILY_IPV4);
		g_autoptr(GList) both = g_list_append(g_list_append(NULL, v6), v4);
		take_addresses(self, both);
	} else {
		look_up(self, context);
	}
}

NetConnect *net_connect_new(
	GMainContext *context, const char *host, guint16 port, NetConnectDone done, gpointer data)
{
	static GSourceFuncs funcs = {.dispatch = connect_dispatch};
	NetConnect *self = g_new0(NetConnect, 1);

	self->refs = 1;
	self->host = g_strdup(host);
	self->port = port;
	self->done = done;
	self->data = data;
	self->lookup = g_cancellable_new();
	self->attempts = g_array_new(FALSE, FALSE, sizeof(Attempt));
	g_queue_init(&self->addresses);
	self->source = g_source_new(&funcs, sizeof(ConnectSource));
	((ConnectSource *)self->source)->connect = self;
	g_source_attach(self->source, context);
	find_addresses(self, context);
	return self;
}

void net_connect_free(NetConnect *self)
{
	if (!self)
		return;
	connect_stop(self);
	connect_unref(self);
}
