/*
 * creator_fuzz: what a pod may write in its annotations: the configuration of a receiver, as YAML
 * with expressions. The first byte says whether it is for metrics of a port or for logs of a
 * container. Must reach: creator_hint_read(), creator_expand(), creator_variables_of().
 *
 * Whatever it says, a receiver of metrics asks no other address than the pod's, and one of logs
 * reads no other file than the container's.
 */
#include <holdfast/component.h>

#include "check.h"
#include "components/receivers/receiver_creator/hints.h"
#include "support/discovery/endpoints.h"

#define TARGET "10.0.0.1:80"

static struct hf_endpoint *endpoint_of(bool is_port, struct hf_slice text)
{
    struct hf_endpoint_draft draft;
    hf_draft_begin(&draft, is_port ? "port" : "pod.container", 3);
    draft.id = "observer/uid";
    draft.target = is_port ? TARGET : "10.0.0.1";
    hf_draft_number(&draft, &draft.variables, "port", 80);
    hf_draft_text(&draft, &draft.variables, "container_name", hf_slice_text("app"));
    struct hf_value *pod = hf_draft_map(&draft, &draft.variables, "pod", 4);
    hf_draft_text(&draft, pod, "name", hf_slice_text("pod"));
    hf_draft_text(&draft, pod, "namespace", hf_slice_text("space"));
    hf_draft_text(&draft, pod, "uid", hf_slice_text("uid"));
    struct hf_value *annotations = hf_draft_map(&draft, pod, "annotations", 5);
    const char *metrics = "io.opentelemetry.discovery.metrics";
    const char *logs = "io.opentelemetry.discovery.logs";
    const char *base = is_port ? metrics : logs;
    hf_draft_text(&draft, annotations, hf_draft_print(&draft, "%s/enabled", base),
                  hf_slice_text("true"));
    hf_draft_text(&draft, annotations, hf_draft_print(&draft, "%s/scraper", base),
                  hf_slice_text("prometheus"));
    hf_draft_text(&draft, annotations, hf_draft_print(&draft, "%s/config", base), text);
    return hf_draft_end(&draft);
}

static const struct hf_value *get(const struct hf_value *map, const char *key)
{
    for (size_t i = 0; i < map->count; i++) {
        if (strcmp(map->keys[i], key) == 0) {
            return &map->items[i];
        }
    }
    return NULL;
}

static bool has_own_host(const char *endpoint)
{
    size_t scheme = strspn(endpoint, "abcdefghijklmnopqrstuvwxyz0123456789+-.");
    const char *host = strncmp(endpoint + scheme, "://", 3) == 0 ? endpoint + scheme + 3 : endpoint;
    size_t size = strcspn(host, "/?#");
    return size == strlen(TARGET) && strncmp(host, TARGET, size) == 0;
}

static void check_config(bool is_port, const struct hf_value *config)
{
    const struct hf_value *endpoint = get(config, "endpoint"), *include = get(config, "include");
    if (is_port) {
        check(endpoint == NULL ||
              (endpoint->type == HF_VALUE_STRING && has_own_host(endpoint->string)));
    } else {
        check(include != NULL && include->count == 1 &&
              strcmp(include->items[0].string, "/var/log/pods/space_pod_uid/app/*.log") == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct creator_config config = {.discovery.enabled = true};
    struct hf_arena arena = {.limit = 8 << 20};
    struct creator_hint hint = {0};
    struct creator_variables variables;
    char why[CREATOR_ERROR_MAX] = "";
    bool is_port = size != 0 && data[0] % 2 == 1;
    /* A text of the API has no zero bytes. */
    size_t used = size > 1 ? strnlen((const char *)data + 1, size - 1) : 0;
    struct hf_endpoint *endpoint =
        endpoint_of(is_port, used != 0 ? hf_slice_of(data + 1, used) : HF_EMPTY_SLICE);
    if (endpoint == NULL) {
        return 0;
    }
    if (creator_variables_of(endpoint, &arena, &variables) == HF_OK &&
        creator_hint_read(&config, endpoint, &arena, &hint, why) == HF_OK && hint.is_there) {
        struct hf_value expanded;
        if (creator_expand(&variables, hint.wish.config, &expanded, why) == HF_OK) {
            check_config(is_port, &expanded);
        }
    }
    creator_hint_release(&hint);
    hf_ref_drop(&endpoint->ref);
    hf_arena_release(&arena);
    return 0;
}
