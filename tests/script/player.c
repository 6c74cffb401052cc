#include "player.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../unit/tls-peer.h"

typedef enum { PLAY_NEXT, PLAY_WAIT, PLAY_FAILED } Play;

/* A descriptor that a line waits for. */
typedef struct {
	Player *player;
	GSource *source; /* NULL: nobody waits */
} Watch;

/* One connection of the client. */
typedef struct {
	int fd; /* -1: closed */
	SSL *ssl;
	Watch watch;
	GString *in;
} Link;

struct Player {
	GMainContext *context;
	const char *name;
	const PlayerHooks *hooks;
	gpointer data;

	char **lines;
	guint at; /* the line being played */
	GSource *turn;
	GSource *deadline;
	bool started;
	bool is_over;
	char *failure;

	Peer *peer; /* its listener and certificate; its own script is not played */
	Watch listening;
	GPtrArray *links;
	Link *link; /* the one that is spoken on */
	GString *out; /* of the line being played, not sent yet */
	gsize split;
	char *scram; /* the last SASL message of the client */
	GHashTable *tags; /* "A1" -> the tag on the wire */
};

static Play fail(Player *player, const char *format, ...) G_GNUC_PRINTF(2, 3);

static Play fail(Player *player, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_autofree char *why = g_strdup_vprintf(format, args);
	va_end(args);
	player->failure = g_strdup_printf("%s:%u: %s", player->name, player->at + 1, why);
	return PLAY_FAILED;
}

/* ---- the connection ---- */

static gboolean on_ready(int fd, GIOCondition condition, gpointer data)
{
	Watch *watch = data;

	g_clear_pointer(&watch->source, g_source_unref);
	player_wake(watch->player);
	return G_SOURCE_REMOVE;
}

static void wait_for(Watch *watch, int fd, GIOCondition condition)
{
	if (watch->source)
		return;
	watch->source = g_unix_fd_source_new(fd, condition);
	g_source_set_callback(watch->source, G_SOURCE_FUNC(on_ready), watch, NULL);
	g_source_attach(watch->source, watch->player->context);
}

static void stop_waiting(Watch *watch)
{
	if (watch->source)
		g_source_destroy(watch->source);
	g_clear_pointer(&watch->source, g_source_unref);
}

static void hang_up(Link *link)
{
	stop_waiting(&link->watch);
	g_clear_pointer(&link->ssl, SSL_free);
	if (link->fd >= 0)
		close(link->fd);
	link->fd = -1;
	g_string_truncate(link->in, 0);
}

static Link *link_new(Player *player)
{
	Link *link = g_new0(Link, 1);

	*link = (Link){.fd = -1, .watch.player = player};
	link->in = g_string_new(NULL);
	return link;
}

static void link_free(gpointer data)
{
	Link *link = data;

	hang_up(link);
	g_string_free(link->in, TRUE);
	g_free(link);
}

