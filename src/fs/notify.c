#include "fs/notify.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "fs/channel.h"
#include "fs/inode.h"
#include "fs/name.h"

enum {
	/* A READ answered a moment ago may have another of the same reader behind it, still on its
	 * way to us; see message_changed() in events.c for what a correction would do to it. */
	LATER_US = G_USEC_PER_SEC,

	/* What notify_then_later() waits: for requests that came with this one, and are answered
	 * by another thread, on a machine that has more to do as well. */
	THEN_LATER_US = G_USEC_PER_SEC / 4,
};

/* What is to be forgotten about one directory. */
typedef struct {
	guint64 dir; /* inode */
	ImapSet *uids; /* NULL: none */
	GPtrArray *children; /* names; NULL: none */
	bool renumbered; /* the same UIDs are other messages now */
	GArray *waiting; /* of Call: for the end of that; NULL: nobody */
	GPtrArray *asked; /* of Asked; NULL: none */
} News;

typedef struct {
	void (*fn)(gpointer data);
	gpointer data;
} Call;

/* Whether the kernel knows an inode. */
typedef struct {
	fuse_ino_t ino;
	bool known;
	void (*fn)(bool known, gpointer data);
	gpointer data;
} Asked;

/* An invalidation of the attributes of one inode, of several messages, or a reply that waited for
 * those before it. */
typedef struct {
	fuse_ino_t ino;
	Gen gen;
	ImapSet *uids;
	gint64 due; /* only in `later` */
	void (*fn)(gpointer data);
	gpointer data;
} Correction;

struct Notify {
	NotifyReading reading;
	gpointer reading_data;
	GThread *news_thread; /* set by notify_start() and read by notify_free() */
	GThread *corrections_thread; /* set by notify_start() and read by notify_stop() */
	gint correcting; /* atomic: corrections queued or under way */

	GMutex lock;
	GCond wake;
	struct fuse_session *session; /* lock; NULL before the start */
	bool foreground; /* constant after notify_start() */
	int channel; /* lock: that the news thread shall take; -1: none, or it has it */
	bool stopping; /* lock */
	guint calls; /* lock: calls to libfuse under way */
	GQueue news; /* lock: of News, in order of arrival */
	GHashTable *news_by_dir; /* lock: the same */
	News *telling; /* lock: what the news thread is at; NULL: nothing */
	GQueue corrections; /* lock: of Correction */
	GQueue later; /* lock: of Correction, by due */
};

static void news_free(gpointer data)
{
	News *news = data;
	imap_set_free(news->uids);
	g_clear_pointer(&news->children, g_ptr_array_unref);
	g_clear_pointer(&news->waiting, g_array_unref);
	g_clear_pointer(&news->asked, g_ptr_array_unref);
	g_free(news);
}

static void correction_free(gpointer data)
{
	Correction *correction = data;
	imap_set_free(correction->uids);
	g_free(correction);
}

static void tell_known(gpointer data)
{
	g_autofree Asked *asked = data;
	asked->fn(asked->known, asked->data);
}

/* Who waits is called by the other thread: this one cannot answer requests, see channel.h. */
static void end_news(Notify *notify, News *news)
{
	for (guint i = 0; news->asked && i < news->asked->len; i++)
		notify_then(notify, tell_known, g_ptr_array_index(news->asked, i));
	for (guint i = 0; news->waiting && i < news->waiting->len; i++) {
		const Call *call = &g_array_index(news->waiting, Call, i);
		notify_then(notify, call->fn, call->data);
	}
	news_free(news);
}

Notify *notify_new(NotifyReading reading, gpointer data)
{
	Notify *notify = g_new0(Notify, 1);
	notify->reading = reading;
	notify->reading_data = data;
	g_mutex_init(&notify->lock);
	g_cond_init(&notify->wake);
	g_queue_init(&notify->news);
	g_queue_init(&notify->corrections);
	g_queue_init(&notify->later);
	notify->news_by_dir = g_hash_table_new(g_int64_hash, g_int64_equal);
	return notify;
}

void notify_free(Notify *notify)
{
	if (!notify)
		return;
	g_clear_pointer(&notify->news_thread, g_thread_join);
	g_hash_table_unref(notify->news_by_dir);
	for (News *news; (news = g_queue_pop_head(&notify->news));)
		end_news(notify, news);
	g_queue_clear_full(&notify->later, correction_free);
	g_cond_clear(&notify->wake);
	g_mutex_clear(&notify->lock);
	g_free(notify);
}

