/* What is asked to be changed: what it is about, whether it is known to be refused, and its intent.
 */
#include "engine/change.h"

#include <string.h>

typedef struct {
	EngineChange change; /* strings owned */
	EngineUntil until;
	EngineDone done;
	gpointer data;
} Asked;

/* The message that is to be changed. */
typedef struct {
	Change *maker; /* is to bring it; NULL: it is there, or there is none */
	MailboxId mailbox; /* where it is, or will be; 0: there is no message */
	Gen gen;
	guint32 uid;
} Subject;

static void G_GNUC_PRINTF(3, 4) refuse(GError **error, MailError code, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	if (error && !*error)
		*error = g_error_new_valist(MAIL_ERROR, (gint)code, format, args);
	va_end(args);
}

/* ---- what it is about ---- */

static Change *append_of(Engine *engine, guint64 file)
{
	GHashTableIter iter;
	gpointer change;
	g_hash_table_iter_init(&iter, engine->changes->by_id);
	while (g_hash_table_iter_next(&iter, NULL, &change)) {
		const Intent *intent = ((Change *)change)->intent;
		if (intent->kind == INTENT_APPEND && intent->file == file)
			return change;
	}
	return NULL;
}

/* The latest change of the chain that takes the message somewhere else, or replaces it. */
static Change *last_maker(const Chain *chain)
{
	for (const GList *l = chain ? chain->changes.tail : NULL; l; l = l->prev) {
		Change *change = l->data;
		if (change->intent->kind == INTENT_MOVE || change->intent->kind == INTENT_APPEND)
			return change;
	}
	return NULL;
}

static bool is_removed(const Chain *chain)
{
	const Change *last = chain ? g_queue_peek_tail((GQueue *)&chain->changes) : NULL;
	return last && (last->intent->kind == INTENT_REMOVE || last->intent->kind == INTENT_MARK);
}

/* What is asked of a message that goes on goes on with it. */
static bool go_after(Change *maker, Subject *ret)
{
	for (;;) {
		const Chain *chain =
			maker->intent->kind == INTENT_MOVE ? maker->chain : maker->brings;
		Change *next = last_maker(chain);
		if (is_removed(chain))
			return false;
		if (!next || next == maker)
			break;
		maker = next;
	}
	*ret = (Subject){.maker = maker, .mailbox = maker->target};
	return true;
}

static bool find_message(Engine *engine, Gen gen, guint32 uid, Subject *ret)
{
	Store *store = engine->store;
	StoreMessage message;
	StoreMailbox mailbox;
	*ret = (Subject){.mailbox = store_gen_mailbox(store, gen), .gen = gen, .uid = uid};
	if (uid == 0 || ret->mailbox == 0 || !store_mailbox(store, ret->mailbox, &mailbox))
		return false;
	const Chain *chain =
		chain_find(engine, mailbox.name, store_gen_uidvalidity(store, gen), uid);
	Change *maker = last_maker(chain);
	if (is_removed(chain))
		return false;
	if (maker)
		return go_after(maker, ret);
	return !store_names_known(store, gen) || store_peek_message(store, gen, uid, &message);
}

static bool find_subject(Engine *engine, const EngineChange *asked, Subject *ret)
{
	guint64 file = asked->kind == INTENT_APPEND || asked->uid != 0 ? 0 : asked->file;
	*ret = (Subject){0};
	if (asked->of == 0 && file == 0)
		return (asked->kind == INTENT_APPEND && asked->uid == 0) ||
		       find_message(engine, asked->gen, asked->uid, ret);
	Change *maker = asked->of ? change_by_id(engine, asked->of) : append_of(engine, file);
	if (maker)
		return go_after(maker, ret);
	const Brought *brought = change_brought(engine, asked->of, file);
	return brought && find_message(engine, brought->gen, brought->uid, ret);
}

/* ---- whether it is refused ---- */

/* RFC 4314 4: the right that each flag needs. */
static const char *rights_for(IntentKind kind, guint flags, const char *keywords)
{
	switch (kind) {
	case INTENT_REMOVE:
	case INTENT_MOVE:
		return "te";
	case INTENT_APPEND:
		return "te"; /* of what it replaces */
	case INTENT_MARK:
		return "t";
	case INTENT_FLAGS:
		if (keywords || flags & ~(guint)(IMAP_FLAG_SEEN | IMAP_FLAG_DELETED))
			return flags & IMAP_FLAG_SEEN ? "ws" : "w";
		return flags & IMAP_FLAG_DELETED ? "t" : "s";
	default:
		return "";
	}
}

