#include "extract.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "util/regex/regex.h"

#define OTEL_PREFIX "resource.opentelemetry.io/"
#define NAME_MAX_BYTES 512u

/* ---- texts that are put together ---- */

static struct hf_slice keep(struct k8s_draft *draft, const char *text, size_t size)
{
    char *copy = hf_arena_take(draft->arena, size + 1);
    if (copy == NULL) {
        return HF_EMPTY_SLICE;
    }
    if (size != 0) {
        memcpy(copy, text, size);
    }
    copy[size] = '\0';
    return hf_slice_of(copy, size);
}

static struct hf_slice joined(struct k8s_draft *draft, const struct hf_slice *parts, size_t count)
{
    char text[4 * NAME_MAX_BYTES];
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        size_t room = sizeof(text) - used;
        size_t size = parts[i].size < room ? parts[i].size : room;
        if (size != 0) {
            memcpy(text + used, parts[i].data, size);
        }
        used += size;
    }
    return keep(draft, text, used);
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* The group that `name` means: its number or name. Empty when there is none. */
static struct hf_slice group_of(const struct hf_regex *regex, const struct hf_slice *groups,
                                struct hf_slice whole, struct hf_slice name)
{
    char text[64];
    size_t count = hf_regex_group_count(regex);
    if (name.size == 0 || name.size >= sizeof(text)) {
        return HF_EMPTY_SLICE;
    }
    memcpy(text, name.data, name.size);
    text[name.size] = '\0';
    if (strspn(text, "0123456789") == name.size) {
        unsigned long number = strtoul(text, NULL, 10);
        return number == 0 ? whole : number <= count ? groups[number - 1] : HF_EMPTY_SLICE;
    }
    for (size_t i = 1; i <= count; i++) {
        const char *group = hf_regex_group_name(regex, i);
        if (group != NULL && strcmp(group, text) == 0) {
            return groups[i - 1];
        }
    }
    return HF_EMPTY_SLICE;
}

/* The template with $1, ${1}, $name, ${name} replaced, as Go's Expand does; $$ is a dollar. */
static struct hf_slice expanded(struct k8s_draft *draft, const struct k8s_text_rule *rule,
                                struct hf_slice whole, const struct hf_slice *groups)
{
    char text[NAME_MAX_BYTES];
    size_t used = 0;
    for (const char *c = rule->template; *c != '\0' && used < sizeof(text) - 1;) {
        if (c[0] != '$' || c[1] == '$') {
            text[used++] = *c;
            c += c[0] == '$' ? 2 : 1;
            continue;
        }
        bool has_brace = c[1] == '{';
        const char *name = c + 1 + has_brace, *end = name;
        while (is_word(*end)) {
            end++;
        }
        if (end == name || (has_brace && *end != '}')) {
            text[used++] = *c++;
            continue;
        }
        struct hf_slice value =
            group_of(rule->regex, groups, whole, hf_slice_of(name, (size_t)(end - name)));
        size_t room = sizeof(text) - 1 - used;
        size_t size = value.size < room ? value.size : room;
        if (size != 0) {
            memcpy(text + used, value.data, size);
        }
        used += size;
        c = end + has_brace;
    }
    return keep(draft, text, used);
}

/* ---- labels and annotations ---- */

static void take_matching(const struct k8s_text_rule *rule, const struct hf_json *texts,
                          const char *prefix, struct k8s_draft *draft)
{
    struct hf_slice groups[HF_REGEX_GROUPS_MAX];
    for (const struct hf_json *text = hf_json_first(texts); text != NULL; text = text->next) {
        if (hf_regex_find(rule->regex, text->key, groups)) {
            const struct hf_slice parts[] = {hf_slice_text(prefix), text->key};
            struct hf_slice name = rule->template != NULL ? expanded(draft, rule, text->key, groups)
                                                          : joined(draft, parts, 2);
            if (name.size != 0) {
                k8s_draft_set(draft, name, false, hf_json_text(text));
            }
        }
    }
}

