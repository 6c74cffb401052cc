#include "fs/view.h"

#include <string.h>

typedef struct {
	const char *name;
	const char *suffix;
	bool fixed;
	bool directories;
} View;

static const View views[VIEW_KINDS_] = {
	[VIEW_TEXT] = {".text", ".txt", true, false},
	[VIEW_PARTS] = {".parts", "", true, true},
	[VIEW_SEARCH] = {".search", NULL, false, true},
	[VIEW_NAMES] = {".names", NULL, false, false},
};

bool view_find(const char *name, ViewKind *ret)
{
	for (guint kind = 0; kind < VIEW_KINDS_; kind++) {
		if (strcmp(views[kind].name, name) != 0)
			continue;
		*ret = (ViewKind)kind;
		return true;
	}
	return false;
}

const char *view_name(ViewKind kind)
{
	return views[kind].name;
}

bool view_is_fixed(ViewKind kind)
{
	return views[kind].fixed;
}

const char *view_suffix(ViewKind kind)
{
	return views[kind].suffix;
}

bool view_has_directories(ViewKind kind)
{
	return views[kind].directories;
}
