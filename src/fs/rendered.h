/* What was made of messages: contents that were read last, and how long those are that are not kept
 * any more. By inode. Any thread. */
#pragma once

#include "fs/fs.h"
#include "mime/text.h"

Rendered *rendered_new(void);
void rendered_free(Rendered *rendered); /* accepts NULL */

/* The content, a reference; NULL: the caller is to make it and to call rendered_end(). Who asks for
 * one that is being made waits until it is: for the processor and the disk, not for the network. */
GBytes *rendered_begin(Rendered *rendered, fuse_ino_t ino);

/* bytes: the content, which is kept; NULL: it could not be made. */
void rendered_end(Rendered *rendered, fuse_ino_t ino, GBytes *bytes);

/* Whether it is kept, or its length is known. ret_size may be NULL. */
bool rendered_size(Rendered *rendered, fuse_ino_t ino, guint64 *ret_size);
void rendered_set_size(Rendered *rendered, fuse_ino_t ino, guint64 size);

/* The message has other parts: the content is not kept, not even one that is being made, and its
 * length and grid are not known. */
void rendered_forget(Rendered *rendered, fuse_ino_t ino);

/* The size that the kernel was told last; 0: not known any more. */
guint64 rendered_told(Rendered *rendered, fuse_ino_t ino);
void rendered_tell(Rendered *rendered, fuse_ino_t ino, guint64 size);

/* The grid of a part in base64: false when none was set. One without lines says that it has none.
 */
bool rendered_grid(Rendered *rendered, fuse_ino_t ino, MimeGrid *ret);
void rendered_set_grid(Rendered *rendered, fuse_ino_t ino, const MimeGrid *grid);

/* How many octets from the beginning of the part are as its grid says, as far as that is known. */
guint64 rendered_checked(Rendered *rendered, fuse_ino_t ino);

/* Those of a range are: they count when they follow on what is known. */
void rendered_set_checked(Rendered *rendered, fuse_ino_t ino, guint64 from, guint64 to);

/* Whether the server was found not to decode the part: it is read as it is in the message. What the
 * server said of its length does not hold then. */
bool rendered_encoded(Rendered *rendered, fuse_ino_t ino);
void rendered_set_encoded(Rendered *rendered, fuse_ino_t ino);