static void take_texts(const struct k8s_rules *rules, enum k8s_kind kind, bool of_annotations,
                       const struct hf_json *metadata, struct k8s_draft *draft)
{
    static const char *const prefixes[K8S_KIND_COUNT][2] = {
#define PREFIXES(name) {"k8s." name ".labels.", "k8s." name ".annotations."}
        PREFIXES("pod"),        PREFIXES("namespace"),  PREFIXES("node"),
        PREFIXES("replicaset"), PREFIXES("deployment"), PREFIXES("statefulset"),
        PREFIXES("daemonset"),  PREFIXES("job"),
    };
    const struct hf_json *texts = hf_json_get(metadata, of_annotations ? "annotations" : "labels");
    for (size_t i = 0; i < rules->text_count && texts != NULL; i++) {
        const struct k8s_text_rule *rule = &rules->texts[i];
        if (rule->from != kind || rule->of_annotations != of_annotations) {
            continue;
        }
        if (rule->regex != NULL) {
            take_matching(rule, texts, prefixes[kind][of_annotations], draft);
        } else if (hf_json_get(texts, rule->key) != NULL) {
            k8s_draft_set(draft, hf_slice_text(rule->tag), true, hf_json_text_of(texts, rule->key));
        }
    }
}

static void take_otel_annotations(const struct hf_json *metadata, struct k8s_draft *draft)
{
    const size_t prefix = sizeof(OTEL_PREFIX) - 1;
    const struct hf_json *text = hf_json_first(hf_json_get(metadata, "annotations"));
    for (; text != NULL; text = text->next) {
        if (text->key.size > prefix && memcmp(text->key.data, OTEL_PREFIX, prefix) == 0) {
            k8s_draft_set(draft, hf_slice_of(text->key.data + prefix, text->key.size - prefix),
                          false, hf_json_text(text));
        }
    }
}

/* ---- owners ---- */

/* What stands before the last "-"; empty when there is none. */
static struct hf_slice without_suffix(struct hf_slice name, bool of_digits)
{
    size_t size = name.size;
    while (size > 0 && name.data[size - 1] != '-') {
        if (of_digits && !isdigit(name.data[size - 1])) {
            return HF_EMPTY_SLICE;
        }
        size--;
    }
    return size > 1 && size < name.size ? hf_slice_of(name.data, size - 1) : HF_EMPTY_SLICE;
}

static void put_if(const struct k8s_rules *rules, enum k8s_metadata metadata,
                   struct k8s_draft *draft, const char *key, struct hf_slice text)
{
    if (k8s_wants(rules, metadata)) {
        k8s_draft_put(draft, key, text);
    }
}

static void take_owner(const struct k8s_rules *rules, const struct hf_json *owner,
                       struct k8s_draft *draft)
{
    static const struct {
        const char *name;
        enum k8s_kind kind;
        enum k8s_metadata name_bit, uid_bit;
        const char *name_key, *uid_key;
    } rows[] = {
        {"ReplicaSet", K8S_REPLICASET, K8S_REPLICASET_NAME, K8S_REPLICASET_UID,
         "k8s.replicaset.name", "k8s.replicaset.uid"},
        {"StatefulSet", K8S_STATEFULSET, K8S_STATEFULSET_NAME, K8S_STATEFULSET_UID,
         "k8s.statefulset.name", "k8s.statefulset.uid"},
        {"DaemonSet", K8S_DAEMONSET, K8S_DAEMONSET_NAME, K8S_DAEMONSET_UID, "k8s.daemonset.name",
         "k8s.daemonset.uid"},
        {"Job", K8S_JOB, K8S_JOB_NAME, K8S_JOB_UID, "k8s.job.name", "k8s.job.uid"},
    };
    struct hf_slice kind = hf_json_text_of(owner, "kind"), name = hf_json_text_of(owner, "name");
    struct hf_slice uid = hf_json_text_of(owner, "uid"), service = name;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (!hf_slice_is(kind, rows[i].name)) {
            continue;
        }
        draft->record.owners[rows[i].kind] = uid;
        put_if(rules, rows[i].name_bit, draft, rows[i].name_key, name);
        put_if(rules, rows[i].uid_bit, draft, rows[i].uid_key, uid);
        if (rows[i].kind == K8S_REPLICASET && rules->deployment_from_replicaset) {
            struct hf_slice deployment = without_suffix(name, false);
            if (deployment.size != 0) {
                put_if(rules, K8S_DEPLOYMENT_NAME, draft, "k8s.deployment.name", deployment);
                service = deployment;
            }
        }
        struct hf_slice cronjob =
            rows[i].kind == K8S_JOB ? without_suffix(name, true) : HF_EMPTY_SLICE;
        if (cronjob.size != 0) {
            put_if(rules, K8S_CRONJOB_NAME, draft, "k8s.cronjob.name", cronjob);
            service = cronjob;
        }
        if (k8s_wants(rules, K8S_SERVICE_NAME)) {
            k8s_draft_put_late(draft, "service.name", service);
        }
    }
}

