#include "header_list.h"

#include <string.h>

#include <holdfast/ref.h>

/* The header of that name, or the next free place. */
static struct hf_header *place_of(struct hf_header_list *list, struct hf_slice name)
{
    size_t i = 0;
    while (i < list->count && !hf_slice_equal(list->items[i].name, name)) {
        i++;
    }
    return &list->items[i];
}

static enum hf_status add(struct hf_header_sink *sink, struct hf_slice name, struct hf_slice value)
{
    struct hf_header_list *list = HF_CONTAINER(sink, struct hf_header_list, sink);
    if (list->count == HF_HEADERS_MAX ||
        name.size + value.size > sizeof(list->bytes) - list->used) {
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
    *place =
        (struct hf_header){hf_slice_of(at, name.size), hf_slice_of(at + name.size, value.size)};
    list->count += place == &list->items[list->count];
    return HF_OK;
}

enum hf_status hf_header_list_fill(struct hf_header_list *list,
                                   const struct hf_string_map *configured,
                                   const struct hf_auth *auth, void *auth_self,
                                   struct hf_slice meta)
{
    enum hf_status status = HF_OK;
    list->sink.add = add;
    list->count = list->used = 0;
    for (size_t i = 0; i < configured->count && status == HF_OK; i++) {
        const struct hf_string_pair *pair = &configured->items[i];
        status = add(&list->sink, hf_slice_text(pair->key), hf_slice_text(pair->value));
    }
    if (status == HF_OK && auth != NULL) {
        status = auth->headers(auth_self, meta, &list->sink);
    }
    return status == HF_TOO_LARGE ? HF_AGAIN : status;
}
