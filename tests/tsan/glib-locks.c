/* GLib's locks made of POSIX ones, for builds with ThreadSanitizer only. The distribution's GLib
 * locks with bare futexes in code that is not instrumented, so that the sanitizer would see every
 * field that a GMutex guards as a race. */
#include <glib.h>
#include <pthread.h>
#include <stdlib.h>

/* The object behind a lock, made at its first use: a zeroed static lock is a valid one. */
#define LAZY(type, make)                                                                           \
	static type *lazy_##make(gpointer *at)                                                     \
	{                                                                                          \
		type *known = __atomic_load_n((type **)at, __ATOMIC_ACQUIRE), *none = NULL;        \
                                                                                                   \
		if (known)                                                                         \
			return known;                                                              \
		known = make();                                                                    \
		if (__atomic_compare_exchange_n(                                                   \
			    (type **)at, &none, known, FALSE, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) \
			return known;                                                              \
		free(known);                                                                       \
		return none;                                                                       \
	}

static pthread_mutex_t *mutex(void)
{
	pthread_mutex_t *made = calloc(1, sizeof *made);

	pthread_mutex_init(made, NULL);
	return made;
}
LAZY(pthread_mutex_t, mutex)

static pthread_mutex_t *recursive(void)
{
	pthread_mutex_t *made = calloc(1, sizeof *made);
	pthread_mutexattr_t attributes;

	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(made, &attributes);
	return made;
}
LAZY(pthread_mutex_t, recursive)

static pthread_rwlock_t *rwlock(void)
{
	pthread_rwlock_t *made = calloc(1, sizeof *made);

	pthread_rwlock_init(made, NULL);
	return made;
}
LAZY(pthread_rwlock_t, rwlock)

static pthread_cond_t *condition(void)
{
	pthread_cond_t *made = calloc(1, sizeof *made);
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(made, &attributes);
	return made;
}
LAZY(pthread_cond_t, condition)

void g_mutex_init(GMutex *lock)
{
	lock->p = NULL;
}

void g_mutex_clear(GMutex *lock)
{
	if (lock->p)
		pthread_mutex_destroy(lock->p);
	free(lock->p);
	lock->p = NULL;
}

void g_mutex_lock(GMutex *lock)
{
	pthread_mutex_lock(lazy_mutex(&lock->p));
}

gboolean g_mutex_trylock(GMutex *lock)
{
	return pthread_mutex_trylock(lazy_mutex(&lock->p)) == 0;
}

void g_mutex_unlock(GMutex *lock)
{
	pthread_mutex_unlock(lazy_mutex(&lock->p));
}

void g_rec_mutex_init(GRecMutex *lock)
{
	lock->p = NULL;
}

void g_rec_mutex_clear(GRecMutex *lock)
{
	if (lock->p)
		pthread_mutex_destroy(lock->p);
	free(lock->p);
	lock->p = NULL;
}

void g_rec_mutex_lock(GRecMutex *lock)
{
	pthread_mutex_lock(lazy_recursive(&lock->p));
}

gboolean g_rec_mutex_trylock(GRecMutex *lock)
{
	return pthread_mutex_trylock(lazy_recursive(&lock->p)) == 0;
}

void g_rec_mutex_unlock(GRecMutex *lock)
{
	pthread_mutex_unlock(lazy_recursive(&lock->p));
}

void g_rw_lock_init(GRWLock *lock)
{
	lock->p = NULL;
}

void g_rw_lock_clear(GRWLock *lock)
{
	if (lock->p)
		pthread_rwlock_destroy(lock->p);
	free(lock->p);
	lock->p = NULL;
}

void g_rw_lock_writer_lock(GRWLock *lock)
{
	pthread_rwlock_wrlock(lazy_rwlock(&lock->p));
}

gboolean g_rw_lock_writer_trylock(GRWLock *lock)
{
	return pthread_rwlock_trywrlock(lazy_rwlock(&lock->p)) == 0;
}

void g_rw_lock_writer_unlock(GRWLock *lock)
{
	pthread_rwlock_unlock(lazy_rwlock(&lock->p));
}

void g_rw_lock_reader_lock(GRWLock *lock)
{
	pthread_rwlock_rdlock(lazy_rwlock(&lock->p));
}

gboolean g_rw_lock_reader_trylock(GRWLock *lock)
{
	return pthread_rwlock_tryrdlock(lazy_rwlock(&lock->p)) == 0;
}

void g_rw_lock_reader_unlock(GRWLock *lock)
{
	pthread_rwlock_unlock(lazy_rwlock(&lock->p));
}

void g_cond_init(GCond *cond)
{
	cond->p = NULL;
}

void g_cond_clear(GCond *cond)
{
	if (cond->p)
		pthread_cond_destroy(cond->p);
	free(cond->p);
	cond->p = NULL;
}

void g_cond_wait(GCond *cond, GMutex *lock)
{
	pthread_cond_wait(lazy_condition(&cond->p), lazy_mutex(&lock->p));
}

void g_cond_signal(GCond *cond)
{
	pthread_cond_signal(lazy_condition(&cond->p));
}

void g_cond_broadcast(GCond *cond)
{
	pthread_cond_broadcast(lazy_condition(&cond->p));
}

gboolean g_cond_wait_until(GCond *cond, GMutex *lock, gint64 end_time)
{
	struct timespec end = {end_time / G_USEC_PER_SEC, end_time % G_USEC_PER_SEC * 1000};

	return pthread_cond_timedwait(lazy_condition(&cond->p), lazy_mutex(&lock->p), &end) == 0;
}
