#include "discover.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "http/client.h"
#include "util/clock.h"
#include "util/compress.h"
#include "json/json.h"

#define TIMEOUT_NS (30 * HF_NS_PER_S)
#define GROUPS_MAX 256u
#define ANSWER_BYTES_MAX (8u << 20)

/* One request after another: the core group, the list of groups, then each group. */
struct hf_kube_discovery {
    struct hf_kube_discover_options options;
    struct hf_http_call call;
    struct hf_header headers[2];
    struct hf_bytes body;
    char url[1024];
    char root[256];           /* what is asked for: "/api/v1", "/apis" */
    char *groups[GROUPS_MAX]; /* "apps/v1", those to ask for */
    size_t group_count, next_group;
    bool is_ended;
};

static void ask(struct hf_kube_discovery *discovery);

static void free_discovery(struct hf_kube_discovery *discovery)
{
    for (size_t i = 0; i < discovery->group_count; i++) {
        free(discovery->groups[i]);
    }
    hf_bytes_release(&discovery->body);
    free(discovery);
}

static void finish(struct hf_kube_discovery *discovery, const char *root, const char *why)
{
    if (!discovery->is_ended) {
        discovery->options.found(discovery->options.user, root, why);
    }
    free_discovery(discovery);
}

static bool serves(const struct hf_json *list, const char *name)
{
    const struct hf_json *resource = hf_json_first(hf_json_get(list, "resources"));
    while (resource != NULL && !hf_slice_is(hf_json_text_of(resource, "name"), name)) {
        resource = resource->next;
    }
    return resource != NULL;
}

static void note_groups(struct hf_kube_discovery *discovery, const struct hf_json *list)
{
    const char *wanted = discovery->options.group;
    const struct hf_json *group = hf_json_first(hf_json_get(list, "groups"));
    for (; group != NULL && discovery->group_count < GROUPS_MAX; group = group->next) {
        struct hf_slice name = hf_json_text_of(group, "name");
        struct hf_slice version =
            hf_json_text_of(hf_json_get(group, "preferredVersion"), "groupVersion");
        bool is_wanted = wanted == NULL || wanted[0] == '\0' || hf_slice_is(name, wanted);
        char *copy = is_wanted && version.size != 0 && version.size < 200
                         ? strndup((const char *)version.data, version.size)
                         : NULL;
        if (copy != NULL) {
            discovery->groups[discovery->group_count++] = copy;
        }
    }
}

/* Asks for the next group; ends when there is none. */
static void go_on(struct hf_kube_discovery *discovery)
{
    char why[300];
    if (discovery->next_group == discovery->group_count) {
        snprintf(why, sizeof(why), "the Kubernetes API serves no %.100s%s%.100s",
                 discovery->options.name, discovery->options.group != NULL ? " in the group " : "",
                 discovery->options.group != NULL ? discovery->options.group : "");
        finish(discovery, NULL, why);
        return;
    }
    snprintf(discovery->root, sizeof(discovery->root), "/apis/%s",
             discovery->groups[discovery->next_group++]);
    ask(discovery);
}

static enum hf_http_flow on_chunk(struct hf_http_call *call, struct hf_slice bytes)
{
    struct hf_kube_discovery *discovery = HF_CONTAINER(call, struct hf_kube_discovery, call);
    bool fits = bytes.size <= ANSWER_BYTES_MAX - discovery->body.size &&
                hf_bytes_append(&discovery->body, bytes) == HF_OK;
    return fits ? HF_HTTP_GO_ON : HF_HTTP_STOP;
}

static void read_answer(struct hf_kube_discovery *discovery)
{
    struct hf_arena arena = {.limit = 4 * (size_t)ANSWER_BYTES_MAX};
    const struct hf_json *list;
    char error[HF_JSON_ERROR_MAX];
    bool is_served = false;
    if (hf_json_read(hf_slice_of(discovery->body.data, discovery->body.size), &arena, &list,
                     error) == HF_OK) {
        if (strcmp(discovery->root, "/apis") == 0) {
            note_groups(discovery, list);
        } else {
            is_served = serves(list, discovery->options.name);
        }
    }
    hf_arena_release(&arena);
    if (is_served) {
        finish(discovery, discovery->root, NULL);
    } else if (strcmp(discovery->root, "/api/v1") == 0) {
        snprintf(discovery->root, sizeof(discovery->root), "/apis");
        ask(discovery);
    } else {
        go_on(discovery);
    }
}

static void on_done(struct hf_http_call *call, const struct hf_http_result *result)
{
    struct hf_kube_discovery *discovery = HF_CONTAINER(call, struct hf_kube_discovery, call);
    char why[400];
    if (discovery->is_ended || result->status == HF_CLOSED) {
        free_discovery(discovery);
    } else if (result->status == HF_OK && result->code == 200) {
        read_answer(discovery);
    } else if (result->status == HF_OK && result->code != 401 && discovery->group_count != 0) {
        go_on(discovery); /* a group whose server is down */
    } else {
        snprintf(why, sizeof(why), "the Kubernetes API does not tell what it serves: %.200s%d",
                 result->status != HF_OK ? result->error : "it answers ",
                 result->status != HF_OK ? 0 : result->code);
        finish(discovery, NULL, why);
    }
}

static void ask(struct hf_kube_discovery *discovery)
{
    const struct hf_kube_access *access = hf_kube_client_access(discovery->options.client);
    snprintf(discovery->url, sizeof(discovery->url), "%s%s", access->url, discovery->root);
    discovery->headers[0] =
        (struct hf_header){hf_slice_text("accept"), hf_slice_text("application/json")};
    discovery->headers[1] = (struct hf_header){
        hf_slice_text("authorization"),
        hf_slice_text(access->authorization != NULL ? access->authorization : "")};
    discovery->body.size = 0;
    discovery->call = (struct hf_http_call){
        .method = "GET",
        .url = discovery->url,
        .headers = discovery->headers,
        .header_count = access->authorization != NULL ? 2 : 1,
        .deadline_ns = hf_clock_monotonic_ns() + TIMEOUT_NS,
        .chunk = on_chunk,
        .done = on_done,
    };
    hf_http_client_call(hf_kube_client_http(discovery->options.client), &discovery->call);
}

struct hf_kube_discovery *hf_kube_discover(const struct hf_kube_discover_options *options)
{
    struct hf_kube_discovery *discovery = calloc(1, sizeof(*discovery));
    bool any_group = options->group == NULL || options->group[0] == '\0';
    if (discovery == NULL) {
        return NULL;
    }
    discovery->options = *options;
    discovery->options.group = any_group ? NULL : options->group;
    snprintf(discovery->root, sizeof(discovery->root), "%s", any_group ? "/api/v1" : "/apis");
    ask(discovery);
    return discovery;
}

void hf_kube_discovery_end(struct hf_kube_discovery *discovery)
{
    if (discovery != NULL) {
        discovery->is_ended = true;
        hf_http_client_cancel(hf_kube_client_http(discovery->options.client), &discovery->call);
    }
}