static void check_rights(const Box *box, const char *rights, GError **error)
{
	for (const char *right = rights; *right; right++)
		if (box_lacks(box, *right))
			refuse(error, MAIL_ERROR_ACCESS, "%s: the right \"%c\" is missing",
				box->name, *right);
}

/* RFC 3501 9: flag-keyword is an atom. */
static bool are_keywords(const char *words)
{
	for (const char *c = words ? words : ""; *c; c++)
		if (!g_ascii_isgraph(*c) ? *c != ' ' : strchr("(){%*\"\\]", *c) != NULL)
			return false;
	return true;
}

static bool can_keep_keywords(const Box *box, const char *words)
{
	if (!words || !box->permanent_keywords || box->permanent & IMAP_FLAG_ANY_KEYWORD)
		return true;
	g_auto(GStrv) all = g_strsplit(words, " ", -1);
	for (char **word = all; *word; word++) {
		bool found = !**word;
		for (char **p = box->permanent_keywords; *p; p++)
			found |= g_ascii_strcasecmp(*p, *word) == 0;
		if (!found)
			return false;
	}
	return true;
}

void change_check_flags(const Box *box, guint flags, const char *words, GError **error)
{
	if (!box->was_writable)
		return;
	if (flags & ~box->permanent || !can_keep_keywords(box, words))
		refuse(error, MAIL_ERROR_DENIED, "%s: the server keeps no such flag", box->name);
}

static void check_source(
	Engine *engine, const EngineChange *asked, const Subject *subject, GError **error)
{
	const Box *box = box_get(engine, subject->mailbox);
	if (asked->kind == INTENT_COPY)
		return;
	if (subject->gen != 0 && store_gen_uidvalidity(engine->store, subject->gen) == 0)
		refuse(error, MAIL_ERROR_READ_ONLY, "%s: its UIDs do not last", box->name);
	if (box->read_only)
		refuse(error, MAIL_ERROR_READ_ONLY, "%s: the mailbox is read-only", box->name);
	guint flags = asked->flags_add | asked->flags_remove;
	const char *words = asked->keywords_add ? asked->keywords_add : asked->keywords_remove;
	check_rights(box, rights_for(asked->kind, flags, words), error);
	if (asked->kind != INTENT_FLAGS)
		return;
	if (!are_keywords(asked->keywords_add) || !are_keywords(asked->keywords_remove))
		refuse(error, MAIL_ERROR_INVALID, "%s: no such keyword is possible", box->name);
	change_check_flags(box, flags, asked->keywords_add, error);
}

static void check_target(Engine *engine, MailboxId target, GError **error)
{
	StoreMailbox mailbox;
	if (!store_mailbox(engine->store, target, &mailbox) ||
		mailbox.attributes & IMAP_LIST_NOSELECT) {
		refuse(error, MAIL_ERROR_NOT_FOUND, "no such mailbox");
		return;
	}
	const Box *box = box_get(engine, target);
	if (box->read_only)
		refuse(error, MAIL_ERROR_READ_ONLY, "%s: the mailbox is read-only", box->name);
	check_rights(box, "i", error);
}

static void check_text(Engine *engine, GBytes *text, GError **error)
{
	const Conn *conn = pool_first_ready(engine);
	guint64 limit = conn ? session_append_limit(conn->session) : 0;
	if (!text)
		refuse(error, MAIL_ERROR_IO, "the text of a message cannot be read");
	else if (limit != 0 && g_bytes_get_size(text) > limit)
		refuse(error, MAIL_ERROR_TOO_BIG,
			"the server takes messages of up to %" G_GUINT64_FORMAT " octets", limit);
}

static GError *refusal(
	Engine *engine, const EngineChange *asked, const Subject *subject, GBytes *text)
{
	GError *error = NULL;
	bool has_target = asked->kind == INTENT_MOVE || asked->kind == INTENT_COPY ||
			  asked->kind == INTENT_APPEND;
	if (engine->config.read_only)
		refuse(&error, MAIL_ERROR_READ_ONLY, "the mount is read-only");
	if (subject->mailbox != 0)
		check_source(engine, asked, subject, &error);
	if (has_target)
		check_target(engine, asked->target, &error);
	if (asked->kind == INTENT_APPEND)
		check_text(engine, text, &error);
	return error;
}

/* ---- its intent ---- */

static char *name_of(Engine *engine, MailboxId id)
{
	StoreMailbox mailbox;
	return store_mailbox(engine->store, id, &mailbox) ? g_strdup(mailbox.name) : NULL;
}