/* ---- containers ---- */

/* "registry:5000/a/b:1.2@sha256:..." into name and tag. */
static void split_image(struct hf_slice image, struct k8s_container *container)
{
    const uint8_t *at = image.size != 0 ? memchr(image.data, '@', image.size) : NULL;
    size_t size = at != NULL ? (size_t)(at - image.data) : image.size, colon = size;
    while (colon > 0 && image.data[colon - 1] != ':' && image.data[colon - 1] != '/') {
        colon--;
    }
    if (colon > 0 && image.data[colon - 1] == ':') {
        container->image_name = hf_slice_of(image.data, colon - 1);
        container->image_tag = hf_slice_of(image.data + colon, size - colon);
    } else {
        container->image_name = hf_slice_of(image.data, size);
        container->image_tag = at == NULL ? hf_slice_text("latest") : HF_EMPTY_SLICE;
    }
}

static void take_containers(const struct hf_json *containers, struct k8s_draft *draft)
{
    const struct hf_json *spec = hf_json_first(containers);
    for (; spec != NULL && draft->container_count < K8S_CONTAINERS_MAX; spec = spec->next) {
        struct k8s_container *container = &draft->containers[draft->container_count++];
        *container = (struct k8s_container){.name = hf_json_text_of(spec, "name")};
        split_image(hf_json_text_of(spec, "image"), container);
    }
}

/* What stands behind `mark` in the text; the whole text when it is not in it. */
static struct hf_slice behind(struct hf_slice text, const char *mark)
{
    size_t size = strlen(mark);
    const uint8_t *found = text.size >= size ? memmem(text.data, text.size, mark, size) : NULL;
    return found == NULL
               ? text
               : hf_slice_of(found + size, text.size - (size_t)(found + size - text.data));
}

static void take_statuses(const struct hf_json *statuses, struct k8s_draft *draft)
{
    for (const struct hf_json *one = hf_json_first(statuses); one != NULL; one = one->next) {
        struct hf_slice name = hf_json_text_of(one, "name");
        for (size_t i = 0; i < draft->container_count; i++) {
            struct k8s_container *container = &draft->containers[i];
            struct hf_slice image_id = hf_json_text_of(one, "imageID");
            if (!hf_slice_equal(container->name, name)) {
                continue;
            }
            bool has_digest =
                image_id.size != 0 && memmem(image_id.data, image_id.size, "@sha256:", 8) != NULL;
            container->run = (struct k8s_container_run){
                .restart_count = hf_json_int(hf_json_get(one, "restartCount")),
                .id = behind(hf_json_text_of(one, "containerID"), "://"),
                .digest = has_digest ? behind(image_id, "://") : HF_EMPTY_SLICE,
            };
            container->has_run = container->run.id.size != 0;
        }
    }
}

/* ---- a pod ---- */

static bool is_ignored(const struct k8s_rules *rules, const struct hf_json *metadata)
{
    struct hf_slice mark = hf_json_text(
        hf_json_at(metadata, (const char *const[]){"annotations",
                                                   "opentelemetry.io/k8s-processor/ignore", NULL}));
    bool ignored = mark.size == 4 && strncasecmp((const char *)mark.data, "true", 4) == 0;
    for (size_t i = 0; i < rules->excluded_count && !ignored; i++) {
        ignored = hf_regex_matches(rules->excluded[i], hf_json_text_of(metadata, "name"));
    }
    return ignored;
}

static void take_identity(const struct k8s_rules *rules, const struct hf_json *pod,
                          struct k8s_draft *draft)
{
    const struct hf_json *metadata = hf_json_get(pod, "metadata"), *spec = hf_json_get(pod, "spec");
    struct k8s_record *record = &draft->record;
    record->pod_name = hf_json_text_of(metadata, "name");
    record->namespace_name = hf_json_text_of(metadata, "namespace");
    record->node_name = hf_json_text_of(spec, "nodeName");
    put_if(rules, K8S_POD_NAME, draft, "k8s.pod.name", record->pod_name);
    put_if(rules, K8S_POD_HOSTNAME, draft, "k8s.pod.hostname", hf_json_text_of(spec, "hostname"));
    put_if(rules, K8S_POD_IP, draft, "k8s.pod.ip",
           hf_json_text_of(hf_json_get(pod, "status"), "podIP"));
    put_if(rules, K8S_NAMESPACE_NAME, draft, "k8s.namespace.name", record->namespace_name);
    put_if(rules, K8S_SERVICE_NAMESPACE, draft, "service.namespace", record->namespace_name);
    put_if(rules, K8S_POD_START_TIME, draft, "k8s.pod.start_time",
           hf_json_text_of(metadata, "creationTimestamp"));
    put_if(rules, K8S_POD_UID, draft, "k8s.pod.uid", hf_json_text_of(metadata, "uid"));
    put_if(rules, K8S_NODE_NAME, draft, "k8s.node.name", record->node_name);
    if (k8s_wants(rules, K8S_SERVICE_NAME)) {
        k8s_draft_put_late(draft, "service.name", record->pod_name);
    }
}

