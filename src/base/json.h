/* JSON (RFC 8259): a writer for what imapfs tells, and a reader for that, no more. Pure. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* ---- writing ---- */

typedef struct JsonWriter JsonWriter;

/* indented: a line for each value, for people; otherwise all on one. */
JsonWriter *json_writer_new(bool indented);

/* The text so far, which is all of it once everything is closed; frees the writer. New string. */
char *json_writer_finish(JsonWriter *writer);

/* Of the functions below name is the member's name, NULL in arrays and at the top. Text may be any
 * bytes: what is not UTF-8 becomes U+FFFD. */

/* '{' or '['. */
void json_open(JsonWriter *writer, const char *name, char bracket);
void json_close(JsonWriter *writer);

void json_text(JsonWriter *writer, const char *name, const char *text); /* NULL: null */
void json_number(JsonWriter *writer, const char *name, gint64 number);
void json_bool(JsonWriter *writer, const char *name, bool value);

/* ---- reading ---- */

/* A flat view of a document: "folders.0.path" is a path to a value. */
typedef struct JsonReader JsonReader;

/* NULL when the text is no JSON, or nested too deep. Numbers keep their text; a path that comes
 * twice has its last value. */
JsonReader *json_reader_new(const char *text, gsize len);
void json_reader_free(JsonReader *reader); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(JsonReader, json_reader_free)

/* The value at a path as text: "true" and "false" of a bool. NULL: there is none, null, an object
 * or an array. Lives as long as the reader. */
const char *json_reader_text(const JsonReader *reader, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* The number at a path; missing when there is none. */
gint64 json_reader_number(const JsonReader *reader, gint64 missing, const char *format, ...)
	G_GNUC_PRINTF(3, 4);