static Intent *intent_of(
	Engine *engine, const EngineChange *asked, const Subject *subject, GBytes *text)
{
	Intent *intent = g_new0(Intent, 1);
	*intent = (Intent){
		.kind = asked->kind,
		.uid = subject->uid,
		.of = subject->maker ? subject->maker->intent->id : 0,
		.name = g_strdup(asked->name),
		.flags_add = asked->flags_add,
		.flags_remove = asked->flags_remove,
		.keywords_add = g_strdup(asked->keywords_add),
		.keywords_remove = g_strdup(asked->keywords_remove),
		.date = asked->date,
	};
	if (subject->uid != 0) {
		intent->mailbox = name_of(engine, subject->mailbox);
		intent->uidvalidity = store_gen_uidvalidity(engine->store, subject->gen);
		if (asked->kind == INTENT_MOVE || asked->kind == INTENT_COPY)
			change_note_signature(engine, intent, subject->gen);
	}
	if (asked->kind == INTENT_MOVE || asked->kind == INTENT_COPY ||
		asked->kind == INTENT_APPEND)
		intent->target = name_of(engine, asked->target);
	if (text) {
		intent->file = asked->file;
		intent->size = g_bytes_get_size(text);
		intent->message_id =
			message_id_of(g_bytes_get_data(text, NULL), g_bytes_get_size(text));
	}
	return intent;
}

static Chain *chain_for(Engine *engine, const Subject *subject, const Intent *intent)
{
	if (subject->maker)
		return chain_of_change(subject->maker);
	if (subject->uid == 0)
		return NULL;
	return chain_of_message(engine, intent->mailbox, intent->uidvalidity, intent->uid);
}

static Change *begin(Engine *engine, const Asked *asked, const Subject *subject, GError **error)
{
	const EngineChange *what = &asked->change;
	g_autoptr(GBytes) text =
		what->kind == INTENT_APPEND ? store_unsent_read(engine->store, what->file) : NULL;
	GError *refused = refusal(engine, what, subject, text);
	if (!refused)
		refused = change_away_error(engine, asked->until);
	if (refused) {
		g_propagate_error(error, refused);
		return NULL;
	}
	g_autoptr(Intent) intent = intent_of(engine, what, subject, text);
	if (!change_keep(engine, intent, error))
		return NULL;
	Chain *chain = chain_for(engine, subject, intent);
	Change *change = change_new(engine, g_steal_pointer(&intent));
	if (subject->maker)
		change->mailbox = subject->mailbox;
	else
		change->gen = subject->gen;
	change_begin(change, chain);
	return change;
}

/* What the message that shall go is to be made by was not sent yet, and nothing else hangs on it:
 * then that need not be done at all. */
static bool takes_back(const Asked *asked, const Subject *subject)
{
	const Change *maker = subject->maker;
	if (asked->change.kind != INTENT_REMOVE || !maker || maker->brings || change_is_sent(maker))
		return false;
	return maker->intent->kind == INTENT_COPY ||
	       (maker->intent->kind == INTENT_APPEND && !maker->chain);
}

static void take_back(Change *maker)
{
	Store *store = maker->engine->store;
	guint64 file = maker->intent->file;
	g_autoptr(GError) error = g_error_new_literal(
		MAIL_ERROR, MAIL_ERROR_CANCELLED, "it was removed before it was sent");
	change_end(maker, 0, 0, error);
	if (file != 0)
		store_unsent_drop(store, file);
}

/* ---- the verb ---- */

static void asked_free(Asked *asked)
{
	g_free((char *)asked->change.name);
	g_free((char *)asked->change.keywords_add);
	g_free((char *)asked->change.keywords_remove);
	g_free(asked);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Asked, asked_free)

static void take(Engine *engine, gpointer data)
{
	g_autoptr(Asked) asked = data;
	g_autoptr(GError) error = NULL;
	Subject subject;
	if (engine->stopping)
		refuse(&error, MAIL_ERROR_CANCELLED, "the mount ends");
	else if (!find_subject(engine, &asked->change, &subject))
		refuse(&error, MAIL_ERROR_STALE, "there is no such message");
	else if (takes_back(asked, &subject))
		take_back(subject.maker);
	else {
		Change *change = begin(engine, asked, &subject, &error);
		if (change) {
			change_wait(change, asked->until, asked->done, asked->data);
			return;
		}
	}
	asked->done(error, asked->data);
}

void engine_change(Engine *engine, const EngineChange *change, EngineUntil until, EngineDone done,
	gpointer data)
{
	Asked *asked = g_new(Asked, 1);
	*asked = (Asked){*change, until, done, data};
	asked->change.name = g_strdup(change->name);
	asked->change.keywords_add = g_strdup(change->keywords_add);
	asked->change.keywords_remove = g_strdup(change->keywords_remove);
	engine_call(engine, take, asked);
}
