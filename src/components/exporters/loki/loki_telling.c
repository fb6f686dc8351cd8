#include "loki_telling.h"

#include <stdlib.h>
#include <string.h>

static const char *const always[] = {"loki.attribute.labels", "loki.resource.labels", "loki.format",
                                     "loki.tenant", "level"};

#define ALWAYS_COUNT (sizeof(always) / sizeof(always[0]))

static size_t count_names(const char *text)
{
    size_t count = 1;
    for (; *text != '\0'; text++) {
        count += *text == '.';
    }
    return count;
}

/* The name, and at its dots those of the maps that it may stand in. */
static void add(struct loki_telling *telling, const char *text)
{
    size_t size = strlen(text);
    for (size_t at = 0; at <= size; at++) {
        if (at == size || text[at] == '.') {
            telling->names[telling->count++] = hf_slice_of(text, at);
            telling->sizes |= UINT64_C(1) << (at & 63);
        }
    }
}

enum hf_status loki_telling_init(struct loki_telling *telling,
                                 const struct loki_label_config *config, const char *tenant_key)
{
    const struct hf_string_map *map = &config->maps.attributes;
    size_t room = tenant_key != NULL ? count_names(tenant_key) : 0;
    for (size_t i = 0; i < map->count; i++) {
        room += count_names(map->items[i].key);
    }
    for (size_t i = 0; i < ALWAYS_COUNT; i++) {
        room += count_names(always[i]);
    }
    *telling = (struct loki_telling){.names = calloc(room, sizeof(*telling->names))};
    if (telling->names == NULL) {
        return HF_NOMEM;
    }
    for (size_t i = 0; i < map->count; i++) {
        add(telling, map->items[i].key);
    }
    for (size_t i = 0; i < ALWAYS_COUNT; i++) {
        add(telling, always[i]);
    }
    if (tenant_key != NULL) {
        add(telling, tenant_key);
    }
    return HF_OK;
}

void loki_telling_release(struct loki_telling *telling)
{
    free(telling->names);
    *telling = (struct loki_telling){0};
}

static bool has_name(const struct loki_telling *telling, struct hf_slice key)
{
    if ((telling->sizes >> (key.size & 63) & 1) == 0) {
        return false;
    }
    for (size_t i = 0; i < telling->count; i++) {
        if (hf_slice_equal(telling->names[i], key)) {
            return true;
        }
    }
    return false;
}

bool loki_is_telling(const struct loki_telling *telling, struct loki_pairs attributes)
{
    bool is_telling = false;
    for (size_t i = 0; !is_telling && i < attributes.count; i++) {
        is_telling = has_name(telling, attributes.items[i].key);
    }
    return is_telling;
}
