#include "template.h"

#include <stdlib.h>
#include <string.h>

#include "operator.h"

#define START "EXPR("
#define START_SIZE (sizeof(START) - 1)
#define PARTS_MAX 64u

/* A fixed text, and the expression behind it; the last part has none. */
struct part {
    struct hf_slice text;
    char *source; /* of the expression, which borrows it */
    struct hf_expr *expr;
};

struct hf_log_template {
    size_t count;
    struct part parts[];
};

/* The last parenthesis before the next EXPR( or the end; NULL: none. */
static const char *find_end(const char *inside)
{
    const char *next = strstr(inside, START);
    const char *at = next != NULL ? next : inside + strlen(inside);
    while (at > inside && at[-1] != ')') {
        at--;
    }
    return at > inside ? at - 1 : NULL;
}

static enum hf_status compile(const char *inside, size_t size, struct part *part, char *reterr)
{
    part->source = strndup(inside, size);
    return part->source != NULL ? expr_of("EXPR", part->source, &part->expr, reterr) : HF_NOMEM;
}

static enum hf_status add_parts(struct hf_log_template *made, const char *text, char *reterr)
{
    for (;;) {
        const char *start = strstr(text, START);
        const char *end = start != NULL ? find_end(start + START_SIZE) : NULL;
        if (made->count == PARTS_MAX) {
            return invalid(reterr, "more than %u EXPR in one text", PARTS_MAX - 1);
        }
        struct part *part = &made->parts[made->count++];
        if (end == NULL) {
            part->text = hf_slice_text(text);
            return HF_OK;
        }
        part->text = hf_slice_of(text, (size_t)(start - text));
        const char *inside = start + START_SIZE;
        enum hf_status status = compile(inside, (size_t)(end - inside), part, reterr);
        if (status != HF_OK) {
            return status;
        }
        text = end + 1;
    }
}

enum hf_status hf_log_template_new(const char *text, struct hf_log_template **ret, char *reterr)
{
    struct hf_log_template *made = calloc(1, sizeof(*made) + PARTS_MAX * sizeof(made->parts[0]));
    if (made == NULL) {
        return HF_NOMEM;
    }
    enum hf_status status = add_parts(made, text, reterr);
    if (status != HF_OK) {
        hf_log_template_free(made);
        return status;
    }
    *ret = made;
    return HF_OK;
}

void hf_log_template_free(struct hf_log_template *made)
{
    for (size_t i = 0; made != NULL && i < made->count; i++) {
        hf_expr_free(made->parts[i].expr);
        free(made->parts[i].source);
    }
    free(made);
}

bool hf_log_template_is_fixed(const struct hf_log_template *made)
{
    return made->count == 1;
}

enum hf_status hf_log_template_render(const struct hf_log_template *made,
                                      struct hf_log_entry *entry, struct hf_slice *ret_text,
                                      char *reterr)
{
    struct hf_expr_value values[PARTS_MAX];
    size_t size = made->parts[made->count - 1].text.size;
    for (size_t i = 0; i + 1 < made->count; i++) {
        enum hf_status status = entry_eval(made->parts[i].expr, entry, &values[i], reterr);
        if (status != HF_OK) {
            return status;
        }
        if (values[i].type != HF_EXPR_STRING) {
            return invalid(reterr, "EXPR of a text gives a value that is no text");
        }
        size += made->parts[i].text.size + values[i].text.size;
    }
    if (hf_log_template_is_fixed(made)) {
        *ret_text = made->parts[0].text;
        return HF_OK;
    }
    uint8_t *text = hf_arena_take(entry->arena, size + 1);
    if (text == NULL) {
        return HF_NOMEM;
    }
    uint8_t *at = text;
    for (size_t i = 0; i < made->count; i++) {
        struct hf_slice value = i + 1 < made->count ? values[i].text : HF_EMPTY_SLICE;
        at = mempcpy(at, made->parts[i].text.data, made->parts[i].text.size);
        at = value.size != 0 ? mempcpy(at, value.data, value.size) : at;
    }
    *ret_text = hf_slice_of(text, size);
    return HF_OK;
}

/* ---- labels ---- */

struct hf_log_label {
    struct hf_slice key;
    struct hf_log_template *text;
    bool is_of_resource;
};

static enum hf_status add_labels(struct hf_log_labels *labels, const struct hf_string_map *map,
                                 bool is_of_resource, char *reterr)
{
    for (size_t i = 0; i < map->count; i++) {
        struct hf_log_label *label = &labels->items[labels->count];
        char why[HF_LOG_ERROR_MAX];
        enum hf_status status = hf_log_template_new(map->items[i].value, &label->text, why);
        if (status != HF_OK) {
            return status == HF_INVALID
                       ? invalid(reterr, "%s: %.60s: %.400s",
                                 is_of_resource ? "resource" : "attributes", map->items[i].key, why)
                       : status;
        }
        label->key = hf_slice_text(map->items[i].key);
        label->is_of_resource = is_of_resource;
        labels->count++;
    }
    return HF_OK;
}

enum hf_status hf_log_labels_init(struct hf_log_labels *labels,
                                  const struct hf_string_map *attributes,
                                  const struct hf_string_map *resource, char *reterr)
{
    *labels = (struct hf_log_labels){0};
    labels->items = calloc(attributes->count + resource->count + 1, sizeof(*labels->items));
    if (labels->items == NULL) {
        return HF_NOMEM;
    }
    enum hf_status status = add_labels(labels, attributes, false, reterr);
    return status == HF_OK ? add_labels(labels, resource, true, reterr) : status;
}

void hf_log_labels_release(struct hf_log_labels *labels)
{
    for (size_t i = 0; i < labels->count; i++) {
        hf_log_template_free(labels->items[i].text);
    }
    free(labels->items);
    *labels = (struct hf_log_labels){0};
}

enum hf_status hf_log_labels_set(const struct hf_log_labels *labels, struct hf_log_entry *entry,
                                 char *reterr)
{
    enum hf_status worst = HF_OK;
    for (size_t i = 0; i < labels->count && worst != HF_NOMEM; i++) {
        const struct hf_log_label *label = &labels->items[i];
        struct hf_expr_value *to = label->is_of_resource ? &entry->resource : &entry->attributes;
        struct hf_slice text;
        enum hf_status status = hf_log_template_render(label->text, entry, &text, reterr);
        if (status == HF_OK) {
            status = hf_expr_map_set(entry->arena, to->map, label->key, hf_expr_string(text));
        }
        worst = status != HF_OK ? status : worst;
    }
    return worst;
}
