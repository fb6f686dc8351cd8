/*
 * extract_rules: the compilation of `extract` and `exclude`.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "extract.h"
#include "util/regex/regex.h"

static const char *const kind_names[K8S_KIND_COUNT] = {
    "pod", "namespace", "node", "replicaset", "deployment", "statefulset", "daemonset", "job"};

static const struct {
    const char *name;
    bool is_default;
} metadata_rows[] = {
#define K8S_METADATA_ROW(bit, name, is_default) {name, is_default},
    K8S_METADATA(K8S_METADATA_ROW)};

static enum k8s_kind kind_of(const char *name)
{
    unsigned kind = 0;
    while (kind + 1 < K8S_KIND_COUNT && name != NULL && strcmp(kind_names[kind], name) != 0) {
        kind++;
    }
    return name == NULL ? K8S_POD : (enum k8s_kind)kind;
}

static void choose_metadata(const struct k8s_config *config, struct k8s_rules *rules)
{
    for (unsigned i = 0; i < K8S_METADATA_COUNT; i++) {
        bool wanted = !config->extract.has_metadata && metadata_rows[i].is_default;
        for (size_t m = 0; m < config->extract.metadata.count; m++) {
            wanted =
                wanted || strcmp(config->extract.metadata.items[m], metadata_rows[i].name) == 0;
        }
        rules->metadata |= wanted ? UINT64_C(1) << i : 0;
    }
}

/* A regular expression that matches the whole of a text. */
static enum hf_status compile_whole(const char *pattern, struct hf_regex **ret_regex, char *reterr)
{
    char *whole = NULL, why[HF_REGEX_ERROR_MAX];
    if (asprintf(&whole, "^(?:%s)$", pattern) < 0) {
        snprintf(reterr, HF_ERROR_MAX, "out of memory");
        return HF_NOMEM;
    }
    enum hf_status status = hf_regex_new(whole, ret_regex, why);
    if (status != HF_OK) {
        snprintf(reterr, HF_ERROR_MAX, "extract: key_regex \"%.100s\": %s", pattern, why);
    }
    free(whole);
    return status;
}

static enum hf_status add_texts(struct k8s_rules *rules, const struct hf_struct_list *list,
                                bool of_annotations, char *reterr)
{
    const struct k8s_extract_field *fields = list->items;
    for (size_t i = 0; i < list->count; i++) {
        struct k8s_text_rule *rule = &rules->texts[rules->text_count];
        bool has_tag = fields[i].tag_name != NULL && fields[i].tag_name[0] != '\0';
        *rule = (struct k8s_text_rule){.from = kind_of(fields[i].from),
                                       .of_annotations = of_annotations};
        rules->text_count++;
        rules->watched |= K8S_KIND_BIT(rule->from);
        if (fields[i].key_regex != NULL && fields[i].key_regex[0] != '\0') {
            rule->template = has_tag ? fields[i].tag_name : NULL;
            enum hf_status status = compile_whole(fields[i].key_regex, &rule->regex, reterr);
            if (status != HF_OK) {
                return status;
            }
            continue;
        }
        rule->key = fields[i].key;
        char *tag = NULL;
        int size = has_tag ? asprintf(&tag, "%s", fields[i].tag_name)
                           : asprintf(&tag, "k8s.%s.%s.%s", kind_names[rule->from],
                                      of_annotations ? "annotations" : "labels", rule->key);
        if (size < 0) {
            snprintf(reterr, HF_ERROR_MAX, "out of memory");
            return HF_NOMEM;
        }
        rule->tag = tag;
    }
    return HF_OK;
}

static enum hf_status add_excluded(const struct k8s_config *config, struct k8s_rules *rules,
                                   char *reterr)
{
    static const struct k8s_exclude_pod usual[] = {{"jaeger-agent"}, {"jaeger-collector"}};
    bool given = config->exclude.has_pods;
    const struct k8s_exclude_pod *pods = given ? config->exclude.pods.items : usual;
    size_t count = given ? config->exclude.pods.count : 2;
    char why[HF_REGEX_ERROR_MAX];
    rules->excluded = calloc(count + 1, sizeof(struct hf_regex *));
    for (size_t i = 0; i < count && rules->excluded != NULL; i++) {
        if (pods[i].name == NULL || pods[i].name[0] == '\0') {
            continue;
        }
        enum hf_status status =
            hf_regex_new(pods[i].name, &rules->excluded[rules->excluded_count], why);
        if (status != HF_OK) {
            snprintf(reterr, HF_ERROR_MAX, "exclude: \"%.100s\": %s", pods[i].name, why);
            return status;
        }
        rules->excluded_count++;
    }
    return rules->excluded != NULL ? HF_OK : HF_NOMEM;
}

static void choose_watched(struct k8s_rules *rules)
{
    bool wants_deployment =
        k8s_wants(rules, K8S_DEPLOYMENT_UID) ||
        (rules->watched & K8S_KIND_BIT(K8S_DEPLOYMENT)) != 0 ||
        (!rules->deployment_from_replicaset &&
         (k8s_wants(rules, K8S_DEPLOYMENT_NAME) || k8s_wants(rules, K8S_SERVICE_NAME)));
    rules->watched |= K8S_KIND_BIT(K8S_POD);
    rules->watched |= wants_deployment ? K8S_KIND_BIT(K8S_REPLICASET) : 0;
    rules->watched |= k8s_wants(rules, K8S_NODE_UID) ? K8S_KIND_BIT(K8S_NODE) : 0;
    rules->watched |= k8s_wants(rules, K8S_CLUSTER_UID) ? K8S_KIND_BIT(K8S_NAMESPACE) : 0;
    rules->watched |= k8s_wants(rules, K8S_CRONJOB_UID) ? K8S_KIND_BIT(K8S_JOB) : 0;
}

enum hf_status k8s_rules_compile(const struct k8s_config *config, struct k8s_rules *ret_rules,
                                 char *reterr)
{
    struct k8s_rules rules = {
        .otel_annotations = config->extract.otel_annotations,
        .deployment_from_replicaset = config->extract.deployment_name_from_replicaset,
    };
    size_t count = config->extract.labels.count + config->extract.annotations.count;
    snprintf(reterr, HF_ERROR_MAX, "out of memory");
    rules.texts = calloc(count + 1, sizeof(*rules.texts));
    enum hf_status status = rules.texts != NULL ? HF_OK : HF_NOMEM;
    choose_metadata(config, &rules);
    if (status == HF_OK) {
        status = add_texts(&rules, &config->extract.labels, false, reterr);
    }
    if (status == HF_OK) {
        status = add_texts(&rules, &config->extract.annotations, true, reterr);
    }
    if (status == HF_OK) {
        status = add_excluded(config, &rules, reterr);
    }
    if (status != HF_OK) {
        k8s_rules_release(&rules);
        return status;
    }
    choose_watched(&rules);
    *ret_rules = rules;
    return HF_OK;
}

void k8s_rules_release(struct k8s_rules *rules)
{
    for (size_t i = 0; i < rules->text_count; i++) {
        hf_regex_free(rules->texts[i].regex);
        free((char *)(uintptr_t)rules->texts[i].tag);
    }
    for (size_t i = 0; i < rules->excluded_count; i++) {
        hf_regex_free(rules->excluded[i]);
    }
    free(rules->texts);
    free(rules->excluded);
    *rules = (struct k8s_rules){0};
}
