#include "probe_kubernetes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "kubernetes/client.h"
#include "kubernetes/request.h"
#include "util/escape.h"
#include "util/time/clock.h"
#include "json/json.h"

#define VERB_MAX 32
#define REVIEW "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"

/* One question: may I do that? */
struct question {
    const struct hf_probe_right *right;
    char verb[VERB_MAX];
    const char *namespace;
};

static bool add(struct hf_bytes *out, const char *text)
{
    return hf_bytes_append(out, hf_slice_text(text)) == HF_OK;
}

/* ,"key":"value" */
static bool add_member(struct hf_bytes *out, const char *key, struct hf_slice value)
{
    return value.size == 0 ||
           (add(out, ",\"") && add(out, key) && add(out, "\":\"") &&
            hf_escape_append(HF_ESCAPE_JSON, value, out) == HF_OK && add(out, "\""));
}

static bool write_review(const struct question *question, struct hf_bytes *out)
{
    const struct hf_probe_right *right = question->right;
    size_t plain = strcspn(right->resource, "/");
    const char *sub = right->resource[plain] == '/' ? right->resource + plain + 1 : "";
    return add(out, "{\"apiVersion\":\"authorization.k8s.io/v1\",\"kind\":"
                    "\"SelfSubjectAccessReview\",\"spec\":{\"resourceAttributes\":{\"verb\":\"") &&
           add(out, question->verb) && add(out, "\"") &&
           add_member(out, "group", hf_slice_text(right->group != NULL ? right->group : "")) &&
           add_member(out, "resource", hf_slice_of(right->resource, plain)) &&
           add_member(out, "subresource", hf_slice_text(sub)) &&
           add_member(out, "name", hf_slice_text(right->name != NULL ? right->name : "")) &&
           add_member(out, "namespace",
                      hf_slice_text(question->namespace != NULL ? question->namespace : "")) &&
           add(out, "}}}");
}

/* The answer's word; `ret_why` is the API's reason, or what went wrong. */
static enum hf_status ask(struct hf_kube_client *client, const struct question *question,
                          uint64_t timeout_ns, char *ret_why)
{
    struct hf_bytes text = {0}, answer = {0};
    struct hf_arena arena = {.limit = 1 << 20};
    const struct hf_json *review = NULL;
    char error[HF_JSON_ERROR_MAX];
    int code = 0;
    enum hf_status status = HF_NOMEM;
    snprintf(ret_why, HF_ERROR_MAX, "out of memory");
    if (write_review(question, &text)) {
        const struct hf_kube_question asked = {
            .method = "POST",
            .path = REVIEW,
            .json = hf_slice_of(text.data, text.size),
            .deadline_ns = hf_clock_monotonic_ns() + timeout_ns,
        };
        status = hf_kube_ask(client, &asked, &answer, &code, ret_why);
    }
    if (status == HF_OK) {
        status = hf_json_read(hf_slice_of(answer.data, answer.size), &arena, &review, error);
    }
    if (status == HF_OK) {
        const struct hf_json *given = hf_json_get(review, "status");
        bool is_allowed = hf_json_bool(hf_json_get(given, "allowed"));
        struct hf_slice reason = hf_json_text_of(given, "reason");
        status = is_allowed ? HF_OK : HF_FORBIDDEN;
        snprintf(ret_why, HF_ERROR_MAX, "%.*s", (int)(reason.size < 200 ? reason.size : 200),
                 reason.size != 0 ? (const char *)reason.data : "");
    }
    hf_arena_release(&arena);
    hf_bytes_release(&text);
    hf_bytes_release(&answer);
    return status;
}

static void describe(const struct hf_probe_right *right, const char *namespace, char *ret_text,
                     size_t room)
{
    snprintf(ret_text, room, "%s%s%s%s%s%s%s", right->resource,
             right->group != NULL && right->group[0] != '\0' ? "." : "",
             right->group != NULL ? right->group : "", right->name != NULL ? " " : "",
             right->name != NULL ? right->name : "", namespace != NULL ? " in " : "",
             namespace != NULL ? namespace : "");
}

/* All verbs of one right. */
static void probe_right(struct hf_probe *probe, struct hf_kube_client *client,
                        const struct hf_probe_right *right, const char *namespace)
{
    char what[300], why[HF_ERROR_MAX] = "", missing[128] = "";
    struct question question = {.right = right, .namespace = namespace};
    enum hf_status status = HF_OK;
    describe(right, namespace, what, sizeof(what));
    for (const char *verb = right->verbs;
         *verb != '\0' && (status == HF_OK || status == HF_FORBIDDEN); verb += strspn(verb, ",")) {
        size_t size = strcspn(verb, ",");
        snprintf(question.verb, sizeof(question.verb), "%.*s", (int)size, verb);
        status = ask(client, &question, probe->timeout_ns, why);
        if (status == HF_FORBIDDEN) {
            size_t used = strlen(missing);
            snprintf(missing + used, sizeof(missing) - used, "%s%s", used != 0 ? ", " : "",
                     question.verb);
        }
        verb += size;
    }
    if (status != HF_OK && status != HF_FORBIDDEN) {
        hf_probe_say(probe, "right", what, HF_PROBE_FAILED, "cannot be asked for: %s", why);
    } else if (missing[0] != '\0') {
        hf_probe_say(probe, "right", what, HF_PROBE_FAILED,
                     "no right to %s: a Role or ClusterRole must give it%s%s", missing,
                     why[0] != '\0' ? "; the API says: " : "", why);
    } else {
        hf_probe_say(probe, "right", what, HF_PROBE_OK, "%s", right->verbs);
    }
}

void hf_probe_kubernetes_in(struct hf_probe *probe, const struct hf_kube_config *config,
                            const struct hf_probe_right *rights, size_t count,
                            struct hf_string_list namespaces)
{
    char error[HF_ERROR_MAX] = "";
    struct hf_kube_client *client = NULL;
    struct hf_bytes body = {0};
    int code = 0;
    if (hf_kube_client_open(config, &client, error) != HF_OK) {
        hf_probe_say(probe, "api", "kubernetes", HF_PROBE_FAILED, "%s", error);
        return;
    }
    const char *url = hf_kube_client_access(client)->url;
    const struct hf_kube_question version = {
        .path = "/version", .deadline_ns = hf_clock_monotonic_ns() + probe->timeout_ns};
    enum hf_status status = hf_kube_ask(client, &version, &body, &code, error);
    hf_probe_say(probe, "api", url, status == HF_OK ? HF_PROBE_OK : HF_PROBE_FAILED, "%s",
                 status == HF_OK ? "answers" : error);
    hf_bytes_release(&body);
    for (size_t i = 0; i < count && status == HF_OK; i++) {
        for (size_t n = 0; n < namespaces.count; n++) {
            probe_right(probe, client, &rights[i], namespaces.items[n]);
        }
        if (namespaces.count == 0) {
            probe_right(probe, client, &rights[i], rights[i].namespace);
        }
    }
    hf_kube_client_close(client);
}

void hf_probe_kubernetes(struct hf_probe *probe, const struct hf_kube_config *config,
                         const struct hf_probe_right *rights, size_t count)
{
    hf_probe_kubernetes_in(probe, config, rights, count, (struct hf_string_list){0});
}
