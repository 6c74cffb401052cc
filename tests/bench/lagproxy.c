/* lagproxy TARGET_PORT [DELAY_MS [MBIT]] relays a loopback port to another one as a long line
 * would: every byte takes DELAY_MS each way, the stream itself is never stopped, and the TCP
 * handshake costs one round trip. Prints "port N", then obeys lines on standard input, each
 * answered by one line, and ends with it:
 *
 *	counters	connections N up N down N turns N
 *	clear		counters to zero
 *	delay MS	one way, for bytes still to come
 *	rate MBIT	bandwidth each way, 0: no bound
 *	hole on|off	black hole: nothing moves, nothing is closed
 *	refuse on|off	new connections are refused
 *	reset		RST to both ends of every connection
 *
 * A turn is a client that speaks after it was spoken to, or a handshake: a round trip that it
 *waited for, unless it would have spoken anyway. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum {
	/* Bytes under way in one direction: 1 GB/s x 50 ms. Mapped, and used only as far as needed.
	 */
	RING_BYTES = 64 << 20,
	RING_MARKS = 1 << 16,
	/* One read, so that no connection starves the others. */
	READ_BYTES = 1 << 20,
	EVENTS = 64,
};

#define NEVER INT64_MAX

/* The bytes up to position `end` of the stream are due then. */
struct mark {
	int64_t due_ns;
	uint64_t end;
};

/* One direction. head, sent: positions in the stream; between them lie the bytes under way. */
struct half {
	char *ring;
	struct mark *marks;
	uint64_t head, sent;
	uint32_t first_mark, next_mark;
	int64_t line_free_ns; /* when the line has taken all bytes so far */
	int64_t end_due_ns; /* when the other end learns of the FIN */
	bool ended, end_sent, blocked;
};

struct pair;

struct end {
	struct pair *pair;
	int fd;
	uint32_t interest;
	bool registered;
};

struct pair {
	struct pair *next;
	struct end client, server;
	struct half up, down;
	int64_t connect_ns; /* when the handshake reaches the target; NEVER once that is done */
	bool connecting, dead;
	bool spoke; /* the client did, ever */
	bool spoken_to; /* bytes, or a handshake, reached the client since it spoke */
};

static struct {
	int epoll, timer, listener;
	uint16_t port, target;
	int64_t delay_ns;
	double ns_per_byte;
	bool hole;
	struct pair *pairs;
	uint64_t connections, up, down, turns;
} proxy;

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void *map(size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		die("mmap");
	return p;
}

static int loopback_socket(struct sockaddr_in *ret_address, uint16_t port)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket");
	*ret_address = (struct sockaddr_in){.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	return fd;
}

static void set_flag(int fd, int level, int option)
{
	int one = 1;

	setsockopt(fd, level, option, &one, sizeof one);
}

static void watch(int fd, uint32_t events, void *data)
{
	struct epoll_event event = {.events = events, .data.ptr = data};

	if (epoll_ctl(proxy.epoll, EPOLL_CTL_ADD, fd, &event))
		die("epoll_ctl");
}

static void listener_open(void)
{
	struct sockaddr_in address;
	socklen_t len = sizeof address;

	proxy.listener = loopback_socket(&address, proxy.port);
	set_flag(proxy.listener, SOL_SOCKET, SO_REUSEADDR);
	if (bind(proxy.listener, (struct sockaddr *)&address, sizeof address) ||
		listen(proxy.listener, 128) ||
		getsockname(proxy.listener, (struct sockaddr *)&address, &len))
		die("listen");
	proxy.port = ntohs(address.sin_port);
	if (!proxy.hole)
		watch(proxy.listener, EPOLLIN, &proxy.listener);
}

static void listener_close(void)
{
	close(proxy.listener);
	proxy.listener = -1;
}

/* ---- one direction ---- */

static void half_open(struct half *half)
{
	half->ring = map(RING_BYTES);
	half->marks = map(RING_MARKS * sizeof *half->marks);
	half->end_due_ns = NEVER;
}

static void half_close(struct half *half)
{
	munmap(half->ring, RING_BYTES);
	munmap(half->marks, RING_MARKS * sizeof *half->marks);
}

static bool half_has_room(const struct half *half)
{
	return !half->ended && half->head - half->sent < RING_BYTES &&
	       half->next_mark - half->first_mark < RING_MARKS;
}

/* The ring from position `from` on, `len` bytes, as one or two pieces. Returns their number. */
static int half_span(const struct half *half, uint64_t from, size_t len, struct iovec span[2])
{
	size_t at = from % RING_BYTES;
	size_t first = len < RING_BYTES - at ? len : RING_BYTES - at;

	span[0] = (struct iovec){half->ring + at, first};
	span[1] = (struct iovec){half->ring, len - first};
	return len > first ? 2 : 1;
}

