#include "loki_text.h"

#include <math.h>

#include "pdata/any.h"
#include "pdata/any_make.h"

/*
 * JSON is written for HTML as well, as Go does it: '<', '>' and '&' stand in strings only, so they
 * may be replaced in the whole text.
 */
static enum hf_status put_escaped(struct hf_slice json, struct hf_bytes *out)
{
    enum hf_status status = HF_OK;
    size_t from = 0;
    for (size_t i = 0; i < json.size && status == HF_OK; i++) {
        uint8_t byte = json.data[i];
        const char *escaped = byte == '<'   ? "\\u003c"
                              : byte == '>' ? "\\u003e"
                              : byte == '&' ? "\\u0026"
                                            : NULL;
        if (escaped != NULL) {
            status = hf_bytes_append(out, hf_slice_of(json.data + from, i - from));
            status = status == HF_OK ? hf_bytes_append(out, hf_slice_text(escaped)) : status;
            from = i + 1;
        }
    }
    return status == HF_OK ? hf_bytes_append(out, hf_slice_of(json.data + from, json.size - from))
                           : status;
}

enum hf_status loki_json_value(struct hf_arena *arena, struct hf_slice value, struct hf_bytes *out)
{
    struct hf_any_maker maker = {.arena = arena};
    struct hf_any any = hf_any_read(value);
    if (any.type == HF_ANY_DOUBLE && !isfinite(any.number)) {
        value = hf_any_make_string(&maker, hf_slice_text(isnan(any.number) ? "NaN"
                                                         : any.number > 0  ? "+Inf"
                                                                           : "-Inf"));
    }
    /* Inside of a list a text is quoted. */
    struct hf_slice list = hf_any_make_list(&maker, &value, 1);
    struct hf_bytes json = {0};
    enum hf_status status = maker.failed ? HF_NOMEM : hf_any_text(list, &json);
    if (status == HF_OK) {
        status = put_escaped(hf_slice_of(json.data + 1, json.size - 2), out);
    }
    hf_bytes_release(&json);
    return status;
}

struct hf_slice loki_hex(struct hf_slice id, char room[33])
{
    static const char digits[] = "0123456789abcdef";
    size_t size = 0;
    for (size_t i = 0; i < id.size && i < 16; i++) {
        room[size++] = digits[id.data[i] >> 4];
        room[size++] = digits[id.data[i] & 15];
    }
    return hf_slice_of(room, size);
}
