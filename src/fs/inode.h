/* Inode numbers are addresses: the number alone says which directory or message is meant, so that
 * no table of them is kept. Pure.
 *
 *     kind (4 bits) | part (10) | directory or generation id (18) | uid (32)
 *
 * The root is FUSE_ROOT_ID, which no other inode can be: kind 0 is given to nothing else. */
#pragma once

#include "fs/view.h"

#define INODE_ROOT ((guint64)1)

enum {
	INODE_PART_BITS = 10,
	INODE_ID_BITS = 18,
	INODE_ID_MAX = (1 << INODE_ID_BITS) - 1,
};

typedef enum {
	INODE_ROOT_KIND,
	INODE_DIRECTORY, /* id: of the directory (fs/tree.h); part and uid 0 */
	INODE_MESSAGE, /* id: of the generation (store/store.h); uid >= 1; part 0 */
	INODE_STAGED, /* a file that is written, not a message yet (fs/staged.h); uid: its number,
		       * >= 1; id and part 0 */
	INODE_OWN, /* .imapfs and what is in it; part: an InodeOwn; id 0 */
	INODE_WAITING, /* a copy that the server does not have yet; uid: number of its alias
			* (fs/alias.h); id and part 0 */
	INODE_VIEW, /* a hidden directory (fs/view.h); part: its ViewKind; id: of the directory that
		     * it is in, 0: of all mailboxes; uid 0 */
	INODE_QUERY, /* a directory in `.search`; id: as of INODE_VIEW; uid: number of the query,
		      * >= 1; part 0 */
	INODE_TEXT, /* `.text/57.txt`; id and uid as of INODE_MESSAGE; part 0 */
	INODE_PARTS, /* the directory `.parts/57`; likewise */
	INODE_PART, /* a file in it; likewise; part: 0 `header`, otherwise 1 + number of the part
		     * (mime/tree.h) */
	INODE_KINDS_
} InodeKind;

/* The part of INODE_OWN. */
typedef enum {
	INODE_OWN_DIRECTORY, /* uid 0 */
	INODE_OWN_EVENTS, /* uid 0 */
	INODE_OWN_STATUS, /* uid: number of the snapshot, >= 1; G_MAXUINT32: st_ino of each */
} InodeOwn;

typedef struct {
	InodeKind kind;
	guint part;
	guint32 id;
	guint32 uid;
} Inode;

/* The number of an address whose fields are in range. */
guint64 inode_pack(Inode inode);

/* The address behind a number; false when inode_pack() makes no such number. */
bool inode_unpack(guint64 number, Inode *ret);

/* The addresses in use. snapshot: 0 unless of INODE_OWN_STATUS. */
guint64 inode_directory(guint32 id);
guint64 inode_message(guint32 gen, guint32 uid);
guint64 inode_staged(guint32 number);
guint64 inode_waiting(guint32 number);
guint64 inode_own(InodeOwn part, guint32 snapshot);
guint64 inode_view(ViewKind kind, guint32 dir);
guint64 inode_query(guint32 dir, guint32 number);
guint64 inode_text(guint32 gen, guint32 uid);
guint64 inode_parts(guint32 gen, guint32 uid);
guint64 inode_part(guint part, guint32 gen, guint32 uid);
