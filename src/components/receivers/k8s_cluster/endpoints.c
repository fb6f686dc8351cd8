#include "endpoints.h"

#include <string.h>

#define ZONES_MAX 64u  /* in one slice; endpoints of further zones are not counted */
#define NAMES_MAX 512u /* of a namespace and a service, of an address type and a zone */

/* ---- slices ---- */

struct group {
    struct hf_slice zone;
    struct record_slice counts;
};

static struct group *group_of(struct group *groups, size_t *count, struct hf_slice zone)
{
    for (size_t i = 0; i < *count; i++) {
        if (hf_slice_equal(groups[i].zone, zone)) {
            return &groups[i];
        }
    }
    if (*count == ZONES_MAX) {
        return NULL;
    }
    groups[*count] = (struct group){.zone = zone};
    return &groups[(*count)++];
}

static void count_if(bool is_so, uint16_t *count)
{
    if (is_so && *count < UINT16_MAX) {
        ++*count;
    }
}

/* What is not said counts as ready, and as serving when it is ready. */
static void count_endpoint(struct record_slice *counts, const struct hf_json *endpoint)
{
    const struct hf_json *conditions = hf_json_get(endpoint, "conditions");
    const struct hf_json *ready = hf_json_get(conditions, "ready");
    const struct hf_json *serving = hf_json_get(conditions, "serving");
    bool is_ready = ready == NULL || ready->kind == HF_JSON_NULL || hf_json_bool(ready);
    bool has_serving = serving != NULL && serving->kind != HF_JSON_NULL;
    count_if(is_ready, &counts->ready);
    count_if(has_serving ? hf_json_bool(serving) : is_ready, &counts->serving);
    count_if(hf_json_bool(hf_json_get(conditions, "terminating")), &counts->terminating);
}

static bool is_address_type(struct hf_slice type)
{
    return hf_slice_is(type, "IPv4") || hf_slice_is(type, "IPv6") || hf_slice_is(type, "FQDN");
}

/* "ONE" `between` "OTHER", cut when it is too long. */
static struct hf_slice join(char room[NAMES_MAX], struct hf_slice one, char between,
                            struct hf_slice other)
{
    size_t size = one.size < NAMES_MAX / 2 ? one.size : NAMES_MAX / 2;
    memcpy(room, one.data, size);
    room[size++] = between;
    size_t rest = other.size < NAMES_MAX - size ? other.size : NAMES_MAX - size;
    if (rest > 0) {
        memcpy(room + size, other.data, rest);
    }
    return hf_slice_of(room, size + rest);
}

void cluster_describe_slice(struct record *record, const struct cluster_wanted *wanted,
                            const struct hf_json *object)
{
    const struct hf_json *metadata = hf_json_get(object, "metadata");
    struct hf_slice service =
        hf_json_text_of(hf_json_get(metadata, "labels"), "kubernetes.io/service-name");
    struct hf_slice space = hf_json_text_of(metadata, "namespace");
    struct hf_slice type = hf_json_text_of(object, "addressType");
    struct group groups[ZONES_MAX];
    char name[NAMES_MAX], where[NAMES_MAX];
    size_t count = 0;
    (void)wanted;
    if (service.size == 0 || space.size == 0 || !is_address_type(type)) {
        return;
    }
    const struct hf_json *endpoint = hf_json_first(hf_json_get(object, "endpoints"));
    for (; endpoint != NULL; endpoint = endpoint->next) {
        struct group *group = group_of(groups, &count, hf_json_text_of(endpoint, "zone"));
        if (group != NULL) {
            count_endpoint(&group->counts, endpoint);
        }
    }
    for (size_t i = 0; i < count; i++) {
        groups[i].counts.service = join(name, space, '/', service);
        groups[i].counts.where = join(where, type, '\0', groups[i].zone);
        record_slice(record, &groups[i].counts);
    }
}

/* ---- into the tally ---- */

void endpoint_tally_add(struct endpoint_tally *tally, const struct record *record)
{
    struct record_slice slice;
    size_t at = 0;
    while (record_next_slice(record, &at, &slice)) {
        size_t size = strnlen((const char *)slice.where.data, slice.where.size);
        size_t zone = size < slice.where.size ? size + 1 : size;
        const struct endpoint_count count = {
            .service = slice.service,
            .address_type = hf_slice_of(slice.where.data, size),
            .zone = hf_slice_of(slice.where.data + zone, slice.where.size - zone),
            .ready = slice.ready,
            .serving = slice.serving,
            .terminating = slice.terminating};
        endpoint_tally_put(tally, &count);
    }
}
