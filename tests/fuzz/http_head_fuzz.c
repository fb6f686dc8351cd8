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

static size_t line_size(const char *at, const char *end)
{
    const char *found = memmem(at, (size_t)(end - at), "\r\n", 2);
    assert(found != NULL);
    return (size_t)(found - at);
}

/* Cut, a NUL beside a bare LF looks like CR LF, and passes. It may stand nowhere else. */
static bool has_nuls(const char *at, const char *end)
{
    bool has = false;
    while (at < end) {
        size_t size = 0;
        bool nul = false, lf = false;
        for (; at + size < end && (at[size] == '\0' || at[size] == '\r' || at[size] == '\n');
             size++) {
            nul = nul || at[size] == '\0';
            lf = lf || at[size] == '\n';
        }
        assert(!nul || lf);
        has = has || nul;
        at += size + 1;
    }
    return has;
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
            const char *end = (const char *)data + (cut.at - copy);
            if (!has_nuls(first, end)) {
                read_again(first, end, &cut);
            }
        }
    }
    cut_release(&cut);
    free(copy);
    return 0;
}
