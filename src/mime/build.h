/* Builds a tree from what is found of a message in its order: the one place where sections are
 * numbered, names are given and what is readable is chosen. Internal to mime/. */
#pragma once

#include "mime/content.h"
#include "mime/tree.h"

typedef struct MimeBuild MimeBuild;

/* What is known of a leaf part. */
typedef struct {
	const char *type; /* as mime_params_parse() returns it */
	const MimeParams *params;
	const char *disposition; /* likewise; "" or NULL: none */
	const MimeParams *disposition_params; /* NULL: none */
	const char *encoding; /* "" or NULL: none */
	const char *subject; /* of the message that it is, in UTF-8; NULL: it is none */
	guint64 octets, offset;
} MimeLeaf;

MimeBuild *mime_build_new(void);
void mime_build_free(MimeBuild *build); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MimeBuild, mime_build_free)

/* Begins a multipart, or the message that is in the leaf added last. false: it would pass
 * LIMIT_NESTING or what a section can be long, and nothing was done. */
bool mime_build_enter_multipart(MimeBuild *build);
bool mime_build_enter_message(MimeBuild *build);

/* Ends it; subtype: "alternative" and so on, ignored for a message. */
void mime_build_leave(MimeBuild *build, const char *subtype);

/* Adds a leaf, which is described later. Its number, -1: it would be one more than LIMIT_PARTS. */
int mime_build_add(MimeBuild *build);
void mime_build_describe(MimeBuild *build, guint number, const MimeLeaf *leaf);

/* Gives the part with this number more octets. */
void mime_build_extend(MimeBuild *build, guint number, guint64 octets);

/* Whether the leaf is a message that can be taken apart: one whose encoding is none. */
bool mime_leaf_is_message(const MimeLeaf *leaf);

/* The words of its names that were decoded so far: for mime_header_decode(). */
guint *mime_build_words(MimeBuild *build);

/* A new reference to the tree. There is a part in it, and none is inside of another any more. */
MimeTree *mime_build_finish(MimeBuild *build);