/* ---- calls to libfuse ---- */

static struct fuse_session *call_begin(Notify *notify)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&notify->lock);
	if (notify->stopping)
		return NULL;
	notify->calls++;
	return notify->session;
}

static void call_end(Notify *notify, int result)
{
	/* ENOENT: the kernel did not know it, which is the usual case. */
	if (result != 0 && result != -ENOENT)
		g_debug("the kernel refused an invalidation: %s", g_strerror(-result));
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&notify->lock);
	notify->calls--;
	g_cond_broadcast(&notify->wake);
}

/* A negative offset leaves the pages alone. Whether the kernel knew it. */
static bool forget_inode(Notify *notify, fuse_ino_t ino, off_t offset)
{
	struct fuse_session *session = call_begin(notify);
	if (!session)
		return false;
	int result = fuse_lowlevel_notify_inval_inode(session, ino, offset, 0);
	call_end(notify, result);
	return result == 0;
}

static void forget_entry(Notify *notify, fuse_ino_t dir, const char *name)
{
	struct fuse_session *session = call_begin(notify);
	if (session)
		call_end(
			notify, fuse_lowlevel_notify_inval_entry(session, dir, name, strlen(name)));
}

/* ---- news ---- */

/* What stands behind the UID in the name of a message there. */
static const char *suffix_in(fuse_ino_t dir)
{
	Inode inode;
	bool in_view = inode_unpack(dir, &inode) && inode.kind == INODE_VIEW;
	return in_view ? view_suffix(inode.part) : ".eml";
}

static void forget_entries(Notify *notify, fuse_ino_t dir, const ImapSet *uids)
{
	const char *suffix = suffix_in(dir);
	gsize n;
	const ImapRange *ranges = imap_set_ranges(uids, &n);
	for (gsize i = 0; i < n; i++) {
		for (guint64 uid = ranges[i].lo; uid <= ranges[i].hi; uid++) {
			char name[NAME_MESSAGE_BYTES];
			name_by_uid((guint32)uid, suffix, name);
			forget_entry(notify, dir, name);
		}
	}
}

static void forget_directory(Notify *notify, const News *news)
{
	fuse_ino_t dir = news->dir;
	for (guint i = 0; news->children && i < news->children->len; i++)
		forget_entry(notify, dir, g_ptr_array_index(news->children, i));
	if (news->uids)
		forget_entries(notify, dir, news->uids);

	/* An answer to READDIR that the kernel is about to cache may be older than this news. An
	 * entry's invalidation, here of a name that nothing has, waits for the directory's lock and
	 * so for the end of that READDIR; that of the listing alone would not. */
	forget_entry(notify, dir, "/");
	forget_inode(notify, dir, 0);
}

static void find_known(Notify *notify, const News *news)
{
	for (guint i = 0; news->asked && i < news->asked->len; i++) {
		Asked *asked = g_ptr_array_index(news->asked, i);
		asked->known = forget_inode(notify, asked->ino, -1);
	}
}

static News *next_news(Notify *notify)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&notify->lock);
	while (!notify->stopping && g_queue_is_empty(&notify->news))
		g_cond_wait(&notify->wake, &notify->lock);
	if (notify->stopping)
		return NULL;
	News *news = g_queue_pop_head(&notify->news);
	g_hash_table_remove(notify->news_by_dir, &news->dir);
	notify->telling = news;
	return news;
}

static void take_channel(Notify *notify)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&notify->lock);
	channel_take(notify->session, notify->channel, notify->foreground);
	notify->channel = -1;
	g_cond_broadcast(&notify->wake);
}

static void told(Notify *notify)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&notify->lock);
	notify->telling = NULL;
}

static gpointer news_run(gpointer data)
{
	Notify *notify = data;
	take_channel(notify);
	for (News *news; (news = next_news(notify));) {
		forget_directory(notify, news);
		find_known(notify, news);
		told(notify);
		end_news(notify, news);
	}
	return NULL;
}

/* Merges with what waits for the same directory, so that the queue is no longer than their number.
 * NULL: there is none any more. */
static News *news_of_locked(Notify *notify, guint64 dir)
{
	if (notify->stopping || !notify->session)
		return NULL;
	News *news = g_hash_table_lookup(notify->news_by_dir, &dir);
	if (!news) {
		news = g_new0(News, 1);
		news->dir = dir;
		g_queue_push_tail(&notify->news, news);
		g_hash_table_insert(notify->news_by_dir, &news->dir, news);
	}
	g_cond_broadcast(&notify->wake);
	return news;
}