/* It takes the place of the one spoken on if that is closed. */
static Play accept_client(Player *player)
{
	const int on = 1;
	int fd = accept4(player->peer->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0) {
		wait_for(&player->listening, player->peer->listener, G_IO_IN);
		return PLAY_WAIT;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (!player->link || player->link->fd >= 0) {
		player->link = link_new(player);
		g_ptr_array_add(player->links, player->link);
	}
	player->link->fd = fd;
	return PLAY_NEXT;
}

static Play play_accept(Player *player, const char *text)
{
	guint least_ms = 0, most_ms = G_MAXUINT;

	sscanf(text, "%u %u", &least_ms, &most_ms);
	Play play = accept_client(player);
	if (play != PLAY_NEXT || !player->hooks->pause_ms)
		return play;
	guint pause_ms = player->hooks->pause_ms(player->data);
	if (pause_ms < least_ms || pause_ms > most_ms)
		return fail(player, "the client came back after %u ms", pause_ms);
	return PLAY_NEXT;
}

static Play play_nobody(Player *player)
{
	struct pollfd waits = {.fd = player->peer->listener, .events = POLLIN};

	return poll(&waits, 1, 0) > 0 ? fail(player, "the client makes another connection")
				      : PLAY_NEXT;
}

static Play play_on(Player *player, const char *text)
{
	guint n = (guint)g_ascii_strtoull(text, NULL, 10);

	if (n < 1 || n > player->links->len)
		return fail(player, "no such connection: %s", text);
	player->link = g_ptr_array_index(player->links, n - 1);
	return PLAY_NEXT;
}

static Play wait_tls(Link *link, int rc)
{
	switch (SSL_get_error(link->ssl, rc)) {
	case SSL_ERROR_WANT_READ:
		wait_for(&link->watch, link->fd, G_IO_IN);
		return PLAY_WAIT;
	case SSL_ERROR_WANT_WRITE:
		wait_for(&link->watch, link->fd, G_IO_OUT);
		return PLAY_WAIT;
	default:
		return PLAY_NEXT;
	}
}

static Play start_tls(Player *player)
{
	Link *link = player->link;

	if (!link->ssl) {
		link->ssl = SSL_new(player->peer->ctx);
		SSL_set_fd(link->ssl, link->fd);
	}
	int rc = SSL_accept(link->ssl);
	if (rc == 1)
		return PLAY_NEXT;
	return wait_tls(link, rc) == PLAY_WAIT ? PLAY_WAIT
					       : fail(player, "the client ends the handshake");
}

/* Bytes from the client; 0: it closed. PLAY_NEXT when there is an answer in *ret_n. */
static Play read_some(Link *link, char *buf, gsize size, gsize *ret_n)
{
	*ret_n = 0;
	if (link->ssl) {
		int rc = SSL_read_ex(link->ssl, buf, size, ret_n);
		return rc == 1 ? PLAY_NEXT : wait_tls(link, rc);
	}
	ssize_t n = recv(link->fd, buf, size, 0);
	if (n < 0 && errno == EAGAIN) {
		wait_for(&link->watch, link->fd, G_IO_IN);
		return PLAY_WAIT;
	}
	*ret_n = n > 0 ? (gsize)n : 0;
	return PLAY_NEXT;
}

static Play write_some(Link *link, const char *bytes, gsize len, gsize *ret_n)
{
	*ret_n = len; /* to a client that is gone nothing is owed */
	if (link->ssl) {
		int rc = SSL_write_ex(link->ssl, bytes, len, ret_n);
		return rc == 1 ? PLAY_NEXT : wait_tls(link, rc);
	}
	ssize_t n = send(link->fd, bytes, len, MSG_NOSIGNAL);
	if (n < 0 && errno == EAGAIN) {
		wait_for(&link->watch, link->fd, G_IO_OUT);
		return PLAY_WAIT;
	}
	*ret_n = n > 0 ? (gsize)n : len;
	return PLAY_NEXT;
}

/* Sends one segment of what is left, so that the client's turn comes between two. */
static Play flush(Player *player)
{
	gsize len = player->split ? MIN(player->split, player->out->len) : player->out->len;
	gsize n = 0;

	if (player->link->fd < 0)
		return fail(player, "there is no connection to send on");
	if (write_some(player->link, player->out->str, len, &n) == PLAY_WAIT)
		return PLAY_WAIT;
	g_string_erase(player->out, 0, (gssize)n);
	player_wake(player);
	return player->out->len > 0 ? PLAY_WAIT : PLAY_NEXT;
}

/* ---- lines ---- */

static char *unescape(const char *text, gsize *ret_len)
{
	GString *out = g_string_new(NULL);

	for (const char *p = text; *p; p++) {
		if (*p != '\\') {
			g_string_append_c(out, *p);
			continue;
		}
		switch (*++p) {
		case 'r':
			g_string_append_c(out, '\r');
			break;
		case 'n':
			g_string_append_c(out, '\n');
			break;
		case '0':
			g_string_append_c(out, '\0');
			break;
		case 'x':
			g_assert_true(g_ascii_isxdigit(p[1]) && g_ascii_isxdigit(p[2]));
			g_string_append_c(out, (char)(g_ascii_xdigit_value(p[1]) * 16 +
						       g_ascii_xdigit_value(p[2])));
			p += 2;
			break;
		default:
			g_assert_cmpint(*p, ==, '\\');
			g_string_append_c(out, '\\');
		}
	}
	*ret_len = out->len;
	return g_string_free(out, FALSE);
}

static gboolean put_tag(const GMatchInfo *match, GString *result, gpointer data)
{
	const Player *player = data;
	g_autofree char *word = g_match_info_fetch(match, 0);
	const char *tag = g_hash_table_lookup(player->tags, word);

	g_string_append(result, tag ? tag : word);
	return FALSE;
}

/* The text with the tags of the wire in place of A1, A2... */
static char *with_tags(Player *player, const char *text)
{
	g_autoptr(GRegex) regex = g_regex_new("(?:(?<=\\\\n)|\\b)A[0-9]+\\b", G_REGEX_RAW, 0, NULL);

	return g_regex_replace_eval(regex, text, -1, 0, 0, put_tag, player, NULL);
}

static Play play_send(Player *player, const char *text, const char *end)
{
	if (player->out->len == 0) {
		gsize len;
		g_autofree char *tagged = with_tags(player, text);
		g_autofree char *bytes = unescape(tagged, &len);
		g_string_append_len(player->out, bytes, (gssize)len);
		g_string_append(player->out, end);
	}
	return flush(player);
}

static Play play_bytes(Player *player, const char *text)
{
	if (player->out->len == 0)
		for (guint64 n = g_ascii_strtoull(text, NULL, 10); n > 0; n--)
			g_string_append_c(player->out, 'x');
	return flush(player);
}

/* One line of the client without its CRLF, in *ret_line once it is there. */
static Play read_line(Player *player, char **ret_line)
{
	char buf[4096];
	gsize n;
	const char *lf;
	GString *in = player->link->in;

	while (!(lf = memchr(in->str, '\n', in->len))) {
		if (read_some(player->link, buf, sizeof(buf), &n) == PLAY_WAIT)
			return PLAY_WAIT;
		if (n == 0)
			return fail(player, "the client closed the connection");
		g_string_append_len(in, buf, (gssize)n);
	}
	gsize len = (gsize)(lf - in->str);
	*ret_line = g_strndup(in->str, len > 0 && lf[-1] == '\r' ? len - 1 : len);
	g_string_erase(in, 0, (gssize)len + 1);
	return PLAY_NEXT;
}

static Play play_take(Player *player, const char *text)
{
	gsize len = (gsize)g_ascii_strtoull(text, NULL, 10);
	char buf[4096];
	gsize n;
	GString *in = player->link->in;

	while (in->len < len) {
		if (read_some(player->link, buf, MIN(sizeof(buf), len - in->len), &n) == PLAY_WAIT)
			return PLAY_WAIT;
		if (n == 0)
			return fail(player, "the client closed the connection");
		g_string_append_len(in, buf, (gssize)n);
	}
	g_string_erase(in, 0, (gssize)len);
	return PLAY_NEXT;
}

/* "A3 NOOP": the name A3 is given to the tag of that line. */
static char *bind_tag(Player *player, const char *pattern, const char *line)
{
	g_auto(GStrv) words = g_strsplit(pattern, " ", 2);
	g_auto(GStrv) got = g_strsplit(line, " ", 2);

	if (g_regex_match_simple("^A[0-9]+$", words[0] ? words[0] : "", 0, 0) && got[0] &&
		!g_hash_table_contains(player->tags, words[0]))
		g_hash_table_insert(player->tags, g_strdup(words[0]), g_strdup(got[0]));
	return with_tags(player, pattern);
}

static Play play_receive(Player *player, const char *text)
{
	g_autofree char *line = NULL;

	if (player->link->fd < 0)
		return fail(player, "there is no connection to receive from");
	Play play = read_line(player, &line);
	if (play != PLAY_NEXT)
		return play;
	gsize len;
	g_autofree char *tagged = bind_tag(player, text, line);
	g_autofree char *pattern = unescape(tagged, &len);
	if (!g_pattern_match_simple(pattern, line))
		return fail(player, "the client sent: %s", line);
	const char *last = strrchr(line, ' ');
	g_free(player->scram);
	player->scram = g_strdup(last ? last + 1 : line);
	return PLAY_NEXT;
}

/* RFC 5802 7: server-first-message. */
static Play play_scram(Player *player, const char *text)
{
	gsize len;
	g_autofree guchar *raw = g_base64_decode(player->scram, &len);
	g_autofree char *first = g_strndup((const char *)raw, len);
	const char *nonce = strstr(first, ",r=");
	if (!nonce)
		return fail(player, "no SCRAM client-first-message: %s", first);
	g_autofree char *answer =
		g_strdup_printf("r=%sserver,s=c2FsdA==,i=%s", nonce + strlen(",r="), text);
	g_autofree char *encoded = g_base64_encode((const guchar *)answer, strlen(answer));
	g_autofree char *line = g_strdup_printf("+ %s", encoded);
	return play_send(player, line, "\r\n");
}

/* What the client sent beyond the lines it was to send is a failure; PLAY_NEXT: it closed. */
static Play play_eof(Player *player)
{
	char buf[4096];
	gsize n;

	if (player->link->in->len > 0)
		return fail(player, "the client sent: %s", player->link->in->str);
	if (read_some(player->link, buf, sizeof(buf) - 1, &n) == PLAY_WAIT)
		return PLAY_WAIT;
	if (n == 0)
		return PLAY_NEXT;
	buf[n] = '\0';
	return fail(player, "the client sent: %s", buf);
}

static Play play_quiet(Player *player)
{
	switch (play_eof(player)) {
	case PLAY_WAIT:
		return PLAY_NEXT;
	case PLAY_NEXT:
		return fail(player, "the client closed the connection");
	case PLAY_FAILED:
		break;
	}
	return PLAY_FAILED;
}

static Play play_event(Player *player, const char *pattern)
{
	g_autofree char *event = player->hooks->next_event(player->data);

	if (!event)
		return PLAY_WAIT;
	return g_pattern_match_simple(pattern, event) ? PLAY_NEXT
						      : fail(player, "the news is: %s", event);
}

static Play play_truncate(Player *player)
{
	hang_up(player->link);
	return PLAY_NEXT;
}

static Play play_close(Player *player)
{
	if (player->link->ssl)
		SSL_shutdown(player->link->ssl);
	return play_truncate(player);
}

static Play play_reset(Player *player)
{
	const struct linger now = {.l_onoff = 1};

	setsockopt(player->link->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	return play_truncate(player);
}

static Play play_narrow(Player *player)
{
	const int bytes = 32 << 10;

	setsockopt(player->link->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	return PLAY_NEXT;
}

static Play play_word(Player *player, const char *line)
{
	g_auto(GStrv) words = g_strsplit(line, " ", 2);
	const char *argument = words[0] && words[1] ? words[1] : "";

	if (g_str_equal(words[0], "@accept"))
		return play_accept(player, argument);
	if (g_str_equal(words[0], "@nobody"))
		return play_nobody(player);
	if (g_str_equal(words[0], "@on"))
		return play_on(player, argument);
	if (g_str_equal(words[0], "@tls"))
		return start_tls(player);
	if (g_str_equal(words[0], "@scram"))
		return play_scram(player, argument);
	if (g_str_equal(words[0], "@bytes"))
		return play_bytes(player, argument);
	if (g_str_equal(words[0], "@take"))
		return play_take(player, argument);
	if (g_str_equal(words[0], "@narrow"))
		return play_narrow(player);
	if (g_str_equal(words[0], "@close"))
		return play_close(player);
	if (g_str_equal(words[0], "@reset"))
		return play_reset(player);
	if (g_str_equal(words[0], "@quiet"))
		return play_quiet(player);
	if (g_str_equal(words[0], "@eof"))
		return play_eof(player);
	if (g_str_equal(words[0], "@truncate"))
		return play_truncate(player);
	if (g_str_equal(words[0], "@split")) {
		player->split = (gsize)g_ascii_strtoull(argument, NULL, 10);
		return PLAY_NEXT;
	}
	return fail(player, "no such word: %s", line);
}

static Play play_line(Player *player, const char *line)
{
	if (*line == '\0' || *line == '#')
		return PLAY_NEXT;
	if (g_str_has_prefix(line, "S: "))
		return play_send(player, line + 3, "\r\n");
	if (g_str_has_prefix(line, "S:+ "))
		return play_send(player, line + 4, "");
	if (g_str_has_prefix(line, "C: "))
		return play_receive(player, line + 3);
	if (g_str_has_prefix(line, "= "))
		return play_event(player, line + 2);
	if (g_str_has_prefix(line, "> ")) {
		player->hooks->act(line + 2, player->data);
		return PLAY_NEXT;
	}
	return play_word(player, line);
}

/* ---- life ---- */

/* One line a turn, so that the client's turn comes between two. */
static gboolean turn(gpointer data)
{
	Player *player = data;
	const char *line = player->lines[player->at];

	g_source_set_ready_time(player->turn, -1);
	if (player->is_over)
		return G_SOURCE_CONTINUE;
	if (!line) {
		player->is_over = true;
		return G_SOURCE_CONTINUE;
	}
	switch (player->started ? play_line(player, line) : accept_client(player)) {
	case PLAY_NEXT:
		player->at += player->started;
		player->started = true;
		player_wake(player);
		break;
	case PLAY_WAIT:
		break;
	case PLAY_FAILED:
		player->is_over = true;
		break;
	}
	return G_SOURCE_CONTINUE;
}

static gboolean overdue(gpointer data)
{
	Player *player = data;
	const char *line = player->lines[player->at];

	fail(player, "still waiting: %s", line ? line : "(end)");
	player->is_over = true;
	return G_SOURCE_REMOVE;
}

static gboolean dispatch_ready(GSource *source, GSourceFunc callback, gpointer data)
{
	return callback(data);
}

Player *player_new(GMainContext *context, const char *name, const char *text, guint seconds,
	const PlayerHooks *hooks, gpointer data)
{
	static const PeerIdentity identity = {
		.names = "localhost", .address = "127.0.0.1", .from_days = -1, .to_days = 1};
	static GSourceFuncs funcs = {.dispatch = dispatch_ready};
	Player *player = g_new0(Player, 1);

	signal(SIGPIPE, SIG_IGN);
	player->context = g_main_context_ref(context);
	player->name = name;
	player->hooks = hooks;
	player->data = data;
	player->lines = g_strsplit(text, "\n", -1);
	player->listening.player = player;
	player->links = g_ptr_array_new_with_free_func(link_free);
	player->out = g_string_new(NULL);
	player->tags = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	player->peer = peer_start("127.0.0.1", &identity, NULL, 0);
	fcntl(player->peer->listener, F_SETFL, O_NONBLOCK);

	player->turn = g_source_new(&funcs, sizeof(GSource));
	g_source_set_callback(player->turn, turn, player, NULL);
	g_source_set_priority(player->turn, G_PRIORITY_LOW);
	g_source_attach(player->turn, context);
	player->deadline = g_timeout_source_new_seconds(seconds);
	g_source_set_callback(player->deadline, overdue, player, NULL);
	g_source_attach(player->deadline, context);
	player_wake(player);
	return player;
}

void player_free(Player *player)
{
	if (!player)
		return;
	stop_waiting(&player->listening);
	g_ptr_array_unref(player->links);
	g_source_destroy(player->turn);
	g_source_unref(player->turn);
	g_source_destroy(player->deadline);
	g_source_unref(player->deadline);
	peer_free(player->peer);
	g_string_free(player->out, TRUE);
	g_hash_table_unref(player->tags);
	g_strfreev(player->lines);
	g_free(player->scram);
	g_free(player->failure);
	g_main_context_unref(player->context);
	g_free(player);
}

guint16 player_port(const Player *player)
{
	return player->peer->port;
}

const char *player_cafile(void)
{
	return peer_cafile();
}

void player_wake(Player *player)
{
	g_source_set_ready_time(player->turn, 0);
}

void player_hang_up(Player *player)
{
	for (guint i = 0; i < player->links->len; i++)
		hang_up(g_ptr_array_index(player->links, i));
	shutdown(player->peer->listener, SHUT_RDWR);
}

void player_run(Player *player)
{
	while (!player->is_over)
		g_main_context_iteration(player->context, TRUE);
	if (player->failure)
		g_test_message("%s", player->failure);
	g_assert_null(player->failure);
}
