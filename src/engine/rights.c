/* What the user may do in a mailbox (MYRIGHTS, RFC 4314 3.5), so that what would be refused fails
 * at once. It is asked for behind the EXAMINE of a mailbox, in the same flight. */
#include <string.h>

#include "engine/private.h"

/* All that change something: who has these is asked no more. */
static const char changing[] = "swikxte";

static bool has(const char *rights, char right)
{
	return strchr(rights, right) != NULL;
}

/* RFC 4314 2.1.1: in "c" and "d" RFC 2086 had together what are "k", "x", "t" and "e" now; a server
 * that knows the new ones shows the old ones beside them, for clients that do not. */
static bool grants(const char *rights, char right)
{
	if (has(rights, right))
		return true;
	if (strpbrk(rights, "kxte"))
		return false;
	return (strchr("kx", right) && has(rights, 'c')) ||
	       (strchr("xte", right) && has(rights, 'd'));
}

bool box_lacks(const Box *box, char right)
{
	return box->rights && !grants(box->rights, right);
}

/* Rights that are missing may be given while the mount lasts. */
static bool may_change_all(const Box *box)
{
	for (const char *right = changing; *right; right++)
		if (!box->rights || box_lacks(box, *right))
			return false;
	return true;
}

static void asked(const ImapStatus *status, const GError *error, gpointer data)
{
	Box *box = data;
	if (status && error)
		g_debug("%s: %s", box->name, error->message);
}

void rights_ask(Conn *conn, Box *box)
{
	const Engine *engine = conn->engine;
	if (!(session_caps(conn->session) & IMAP_CAP_BIT(IMAP_CAP_ACL)) ||
		engine->config.read_only || may_change_all(box))
		return;
	ImapCommand *line = imap_command_new("MYRIGHTS");
	imap_command_mailbox(line, box->name, strlen(box->name));
	session_submit(conn->session, SESSION_ANY, line, asked, box);
}

void rights_note(Engine *engine, const ImapRights *rights)
{
	Box *box = box_named(engine, rights->mailbox);
	if (!box || !rights->rights.data)
		return;
	g_free(box->rights);
	box->rights = g_strndup(rights->rights.data, rights->rights.len);
}