/* Takes uids. */
static void add_news(Notify *notify, guint64 dir, ImapSet *uids, const char *child, bool renumbered)
{
	g_autoptr(ImapSet) owned = uids;
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&notify->lock);
	News *news = news_of_locked(notify, dir);
	if (!news)
		return;
	news->renumbered |= renumbered;
	if (owned && news->uids)
		imap_set_union(news->uids, owned);
	else if (owned)
		news->uids = g_steal_pointer(&owned);
	if (child && !news->children)
		news->children = g_ptr_array_new_with_free_func(g_free);
	if (child)
		g_ptr_array_add(news->children, g_strdup(child));
}

void notify_listing(Notify *notify, fuse_ino_t dir)
{
	add_news(notify, dir, NULL, NULL, false);
}

void notify_messages(Notify *notify, fuse_ino_t dir, ImapSet *uids)
{
	add_news(notify, dir, uids, NULL, false);
}

void notify_renumbered(Notify *notify, fuse_ino_t dir, ImapSet *uids)
{
	add_news(notify, dir, uids, NULL, true);
}

/* The last one: what is queued is told after what is being told. */
static News *renumbering_locked(Notify *notify, guint64 dir)
{
	News *queued = g_hash_table_lookup(notify->news_by_dir, &dir);
	if (queued && queued->renumbered)
		return queued;
	News *telling = notify->telling;
	return telling && telling->dir == dir && telling->renumbered ? telling : NULL;
}

bool notify_renumbering(Notify *notify, fuse_ino_t dir)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&notify->lock);
	return renumbering_locked(notify, dir) != NULL;
}

static bool wait_for_news(Notify *notify, fuse_ino_t dir, Call call)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&notify->lock);
	News *news = renumbering_locked(notify, dir);
	if (!news)
		return false;
	if (!news->waiting)
		news->waiting = g_array_new(FALSE, FALSE, sizeof(Call));
	g_array_append_val(news->waiting, call);
	return true;
}

void notify_when_renumbered(
	Notify *notify, fuse_ino_t dir, void (*fn)(gpointer data), gpointer data)
{
	if (!wait_for_news(notify, dir, (Call){fn, data}))
		fn(data);
}

void notify_child(Notify *notify, fuse_ino_t dir, const char *name)
{
	add_news(notify, dir, NULL, name, false);
}

static bool add_asked(Notify *notify, fuse_ino_t dir, Asked *asked)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&notify->lock);
	News *news = news_of_locked(notify, dir);
	if (!news)
		return false;
	if (!news->asked)
		news->asked = g_ptr_array_new();
	g_ptr_array_add(news->asked, asked);
	return true;
}

void notify_ask_known(Notify *notify, fuse_ino_t dir, fuse_ino_t ino,
	void (*fn)(bool known, gpointer data), gpointer data)
{
	Asked *asked = g_new(Asked, 1);
	*asked = (Asked){.ino = ino, .known = true, .fn = fn, .data = data};
	if (!add_asked(notify, dir, asked))
		tell_known(asked);
}

/* ---- corrections ---- */

static void forget_attributes(Notify *notify, Gen gen, const ImapSet *uids)
{
	gsize n;
	const ImapRange *ranges = imap_set_ranges(uids, &n);
	for (gsize i = 0; i < n; i++) {
		for (guint64 uid = ranges[i].lo; uid <= ranges[i].hi; uid++) {
			fuse_ino_t ino = inode_message(gen, (guint32)uid);
			if (notify->reading(ino, notify->reading_data))
				notify_correct_later(notify, ino);
			else
				forget_inode(notify, ino, -1);
		}
	}
}

static void correct(Notify *notify, const Correction *correction)
{
	bool later = correction->due != 0;
	if (correction->fn)
		correction->fn(correction->data);
	else if (correction->uids)
		forget_attributes(notify, correction->gen, correction->uids);
	else if (later && notify->reading(correction->ino, notify->reading_data))
		notify_correct_later(notify, correction->ino);
	else
		forget_inode(notify, correction->ino, -1);
}

static Correction *take_later_locked(Notify *notify)
{
	Correction *first = g_queue_pop_head(&notify->later);
	if (first)
		g_atomic_int_inc(&notify->correcting);
	return first;
}

