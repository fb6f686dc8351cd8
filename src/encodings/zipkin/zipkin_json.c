#include "zipkin_json.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "encodings/json_list.h"
#include "pdata/json_value.h"
#include "util/hex.h"

#define PORT_MAX 65535u

enum hf_status hf_zipkin_each_json(struct hf_zipkin_reading *reading, struct hf_slice text,
                                   enum hf_status (*read)(struct hf_zipkin_reading *reading,
                                                          const struct hf_json *span))
{
    struct hf_json_list list = {.rest = text};
    struct hf_slice element;
    enum hf_json_list_step step = hf_json_list_next(&list, &element);
    while (step == HF_JSON_LIST_ELEMENT) {
        char error[HF_JSON_ERROR_MAX] = "";
        const struct hf_json *span = NULL;
        enum hf_status status = hf_json_read(element, &reading->arena, &span, error);
        if (status != HF_OK) {
            (void)hf_zipkin_fault(reading, error);
            return status;
        }
        if (span->kind == HF_JSON_MAP) {
            status = read(reading, span);
        } else if (span->kind != HF_JSON_NULL) {
            status = hf_zipkin_fault(reading, "it is not an object");
        }
        if (status != HF_OK) {
            return status;
        }
        step = hf_json_list_next(&list, &element);
    }
    if (step == HF_JSON_LIST_BROKEN) {
        snprintf(reading->reterr, HF_ZIPKIN_ERROR_MAX,
                 "the body is not a JSON list of spans, or not a whole one: it breaks off behind "
                 "span %zu",
                 reading->number);
        return HF_INVALID;
    }
    return HF_OK;
}

static enum hf_status wrong(struct hf_zipkin_reading *reading, const char *what, const char *than)
{
    char text[128];
    snprintf(text, sizeof(text), "%s is not %s", what, than);
    return hf_zipkin_fault(reading, text);
}

enum hf_status hf_zipkin_json_text(struct hf_zipkin_reading *reading, const struct hf_json *value,
                                   const char *what, struct hf_slice *ret_text)
{
    if (value->kind != HF_JSON_STRING && value->kind != HF_JSON_NULL) {
        return wrong(reading, what, "a string");
    }
    *ret_text = hf_json_text(value);
    return HF_OK;
}

enum hf_status hf_zipkin_json_whole(struct hf_zipkin_reading *reading, const struct hf_json *value,
                                    const char *what, uint64_t most, uint64_t *ret_number)
{
    bool is_good =
        value->kind == HF_JSON_INT && value->integer >= 0 && (uint64_t)value->integer <= most;
    if (!is_good && value->kind != HF_JSON_NULL) {
        return wrong(reading, what, "a whole number within its bounds");
    }
    *ret_number = is_good ? (uint64_t)value->integer : 0;
    return HF_OK;
}

size_t hf_zipkin_json_count(const struct hf_json *value)
{
    size_t count = 0;
    for (const struct hf_json *one = hf_json_first(value); one != NULL; one = one->next) {
        count++;
    }
    return count;
}

bool hf_zipkin_json_id(struct hf_slice text, uint8_t *ret_id, size_t size)
{
    uint8_t digits[32];
    memset(ret_id, 0, size);
    if (text.size == 0 || text.size > 2 * size || size > 16) {
        return false;
    }
    memset(digits, '0', sizeof(digits));
    memcpy(digits + 2 * size - text.size, text.data, text.size);
    return hf_hex_read(hf_slice_of(digits, 2 * size), ret_id);
}

/* The address in the one form that each has. */
static enum hf_status checked_ip(struct hf_zipkin_reading *reading, struct hf_slice *ip)
{
    char text[INET6_ADDRSTRLEN] = "";
    uint8_t bytes[16];
    if (ip->size == 0) {
        return HF_OK;
    }
    snprintf(text, sizeof(text), "%.*s", (int)(ip->size < 64 ? ip->size : 64),
             (const char *)ip->data);
    bool is_ip6 = memchr(ip->data, ':', ip->size) != NULL;
    if (ip->size >= sizeof(text) || inet_pton(is_ip6 ? AF_INET6 : AF_INET, text, bytes) != 1) {
        return hf_zipkin_fault(reading, "an endpoint has an address that is none");
    }
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    bool is_mapped = is_ip6 && memcmp(bytes, mapped, sizeof(mapped)) == 0;
    *ip = hf_zipkin_ip_text(&reading->arena, is_mapped ? hf_slice_of(bytes + 12, 4)
                                                       : hf_slice_of(bytes, is_ip6 ? 16 : 4));
    return HF_OK;
}

enum hf_status hf_zipkin_json_endpoint(struct hf_zipkin_reading *reading,
                                       const struct hf_json *value, bool checks,
                                       struct hf_zipkin_endpoint *ret_endpoint)
{
    enum hf_status status = HF_OK;
    uint64_t port = 0;
    if (value->kind != HF_JSON_MAP && value->kind != HF_JSON_NULL) {
        return hf_zipkin_fault(reading, "an endpoint is not an object");
    }
    for (const struct hf_json *one = hf_json_first(value); one != NULL && status == HF_OK;
         one = one->next) {
        if (hf_slice_is(one->key, "serviceName")) {
            status = hf_zipkin_json_text(reading, one, "serviceName", &ret_endpoint->service);
        } else if (hf_slice_is(one->key, "ipv4")) {
            status = hf_zipkin_json_text(reading, one, "ipv4", &ret_endpoint->ip4);
        } else if (hf_slice_is(one->key, "ipv6")) {
            status = hf_zipkin_json_text(reading, one, "ipv6", &ret_endpoint->ip6);
        } else if (hf_slice_is(one->key, "port")) {
            status = hf_zipkin_json_whole(reading, one, "port", PORT_MAX, &port);
        }
    }
    ret_endpoint->port = (uint32_t)port;
    if (status == HF_OK && checks) {
        status = checked_ip(reading, &ret_endpoint->ip4);
    }
    if (status == HF_OK && checks) {
        status = checked_ip(reading, &ret_endpoint->ip6);
    }
    return status;
}
