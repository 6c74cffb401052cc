/* Searches under way on a connection, and which of them an answer is for. */
#include "engine/private.h"

typedef struct {
	Conn *conn;
	ImapSet *found; /* not owned */
	bool extended; /* it is answered by ESEARCH */
	bool answered;
	QuestionHeard heard; /* NULL: nobody has to hear before it is done */
	SessionDone done;
	gpointer data;
} Question;

bool question_can_extend(const Conn *conn)
{
	static const guint64 either =
		IMAP_CAP_BIT(IMAP_CAP_ESEARCH) | IMAP_CAP_BIT(IMAP_CAP_IMAP4REV2);
	return session_caps(conn->session) & either;
}

bool question_is_alone(const Conn *conn)
{
	return conn->questions.length == 0 && (!conn->box || !conn->box->sync);
}

ImapCommand *question_command(bool extended)
{
	ImapCommand *line = imap_command_new("UID SEARCH");
	if (extended)
		imap_command_raw(line, "RETURN (ALL)");
	return line;
}

static void over(const ImapStatus *status, const GError *error, gpointer data)
{
	g_autofree Question *question = data;
	g_queue_remove(&question->conn->questions, question);
	/* Another may wait for its end. */
	engine_pump(question->conn->engine);
	question->done(status, error, question->data);
}

void question_ask(Conn *conn, ImapCommand *line, bool extended, ImapSet *ret, QuestionHeard heard,
	SessionDone done, gpointer data)
{
	Question *question = g_new(Question, 1);
	*question = (Question){.conn = conn,
		.found = ret,
		.extended = extended,
		.heard = heard,
		.done = done,
		.data = data};
	g_queue_push_tail(&conn->questions, question);
	session_submit(conn->session, SESSION_SELECTED, line, over, question);
}

/* The search that an answer names by its tag (RFC 4731 3.1); NULL: it does not. */
static Question *named_by(Conn *conn, const ImapSearch *answer)
{
	gpointer question = session_tagged(conn->session, answer->tag);
	const GList *link = g_queue_find(&conn->questions, question);
	return link ? link->data : NULL;
}

/* Where no tag tells they are answered in the order they were asked (RFC 3501 5.5). ESEARCH is one
 * response for each; SEARCH may come in several lines, but then there is one search of that kind at
 * a time. A server may say SEARCH although it was asked for ESEARCH. */
static Question *next_in_turn(const Conn *conn, const ImapSearch *answer)
{
	bool extended = answer->tag.data || answer->uid;
	Question *other = NULL;
	for (GList *l = conn->questions.head; l; l = l->next) {
		Question *question = l->data;
		if (question->answered && extended)
			continue;
		if (question->extended == extended)
			return question;
		other = other ? other : question;
	}
	return other;
}

void question_note(Conn *conn, const ImapSearch *answer)
{
	/* A quick search may be answered before one that takes minutes: that what it found was
	 * taken for what is \Deleted must not be. */
	Question *question = named_by(conn, answer);
	if (!question)
		question = next_in_turn(conn, answer);
	/* What can be no listing any more need not be kept. */
	if (!question || imap_set_count(question->found) > LIMIT_ROWS)
		return;
	question->answered = true;
	imap_set_union(question->found, answer->all);
	if (question->heard)
		question->heard(question->data);
}
