#include "escaping.h"

#include <inttypes.h>
#include <stdio.h>

#include "util/rune.h"

static const char *const schemes[] = {
    [HF_PROM_UNDERSCORES] = "underscores",
    [HF_PROM_ALLOW_UTF8] = "allow-utf-8",
    [HF_PROM_DOTS] = "dots",
    [HF_PROM_VALUES] = "values",
};

static bool is_classic_at(enum hf_prom_name type, uint32_t code, bool is_first)
{
    return (code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z') || code == '_' ||
           (code == ':' && type == HF_PROM_METRIC_NAME) ||
           (code >= '0' && code <= '9' && !is_first);
}

bool hf_prom_is_classic(enum hf_prom_name type, struct hf_slice name)
{
    for (size_t i = 0; i < name.size; i++) {
        if (!is_classic_at(type, name.data[i], i == 0)) {
            return false;
        }
    }
    return name.size != 0;
}

/* What stands for one character. */
static size_t put_character(enum hf_prom_escaping escaping, uint32_t code, bool is_classic,
                            char *room, size_t room_size)
{
    bool doubles = escaping != HF_PROM_UNDERSCORES;
    int size;
    if (code == '_') {
        size = snprintf(room, room_size, doubles ? "__" : "_");
    } else if (is_classic) {
        size = snprintf(room, room_size, "%c", (int)code);
    } else if (escaping == HF_PROM_VALUES) {
        size = snprintf(room, room_size, code == HF_RUNE_BAD ? "_FFFD_" : "_%" PRIx32 "_", code);
    } else if (escaping == HF_PROM_DOTS) {
        size = snprintf(room, room_size, code == '.' ? "_dot_" : "__");
    } else {
        size = snprintf(room, room_size, "_");
    }
    return (size_t)size;
}

enum hf_status hf_prom_escape_name(enum hf_prom_name type, struct hf_slice name,
                                   enum hf_prom_escaping escaping, struct hf_bytes *out)
{
    if (escaping == HF_PROM_ALLOW_UTF8 || hf_prom_is_classic(type, name)) {
        return hf_bytes_append(out, name);
    }
    enum hf_status status =
        escaping == HF_PROM_VALUES ? hf_bytes_append(out, hf_slice_text("U__")) : HF_OK;
    for (size_t i = 0; i < name.size && status == HF_OK;) {
        char room[16];
        struct hf_rune rune = hf_rune_at(name, i);
        bool is_classic = is_classic_at(type, rune.code, i == 0);
        size_t size = put_character(escaping, rune.code, is_classic, room, sizeof(room));
        status = hf_bytes_append(out, hf_slice_of(room, size));
        i += rune.size;
    }
    return status;
}

bool hf_prom_escaping_of(struct hf_slice text, enum hf_prom_escaping *ret_escaping)
{
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        if (hf_slice_is(text, schemes[i])) {
            *ret_escaping = (enum hf_prom_escaping)i;
            return true;
        }
    }
    return false;
}

const char *hf_prom_escaping_name(enum hf_prom_escaping escaping)
{
    return schemes[escaping];
}
