/* Shows the trees of messages for tests/mount/test_structure.py: of each DIRECTORY/N.structure and
 * DIRECTORY/N.eml, from N = 1 on, both trees with an empty line behind each. */
#include <stdio.h>
#include <stdlib.h>

#include "mime-dump.h"
#include "mime/init.h"

typedef MimeTree *(*Reader)(const char *bytes, gsize len);

static MimeTree *of_message(const char *bytes, gsize len)
{
	return mime_tree_of_message(bytes, len);
}

static bool show(const char *directory, guint number, const char *suffix, Reader reader)
{
	g_autofree char *path = g_strdup_printf("%s/%u.%s", directory, number, suffix);
	g_autofree char *bytes = NULL;
	gsize len;
	if (!g_file_get_contents(path, &bytes, &len, NULL))
		return false;
	g_autoptr(MimeTree) tree = reader(bytes, len);
	g_autofree char *dump = mime_dump(tree);
	printf("%s\n\n", dump);
	return true;
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return EXIT_FAILURE;
	mime_init();
	guint number = 1;
	while (show(argv[1], number, "structure", mime_tree_of_structure) &&
		show(argv[1], number, "eml", of_message))
		number++;
	return EXIT_SUCCESS;
}
