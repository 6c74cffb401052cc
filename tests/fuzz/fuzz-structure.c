/* Any text as a BODYSTRUCTURE: what comes of it is a tree whose parts can be files. */

#include "fuzz.h"

#include "fuzz-tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	fuzz_mime_init();
	g_autoptr(MimeTree) tree = mime_tree_of_structure((const char *)bytes, len);

	if (tree)
		fuzz_check_tree(tree);
	return 0;
}
