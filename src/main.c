/* imapfs mounts an IMAP account as a directory tree. Here the parts are put together and taken
 * apart. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "base/log.h"
#include "cli/account.h"
#include "cli/check.h"
#include "cli/daemon.h"
#include "cli/mountpoint.h"
#include "cli/status.h"
#include "cli/stop.h"
#include "fs/mount.h"
#include "mime/init.h"

/* error NULL: it is in the log. */
static int fail(const GError *error)
{
	if (error)
		fprintf(stderr, "imapfs: %s\n", error->message);
	return EXIT_FAILURE;
}

/* Whether there is time left, after some of it. */
static bool wait_a_bit(gint64 end_us, GCancellable *stop)
{
	enum { STEP_MS = 20 };
	GPollFD poll;
	if (g_get_monotonic_time() >= end_us || !g_cancellable_make_pollfd(stop, &poll))
		return false;
	g_poll(&poll, 1, STEP_MS);
	g_cancellable_release_fd(stop);
	return !g_cancellable_is_cancelled(stop);
}

/* fusermount3 and umount return before the mount that they end has saved what it knows and let go
 * of its directory. Whether one is about to end nobody else can tell, so that any is waited for. */
static Store *open_store_when_free(const Options *options, GCancellable *stop, GError **error)
{
	enum { PATIENCE_S = 5 };
	gint64 end_us = g_get_monotonic_time() + PATIENCE_S * G_USEC_PER_SEC;
	for (bool told = false;; told = true) {
		g_autoptr(GError) why = NULL;
		Store *store = store_new(
			options->cachedir, options->cache_size, options->show_deleted, &why);
		if (store)
			return store;
		bool busy = why->code == MAIL_ERROR_BUSY;
		if (busy && !told)
			g_info("another mount of this account has not ended yet; waiting for it");
		if (busy && wait_a_bit(end_us, stop))
			continue;
		if (busy && !g_cancellable_is_cancelled(stop))
			g_prefix_error(&why, "waited %d seconds: ", PATIENCE_S);
		g_propagate_error(error, g_steal_pointer(&why));
		return NULL;
	}
}

/* Without a cache directory that can be written, bodies are kept in memory; but one that is someone
 * else's or in use is not silently left aside. */
static Store *open_store(const Options *options, GCancellable *stop, GError **error)
{
	g_autoptr(GError) why = NULL;
	Store *store = open_store_when_free(options, stop, &why);
	if (store)
		return store;
	if (why->code == MAIL_ERROR_ACCESS || why->code == MAIL_ERROR_BUSY) {
		g_propagate_error(error, g_steal_pointer(&why));
		return NULL;
	}
	g_message("no cache on disk: %s", why->message);
	return store_new(NULL, options->cache_size, options->show_deleted, error);
}

/* A mount being served, in a thread of its own. */
typedef struct {
	Fs *fs;
	GCancellable *stop;
	GThread *thread;
} Service;

static void on_stop(GCancellable *stop, gpointer data)
{
	fs_stop(data);
}

static gpointer serve(gpointer data)
{
	const Service *service = data;
	gulong handler =
		g_cancellable_connect(service->stop, G_CALLBACK(on_stop), service->fs, NULL);
	bool served = fs_loop(service->fs);
	g_cancellable_disconnect(service->stop, handler);
	fs_unmount(service->fs);
	if (!served)
		g_warning("the connection to the kernel broke");
	/* Unmounted before the login was done: nobody needs it any more. */
	g_cancellable_cancel(service->stop);
	return GINT_TO_POINTER(served);
}

static bool start_service(Service *service, Engine *engine, const char *mountpoint, GError **error)
{
	if (!fs_mount(service->fs, engine, mountpoint, error))
		return false;
	service->thread = g_thread_new("fs-loop", serve, service);
	return true;
}

static bool end_service(Service *service)
{
	return GPOINTER_TO_INT(g_thread_join(g_steal_pointer(&service->thread)));
}

/* Whether the server may come later: then what is known already is worth a mount, be it that nobody
 * answers or somebody else does, as in the network of a hotel. What only the user can put right, or
 * may be an attack, is for him to see. */
static bool is_away(const GError *error)
{
	switch ((MailError)error->code) {
	case MAIL_ERROR_AUTH:
	case MAIL_ERROR_TLS:
	case MAIL_ERROR_ACCESS:
	case MAIL_ERROR_INVALID:
	case MAIL_ERROR_CANCELLED:
		return false;
	default:
		return true;
	}
}

/* Logged in and listed; or, with an account that is known from an earlier mount, away for now. Then
 * the tree is there already, and who wants to use it is not kept longer than a login takes. */
