#include "otlp_status.h"

#include <stdio.h>
#include <string.h>

#include <holdfast/slice.h>

#include "util/escape.h"

static size_t put_varint(uint8_t *out, size_t value)
{
    size_t size = 0;
    for (; value >= 0x80; value >>= 7) {
        out[size++] = (uint8_t)(value | 0x80);
    }
    out[size++] = (uint8_t)value;
    return size;
}

/* google.rpc.Status {1 int32 code, 2 string message}. */
static size_t status_proto(uint8_t *out, int code, const char *text)
{
    size_t text_size = strlen(text);
    size_t size = 0;
    out[size++] = 0x08;
    size += put_varint(out + size, (size_t)code);
    out[size++] = 0x12;
    size += put_varint(out + size, text_size);
    memcpy(out + size, text, text_size);
    return size + text_size;
}

static size_t status_json(uint8_t *out, int code, const char *text)
{
    char escaped[OTLP_STATUS_BODY_MAX - 64];
    hf_escape(HF_ESCAPE_JSON, hf_slice_text(text), escaped, sizeof(escaped));
    return (size_t)snprintf((char *)out, OTLP_STATUS_BODY_MAX, "{\"code\":%d,\"message\":\"%s\"}",
                            code, escaped);
}

size_t otlp_status_body(bool json, int code, const char *text,
                        uint8_t ret_body[OTLP_STATUS_BODY_MAX])
{
    char fit[OTLP_STATUS_BODY_MAX - 64];
    hf_escape(HF_ESCAPE_LINE, hf_slice_text(text), fit, sizeof(fit));
    return json ? status_json(ret_body, code, fit) : status_proto(ret_body, code, fit);
}
