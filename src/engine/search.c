/* The search verb: the server finds the messages, in one mailbox or in all that are listed. Of
 * these one command asks where MULTISEARCH (RFC 7377) is offered; else, and where that fails, each
 * is searched by itself, some at a time.
 *
 * The answer is kept as sets of UIDs, so that nothing refers to a result on the server: SEARCHRES
 * (RFC 5182) would save sending one back, and none is. */
#include <string.h>

#include "engine/change.h"
#include "engine/search.h"

enum {
	TRIES = 3, /* connections that could not tell */
	PARTS_AHEAD = 8, /* mailboxes of one search that are asked for at a time */
};

typedef enum {
	PART_DUE,
	PART_SENT,
	PART_LISTING, /* the store does not know all that was found */
	PART_LISTED,
	PART_OVER,
} PartStep;

/* One mailbox of a search, under way. */
typedef struct {
	Search *search;
	Box *box;
	PartStep step;
	Conn *conn; /* while it is SENT */
	bool extended; /* and how: RETURN */
	guint tries;
	ImapSet *found;
	Gen gen; /* of what was found; 0: not known, but UIDVALIDITY */
	guint32 uidvalidity;
	GError *error; /* the mailbox is refused, or cannot be listed */
} Part;

/* Who waits for it. */
typedef struct {
	Engine *engine;
	MailboxId mailbox;
	ImapQuery *query;
	EngineFound found;
	gpointer data;
	const GArray *hits; /* NULL until they are complete */
} Asker;

/* ---- who waits ---- */

static void asker_done(const GError *error, gpointer data)
{
	g_autofree Asker *asker = data;
	const GArray *hits = error ? NULL : asker->hits;
	asker->found(error, hits ? (const EngineHits *)(gpointer)hits->data : NULL,
		hits ? hits->len : 0, asker->data);
	imap_query_free(asker->query);
}

static bool is_wanted(const Search *search)
{
	for (guint i = 0; i < search->waiters->len; i++)
		if (((const Waiter *)g_ptr_array_index(search->waiters, i))->done)
			return true;
	return false;
}

static void clear_hits(gpointer hits)
{
	imap_set_free((ImapSet *)((EngineHits *)hits)->uids);
}

static void search_free(Search *search)
{
	g_queue_unlink(&search->engine->searches, &search->link);
	imap_query_free(search->query);
	g_ptr_array_unref(search->waiters);
	g_array_unref(search->targets);
	g_ptr_array_unref(search->chunks);
	g_ptr_array_unref(search->parts);
	g_array_unref(search->hits);
	g_clear_error(&search->error);
	g_free(search);
}

static void finish(Search *search)
{
	bool failed = search->failed || (!search->answered && search->error);
	for (guint i = 0; i < search->waiters->len; i++) {
		Waiter *waiter = g_ptr_array_index(search->waiters, i);
		if (waiter->done)
			((Asker *)waiter->data)->hits = search->hits;
	}
	waiters_finish(search->waiters, failed ? search->error : NULL);
	search_free(search);
}

/* ---- parts ---- */

static void part_free(gpointer data)
{
	Part *part = data;
	imap_set_free(part->found);
	g_clear_error(&part->error);
	g_free(part);
}

/* What a connection was not told of is not found by it, and without push it is told when it is
 * asked: in the same flight. */
static bool is_behind(const Box *box)
{
	return pool_has(box->engine, box) && !push_trusts(box->engine, box->id);
}

static Part *part_new(Search *search, Box *box)
{
	Part *part = g_new0(Part, 1);
	*part = (Part){.search = search, .box = box, .found = imap_set_new()};
	g_ptr_array_add(search->parts, part);
	g_queue_push_tail(&box->searches, part);
	box->renew |= !box->sync && is_behind(box);
	box_pump(box);
	return part;
}

/* It goes when nobody looks at it any more: search_pump(). */
static void part_over(Part *part)
{
	part->step = PART_OVER;
	g_queue_remove(&part->box->searches, part);
	engine_pump(part->search->engine);
}

static void part_fail(Part *part, const GError *error, bool for_all)
{
	Search *search = part->search;
	if (search->mailbox == 0 && !for_all && log_limit_ok(&search->engine->search_limit))
		g_message("%s is not searched: %s", part->box->name, error->message);
	if (!search->error || (for_all && !search->failed)) {
		g_clear_error(&search->error);
		search->error = g_error_copy(error);
	}
	search->failed |= for_all;
	part_over(part);
}