static void take_well_known(const struct k8s_rules *rules, const struct hf_json *labels,
                            struct k8s_draft *draft)
{
    static const struct {
        enum k8s_metadata bit;
        const char *key, *label;
    } rows[] = {{K8S_SERVICE_NAME, "service.name", "app.kubernetes.io/name"},
                {K8S_SERVICE_NAME, "service.name", "app.kubernetes.io/instance"},
                {K8S_SERVICE_VERSION, "service.version", "app.kubernetes.io/version"}};
    for (size_t i = 0; i < 3; i++) {
        if (hf_json_get(labels, rows[i].label) != NULL) {
            put_if(rules, rows[i].bit, draft, rows[i].key, hf_json_text_of(labels, rows[i].label));
        }
    }
}

static void add_key(struct k8s_draft *draft, const struct k8s_key *key, struct k8s_pod_keys *keys)
{
    if (key->size != 0 && keys->count < K8S_POD_KEYS_MAX) {
        struct hf_slice kept = keep(draft, (const char *)key->bytes, key->size);
        if (kept.size != 0) {
            keys->keys[keys->count++] = kept;
        }
    }
}

/* The value that a source would have in telemetry of this pod. */
static struct hf_slice source_value(const struct k8s_source *source, const struct hf_json *pod,
                                    struct hf_slice address, const struct k8s_draft *draft)
{
    const struct hf_json *metadata = hf_json_get(pod, "metadata");
    if (source->is_connection) {
        bool shares = hf_json_bool(hf_json_get(hf_json_get(pod, "spec"), "hostNetwork"));
        return shares ? HF_EMPTY_SLICE : address;
    }
    if (hf_slice_is(source->name, "k8s.namespace.name")) {
        return hf_json_text_of(metadata, "namespace");
    }
    if (hf_slice_is(source->name, "k8s.pod.name")) {
        return hf_json_text_of(metadata, "name");
    }
    if (hf_slice_is(source->name, "k8s.pod.uid")) {
        return hf_json_text_of(metadata, "uid");
    }
    if (hf_slice_is(source->name, "host.name") || hf_slice_is(source->name, "k8s.pod.ip")) {
        return address;
    }
    const struct k8s_pair *pair = k8s_draft_find(draft, source->name);
    return pair != NULL ? pair->value : HF_EMPTY_SLICE;
}

static void add_keys_of_address(const struct k8s_associations *associations,
                                const struct hf_json *pod, struct hf_slice address,
                                struct k8s_draft *draft, struct k8s_pod_keys *keys)
{
    struct k8s_key key;
    bool shares = hf_json_bool(hf_json_get(hf_json_get(pod, "spec"), "hostNetwork"));
    if (address.size != 0 && !shares && associations->count == 0) {
        k8s_key_begin(&key, K8S_KEY_OF_ADDRESS, 0);
        k8s_key_add(&key, address);
        add_key(draft, &key, keys);
    }
    for (size_t i = 0; i < associations->count; i++) {
        const struct k8s_rule *rule = &associations->rules[i];
        bool is_whole = rule->source_count != 0;
        k8s_key_begin(&key, K8S_KEY_OF_RULE, (uint8_t)i);
        for (size_t s = 0; s < rule->source_count && is_whole; s++) {
            struct hf_slice value = source_value(&rule->sources[s], pod, address, draft);
            is_whole = value.size != 0;
            k8s_key_add(&key, value);
        }
        if (is_whole) {
            add_key(draft, &key, keys);
        }
    }
}