/* Bytes that were read at `now` are due a delay after the line took them. */
static void half_mark(struct half *half, size_t len, int64_t now)
{
	int64_t start = half->line_free_ns > now ? half->line_free_ns : now;

	half->line_free_ns = start + (int64_t)((double)len * proxy.ns_per_byte);
	half->head += len;
	half->marks[half->next_mark++ % RING_MARKS] =
		(struct mark){half->line_free_ns + proxy.delay_ns, half->head};
}

/* Reads what fits. Returns the number of bytes, -1 when the connection is broken. */
static ssize_t half_fill(struct half *half, int fd, int64_t now)
{
	size_t room = RING_BYTES - (size_t)(half->head - half->sent);
	struct iovec span[2];
	ssize_t n;

	if (half->head == half->sent) /* an empty ring starts over: the same few pages stay warm */
		half->head = half->sent = 0;
	n = readv(
		fd, span, half_span(half, half->head, room < READ_BYTES ? room : READ_BYTES, span));
	if (n > 0)
		half_mark(half, (size_t)n, now);
	if (n == 0) {
		half->ended = true;
		half->end_due_ns =
			(half->line_free_ns > now ? half->line_free_ns : now) + proxy.delay_ns;
	}
	return n < 0 && errno == EAGAIN ? 0 : n;
}

/* Sends what is due. Returns false when the connection is broken. */
static bool half_drain(struct half *half, int fd, int64_t now)
{
	uint32_t due = half->first_mark;
	struct iovec span[2];
	uint64_t end;
	ssize_t n;

	while (due != half->next_mark && half->marks[due % RING_MARKS].due_ns <= now)
		due++;
	if (due != half->first_mark) {
		end = half->marks[(due - 1) % RING_MARKS].end;
		n = writev(fd, span, half_span(half, half->sent, (size_t)(end - half->sent), span));
		if (n < 0 && errno != EAGAIN)
			return false;
		half->sent += n > 0 ? (uint64_t)n : 0;
		half->blocked = half->sent < end;
		while (half->first_mark != due &&
			half->marks[half->first_mark % RING_MARKS].end <= half->sent)
			half->first_mark++;
	}
	if (half->ended && !half->end_sent && half->sent == half->head && half->end_due_ns <= now) {
		shutdown(fd, SHUT_WR);
		half->end_sent = true;
		half->end_due_ns = NEVER;
	}
	return true;
}

/* When half_drain() has something to do; a blocked one waits for its socket. */
static int64_t half_due_ns(const struct half *half)
{
	if (half->blocked)
		return NEVER;
	if (half->first_mark != half->next_mark)
		return half->marks[half->first_mark % RING_MARKS].due_ns;
	return half->end_due_ns;
}

/* ---- one connection ---- */