/* Once more on the next connection; error: why not there. */
static void part_again(Part *part, const GError *error)
{
	imap_set_free(part->found);
	part->found = imap_set_new();
	part->step = PART_DUE;
	if (++part->tries < TRIES)
		box_pump(part->box);
	else
		part_fail(part, error, false);
}

static void part_found(Part *part, Gen gen)
{
	Search *search = part->search;
	EngineHits hits = {.gen = gen, .uids = g_steal_pointer(&part->found)};
	store_keep_listed(search->engine->store, gen, (ImapSet *)hits.uids);
	search->answered = true;
	if (imap_set_count(hits.uids) > 0)
		g_array_append_val(search->hits, hits);
	else
		clear_hits(&hits);
	part_over(part);
}

static void listed(const GError *error, gpointer data)
{
	Part *part = data;
	part->step = PART_LISTED;
	part->error = error ? g_error_copy(error) : NULL;
	engine_pump(part->search->engine);
}

static void part_stale(Part *part)
{
	g_autoptr(GError) error = g_error_new(MAIL_ERROR, MAIL_ERROR_STALE,
		"%s: the server gave the mailbox a new UIDVALIDITY", part->box->name);
	part_again(part, error);
}

/* The generation that what was found is of, if it is the mailbox's now; else 0. */
static Gen gen_of(const Part *part)
{
	Store *store = part->search->engine->store;
	Gen gen = store_gen(store, part->box->id);
	if (part->gen != 0)
		return part->gen == gen ? gen : 0;
	bool same =
		part->uidvalidity != 0 && part->uidvalidity == store_gen_uidvalidity(store, gen);
	return same ? gen : 0;
}

static bool all_named(const Part *part, Gen gen)
{
	g_autoptr(ImapSet) names = store_names(part->search->engine->store, gen);
	if (!names)
		return false;
	g_autoptr(ImapSet) others = imap_set_copy(part->found);
	imap_set_subtract(others, names);
	return imap_set_count(others) == 0;
}

/* What was found must be known to the store before it can be shown, and whether it is hidden. */
static void part_answered(Part *part)
{
	Engine *engine = part->search->engine;
	Gen gen = gen_of(part);
	if (imap_set_count(part->found) == 0 || (gen != 0 && all_named(part, gen))) {
		part_found(part, gen);
		return;
	}
	part->step = PART_LISTING;
	sync_request(part->box, waiter_new(engine, listed, part));
}

static void part_listed(Part *part)
{
	g_autoptr(GError) error = g_steal_pointer(&part->error);
	Gen gen = gen_of(part);
	if (error) {
		part_fail(part, error, false);
		return;
	}
	if (gen != 0)
		part_found(part, gen);
	else
		part_stale(part);
}

/* ---- one mailbox ---- */

/* BAD: it does not understand the query, which the grammar allows (NEW of IMAP4rev1), or not
 * RETURN. A charset that it does not know (RFC 3501 6.4.4) is no reason to search for other text.
 */
static GError *judge(const ImapStatus *status, const GError *error)
{
	GError *judged = g_error_copy(error);
	if (status->code == IMAP_CODE_BADCHARSET || status->kind == IMAP_STATUS_BAD)
		judged->code = MAIL_ERROR_INVALID;
	return judged;
}

static void part_refused(
	Part *part, const Conn *conn, const ImapStatus *status, const GError *error)
{
	if (status->kind == IMAP_STATUS_BAD && part->extended) {
		part->search->plain = true;
		part->step = PART_DUE;
		box_pump(part->box);
		return;
	}
	g_autoptr(GError) judged = judge(status, error);
	/* Servers hang up on who sends them one BAD after the other. */
	part_fail(part, judged, judged->code == MAIL_ERROR_INVALID && !part->search->answered);
}

/* A connection that breaks says nothing of the mailbox. */
static void part_lost(Part *part, const GError *error)
{
	g_autoptr(GError) why = g_error_copy(error);
	if (why->code == MAIL_ERROR_IO)
		why->code = MAIL_ERROR_UNAVAILABLE;
	part_again(part, why);
}

