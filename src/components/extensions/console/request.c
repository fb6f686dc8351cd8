#include "request.h"

#include <stdlib.h>
#include <string.h>

#include "util/hex.h"

#define ARENA_BYTES_MAX (4u * HF_CONSOLE_FORM_BYTES_MAX)

struct hf_console_request *hf_console_request_new(struct hf_http_request *http)
{
    struct hf_console_request *request = calloc(1, sizeof(*request));
    if (request != NULL) {
        request->http = http;
        request->arena.limit = ARENA_BYTES_MAX;
    }
    return request;
}

void hf_console_request_free(struct hf_console_request *request)
{
    if (request != NULL) {
        hf_arena_release(&request->arena);
        free(request);
    }
}

static char *copy(struct hf_arena *arena, const char *text, size_t size)
{
    char *made = hf_arena_take(arena, size + 1);
    if (made != NULL) {
        memcpy(made, text, size);
        made[size] = '\0';
    }
    return made;
}

/* Takes over both, which live in the arena. */
static enum hf_status add(struct hf_console_request *request, const char *name, const char *value)
{
    if (name == NULL || value == NULL) {
        return HF_NOMEM;
    }
    if (request->parameter_count == HF_CONSOLE_PARAMETERS_MAX) {
        return HF_TOO_LARGE;
    }
    request->parameters[request->parameter_count++] = (struct hf_console_parameter){name, value};
    return HF_OK;
}

enum hf_status hf_console_add_parameter(struct hf_console_request *request, const char *name,
                                        const char *value)
{
    return add(request, copy(&request->arena, name, strlen(name)),
               copy(&request->arena, value, strlen(value)));
}

/* In place. False: a broken %XX, or a zero byte. */
static bool decode(char *text, size_t size)
{
    size_t used = 0;
    for (size_t at = 0; at < size; at++) {
        int byte = text[at] == '+' ? ' ' : (uint8_t)text[at];
        if (text[at] == '%') {
            bool is_whole = at + 2 < size;
            int high = is_whole ? hf_hex_digit(text[at + 1]) : -1;
            int low = is_whole ? hf_hex_digit(text[at + 2]) : -1;
            if (high < 0 || low < 0) {
                return false;
            }
            byte = high * 16 + low;
            at += 2;
        }
        if (byte == '\0') {
            return false;
        }
        text[used++] = (char)byte;
    }
    text[used] = '\0';
    return true;
}

static enum hf_status add_pair(struct hf_console_request *request, const char *pair, size_t size)
{
    const char *equals = memchr(pair, '=', size);
    size_t name_size = equals != NULL ? (size_t)(equals - pair) : size;
    const char *from = equals != NULL ? equals + 1 : pair + size;
    size_t value_size = size - (size_t)(from - pair);
    char *name = copy(&request->arena, pair, name_size);
    char *value = copy(&request->arena, from, value_size);
    if (name == NULL || value == NULL) {
        return HF_NOMEM;
    }
    if (!decode(name, name_size) || !decode(value, value_size)) {
        return HF_INVALID;
    }
    return add(request, name, value);
}

enum hf_status hf_console_read_form(struct hf_console_request *request, struct hf_slice form)
{
    const char *at = (const char *)form.data, *end = at + form.size;
    enum hf_status status = HF_OK;
    while (at < end && status == HF_OK) {
        const char *next = memchr(at, '&', (size_t)(end - at));
        size_t size = (size_t)((next != NULL ? next : end) - at);
        if (size != 0) {
            status = add_pair(request, at, size);
        }
        at += size + 1;
    }
    return status;
}

const char *hf_console_parameter(const struct hf_console_request *request, const char *name)
{
    for (size_t i = 0; i < request->parameter_count; i++) {
        if (strcmp(request->parameters[i].name, name) == 0) {
            return request->parameters[i].value;
        }
    }
    return NULL;
}

const char *hf_console_parameter_or(const struct hf_console_request *request, const char *name,
                                    const char *preset)
{
    const char *value = hf_console_parameter(request, name);
    return value != NULL && value[0] != '\0' ? value : preset;
}

uint64_t hf_console_number(const struct hf_console_request *request, const char *name,
                           uint64_t preset)
{
    const char *text = hf_console_parameter_or(request, name, "");
    size_t digits = strspn(text, "0123456789");
    return digits != 0 && digits <= 19 && text[digits] == '\0' ? strtoull(text, NULL, 10) : preset;
}
