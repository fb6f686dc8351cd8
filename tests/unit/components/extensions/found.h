/*
 * found: what tests of observers share: an object of JSON, and the endpoints that were found in it
 * as lines of text. It is included, not linked.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <holdfast/observer.h>
#include <holdfast/ref.h>

#include "tests/support/node_stub.c" /* what the observers log by */
#include "util/arena.h"

#include "json/json.h"

#define FOUND_TEXT_MAX 8192

struct object {
    struct hf_arena arena;
    const struct hf_json *json;
};

static inline void read_object(struct object *object, const char *text)
{
    char why[HF_JSON_ERROR_MAX];
    *object = (struct object){.arena = {.limit = 1 << 20}};
    if (hf_json_read(hf_slice_text(text), &object->arena, &object->json, why) != HF_OK) {
        fail_msg("%s", why);
    }
}

static inline void print_map(const struct hf_value *map, char *text)
{
    for (size_t i = 0; i < map->count; i++) {
        size_t used = strlen(text);
        if (map->items[i].type == HF_VALUE_MAP) {
            snprintf(text + used, FOUND_TEXT_MAX - used, " %s={", map->keys[i]);
            print_map(&map->items[i], text);
            used = strlen(text);
            snprintf(text + used, FOUND_TEXT_MAX - used, " }");
        } else {
            snprintf(text + used, FOUND_TEXT_MAX - used, " %s=%s", map->keys[i],
                     map->items[i].string);
        }
    }
}

/* A line "TYPE ID TARGET key=value..." of each, which is dropped. */
static inline void print_found(struct hf_endpoint **items, size_t count, char text[FOUND_TEXT_MAX])
{
    text[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        size_t used = strlen(text);
        assert_non_null(items[i]);
        snprintf(text + used, FOUND_TEXT_MAX - used, "%s %s %s", items[i]->type, items[i]->id,
                 items[i]->target);
        print_map(&items[i]->variables, text);
        used = strlen(text);
        snprintf(text + used, FOUND_TEXT_MAX - used, "\n");
        hf_ref_drop(&items[i]->ref);
    }
}