static void searched(const ImapStatus *status, const GError *error, gpointer data)
{
	Part *part = data;
	Conn *conn = g_steal_pointer(&part->conn);
	g_autoptr(GError) refusal = g_steal_pointer(&part->error);
	conn->search = NULL;
	if (status && !(error && status->kind == IMAP_STATUS_BAD))
		conn_answered(conn, error);
	if (refusal) {
		part_fail(part, refusal, false);
	} else if (!status) {
		part_lost(part, error);
	} else if (error) {
		part_refused(part, conn, status, error);
	} else {
		part->gen = conn->gen;
		if (conn->renamed || gen_of(part) == 0)
			part_stale(part);
		else
			part_answered(part);
	}
}

static bool is_extended(const Part *part, const Conn *conn)
{
	return !part->search->plain && question_can_extend(conn);
}

static void part_send(Part *part, Conn *conn)
{
	Search *search = part->search;
	conn_select(conn, part->box);
	part->extended = is_extended(part, conn);
	ImapCommand *line = question_command(part->extended);
	imap_query_append(search->query, line);
	search->begun = true;
	part->step = PART_SENT;
	part->conn = conn;
	conn->search = search;
	conn->search_us = g_get_monotonic_time();
	question_ask(conn, line, part->extended, part->found, NULL, searched, part);
}

static Part *first_due(const Box *box)
{
	for (const GList *l = box->searches.head; l; l = l->next) {
		Part *part = l->data;
		if (part->step == PART_DUE && is_wanted(part->search))
			return part;
	}
	return NULL;
}

bool search_has_work(const Box *box)
{
	return first_due(box) != NULL;
}

/* What came by another connection is not found before the answer to a NOOP. */
static bool waits_for_notice(const Box *box, Conn *conn)
{
	if (conn->box != box || !session_selected(conn->session))
		return false;
	g_autoptr(ImapSet) names = store_names(conn->engine->store, conn->gen);
	change_notice_last(conn, names ? imap_set_max(names) : 0);
	return conn->notices > 0;
}

/* One at a time on each connection, behind what asks for the listing in the same flight. Without
 * ESEARCH the answers of two could not be told apart; and nothing that comes behind it may be
 * taken for the answer when it is refused. */
void search_dispatch(Box *box, Conn *conn)
{
	Part *part = first_due(box);
	if (!part || conn->search || waits_for_notice(box, conn))
		return;
	if (is_extended(part, conn) || (question_is_alone(conn) && !box->sync))
		part_send(part, conn);
}

void search_box_refused(Box *box, const GError *error)
{
	for (GList *l = box->searches.head, *next; l; l = next) {
		Part *part = l->data;
		next = l->next;
		if (part->step == PART_DUE)
			part_fail(part, error, false);
		else if (part->step == PART_SENT && !part->error)
			part->error = g_error_copy(error);
	}
}

/* ---- all mailboxes ---- */

static void clear_target(gpointer target)
{
	imap_set_free(((Target *)target)->found);
}

GArray *search_targets_new(void)
{
	GArray *targets = g_array_new(FALSE, FALSE, sizeof(Target));
	g_array_set_clear_func(targets, clear_target);
	return targets;
}

static GArray *searchable(Engine *engine)
{
	g_autoptr(GArray) all = store_mailboxes(engine->store);
	GArray *targets = search_targets_new();
	for (guint i = 0; i < all->len; i++) {
		const StoreMailbox *mailbox = &g_array_index(all, StoreMailbox, i);
		Target target = {.mailbox = mailbox->id};
		if (!(mailbox->attributes & IMAP_LIST_NOSELECT))
			g_array_append_val(targets, target);
	}
	return targets;
}

/* Of a target that was found in already nothing is left but to list what was found. */
static void begin_target(Search *search, Target *target)
{
	Box *box = box_get(search->engine, target->mailbox);
	if (!box)
		return;
	Part *part = part_new(search, box);
	if (!target->found)
		return;
	imap_set_free(part->found);
	part->found = g_steal_pointer(&target->found);
	part->uidvalidity = target->uidvalidity;
	part_answered(part);
}

/* The next mailboxes, while nobody waits for too many. */
static void begin_parts(Search *search)
{
	while (search->next < search->targets->len && search->parts->len < PARTS_AHEAD &&
		!search->failed && is_wanted(search))
		begin_target(search, &g_array_index(search->targets, Target, search->next++));
}

/* Takes away what is over, or due and not wanted any more. */
static void reap_parts(Search *search)
{
	bool wanted = is_wanted(search) && !search->failed;
	for (guint i = search->parts->len; i-- > 0;) {
		Part *part = g_ptr_array_index(search->parts, i);
		if (part->step == PART_LISTED)
			part_listed(part);
		if (part->step == PART_DUE && !wanted)
			part_over(part);
		if (part->step == PART_OVER)
			g_ptr_array_remove_index_fast(search->parts, i);
	}
}

