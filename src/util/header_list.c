#include "header_list.h"

#include <stdio.h>
#include <string.h>

#include <holdfast/ref.h>

#include "header_text.h"

#define NAME_SHOWN_MAX 64

/* The header of that name, or the next free place. */
static struct hf_header *place_of(struct hf_header_list *list, struct hf_slice name)
{
    size_t i = 0;
    while (i < list->count && !hf_slice_equal(list->items[i].name, name)) {
        i++;
    }
    return &list->items[i];
}

/* HF_INVALID, with the reason, for what no request may carry. */
static enum hf_status judge(struct hf_header_list *list, struct hf_slice name,
                            struct hf_slice value)
{
    if (!hf_header_is_name(name)) {
        snprintf(list->why, sizeof(list->why),
                 "the request cannot be formed: the name of a header is not one");
        return HF_INVALID;
    }
    bool any_bytes = list->use == HF_HEADERS_GRPC && hf_header_is_binary(name);
    if (!any_bytes && !hf_header_is_value(value)) {
        snprintf(list->why, sizeof(list->why),
                 "the request cannot be formed: the value of the header %.*s has line ends or "
                 "other control characters",
                 (int)(name.size < NAME_SHOWN_MAX ? name.size : NAME_SHOWN_MAX),
                 (const char *)name.data);
        return HF_INVALID;
    }
    return HF_OK;
}

static enum hf_status add(struct hf_header_sink *sink, struct hf_slice name, struct hf_slice value)
{
    struct hf_header_list *list = HF_CONTAINER(sink, struct hf_header_list, sink);
    value = hf_header_trim(value);
    enum hf_status status = judge(list, name, value);
    if (status != HF_OK) {
        return status;
    }
    if (list->use == HF_HEADERS_GRPC && hf_header_is_of_grpc(name)) {
        return HF_OK;
    }
    if (list->count == HF_HEADERS_MAX ||
        name.size + value.size > sizeof(list->bytes) - list->used) {
        snprintf(list->why, sizeof(list->why), "more headers than a request may have");
        return HF_TOO_LARGE;
    }
    char *at = list->bytes + list->used;
    for (size_t i = 0; i < name.size; i++) {
        char letter = (char)name.data[i];
        at[i] = letter >= 'A' && letter <= 'Z' ? (char)(letter + 32) : letter;
    }
    if (value.size != 0) {
        memcpy(at + name.size, value.data, value.size);
    }
    list->used += name.size + value.size;
    struct hf_header *place = place_of(list, hf_slice_of(at, name.size));
    bool is_new = place == &list->items[list->count];
    *place =
        (struct hf_header){hf_slice_of(at, name.size), hf_slice_of(at + name.size, value.size)};
    list->count += is_new;
    return HF_OK;
}

void hf_header_list_tell(struct hf_header_list *list, enum hf_status status)
{
    if (status != HF_OK && list->why[0] == '\0') {
        snprintf(list->why, sizeof(list->why), "the authenticator has no credentials: %s",
                 hf_status_row(status)->says);
    }
}

enum hf_status hf_header_list_fill(struct hf_header_list *list, enum hf_header_use use,
                                   const struct hf_string_map *configured,
                                   const struct hf_auth *auth, void *auth_self,
                                   struct hf_slice meta)
{
    enum hf_status status = HF_OK;
    list->sink.add = add;
    list->use = use;
    list->count = list->used = 0;
    list->why[0] = '\0';
    for (size_t i = 0; i < configured->count && status == HF_OK; i++) {
        const struct hf_string_pair *pair = &configured->items[i];
        status = add(&list->sink, hf_slice_text(pair->key), hf_slice_text(pair->value));
    }
    if (status == HF_INVALID) {
        return HF_FORBIDDEN; /* the configuration's fault, which costs no data */
    }
    if (status == HF_OK && auth != NULL) {
        status = auth->headers(auth_self, meta, &list->sink);
        if (status == HF_UNAUTHENTICATED && auth->explain != NULL) {
            auth->explain(auth_self, list->why, sizeof(list->why));
        }
        hf_header_list_tell(list, status);
    }
    return status == HF_TOO_LARGE ? HF_AGAIN : status;
}

const struct hf_header *hf_header_find(const struct hf_header *headers, size_t count,
                                       const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (hf_slice_is(headers[i].name, name)) {
            return &headers[i];
        }
    }
    return NULL;
}
