/* The leaf parts of a message, numbered as RFC 3501 6.4.5 does it: from its BODYSTRUCTURE, or from
 * its bytes. Immutable; any thread that holds a reference may read it. Pure. */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef enum {
	MIME_ENCODING_NONE, /* 7bit, 8bit, binary, or one that nobody knows */
	MIME_ENCODING_BASE64,
	MIME_ENCODING_QUOTED_PRINTABLE,
	MIME_ENCODING_UUENCODE,
} MimeEncoding;

/* All strings live as long as the tree, are UTF-8 and never NULL unless a note says so. */
typedef struct {
	const char *section; /* "1.2": for BODY[1.2]; of a message without parts "1" */
	const char *name; /* file name, unique in the tree, 255 bytes at most: "1.1.txt",
			   * "2-report.pdf", "3-Forwarded.eml" */
	const char *type; /* lower case: "text/plain" */
	const char *charset; /* as declared; NULL: it is not, or as us-ascii, which servers say
			      * where it is not */
	MimeEncoding encoding;
	bool text; /* text/ of any kind: shown in UTF-8 */
	bool attachment; /* by its disposition, or by a file name where that says nothing */
	bool message; /* message/rfc822, whose own leaf parts follow */
	guint64 octets; /* as it is in the message: encoded */
	guint64 offset; /* of the first octet in the message; only of mime_tree_of_message() */
} MimePart;

typedef struct MimeTree MimeTree;

/* Of the value of BODYSTRUCTURE, the parenthesised text as ImapFetch has it. NULL: it is not well
 * formed, contradicts itself, passes LIMIT_NESTING or LIMIT_PARTS, or the server could make nothing
 * of a type or a multipart; then only the message itself tells. A new reference. */
MimeTree *mime_tree_of_structure(const char *text, gsize len);

/* Of a whole message, whatever it is: at least one part. What passes LIMIT_NESTING or LIMIT_PARTS
 * is not taken apart further: the last part has all the rest. A new reference. */
MimeTree *mime_tree_of_message(const void *message, gsize len);

MimeTree *mime_tree_ref(MimeTree *tree);
void mime_tree_unref(MimeTree *tree); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MimeTree, mime_tree_unref)

/* Parts are numbered from 0 in the order of their sections; both trees of one well-formed message
 * have the same ones, with the same names. NULL: there are no more. */
const MimePart *mime_tree_part(const MimeTree *tree, guint number);
guint mime_tree_count(const MimeTree *tree);

/* The number of the part with this file name, -1: there is none. */
int mime_tree_find(const MimeTree *tree, const char *name);

/* The parts that a reader is shown as the text of the message, in order: those that are text/plain,
 * or where an alternative has none, or an empty one, text/html, are no attachment, and not inside
 * an attached message, unless that, or the attachment, is all there is; of what is related the
 * first; at most LIMIT_READABLE_PARTS. Lives as long as the tree. */
const guint *mime_tree_readable(const MimeTree *tree, guint *ret_n);
