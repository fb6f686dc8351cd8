#include "instance.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "util/time/clock.h"

#define ATTRIBUTES_MAX 256u
#define CREATOR_ID_MAX 100u
#define RETRY_NS (30 * HF_NS_PER_S)

/* ---- the plan ---- */

/* Resource attributes as they are collected: the later ones win. */
struct collected {
    struct hf_string_pair *pairs;
    size_t count;
};

static void put(struct collected *collected, const char *key, const char *value)
{
    size_t i = 0;
    while (i < collected->count && strcmp(collected->pairs[i].key, key) != 0) {
        i++;
    }
    if (i == collected->count && i < ATTRIBUTES_MAX) {
        collected->count++;
    }
    if (i < ATTRIBUTES_MAX) {
        collected->pairs[i] = (struct hf_string_pair){key, value};
    }
}

static unsigned type_of(const struct hf_endpoint *endpoint)
{
    unsigned type = 0;
    while (type < CREATOR_TYPES && strcmp(creator_types[type], endpoint->type) != 0) {
        type++;
    }
    return type;
}

/* The expressions get their values; what has none or is empty is left out. */
static enum hf_status expand_all(const struct creator_variables *variables,
                                 struct collected *collected, char *reterr)
{
    size_t kept = 0;
    for (size_t i = 0; i < collected->count; i++) {
        struct hf_value text = {.type = HF_VALUE_STRING, .string = collected->pairs[i].value};
        struct hf_value value;
        enum hf_status status = creator_expand(variables, &text, &value, reterr);
        if (status != HF_OK) {
            return status;
        }
        if (value.type != HF_VALUE_NONE && value.string != NULL && value.string[0] != '\0') {
            collected->pairs[kept++] =
                (struct hf_string_pair){collected->pairs[i].key, value.string};
        }
    }
    collected->count = kept;
    return HF_OK;
}

static enum hf_status collect(const struct creator_config *config,
                              const struct hf_endpoint *endpoint,
                              const struct creator_variables *variables,
                              const struct creator_wish *wish, struct collected *collected,
                              char *reterr)
{
    unsigned type = type_of(endpoint);
    collected->pairs = hf_arena_take(variables->arena, ATTRIBUTES_MAX * sizeof(*collected->pairs));
    if (collected->pairs == NULL) {
        return HF_NOMEM;
    }
    for (const struct hf_string_pair *pair = creator_default_attributes(type); pair->key != NULL;
         pair++) {
        put(collected, pair->key, pair->value);
    }
    const struct hf_string_map *own = &config->attributes[type];
    for (size_t i = 0; i < own->count; i++) {
        put(collected, own->items[i].key, own->items[i].value);
    }
    for (size_t i = 0; wish->attributes != NULL && i < wish->attributes->count; i++) {
        put(collected, wish->attributes->items[i].key, wish->attributes->items[i].value);
    }
    return expand_all(variables, collected, reterr);
}

static struct hf_hash hash_value(const struct hf_value *value)
{
    struct hf_hash hash = hf_hash_of(hf_slice_text(value->string != NULL ? value->string : ""));
    hash.low += (uint64_t)value->type;
    for (size_t i = 0; i < value->count; i++) {
        hash = hf_hash_mix(hash, hash_value(&value->items[i]));
        if (value->type == HF_VALUE_MAP) {
            hash = hf_hash_mix(hash, hf_hash_of(hf_slice_text(value->keys[i])));
        }
    }
    return hash;
}

enum hf_status creator_plan_make(const struct creator_config *config,
                                 const struct hf_endpoint *endpoint,
                                 const struct creator_variables *variables,
                                 const struct creator_wish *wish, struct creator_plan *ret_plan,
                                 char *reterr)
{
    struct collected collected = {0};
    struct creator_plan plan = {.id = wish->id, .signals = wish->signals};
    size_t type_size = strcspn(wish->id, "/");
    struct hf_slice type =
        hf_expr_copy_text(variables->arena, hf_slice_of(wish->id, type_size + 1));
    if (type.data == NULL) {
        return HF_NOMEM;
    }
    ((char *)(uintptr_t)type.data)[type_size] = '\0';
    plan.type = (const char *)type.data;
    enum hf_status status = creator_expand(variables, wish->config, &plan.config, reterr);
    if (status == HF_OK) {
        status = collect(config, endpoint, variables, wish, &collected, reterr);
    }
    if (status != HF_OK) {
        return status;
    }
    plan.attributes = collected.pairs;
    plan.attribute_count = collected.count;
    plan.digest =
        hf_hash_mix(hash_value(&plan.config), hf_hash_of(hf_slice_text(endpoint->target)));
    for (size_t i = 0; i < collected.count; i++) {
        plan.digest =
            hf_hash_mix(plan.digest, hf_hash_pair(hf_slice_text(collected.pairs[i].key),
                                                  hf_slice_text(collected.pairs[i].value)));
    }
    *ret_plan = plan;
    return HF_OK;
}

