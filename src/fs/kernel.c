#include "fs/kernel.h"

#include <errno.h>

typedef struct {
	fuse_req_t req;
	bool settled; /* the interrupt function may answer it */
	bool interrupted; /* before it was settled */
} Parked;

typedef struct {
	guint waiting;
	guint64 told;
} Reading;

struct Kernel {
	gpointer owner;
	GMutex lock;
	GCond left;
	guint entered; /* lock: calls of kernel_enter() under way */
	bool closed; /* lock */
	guint64 last_ticket; /* lock */
	GHashTable *parked; /* ticket to Parked; lock */
	GHashTable *reading; /* inode to Reading; lock */
};

Kernel *kernel_new(gpointer owner)
{
	Kernel *kernel = g_new0(Kernel, 1);
	kernel->owner = owner;
	g_mutex_init(&kernel->lock);
	g_cond_init(&kernel->left);
	kernel->parked = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
	kernel->reading = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
	return kernel;
}

void kernel_free(Kernel *kernel)
{
	if (!kernel)
		return;
	g_assert(g_hash_table_size(kernel->parked) == 0);
	g_hash_table_unref(kernel->parked);
	g_hash_table_unref(kernel->reading);
	g_cond_clear(&kernel->left);
	g_mutex_clear(&kernel->lock);
	g_free(kernel);
}

gpointer kernel_owner(fuse_req_t req)
{
	return kernel_owner_of(fuse_req_userdata(req));
}

gpointer kernel_owner_of(const Kernel *kernel)
{
	return kernel->owner;
}

/* The texts that strerror() has for these are what a person reads after `cat: 57.eml:`. */
static int errno_of(MailError code)
{
	switch (code) {
	case MAIL_ERROR_NOT_FOUND:
		return ENOENT;
	case MAIL_ERROR_EXISTS:
		return EEXIST;
	case MAIL_ERROR_ACCESS:
	case MAIL_ERROR_AUTH:
		return EACCES;
	case MAIL_ERROR_QUOTA:
		return EDQUOT;
	case MAIL_ERROR_LIMIT:
	case MAIL_ERROR_UNAVAILABLE: /* "Resource temporarily unavailable" */
		return EAGAIN;
	case MAIL_ERROR_BUSY:
		return EBUSY;
	case MAIL_ERROR_STALE:
		return ESTALE;
	case MAIL_ERROR_READ_ONLY:
		return EROFS;
	case MAIL_ERROR_TOO_BIG:
		return EFBIG;
	case MAIL_ERROR_INVALID:
		return EINVAL;
	case MAIL_ERROR_TIMEOUT:
		return ETIMEDOUT;
	case MAIL_ERROR_OFFLINE: /* "No route to host" */
		return EHOSTUNREACH;
	case MAIL_ERROR_CANCELLED: /* the mount ends: what the kernel itself answers then */
		return ECONNABORTED;
	case MAIL_ERROR_DENIED:
		return EPERM;
	case MAIL_ERROR_NOT_EMPTY:
		return ENOTEMPTY;
	case MAIL_ERROR_NO_SPACE:
		return ENOSPC;
	case MAIL_ERROR_IO:
	case MAIL_ERROR_TLS:
	case MAIL_ERROR_PROTOCOL:
		break;
	}
	return EIO;
}

int kernel_errno(const GError *error)
{
	return error && error->domain == MAIL_ERROR ? errno_of((MailError)error->code) : EIO;
}

/* A reply fails with ENOENT when the request was interrupted, and when the mount is gone: either
 * way nobody waits for it. */
static void sent(int result)
{
	if (result != 0 && result != -ENOENT && result != -ENODEV && result != -EBADF)
		g_debug("the kernel refused a reply: %s", g_strerror(-result));
}

void kernel_reply_errno(fuse_req_t req, int errnum)
{
	sent(fuse_reply_err(req, errnum));
}

void kernel_reply_error(fuse_req_t req, const GError *error)
{
	kernel_reply_errno(req, kernel_errno(error));
}

void kernel_reply_done(fuse_req_t req, const GError *error)
{
	kernel_reply_errno(req, error ? kernel_errno(error) : 0);
}

void kernel_reply_entry(fuse_req_t req, const struct fuse_entry_param *entry)
{
	sent(fuse_reply_entry(req, entry));
}

void kernel_reply_attributes(fuse_req_t req, const struct stat *attributes)
{
	sent(fuse_reply_attr(req, attributes, KERNEL_ENDLESS_S));
}

void kernel_reply_attributes_now(fuse_req_t req, const struct stat *attributes)
{
	sent(fuse_reply_attr(req, attributes, 0));
}

void kernel_reply_bytes(fuse_req_t req, const void *bytes, gsize len)
{
	sent(fuse_reply_buf(req, bytes, len));
}

void kernel_reply_statfs(fuse_req_t req, const struct statvfs *figures)
{
	sent(fuse_reply_statfs(req, figures));
}

void kernel_reply_link(fuse_req_t req, const char *target)
{
	sent(fuse_reply_readlink(req, target));
}

void kernel_reply_xattr(fuse_req_t req, const void *value, gsize len, gsize size)
{
	if (size == 0)
		sent(fuse_reply_xattr(req, len));
	else if (len > size)
		kernel_reply_errno(req, ERANGE);
	else
		kernel_reply_bytes(req, value, len);
}

