/* HTML as text. Pure. */
#pragma once

#include <glib.h>

/* What a reader sees of a document: blocks and table rows as lines, cells separated by TAB, links
 * as their text and <URL>, pictures as their alternative text; no script, no style. Whatever comes
 * is a document; the time is linear in its length, and the text not longer. html: UTF-8 without
 * NUL. New string. */
char *mime_html_text(const char *html, gsize len);

/* The charset that a document declares at its beginning. NULL: none. New string. */
char *mime_html_charset(const char *html, gsize len);