/* ---- the start ---- */

/* As the Go collector names it: "redis/1/receiver_creator{endpoint=\"10.0.0.1:6379\"}/ID". */
static char *name_of(const struct hf_node *node, const struct hf_endpoint *endpoint,
                     const struct creator_plan *plan)
{
    char *id = NULL;
    const char *slash = strchr(plan->id, '/');
    int size =
        asprintf(&id, "%s/%s/%s{endpoint=\"%s\"}/%s", plan->type, slash != NULL ? slash + 1 : "",
                 hf_node_id(node), endpoint->target, endpoint->id);
    return size >= 0 ? id : NULL;
}

void creator_place_prefix(const struct hf_node *node, char ret_prefix[HF_SUBRECEIVER_PLACE_MAX + 1])
{
    const char *id = hf_node_id(node);
    if (strlen(id) <= CREATOR_ID_MAX) {
        snprintf(ret_prefix, HF_SUBRECEIVER_PLACE_MAX + 1, "%s@", id);
    } else {
        snprintf(ret_prefix, HF_SUBRECEIVER_PLACE_MAX + 1, "receiver_creator/%016llx@",
                 (unsigned long long)hf_hash_64(hf_slice_text(id)));
    }
}

/* The creator's id and a hash of the template and the endpoint: neither an address nor anything
 * else that may change while it reads the same. */
static void name_place(const struct hf_node *node, const struct hf_endpoint *endpoint,
                       const struct creator_plan *plan,
                       char ret_place[HF_SUBRECEIVER_PLACE_MAX + 1])
{
    struct hf_hash hash = hf_hash_pair(hf_slice_text(plan->id), hf_slice_text(endpoint->id));
    creator_place_prefix(node, ret_place);
    size_t used = strlen(ret_place);
    snprintf(ret_place + used, HF_SUBRECEIVER_PLACE_MAX + 1 - used, "%016llx",
             (unsigned long long)(hash.low ^ hash.high));
}

void creator_instance_start(struct hf_node *node, const struct hf_endpoint *endpoint,
                            const struct creator_plan *plan, struct creator_instance *instance)
{
    char why[HF_ERROR_MAX] = "out of memory";
    char *id = name_of(node, endpoint, plan);
    name_place(node, endpoint, plan, instance->place);
    const struct hf_subreceiver_options options = {
        .type = plan->type,
        .id = id,
        .place = instance->place,
        .config = &plan->config,
        .endpoint = endpoint->target,
        .signals = plan->signals,
        .attributes = plan->attributes,
        .attribute_count = plan->attribute_count,
    };
    enum hf_status status =
        id != NULL ? hf_subreceiver_start(node, &options, &instance->sub, why) : HF_NOMEM;
    const struct hf_log_key *keys =
        HF_LOG_KEYS(HF_LOG_TEXT("name", plan->id), HF_LOG_TEXT("endpoint", endpoint->target),
                    HF_LOG_TEXT("endpoint_id", endpoint->id),
                    HF_LOG_TEXT("error", status != HF_OK ? why : NULL));
    hf_node_log_keys(node, status == HF_OK || status == HF_NOT_FOUND ? HF_LOG_INFO : HF_LOG_ERROR,
                     status == HF_OK ? "starting receiver" : "failed to start receiver", keys);
    bool is_final = status == HF_INVALID || status == HF_NOT_FOUND;
    instance->retry_ns = is_final ? UINT64_MAX : hf_clock_monotonic_ns() + RETRY_NS;
    free(id);
}
