/* What a request for something of a message is about, and what of it the store lacks. */
#pragma once

#include "engine/engine.h"
#include "mime/tree.h"

typedef struct Box Box;

typedef enum {
	GOAL_RANGE, /* bytes of an item */
	GOAL_OUTLINE, /* its fields, perhaps its structure too */
	GOAL_TEXT, /* all that `.text` shows of it */
} GoalKind;

typedef struct {
	GoalKind kind;
	StoreItem item; /* RANGE */
	char *section; /* of a part, owned */
	guint64 octets; /* how long it is said to be; G_MAXUINT64: nobody said */
	guint64 offset, len; /* RANGE */
	bool structure; /* OUTLINE */
} Goal;

void goal_clear(Goal *goal);

/* One item, or bytes of it. */
typedef struct {
	StoreItem item;
	const char *section; /* of a part */
	guint64 octets;
	bool whole;
	guint64 offset, len; /* else */
} Need;

typedef struct {
	Need list[LIMIT_READABLE_PARTS];
	guint n;
	MimeTree *tree; /* has the sections; NULL: not needed */
} Needs;

void needs_clear(Needs *needs);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Needs, needs_clear)

/* HIT: the store has it all. MISS: what it lacks, as far as that is known; the first is to come
 * first. ABSENT: there is no such message. */
StoreAnswer goal_missing(Box *box, Gen gen, guint32 uid, const Goal *goal, Needs *ret);

/* The bytes that bring the whole message. */
Need need_message(void);
