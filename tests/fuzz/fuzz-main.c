/* Runs a fuzz target over every file of the folders given: its corpus as an ordinary test. */

#include "fuzz.h"

#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void run_file(const char *path)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *bytes = NULL, *exact = NULL;
	gsize len;

	if (!g_file_get_contents(path, &bytes, &len, &error))
		g_error("%s", error->message);
	/* Of its size, so that a sanitizer sees a byte too many; never NULL, as libFuzzer has it.
	 */
	exact = g_malloc(MAX(len, 1));
	memcpy(exact, bytes, len);
	LLVMFuzzerTestOneInput((const uint8_t *)exact, len);
}

static guint run_folder(const char *path)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GDir) dir = g_dir_open(path, 0, &error);
	const char *name;
	guint count = 0;

	if (!dir)
		g_error("%s", error->message);
	while ((name = g_dir_read_name(dir))) {
		g_autofree char *file = g_build_filename(path, name, NULL);

		printf("%s\n", name);
		fflush(stdout);
		run_file(file);
		count++;
	}
	return count;
}

int main(int argc, char **argv)
{
	guint count = 0;

	for (int i = 1; i < argc; i++)
		count += run_folder(argv[i]);
	return count ? EXIT_SUCCESS : EXIT_FAILURE;
}
