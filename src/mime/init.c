#include "mime/init.h"

#include <gmime/gmime.h>

void mime_init(void)
{
	g_mime_init();
}