static void end_close(struct end *end, bool reset)
{
	struct linger linger = {.l_onoff = 1, .l_linger = 0};

	if (end->fd < 0)
		return;
	if (reset)
		setsockopt(end->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
	close(end->fd);
	end->fd = -1;
}

/* The pair itself is freed by sweep(): events of this round may still name it. */
static void pair_kill(struct pair *pair, bool reset)
{
	end_close(&pair->client, reset);
	end_close(&pair->server, reset);
	pair->dead = true;
}

static void end_watch(struct end *end, uint32_t interest)
{
	struct epoll_event event = {.events = interest, .data.ptr = end};

	if (end->fd < 0 || (end->registered && end->interest == interest))
		return;
	epoll_ctl(proxy.epoll, end->registered ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, end->fd, &event);
	end->registered = true;
	end->interest = interest;
}

/* A black hole hears nothing, not even the end of a connection, so the socket must be taken out. */
static void end_unwatch(struct end *end)
{
	if (end->fd >= 0 && end->registered)
		epoll_ctl(proxy.epoll, EPOLL_CTL_DEL, end->fd, NULL);
	end->registered = false;
}

static void pair_watch(struct pair *pair)
{
	uint32_t client =
		(half_has_room(&pair->up) ? EPOLLIN : 0u) | (pair->down.blocked ? EPOLLOUT : 0u);
	uint32_t server = pair->connecting ? (uint32_t)EPOLLOUT
					   : (half_has_room(&pair->down) ? EPOLLIN : 0u) |
						     (pair->up.blocked ? EPOLLOUT : 0u);

	end_watch(&pair->client, client);
	end_watch(&pair->server, server);
}

static void pair_open(int fd)
{
	struct pair *pair = calloc(1, sizeof *pair);
	int64_t now = now_ns();

	if (!pair)
		die("calloc");
	set_flag(fd, IPPROTO_TCP, TCP_NODELAY);
	pair->client = (struct end){.pair = pair, .fd = fd};
	pair->server = (struct end){.pair = pair, .fd = -1};
	half_open(&pair->up);
	half_open(&pair->down);

	/* Over a real line connect() takes a round trip, here none. So the client's first bytes
	 * leave two delays late, and with them, another delay later, its ACK reaches the server. */
	pair->up.line_free_ns = now + 2 * proxy.delay_ns;
	pair->connect_ns = now + 3 * proxy.delay_ns;
	pair->next = proxy.pairs;
	proxy.pairs = pair;
	proxy.connections++;
	proxy.turns++;
	pair->spoken_to = true;
	pair_watch(pair);
}

static void pair_connect(struct pair *pair)
{
	struct sockaddr_in address;

	pair->connect_ns = NEVER;
	pair->server.fd = loopback_socket(&address, proxy.target);
	set_flag(pair->server.fd, IPPROTO_TCP, TCP_NODELAY);
	pair->connecting = true;
	if (connect(pair->server.fd, (struct sockaddr *)&address, sizeof address) &&
		errno != EINPROGRESS)
		pair_kill(pair, true);
}

static void pair_connected(struct pair *pair)
{
	int error = 0;
	socklen_t len = sizeof error;

	getsockopt(pair->server.fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (error)
		pair_kill(pair, true);
	pair->connecting = false;
}

static bool pair_up(struct pair *pair, int64_t now)
{
	ssize_t n = half_fill(&pair->up, pair->client.fd, now);

	if (n > 0) {
		proxy.up += (uint64_t)n;
		proxy.turns += pair->spoken_to;
		pair->spoken_to = false;
		pair->spoke = true;
	}
	return n >= 0;
}

static bool pair_down(struct pair *pair, int64_t now)
{
	ssize_t n = half_fill(&pair->down, pair->server.fd, now);

	if (n > 0)
		proxy.down += (uint64_t)n;
	return n >= 0;
}

static void pair_event(struct end *end, uint32_t events, int64_t now)
{
	struct pair *pair = end->pair;
	bool ok = true;

	if (pair->dead)
		return;
	if (end == &pair->server && pair->connecting) {
		pair_connected(pair);
		return;
	}
	if (events & EPOLLERR) {
		pair_kill(pair, true);
		return;
	}
	if (events & (EPOLLIN | EPOLLHUP)) {
		if (end == &pair->client && half_has_room(&pair->up))
			ok = pair_up(pair, now);
		else if (end == &pair->server && half_has_room(&pair->down))
			ok = pair_down(pair, now);
	}
	if (events & EPOLLOUT)
		(end == &pair->client ? &pair->down : &pair->up)->blocked = false;
	if (!ok)
		pair_kill(pair, true);
}

/* Does what is due now. */
static void pair_advance(struct pair *pair, int64_t now)
{
	uint64_t delivered = pair->down.sent;

	if (pair->connect_ns <= now)
		pair_connect(pair);
	if (pair->dead || pair->server.fd < 0 || pair->connecting)
		return;
	if (half_due_ns(&pair->up) <= now && !half_drain(&pair->up, pair->server.fd, now)) {
		pair_kill(pair, true);
		return;
	}
	if (half_due_ns(&pair->down) <= now && !half_drain(&pair->down, pair->client.fd, now)) {
		pair_kill(pair, true);
		return;
	}
	if (pair->down.sent != delivered) {
		/* A greeting is waited for without a word of the client. */
		proxy.turns += !pair->spoke && delivered == 0;
		pair->spoken_to = true;
	}
	if (pair->up.end_sent && pair->down.end_sent)
		pair_kill(pair, false);
}

static int64_t pair_due_ns(const struct pair *pair)
{
	int64_t due = pair->connect_ns, up, down;

	if (pair->server.fd < 0 || pair->connecting)
		return due;
	up = half_due_ns(&pair->up);
	down = half_due_ns(&pair->down);
	return up < down ? up : down;
}

/* ---- all of them ---- */

static void sweep(void)
{
	for (struct pair **at = &proxy.pairs; *at;) {
		struct pair *pair = *at;

		if (!pair->dead) {
			at = &pair->next;
			continue;
		}
		*at = pair->next;
		half_close(&pair->up);
		half_close(&pair->down);
		free(pair);
	}
}

/* Moves what is due, and sets the timer to what is due next. */
static void advance(void)
{
	int64_t now = now_ns(), due = NEVER;
	struct itimerspec timer = {0};

	if (!proxy.hole) {
		for (struct pair *pair = proxy.pairs; pair; pair = pair->next) {
			pair_advance(pair, now);
			if (pair->dead)
				continue;
			pair_watch(pair);
			due = pair_due_ns(pair) < due ? pair_due_ns(pair) : due;
		}
		sweep();
	}
	if (due != NEVER)
		timer.it_value = (struct timespec){due / 1000000000, due % 1000000000};
	timerfd_settime(proxy.timer, TFD_TIMER_ABSTIME, &timer, NULL);
}

static void set_hole(bool on)
{
	if (on == proxy.hole)
		return;
	proxy.hole = on;
	if (proxy.listener >= 0 && on)
		epoll_ctl(proxy.epoll, EPOLL_CTL_DEL, proxy.listener, NULL);
	else if (proxy.listener >= 0)
		watch(proxy.listener, EPOLLIN, &proxy.listener);
	for (struct pair *pair = proxy.pairs; on && pair; pair = pair->next) {
		end_unwatch(&pair->client);
		end_unwatch(&pair->server);
	}
}

static void set_refuse(bool on)
{
	if (on && proxy.listener >= 0)
		listener_close();
	else if (!on && proxy.listener < 0)
		listener_open();
}

static void reset_all(void)
{
	for (struct pair *pair = proxy.pairs; pair; pair = pair->next)
		pair_kill(pair, true);
	sweep();
}

static void set_rate(double mbit)
{
	proxy.ns_per_byte = mbit > 0 ? 8e3 / mbit : 0;
}

static void obey(const char *line)
{
	double number;

	if (!strcmp(line, "counters")) {
		printf("connections %" PRIu64 " up %" PRIu64 " down %" PRIu64 " turns %" PRIu64
		       "\n",
			proxy.connections, proxy.up, proxy.down, proxy.turns);
		return;
	}
	if (!strcmp(line, "clear"))
		proxy.connections = proxy.up = proxy.down = proxy.turns = 0;
	else if (sscanf(line, "delay %lf", &number) == 1)
		proxy.delay_ns = (int64_t)(number * 1e6);
	else if (sscanf(line, "rate %lf", &number) == 1)
		set_rate(number);
	else if (!strcmp(line, "hole on") || !strcmp(line, "hole off"))
		set_hole(line[6] == 'n');
	else if (!strcmp(line, "refuse on") || !strcmp(line, "refuse off"))
		set_refuse(line[8] == 'n');
	else if (!strcmp(line, "reset"))
		reset_all();
	else {
		puts("error: unknown command");
		return;
	}
	puts("ok");
}

/* Standard input: whole lines are obeyed, its end ends the program. */
static void read_commands(void)
{
	static char buf[4096];
	static size_t have;
	ssize_t n = read(STDIN_FILENO, buf + have, sizeof buf - 1 - have);
	char *line = buf, *end;

	if (n <= 0)
		exit(0);
	have += (size_t)n;
	buf[have] = 0;
	for (; (end = strchr(line, '\n')); line = end + 1) {
		*end = 0;
		obey(line);
	}
	have -= (size_t)(line - buf);
	memmove(buf, line, have);
	fflush(stdout);
}

static void accept_all(void)
{
	int fd;

	while (!proxy.hole &&
		(fd = accept4(proxy.listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
		pair_open(fd);
}

static void loop(void)
{
	struct epoll_event events[EVENTS];

	for (;;) {
		int n = epoll_wait(proxy.epoll, events, EVENTS, -1);
		int64_t now = now_ns();
		bool commands = false;

		for (int i = 0; i < n; i++) {
			void *data = events[i].data.ptr;
			uint64_t expirations;

			if (data == &proxy.listener)
				accept_all();
			else if (data == &proxy.timer)
				(void)!read(proxy.timer, &expirations, sizeof expirations);
			else if (data == &proxy)
				commands = true;
			else if (!proxy.hole)
				pair_event(data, events[i].events, now);
		}
		if (commands) /* last, since they may free what other events name */
			read_commands();
		advance();
	}
}

int main(int argc, char **argv)
{
	if (argc < 2 || argc > 4) {
		fprintf(stderr, "usage: lagproxy TARGET_PORT [DELAY_MS [MBIT]]\n");
		return 2;
	}
	proxy.target = (uint16_t)atoi(argv[1]);
	proxy.delay_ns = argc > 2 ? (int64_t)(atof(argv[2]) * 1e6) : 0;
	set_rate(argc > 3 ? atof(argv[3]) : 0);
	proxy.epoll = epoll_create1(EPOLL_CLOEXEC);
	proxy.timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (proxy.epoll < 0 || proxy.timer < 0)
		die("epoll");
	watch(proxy.timer, EPOLLIN, &proxy.timer);
	watch(STDIN_FILENO, EPOLLIN, &proxy);
	listener_open();
	printf("port %u\n", proxy.port);
	fflush(stdout);
	loop();
}
