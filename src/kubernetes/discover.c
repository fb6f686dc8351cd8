#include "discover.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "request.h"
#include "util/time/clock.h"
#include "json/json.h"

#define TIMEOUT_NS (30 * HF_NS_PER_S)
#define GROUPS_MAX 256u

/* One request after another: the core group, the list of groups, then each group. */
struct hf_kube_discovery {
    struct hf_kube_discover_options options;
    struct hf_kube_request request;
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

static void read_answer(struct hf_kube_discovery *discovery, struct hf_slice body)
{
    struct hf_arena arena = {.limit = 4 * (size_t)HF_KUBE_ANSWER_BYTES_MAX};
    const struct hf_json *list;
    char error[HF_JSON_ERROR_MAX];
    bool is_served = false;
    if (hf_json_read(body, &arena, &list, error) == HF_OK) {
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

static void on_done(struct hf_kube_request *request, const struct hf_kube_answer *answer)
{
    struct hf_kube_discovery *discovery = HF_CONTAINER(request, struct hf_kube_discovery, request);
    char why[400], text[320];
    if (discovery->is_ended || answer->status == HF_CLOSED) {
        free_discovery(discovery);
    } else if (answer->status == HF_OK && answer->code == 200) {
        read_answer(discovery, answer->body);
    } else if (answer->status == HF_OK && answer->code != 401 && discovery->group_count != 0) {
        go_on(discovery); /* a group whose server is down */
    } else {
        hf_kube_explain(answer, text, sizeof(text));
        snprintf(why, sizeof(why), "the Kubernetes API does not tell what it serves: %s", text);
        finish(discovery, NULL, why);
    }
}

static enum hf_status send_request(struct hf_kube_discovery *discovery)
{
    discovery->request = (struct hf_kube_request){
        .path = discovery->root,
        .deadline_ns = hf_clock_monotonic_ns() + TIMEOUT_NS,
        .done = on_done,
    };
    return hf_kube_request_send(discovery->options.client, &discovery->request);
}

static void ask(struct hf_kube_discovery *discovery)
{
    if (send_request(discovery) != HF_OK) {
        finish(discovery, NULL, "out of memory");
    }
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
    if (send_request(discovery) != HF_OK) {
        free_discovery(discovery);
        return NULL;
    }
    return discovery;
}

void hf_kube_discovery_end(struct hf_kube_discovery *discovery)
{
    if (discovery != NULL) {
        discovery->is_ended = true;
        hf_kube_request_cancel(&discovery->request);
    }
}