static bool start_account(Account *account, Engine *engine, Service *service, GError **error)
{
	enum { PATIENCE_MS = 5000 };
	g_autoptr(GError) why = NULL;
	if (account_start(account, engine, service->thread ? PATIENCE_MS : 0, service->stop, &why))
		return true;
	if (service->thread && is_away(why)) {
		g_message("%s; showing what is known until the server is there", why->message);
		return true;
	}
	/* Unmounted before that, or stopped. */
	if (service->thread && why->code == MAIL_ERROR_CANCELLED)
		return true;
	g_propagate_error(error, g_steal_pointer(&why));
	return false;
}

/* parent: what daemon_ready() needs; -1: stay in the foreground. known: from an earlier mount, to
 * be shown before the server has said a word. */
static bool run_mounted(Service *service, const Options *options, Account *account, Engine *engine,
	bool known, int parent, GError **error)
{
	if (known && !start_service(service, engine, options->mountpoint, error))
		return false;
	if (!start_account(account, engine, service, error)) {
		if (service->thread) {
			fs_stop(service->fs);
			end_service(service);
		}
		return false;
	}
	if (!known && !start_service(service, engine, options->mountpoint, error))
		return false;
	if (parent >= 0) {
		log_retarget(LOG_TO_SYSLOG);
		daemon_ready(parent);
	}
	return end_service(service);
}

static bool mount_account(
	const Options *options, Account *account, GCancellable *stop, int parent, GError **error)
{
	g_autoptr(Store) store = open_store(options, stop, error);
	if (!store)
		return false;
	FsConfig fs_config = {
		.source = options->name,
		.account = options->account,
		.root = options->source.mailbox,
		.foreground = options->foreground,
		.read_only = options->ro,
		.sync = options->sync,
		.lists_views = options->views,
		.delete = options->delete,
		.edit = options->edit,
		.names = options->names,
		.poll_s = options->poll_s,
		.allow_other = options->allow_other,
		.owner_uid = options->owner_uid,
		.owner_gid = options->owner_gid,
		.fmask = options->fmask,
		.dmask = options->dmask,
	};
	g_autoptr(Fs) fs = fs_new(store, &fs_config);
	EngineConfig engine_config = account_engine_config(account);
	Engine *engine = engine_new(&engine_config, store, fs_events(), fs);
	Service service = {.fs = fs, .stop = stop};
	bool known = fs_has_root(fs);
	bool served = run_mounted(&service, options, account, engine, known, parent, error);
	engine_free(engine);
	return served;
}

/* All that needs no thread is done before the fork. */
static int command_mount(const Options *options)
{
	mime_init();
	g_autoptr(GError) error = NULL;
	g_autoptr(Account) account = account_new(options, &error);
	if (!account || !mountpoint_check(options->mountpoint, options->cachedir, &error))
		return fail(error);
	int parent = -1;
	if (!options->foreground) {
		parent = daemon_fork();
		if (parent < 0) {
			perror("imapfs: fork");
			return EXIT_FAILURE;
		}
	}
	GCancellable *stop = stop_new();
	return mount_account(options, account, stop, parent, &error) ? EXIT_SUCCESS : fail(error);
}

/* How a command ends that has printed something: a full disk may not show before it is flushed. Who
 * closed a pipe knows that. */
static int printed(void)
{
	int failure = fflush(stdout) != 0 ? errno : ferror(stdout) ? EIO : 0;
	if (failure != 0 && failure != EPIPE)
		fprintf(stderr, "imapfs: standard output: %s\n", g_strerror(failure));
	return failure == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int command_check(const Options *options)
{
	g_autoptr(GError) error = NULL;
	return check_account(options, stop_new(), &error) ? printed() : fail(error);
}

static int command_status(const Options *options)
{
	g_autoptr(GError) error = NULL;
	return status_show(options, &error) ? printed() : fail(error);
}

int main(int argc, char **argv)
{
	/* No core and no debugger of another process sees the password; but the leak check of an
	 * instrumented build must trace its own process. */
	prctl(PR_SET_DUMPABLE, IMAPFS_DUMPABLE);
	umask(077);
	signal(SIGPIPE, SIG_IGN);
	/* A file size limit is a full disk to the cache, not an end. */
	signal(SIGXFSZ, SIG_IGN);

	g_autoptr(GError) error = NULL;
	g_autoptr(Options) options = options_parse(argc, argv, &error);
	if (!options)
		return fail(error);
	log_init(LOG_TO_STDERR, options->debug);
	switch (options->action) {
	case OPTIONS_MOUNT:
		return command_mount(options);
	case OPTIONS_CHECK:
		return command_check(options);
	case OPTIONS_STATUS:
		return command_status(options);
	case OPTIONS_HELP: {
		g_autofree char *help = options_help();
		printf("%s", help);
		return printed();
	}
	case OPTIONS_VERSION:
		printf("imapfs %s\n", IMAPFS_VERSION);
		return printed();
	}
	return EXIT_FAILURE;
}