static bool is_over(const Search *search)
{
	if (search->parts->len > 0 || search->chunks->len > 0)
		return false;
	return search->next == search->targets->len || search->failed || !is_wanted(search);
}

void search_pump(Engine *engine)
{
	for (GList *l = engine->searches.head, *next; l; l = next) {
		Search *search = l->data;
		next = l->next;
		reap_parts(search);
		multisearch_decide(search);
		if (search->decided)
			begin_parts(search);
		if (is_over(search))
			finish(search);
	}
}

/* ---- the verb ---- */

/* What was sent already may be answered without something that is known by now. */
static Search *joinable(Engine *engine, const Asker *asker)
{
	const char *text = imap_query_text(asker->query);
	for (GList *l = engine->searches.head; l; l = l->next) {
		Search *search = l->data;
		if (!search->begun && search->mailbox == asker->mailbox &&
			strcmp(imap_query_text(search->query), text) == 0)
			return search;
	}
	return NULL;
}

static Search *search_new(Engine *engine, const Asker *asker)
{
	Search *search = g_new0(Search, 1);
	*search = (Search){.engine = engine,
		.mailbox = asker->mailbox,
		.query = imap_query_copy(asker->query),
		.waiters = waiters_new(),
		.chunks = g_ptr_array_new_with_free_func(search_chunk_free),
		.parts = g_ptr_array_new_with_free_func(part_free),
		.hits = g_array_new(FALSE, FALSE, sizeof(EngineHits)),
		.link.data = search};
	g_array_set_clear_func(search->hits, clear_hits);
	g_queue_push_tail_link(&engine->searches, &search->link);
	return search;
}

/* What is found will have to be listed: in the same flight. */
static void begin_one(Search *search, Box *box)
{
	search->engine->last_box = box;
	search->targets = search_targets_new();
	search->decided = true;
	Store *store = box->engine->store;
	box->renew |= !box->sync && !store_names_known(store, store_gen(store, box->id));
	part_new(search, box);
}

static GError *refusal(Engine *engine, const Asker *asker)
{
	if (engine->closing)
		return g_error_new_literal(MAIL_ERROR, MAIL_ERROR_CANCELLED, "the mount ends");
	if (asker->mailbox != 0 && !box_get(engine, asker->mailbox))
		return g_error_new_literal(
			MAIL_ERROR, MAIL_ERROR_NOT_FOUND, "there is no such mailbox");
	return NULL;
}

static void begin(Engine *engine, gpointer data)
{
	Asker *asker = data;
	Waiter *waiter = waiter_new(engine, asker_done, asker);
	g_autoptr(GError) error = refusal(engine, asker);
	if (error) {
		waiter_finish(waiter, error);
		waiter_unref(waiter);
		return;
	}
	if (engine_away(engine, waiter))
		return;
	Search *search = joinable(engine, asker);
	if (!search) {
		search = search_new(engine, asker);
		if (asker->mailbox != 0)
			begin_one(search, box_get(engine, asker->mailbox));
		else
			search->targets = searchable(engine);
	}
	g_ptr_array_add(search->waiters, waiter);
	engine_pump(engine);
}

/* What became of the flags does not matter: in the end it is searched for what the server has. */
static void flagged(const GError *error, gpointer data)
{
	Asker *asker = data;
	if (g_error_matches(error, MAIL_ERROR, MAIL_ERROR_CANCELLED))
		asker_done(error, asker);
	else
		engine_call(asker->engine, begin, asker);
}

/* The server is not asked before it has the flags that the tree shows. */
static void take(Engine *engine, gpointer data)
{
	Asker *asker = data;
	changes_settle_flags(engine, asker->mailbox, waiter_new(engine, flagged, asker));
}

void engine_search(
	Engine *engine, MailboxId mailbox, const ImapQuery *query, EngineFound found, gpointer data)
{
	Asker *asker = g_new0(Asker, 1);
	*asker = (Asker){.engine = engine,
		.mailbox = mailbox,
		.query = imap_query_copy(query),
		.found = found,
		.data = data};
	engine_call(engine, take, asker);
}

void search_free_all(Engine *engine)
{
	while (engine->searches.head)
		search_free(engine->searches.head->data);
}
