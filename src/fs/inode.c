#include "fs/inode.h"

enum {
	UID_BITS = 32,
	ID_SHIFT = UID_BITS,
	PART_SHIFT = ID_SHIFT + INODE_ID_BITS,
	KIND_SHIFT = PART_SHIFT + INODE_PART_BITS,
};

G_STATIC_ASSERT(KIND_SHIFT + 4 == 64);

guint64 inode_pack(Inode inode)
{
	g_assert(inode.id <= INODE_ID_MAX && inode.part < 1 << INODE_PART_BITS);
	if (inode.kind == INODE_ROOT_KIND)
		return INODE_ROOT;
	return (guint64)inode.kind << KIND_SHIFT | (guint64)inode.part << PART_SHIFT |
	       (guint64)inode.id << ID_SHIFT | inode.uid;
}

static bool valid(const Inode *inode)
{
	switch (inode->kind) {
	case INODE_DIRECTORY:
		return inode->id > 0 && inode->part == 0 && inode->uid == 0;
	case INODE_MESSAGE:
		return inode->id > 0 && inode->part == 0 && inode->uid > 0;
	case INODE_STAGED:
	case INODE_WAITING:
		return inode->id == 0 && inode->part == 0 && inode->uid > 0;
	case INODE_OWN:
		return inode->id == 0 && inode->part <= INODE_OWN_STATUS &&
		       (inode->part == INODE_OWN_STATUS) == (inode->uid > 0);
	case INODE_VIEW:
		return inode->part < VIEW_KINDS_ && inode->uid == 0;
	case INODE_QUERY:
		return inode->part == 0 && inode->uid > 0;
	case INODE_TEXT:
	case INODE_PARTS:
		return inode->id > 0 && inode->part == 0 && inode->uid > 0;
	case INODE_PART:
		return inode->id > 0 && inode->uid > 0;
	case INODE_ROOT_KIND:
	case INODE_KINDS_:
		break;
	}
	return false;
}

bool inode_unpack(guint64 number, Inode *ret)
{
	if (number == INODE_ROOT) {
		*ret = (Inode){.kind = INODE_ROOT_KIND};
		return true;
	}
	Inode inode = {
		.kind = (InodeKind)(number >> KIND_SHIFT),
		.part = (guint)(number >> PART_SHIFT) & ((1 << INODE_PART_BITS) - 1),
		.id = (guint32)(number >> ID_SHIFT) & INODE_ID_MAX,
		.uid = (guint32)number,
	};
	if (!valid(&inode))
		return false;
	*ret = inode;
	return true;
}

guint64 inode_directory(guint32 id)
{
	return inode_pack((Inode){.kind = INODE_DIRECTORY, .id = id});
}

guint64 inode_message(guint32 gen, guint32 uid)
{
	return inode_pack((Inode){.kind = INODE_MESSAGE, .id = gen, .uid = uid});
}

guint64 inode_staged(guint32 number)
{
	return inode_pack((Inode){.kind = INODE_STAGED, .uid = number});
}

guint64 inode_waiting(guint32 number)
{
	return inode_pack((Inode){.kind = INODE_WAITING, .uid = number});
}

guint64 inode_own(InodeOwn part, guint32 snapshot)
{
	return inode_pack((Inode){.kind = INODE_OWN, .part = part, .uid = snapshot});
}

guint64 inode_view(ViewKind kind, guint32 dir)
{
	return inode_pack((Inode){.kind = INODE_VIEW, .part = kind, .id = dir});
}

guint64 inode_query(guint32 dir, guint32 number)
{
	return inode_pack((Inode){.kind = INODE_QUERY, .id = dir, .uid = number});
}

guint64 inode_text(guint32 gen, guint32 uid)
{
	return inode_pack((Inode){.kind = INODE_TEXT, .id = gen, .uid = uid});
}

guint64 inode_parts(guint32 gen, guint32 uid)
{
	return inode_pack((Inode){.kind = INODE_PARTS, .id = gen, .uid = uid});
}

guint64 inode_part(guint part, guint32 gen, guint32 uid)
{
	return inode_pack((Inode){.kind = INODE_PART, .part = part, .id = gen, .uid = uid});
}
