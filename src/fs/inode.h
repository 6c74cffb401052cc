/* Inode numbers are addresses: the number alone says which directory or message is meant, so that
 * no table of them is kept. Pure.
 *
 *     kind (4 bits) | part (10) | directory or generation id (18) | uid (32)
 *
 * The root is FUSE_ROOT_ID, which no other inode can be: kind 0 is given to nothing else. */
#pragma once

#include <glib.h>
#include <stdbool.h>

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
	INODE_OWN, /* .imapfs and what is in it; part: an InodeOwn; id 0 */
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
guint64 inode_own(InodeOwn part, guint32 snapshot);