/* RFC 3339 in UTC sorts as text: the digits as one number. */
static uint64_t rank_of(struct hf_slice time)
{
    uint64_t rank = 1;
    for (size_t i = 0; i < time.size && i < 19; i++) {
        if (isdigit(time.data[i])) {
            rank = rank * 10 + (uint64_t)(time.data[i] - '0');
        }
    }
    return time.size != 0 ? rank : 0;
}

void k8s_extract_pod(const struct k8s_rules *rules, const struct k8s_associations *associations,
                     const struct hf_json *pod, struct k8s_draft *draft,
                     struct k8s_pod_keys *ret_keys)
{
    const struct hf_json *metadata = hf_json_get(pod, "metadata"), *spec = hf_json_get(pod, "spec");
    const struct hf_json *status = hf_json_get(pod, "status");
    draft->record.kind = K8S_POD;
    draft->record.is_ignored = is_ignored(rules, metadata);
    draft->record.rank = rank_of(hf_json_text_of(status, "startTime"));
    take_identity(rules, pod, draft);
    const struct hf_json *owner = hf_json_first(hf_json_get(metadata, "ownerReferences"));
    for (; owner != NULL; owner = owner->next) {
        take_owner(rules, owner, draft);
    }
    take_texts(rules, K8S_POD, false, metadata, draft);
    take_well_known(rules, hf_json_get(metadata, "labels"), draft);
    take_texts(rules, K8S_POD, true, metadata, draft);
    if (rules->otel_annotations) {
        take_otel_annotations(metadata, draft);
    }
    take_containers(hf_json_get(spec, "containers"), draft);
    take_containers(hf_json_get(spec, "initContainers"), draft);
    take_statuses(hf_json_get(status, "containerStatuses"), draft);
    take_statuses(hf_json_get(status, "initContainerStatuses"), draft);
    *ret_keys = (struct k8s_pod_keys){0};
    struct hf_slice first = hf_json_text_of(status, "podIP");
    add_keys_of_address(associations, pod, first, draft, ret_keys);
    const struct hf_json *more = hf_json_first(hf_json_get(status, "podIPs"));
    for (; more != NULL; more = more->next) {
        struct hf_slice address = hf_json_text_of(more, "ip");
        if (!hf_slice_equal(address, first)) {
            add_keys_of_address(associations, pod, address, draft, ret_keys);
        }
    }
}

/* ---- other objects ---- */

static void take_controller(const struct k8s_rules *rules, enum k8s_kind kind,
                            const struct hf_json *metadata, struct k8s_draft *draft)
{
    const struct hf_json *owner = hf_json_first(hf_json_get(metadata, "ownerReferences"));
    for (; owner != NULL; owner = owner->next) {
        struct hf_slice of = hf_json_text_of(owner, "kind");
        struct hf_slice name = hf_json_text_of(owner, "name"), uid = hf_json_text_of(owner, "uid");
        bool is_controller = hf_json_bool(hf_json_get(owner, "controller"));
        if (kind == K8S_REPLICASET && hf_slice_is(of, "Deployment") && is_controller) {
            draft->record.owners[K8S_DEPLOYMENT] = uid;
            put_if(rules, K8S_DEPLOYMENT_NAME, draft, "k8s.deployment.name", name);
            put_if(rules, K8S_DEPLOYMENT_UID, draft, "k8s.deployment.uid", uid);
            put_if(rules, K8S_SERVICE_NAME, draft, "service.name", name);
        } else if (kind == K8S_JOB && hf_slice_is(of, "CronJob") && is_controller) {
            put_if(rules, K8S_CRONJOB_UID, draft, "k8s.cronjob.uid", uid);
        }
    }
}

void k8s_extract_other(const struct k8s_rules *rules, enum k8s_kind kind,
                       const struct hf_json *object, struct k8s_draft *draft)
{
    const struct hf_json *metadata = hf_json_get(object, "metadata");
    draft->record.kind = kind;
    take_texts(rules, kind, false, metadata, draft);
    take_texts(rules, kind, true, metadata, draft);
    take_controller(rules, kind, metadata, draft);
    if (kind == K8S_NODE) {
        put_if(rules, K8S_NODE_UID, draft, "k8s.node.uid", hf_json_text_of(metadata, "uid"));
    }
    if (kind == K8S_NAMESPACE && hf_slice_is(hf_json_text_of(metadata, "name"), "kube-system")) {
        put_if(rules, K8S_CLUSTER_UID, draft, "k8s.cluster.uid", hf_json_text_of(metadata, "uid"));
    }
}
