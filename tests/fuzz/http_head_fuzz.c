/*
 * The head of an HTTP request, cut as the library cuts it. Must reach: hf_http_uri_is_sound,
 * hf_http_head_begin, hf_http_head_field, hf_http_head_end.
 *
 * What passes is read a second time, as it came, by rules that know nothing of the first.
 */
#include <assert.h>

#include "tests/support/cut_head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Is the line a name, a colon and a value, without any byte that ends a line elsewhere? */
static bool is_plain_field(const char *line, size_t size)
{
    size_t name = 0;
    while (name < size && line[name] > ' ' && line[name] != 0x7f && line[name] != ':') {
        name++;
    }
    if (name == 0 || name == size || line[name] != ':') {
        return false;
    }
    for (size_t i = name; i < size; i++) {
        unsigned char byte = (unsigned char)line[i];
        if ((byte < ' ' && byte != '\t') || byte == 0x7f) {
            return false;
        }
    }
    return true;
}

/* Cut, NUL LF looks like CR LF: lines that end so are let pass, and end where the library says. */
static size_t line_size(const char *at, const char *end)
{
    const char *found = memchr(at, '\n', (size_t)(end - at));
    assert(found != NULL && found > at && (found[-1] == '\r' || found[-1] == '\0'));
    return (size_t)(found - at) - 1;
}

static void read_again(const char *at, const char *end, const struct cut_head *cut)
{
    size_t size = line_size(at, end), blanks = 0;
    for (size_t i = 0; i < size; i++) {
        assert((unsigned char)at[i] >= ' ');
        blanks += at[i] == ' ';
    }
    assert(blanks == 2);
    at += size + 2;
    size_t fields = 0;
    for (; (size = line_size(at, end)) != 0; at += size + 2) {
        assert(is_plain_field(at, size));
        fields++;
    }
    assert(at + 2 == end && fields == cut->field_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size + 1);
    assert(copy != NULL);
    if (size != 0) {
        memcpy(copy, data, size);
    }
    struct cut_head cut;
    if (cut_head(&cut, copy, size)) {
        struct http_refusal with = cut_check(&cut, true), without = cut_check(&cut, false);
        assert(with.status != 0 || without.status == 0);
        if (with.status == 0 && cut.uri_is_sound) {
            const char *first = (const char *)data + (cut.start.method - copy);
            read_again(first, (const char *)data + (cut.at - copy), &cut);
        }
    }
    cut_release(&cut);
    free(copy);
    return 0;
}
