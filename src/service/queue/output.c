#include "output.h"

#include <poll.h>
#include <stdarg.h>

#include "util/escape.h"

#define SAY_MAX 4096u

void hf_queue_put_text(FILE *out, const char *text)
{
    fputc('"', out);
    hf_escape_print(HF_ESCAPE_JSON, hf_slice_text(text), out);
    fputc('"', out);
}

void hf_queue_say(FILE *out, const char *format, ...)
{
    char text[SAY_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    size_t ends = strlen(format);
    bool is_line = ends > 0 && format[ends - 1] == '\n';
    size_t size = strlen(text);
    if (is_line && size > 0 && text[size - 1] == '\n') {
        size--;
    }
    hf_escape_print(HF_ESCAPE_LINE, hf_slice_of(text, size), out);
    if (is_line) {
        fputc('\n', out);
    }
}

bool hf_queue_is_read(FILE *out)
{
    struct pollfd end = {.fd = fileno(out)}; /* below 0, of a buffer in memory: never ready */
    return !ferror(out) && poll(&end, 1, 0) <= 0;
}
