#include "choice.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define NAME_MAX_BYTES 253u

const char *const hf_inject_annotations[] = {HF_INJECT_ANNOTATION, "sidecar.otel.io/inject",
                                             "sidecar.opentelemetry.io/inject", NULL};

struct hf_slice hf_annotation(const struct hf_json *object, const char *name)
{
    const struct hf_json *metadata = hf_json_get(object, "metadata");
    return hf_json_text_of(hf_json_get(metadata, "annotations"), name);
}

struct hf_slice hf_inject_wish(const struct hf_json *object)
{
    struct hf_slice wish = HF_EMPTY_SLICE;
    for (size_t i = 0; hf_inject_annotations[i] != NULL && wish.size == 0; i++) {
        wish = hf_annotation(object, hf_inject_annotations[i]);
    }
    return wish;
}

static bool is_word(struct hf_slice text, const char *word)
{
    return text.size == strlen(word) && strncasecmp((const char *)text.data, word, text.size) == 0;
}

/* A name of an object of Kubernetes; it becomes a part of a URL. */
static bool is_name(struct hf_slice text)
{
    bool good = text.size != 0 && text.size <= NAME_MAX_BYTES;
    for (size_t i = 0; i < text.size && good; i++) {
        unsigned char c = text.data[i];
        bool inside = i != 0 && i + 1 != text.size;
        good = islower(c) || isdigit(c) || (inside && (c == '-' || c == '.'));
    }
    return good;
}

bool hf_choose(struct hf_slice pod_wish, struct hf_slice namespace_wish,
               struct hf_choice *ret_choice)
{
    struct hf_slice wish = pod_wish.size != 0 ? pod_wish : namespace_wish;
    bool takes_over =
        is_word(pod_wish, "true") && namespace_wish.size != 0 && !is_word(namespace_wish, "false");
    wish = takes_over ? namespace_wish : wish;
    *ret_choice = (struct hf_choice){.wants = wish.size != 0 && !is_word(wish, "false")};
    if (!ret_choice->wants || is_word(wish, "true")) {
        return true;
    }
    const uint8_t *slash = memchr(wish.data, '/', wish.size);
    size_t before = slash != NULL ? (size_t)(slash - wish.data) : 0;
    size_t skip = slash != NULL ? before + 1 : 0;
    ret_choice->namespace = hf_slice_of(wish.data, before);
    ret_choice->name = hf_slice_of(wish.data + skip, wish.size - skip);
    return is_name(ret_choice->name) && (slash == NULL || is_name(ret_choice->namespace));
}
