/* Files of `.text` and `.parts`: what they hold and how long they are, as far as the store tells,
 * and what it lacks. Never blocks but for the disk and the processor. */
#pragma once

#include "fs/fs.h"
#include "fs/trees.h"

/* In `.parts/57`, beside the parts. */
#define PARTS_HEADER "header"

typedef enum {
	LACK_NOTHING, /* `failed` says why there is none */
	LACK_OUTLINE, /* engine_outline() */
	LACK_TEXT, /* engine_text() */
	LACK_SECTION, /* engine_section() */
	LACK_SIZE, /* engine_sizes(), of this part */
} LackKind;

/* What is to be asked of the engine. Strings live as long as the excerpt. */
typedef struct {
	LackKind kind;
	EngineSection section; /* SECTION */
	guint64 offset;
	guint32 len;
	int failed; /* NOTHING: an errno */
	bool sizing; /* it is wanted for a length alone, of which there is a bound, too */
} Lack;

typedef struct {
	Fs *fs;
	fuse_ino_t ino;
	Inode at;
	TreesAnswer parts;
	guint number; /* of the part */
	const MimePart *part; /* NULL: it is a text or a header */
	bool bounded; /* excerpt_size() told one that is not passed: not to be relied on */
} Excerpt;

void excerpt_clear(Excerpt *excerpt);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Excerpt, excerpt_clear)

/* Of INODE_TEXT, INODE_PART or the directory INODE_PARTS. As below false: ret_lack says what is
 * missing. ret: to be cleared in any case. */
bool excerpt_open(Fs *fs, Inode at, Excerpt *ret, Lack *ret_lack);

/* Its length: the true one if it can be had for little or is likely to be needed, else one that it
 * does not pass. asked: what was `sizing` was asked for. */
bool excerpt_size(Excerpt *excerpt, const StoreMessage *message, bool asked, guint64 *ret_size,
	Lack *ret_lack);

/* Its directory is listed: who then looks at what is in it may want no more. */
void excerpt_listed(Fs *fs);

/* One is read. */
void excerpt_was_read(Fs *fs);

/* Reads up to size bytes at offset, fewer at the end only. */
bool excerpt_read(Excerpt *excerpt, guint64 offset, gsize size, char *ret_bytes, gsize *ret_n,
	Lack *ret_lack);