void kernel_reply_forgotten(fuse_req_t req)
{
	fuse_reply_none(req);
}

void kernel_reply_open(fuse_req_t req, const struct fuse_file_info *info)
{
	sent(fuse_reply_open(req, info));
}

void kernel_reply_create(
	fuse_req_t req, const struct fuse_entry_param *entry, const struct fuse_file_info *info)
{
	sent(fuse_reply_create(req, entry, info));
}

void kernel_reply_written(fuse_req_t req, gsize n)
{
	sent(fuse_reply_write(req, n));
}

static guint64 *new_key(guint64 number)
{
	guint64 *key = g_new(guint64, 1);
	*key = number;
	return key;
}

/* Takes the entry out: whoever gets it answers the request. */
static fuse_req_t take_locked(Kernel *kernel, guint64 ticket)
{
	const Parked *parked = g_hash_table_lookup(kernel->parked, &ticket);
	if (!parked)
		return NULL;
	fuse_req_t req = parked->req;
	g_hash_table_remove(kernel->parked, &ticket);
	return req;
}

/* libfuse calls this when FUSE_INTERRUPT arrives, even after the request was answered: then the
 * ticket is no longer in the table. It also calls it from within fuse_req_interrupt_func(), when
 * the interrupt came first, and then still uses req after this returns: there kernel_park()
 * answers. */
static void on_interrupt(fuse_req_t req, void *data)
{
	Kernel *kernel = fuse_req_userdata(req);
	guint64 ticket = GPOINTER_TO_SIZE(data);
	fuse_req_t taken = NULL;

	g_mutex_lock(&kernel->lock);
	Parked *parked = g_hash_table_lookup(kernel->parked, &ticket);
	if (parked && parked->settled)
		taken = take_locked(kernel, ticket);
	else if (parked)
		parked->interrupted = true;
	g_mutex_unlock(&kernel->lock);

	if (taken)
		kernel_reply_errno(taken, EINTR);
}

static guint64 insert(Kernel *kernel, fuse_req_t req)
{
	Parked *parked = g_new0(Parked, 1);
	parked->req = req;

	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&kernel->lock);
	guint64 ticket = ++kernel->last_ticket;
	g_hash_table_insert(kernel->parked, new_key(ticket), parked);
	return ticket;
}

/* Returns the request when it was interrupted before. */
static fuse_req_t settle(Kernel *kernel, guint64 ticket)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&kernel->lock);
	Parked *parked = g_hash_table_lookup(kernel->parked, &ticket);
	if (!parked)
		return NULL;
	if (parked->interrupted)
		return take_locked(kernel, ticket);
	parked->settled = true;
	return NULL;
}

guint64 kernel_park(Kernel *kernel, fuse_req_t req)
{
	guint64 ticket = insert(kernel, req);
	fuse_req_interrupt_func(req, on_interrupt, GSIZE_TO_POINTER((gsize)ticket));
	fuse_req_t interrupted = settle(kernel, ticket);
	if (!interrupted)
		return ticket;
	kernel_reply_errno(interrupted, EINTR);
	return 0;
}

fuse_req_t kernel_unpark(Kernel *kernel, guint64 ticket)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&kernel->lock);
	return take_locked(kernel, ticket);
}

bool kernel_enter(Kernel *kernel)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&kernel->lock);
	kernel->entered += !kernel->closed;
	return !kernel->closed;
}

void kernel_leave(Kernel *kernel)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&kernel->lock);
	if (--kernel->entered == 0)
		g_cond_signal(&kernel->left);
}

static GPtrArray *take_all(Kernel *kernel)
{
	GPtrArray *reqs = g_ptr_array_new();
	GHashTableIter iter;
	gpointer value;
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&kernel->lock);
	kernel->closed = true;
	while (kernel->entered > 0)
		g_cond_wait(&kernel->left, &kernel->lock);
	g_hash_table_iter_init(&iter, kernel->parked);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		g_ptr_array_add(reqs, ((Parked *)value)->req);
	g_hash_table_remove_all(kernel->parked);
	return reqs;
}

void kernel_close(Kernel *kernel)
{
	g_autoptr(GPtrArray) reqs = take_all(kernel);
	for (guint i = 0; i < reqs->len; i++)
		kernel_reply_errno(g_ptr_array_index(reqs, i), ECONNABORTED);
}

void kernel_read_begins(Kernel *kernel, fuse_ino_t ino, guint64 told)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&kernel->lock);
	guint64 key = ino;
	Reading *reading = g_hash_table_lookup(kernel->reading, &key);
	if (!reading) {
		reading = g_new0(Reading, 1);
		g_hash_table_insert(kernel->reading, new_key(key), reading);
	}
	reading->waiting++;
	reading->told = told;
}

void kernel_read_ends(Kernel *kernel, fuse_ino_t ino)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&kernel->lock);
	guint64 key = ino;
	Reading *reading = g_hash_table_lookup(kernel->reading, &key);
	if (--reading->waiting == 0)
		g_hash_table_remove(kernel->reading, &key);
}

bool kernel_reading(Kernel *kernel, fuse_ino_t ino, guint64 *ret_told)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&kernel->lock);
	guint64 key = ino;
	const Reading *reading = g_hash_table_lookup(kernel->reading, &key);
	if (!reading)
		return false;
	if (ret_told)
		*ret_told = reading->told;
	return true;
}
