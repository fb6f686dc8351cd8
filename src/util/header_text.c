#include "header_text.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "blank.h"

struct hf_slice hf_header_trim(struct hf_slice value)
{
    size_t start = 0, end = value.size;
    while (end > 0 && hf_is_blank(value.data[end - 1])) {
        end--;
    }
    while (start < end && hf_is_blank(value.data[start])) {
        start++;
    }
    return start == 0 ? hf_slice_of(value.data, end) : hf_slice_of(value.data + start, end - start);
}

bool hf_header_is_name(struct hf_slice name)
{
    for (size_t i = 0; i < name.size; i++) {
        uint8_t byte = name.data[i];
        if (byte == '\0' ||
            (!(byte < 0x80 && isalnum(byte)) && strchr("!#$%&'*+-.^_`|~", byte) == NULL)) {
            return false;
        }
    }
    return name.size != 0;
}

bool hf_header_is_value(struct hf_slice value)
{
    for (size_t i = 0; i < value.size; i++) {
        uint8_t byte = value.data[i];
        if ((byte < 0x20 && byte != '\t') || byte == 0x7f) {
            return false;
        }
    }
    return true;
}

static bool begins(struct hf_slice name, const char *text)
{
    size_t size = strlen(text);
    return name.size >= size && strncasecmp((const char *)name.data, text, size) == 0;
}

static bool is(struct hf_slice name, const char *text)
{
    return name.size == strlen(text) && begins(name, text);
}

bool hf_header_is_binary(struct hf_slice name)
{
    return name.size > 4 && is(hf_slice_of(name.data + name.size - 4, 4), "-bin");
}

bool hf_header_is_framing(struct hf_slice name)
{
    static const char *const names[] = {"connection", "content-length",    "http2-settings",
                                        "keep-alive", "proxy-connection",  "te",
                                        "trailer",    "transfer-encoding", "upgrade"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (is(name, names[i])) {
            return true;
        }
    }
    return false;
}

bool hf_header_is_of_grpc(struct hf_slice name)
{
    return begins(name, "grpc-") || begins(name, ":") || is(name, "content-type") ||
           hf_header_is_framing(name);
}
