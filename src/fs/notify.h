/* Invalidations: what the kernel is told to forget. Two threads of their own send them, holding no
 * lock, because the kernel may make the sender wait.
 *
 * News (entries and listings) waits in the kernel for the directory's lock, so for as long as any
 * LOOKUP or READDIR in that directory waits for the server; channel.c says why that keeps nobody
 * from being killed. Corrections (attributes only) take no such lock and never wait, and replies
 * that must come after one are queued behind it. A reply of LOOKUP or READDIR must therefore never
 * be sent from here.
 *
 * All functions: any thread, never block, unless they say otherwise. */
#pragma once

#include "fs/kernel.h"

typedef struct Notify Notify;

/* Whether a READ of this inode waits for its reply: asked in a thread of Notify. */
typedef bool (*NotifyReading)(fuse_ino_t ino, gpointer data);

Notify *notify_new(NotifyReading reading, gpointer data);

/* Waits for both threads; after the session is unmounted. Accepts NULL. */
void notify_free(Notify *notify);

/* Before this everything is dropped: the kernel knows nothing yet. foreground: the process keeps
 * its standard input, output and error. */
void notify_start(Notify *notify, struct fuse_session *session, bool foreground);

/* No invalidation begins after this returns; queued replies are sent. One may be under way. */
void notify_stop(Notify *notify);

/* After notify_stop(): whether none is under way, for which this waits so long. */
bool notify_stopped(Notify *notify, gint64 wait_us);

/* ---- news ---- */

/* The listing of dir and its attributes. Requests for the same directory are merged. */
void notify_listing(Notify *notify, fuse_ino_t dir);

/* The entries of these messages of dir, and its listing. Takes uids; NULL: the listing only. */
void notify_messages(Notify *notify, fuse_ino_t dir, ImapSet *uids);

/* The same, of a directory whose messages of these UIDs are others from now on. Takes uids. */
void notify_renumbered(Notify *notify, fuse_ino_t dir, ImapSet *uids);

/* Whether the kernel may still show messages of before a notify_renumbered() as those of now. */
bool notify_renumbering(Notify *notify, fuse_ino_t dir);

/* Calls fn(data) in a thread of Notify when that is over; at once when it is, or when stopped. It
 * may take as long as news does. */
void notify_when_renumbered(
	Notify *notify, fuse_ino_t dir, void (*fn)(gpointer data), gpointer data);

/* One entry of dir, with what is below it, and its listing. */
void notify_child(Notify *notify, fuse_ino_t dir, const char *name);

/* Calls fn in a thread of Notify: whether the kernel knows this inode, whose attributes it is told
 * to forget to find that out, after it took in what LOOKUP and READDIR in dir were answered so far.
 * It may take as long as news does. When stopped it is called at once, and not asked: known. */
void notify_ask_known(Notify *notify, fuse_ino_t dir, fuse_ino_t ino,
	void (*fn)(bool known, gpointer data), gpointer data);

/* ---- corrections ---- */

/* The attributes of one inode, at once. Its pages stay. */
void notify_correct(Notify *notify, fuse_ino_t ino);

/* The attributes of these messages of a generation, at once; but of one that is being read a while
 * after that is over. Takes uids. */
void notify_attributes(Notify *notify, Gen gen, ImapSet *uids);

/* Whether the kernel knows this inode, whose attributes it is told to forget to find that out; not
 * when stopped. Blocks as long as the kernel is about to forget it. */
bool notify_is_known(Notify *notify, fuse_ino_t ino);

/* The attributes of one inode, a while after nobody reads it any longer. */
void notify_correct_later(Notify *notify, fuse_ino_t ino);

/* Whether a correction is on its way: a READ reply must be queued behind it. */
bool notify_correcting(Notify *notify);

/* Calls fn(data) after the corrections queued so far; at once when stopped. */
void notify_then(Notify *notify, void (*fn)(gpointer data), gpointer data);

/* The same, a quarter of a second later. */
void notify_then_later(Notify *notify, void (*fn)(gpointer data), gpointer data);
