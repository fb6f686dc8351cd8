#include "queue_output.h"

#include <poll.h>

void hf_queue_put_text(FILE *out, const char *text)
{
    fputc('"', out);
    for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
        if (*p < 0x20) {
            fprintf(out, "\\u%04x", *p);
            continue;
        }
        if (*p == '"' || *p == '\\') {
            fputc('\\', out);
        }
        fputc(*p, out);
    }
    fputc('"', out);
}

bool hf_queue_is_read(FILE *out)
{
    struct pollfd end = {.fd = fileno(out)}; /* below 0, of a buffer in memory: never ready */
    return !ferror(out) && poll(&end, 1, 0) <= 0;
}