/* Due ones go to the end of the queue: those that queued before them come first. */
static void move_due_locked(Notify *notify)
{
	gint64 now = g_get_monotonic_time();
	for (Correction *first; (first = g_queue_peek_head(&notify->later));) {
		if (first->due > now)
			return;
		g_queue_push_tail(&notify->corrections, take_later_locked(notify));
	}
}

/* What is queued is done even when stopping: a request waits for its reply. */
static Correction *next_correction(Notify *notify)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&notify->lock);
	for (;;) {
		move_due_locked(notify);
		Correction *correction = g_queue_pop_head(&notify->corrections);
		if (correction)
			return correction;
		if (notify->stopping)
			return take_later_locked(notify);
		const Correction *later = g_queue_peek_head(&notify->later);
		if (later)
			g_cond_wait_until(&notify->wake, &notify->lock, later->due);
		else
			g_cond_wait(&notify->wake, &notify->lock);
	}
}

static gpointer corrections_run(gpointer data)
{
	Notify *notify = data;
	for (Correction *correction; (correction = next_correction(notify));) {
		correct(notify, correction);
		correction_free(correction);
		g_atomic_int_add(&notify->correcting, -1);
	}
	return NULL;
}

static int compare_due(gconstpointer a, gconstpointer b, gpointer unused)
{
	gint64 x = ((const Correction *)a)->due, y = ((const Correction *)b)->due;
	return x < y ? -1 : x > y;
}

/* false: dropped, since nothing is mounted. */
static bool add_correction(Notify *notify, const Correction *correction)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&notify->lock);
	if (notify->stopping || !notify->session)
		return false;
	Correction *queued = g_new(Correction, 1);
	*queued = *correction;
	if (queued->due != 0) {
		g_queue_insert_sorted(&notify->later, queued, compare_due, NULL);
	} else {
		g_atomic_int_inc(&notify->correcting);
		g_queue_push_tail(&notify->corrections, queued);
	}
	g_cond_broadcast(&notify->wake);
	return true;
}

void notify_correct(Notify *notify, fuse_ino_t ino)
{
	add_correction(notify, &(Correction){.ino = ino});
}

bool notify_is_known(Notify *notify, fuse_ino_t ino)
{
	return forget_inode(notify, ino, -1);
}

void notify_attributes(Notify *notify, Gen gen, ImapSet *uids)
{
	if (!add_correction(notify, &(Correction){.gen = gen, .uids = uids}))
		imap_set_free(uids);
}

void notify_correct_later(Notify *notify, fuse_ino_t ino)
{
	gint64 due = g_get_monotonic_time() + LATER_US;
	add_correction(notify, &(Correction){.ino = ino, .due = due});
}

void notify_then_later(Notify *notify, void (*fn)(gpointer data), gpointer data)
{
	gint64 due = g_get_monotonic_time() + THEN_LATER_US;
	if (!add_correction(notify, &(Correction){.fn = fn, .data = data, .due = due}))
		fn(data);
}

bool notify_correcting(Notify *notify)
{
	return g_atomic_int_get(&notify->correcting) != 0;
}

void notify_then(Notify *notify, void (*fn)(gpointer data), gpointer data)
{
	if (!add_correction(notify, &(Correction){.fn = fn, .data = data}))
		fn(data);
}

/* ---- both ---- */

void notify_start(Notify *notify, struct fuse_session *session, bool foreground)
{
	int channel = channel_open(session);
	g_mutex_lock(&notify->lock);
	notify->session = session;
	notify->channel = channel;
	notify->foreground = foreground;
	notify->news_thread = g_thread_new("fs-news", news_run, notify);
	while (notify->channel >= 0)
		g_cond_wait(&notify->wake, &notify->lock);
	g_mutex_unlock(&notify->lock);
	if (channel >= 0)
		close(channel);
	notify->corrections_thread = g_thread_new("fs-corrections", corrections_run, notify);
}

void notify_stop(Notify *notify)
{
	g_mutex_lock(&notify->lock);
	notify->stopping = true;
	g_cond_broadcast(&notify->wake);
	g_mutex_unlock(&notify->lock);
	g_clear_pointer(&notify->corrections_thread, g_thread_join);
}

bool notify_stopped(Notify *notify, gint64 wait_us)
{
	gint64 end = g_get_monotonic_time() + wait_us;
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&notify->lock);
	while (notify->calls > 0) {
		if (!g_cond_wait_until(&notify->wake, &notify->lock, end))
			break;
	}
	return notify->calls == 0;
}
