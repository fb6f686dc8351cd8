/*
 * look: compares the endpoints that are shown with those that are known.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "creator.h"
#include "hints.h"
#include "util/time/clock.h"

/* Lines that were written last are read before a receiver of logs is stopped. */
#define LINGER_NS (5 * HF_NS_PER_S)
#define KEPT_BYTES ((size_t)1 << 20)

/* ---- the end of a receiver ---- */

static void stop_instance(struct creator *creator, const struct hf_endpoint *endpoint,
                          struct creator_instance *instance)
{
    if (instance->sub != NULL) {
        if (endpoint != NULL) {
            hf_node_log_keys(creator->node, HF_LOG_INFO, "stopping receiver",
                             HF_LOG_KEYS(HF_LOG_TEXT("endpoint", endpoint->target),
                                         HF_LOG_TEXT("endpoint_id", endpoint->id)));
        }
        hf_subreceiver_stop(instance->sub);
        creator->running--;
    }
    instance->next = creator->dying;
    creator->dying = instance;
}

void creator_sweep(struct creator *creator)
{
    for (struct creator_instance **at = &creator->dying; *at != NULL;) {
        struct creator_instance *instance = *at;
        if (instance->sub == NULL || hf_subreceiver_free(instance->sub)) {
            *at = instance->next;
            free(instance);
        } else {
            at = &instance->next;
        }
    }
}

static bool is_log_only(const struct creator_instance *instance)
{
    return instance->sub != NULL && hf_subreceiver_signals(instance->sub) == HF_SIGNAL_BIT(HF_LOGS);
}

/* Those that nothing wants. */
static void stop_unwanted(struct creator *creator, struct creator_known *known)
{
    for (struct creator_instance **at = &known->instances; *at != NULL;) {
        struct creator_instance *instance = *at;
        if (instance->is_wanted) {
            at = &instance->next;
        } else {
            *at = instance->next;
            stop_instance(creator, known->endpoint, instance);
        }
    }
}

/* ---- the start ---- */

static struct creator_instance *find_instance(const struct creator_known *known,
                                              struct hf_hash id_hash)
{
    struct creator_instance *instance = known->instances;
    while (instance != NULL && !hf_hash_equal(instance->id_hash, id_hash)) {
        instance = instance->next;
    }
    return instance;
}

static void start(struct creator *creator, struct creator_known *known,
                  const struct creator_plan *plan, struct creator_instance *instance,
                  uint64_t now_ns)
{
    if (creator->running >= CREATOR_INSTANCES_MAX) {
        if (!creator->is_full) {
            hf_node_log(creator->node, HF_LOG_ERROR,
                        "%u receivers run, which is the most that there may be: others wait until "
                        "one ends; make the rules match fewer endpoints",
                        CREATOR_INSTANCES_MAX);
        }
        creator->is_full = true;
        instance->retry_ns = now_ns + HF_NS_PER_S;
        return;
    }
    creator_instance_start(creator->node, known->endpoint, plan, instance);
    creator->running += instance->sub != NULL;
    creator->is_full = false;
}

/* A receiver of this plan shall run: the one that does, or another one instead of it. */
static void want(struct creator *creator, struct creator_known *known,
                 const struct creator_plan *plan, uint64_t now_ns)
{
    struct hf_hash id_hash = hf_hash_of(hf_slice_text(plan->id));
    struct creator_instance *old = find_instance(known, id_hash);
    if (old != NULL && hf_hash_equal(old->digest, plan->digest)) {
        old->is_wanted = true;
        if (old->sub == NULL && now_ns >= old->retry_ns) {
            start(creator, known, plan, old, now_ns);
        }
        return;
    }
    if (old != NULL) {
        old->is_wanted = false;
        old->id_hash = (struct hf_hash){0};
        stop_unwanted(creator, known);
    }
    struct creator_instance *instance = calloc(1, sizeof(*instance));
    if (instance == NULL) {
        hf_node_log(creator->node, HF_LOG_ERROR, "out of memory for a receiver");
        return;
    }
    instance->id_hash = id_hash;
    instance->digest = plan->digest;
    instance->is_wanted = true;
    instance->next = known->instances;
    known->instances = instance;
    start(creator, known, plan, instance, now_ns);
}

/* ---- one endpoint ---- */

static void complain(const struct creator *creator, const char *what, const char *id,
                     enum hf_status status, const char *why)
{
    hf_node_log_keys(creator->node, HF_LOG_ERROR, what,
                     HF_LOG_KEYS(HF_LOG_TEXT("name", id),
                                 HF_LOG_TEXT("error", status == HF_NOMEM ? "out of memory" : why)));
}

static void want_wish(struct creator *creator, struct creator_known *known,
                      const struct creator_variables *variables, const struct creator_wish *wish,
                      uint64_t now_ns)
{
    char why[CREATOR_ERROR_MAX] = "";
    struct creator_plan plan;
    enum hf_status status =
        creator_plan_make(creator->config, known->endpoint, variables, wish, &plan, why);
    if (status == HF_OK) {
        want(creator, known, &plan, now_ns);
    } else {
        complain(creator, "an expression of a receiver has no value", wish->id, status, why);
    }
}

static void want_template(struct creator *creator, struct creator_known *known,
                          const struct creator_variables *variables, size_t i, uint64_t now_ns)
{
    const struct creator_template *template =
        &((const struct creator_template *)creator->config->templates.items)[i];
    const char *id = creator->config->templates.keys[i];
    char why[CREATOR_ERROR_MAX] = "";
    bool is_match = false;
    enum hf_status status =
        hf_expr_test(creator->rules[i], variables->values, variables->arena, &is_match, why);
    if (status != HF_OK) {
        /* A rule for another type of endpoints names what this one has not. */
        hf_node_log_keys(creator->node, status == HF_NOMEM ? HF_LOG_ERROR : HF_LOG_DEBUG,
                         "failed matching rule",
                         HF_LOG_KEYS(HF_LOG_TEXT("name", id), HF_LOG_TEXT("error", why)));
    } else if (is_match) {
        const struct creator_wish wish = {.id = id,
                                          .config = &template->config,
                                          .attributes = &template->attributes,
                                          .signals = HF_ALL_SIGNALS_AND_PROFILES};
        want_wish(creator, known, variables, &wish, now_ns);
    }
}

/* Which receivers shall run for it? */
static void look_at(struct creator *creator, struct creator_known *known, uint64_t now_ns)
{
    struct creator_variables variables;
    struct creator_hint hint = {0};
    char why[CREATOR_ERROR_MAX] = "";
    for (struct creator_instance *one = known->instances; one != NULL; one = one->next) {
        one->is_wanted = false;
    }
    hf_arena_rewind(&creator->arena, KEPT_BYTES);
    enum hf_status status = creator_variables_of(known->endpoint, &creator->arena, &variables);
    if (status == HF_OK) {
        status = creator_hint_read(creator->config, known->endpoint, &creator->arena, &hint, why);
    }
    if (status != HF_OK) {
        complain(creator, "the annotations of a pod cannot be used", known->endpoint->id, status,
                 why);
    } else if (hint.is_there) {
        want_wish(creator, known, &variables, &hint.wish, now_ns);
    } else {
        for (size_t i = 0; i < creator->config->templates.count; i++) {
            want_template(creator, known, &variables, i, now_ns);
        }
    }
    creator_hint_release(&hint);
    stop_unwanted(creator, known);
}

static void forget(struct creator *creator, struct creator_known *known)
{
    for (struct creator_instance *one = known->instances; one != NULL; one = one->next) {
        one->is_wanted = false;
    }
    stop_unwanted(creator, known);
    hf_ref_drop(&known->endpoint->ref);
}

/* It is shown no longer. False: nothing of it is left. */
static bool stays(struct creator *creator, struct creator_known *known, uint64_t now_ns)
{
    known->gone_ns = known->gone_ns != 0 ? known->gone_ns : now_ns;
    for (struct creator_instance *one = known->instances; one != NULL; one = one->next) {
        one->is_wanted = is_log_only(one) && now_ns < known->gone_ns + LINGER_NS;
    }
    stop_unwanted(creator, known);
    if (known->instances != NULL) {
        return true;
    }
    forget(creator, known);
    return false;
}

/* ---- all of them ---- */

struct shown {
    struct hf_endpoint **items;
    size_t count, capacity;
    bool failed;
};

static void note(void *user, struct hf_endpoint *endpoint)
{
    struct shown *shown = user;
    if (shown->count == shown->capacity) {
        size_t capacity = 2 * shown->capacity + 64;
        struct hf_endpoint **items =
            reallocarray(shown->items, capacity, sizeof(struct hf_endpoint *));
        if (items == NULL) {
            shown->failed = true;
            return;
        }
        shown->items = items;
        shown->capacity = capacity;
    }
    hf_ref_take(&endpoint->ref);
    shown->items[shown->count++] = endpoint;
}

static int by_id(const void *a, const void *b)
{
    const struct hf_endpoint *left = *(struct hf_endpoint *const *)a;
    const struct hf_endpoint *right = *(struct hf_endpoint *const *)b;
    return strcmp(left->id, right->id);
}

/* What the observers show, sorted, each id once. */
static struct shown collect(struct creator *creator)
{
    struct shown shown = {0};
    for (size_t i = 0; i < creator->observer_count; i++) {
        struct creator_observer *observer = &creator->observers[i];
        observer->version = observer->ops->version(observer->self);
        observer->ops->each(observer->self, note, &shown);
    }
    if (shown.count != 0) {
        qsort(shown.items, shown.count, sizeof(struct hf_endpoint *), by_id);
    }
    size_t kept = 0;
    for (size_t i = 0; i < shown.count; i++) {
        if (kept != 0 && strcmp(shown.items[kept - 1]->id, shown.items[i]->id) == 0) {
            hf_ref_drop(&shown.items[i]->ref);
        } else {
            shown.items[kept++] = shown.items[i];
        }
    }
    shown.count = kept;
    return shown;
}

static bool has_changed(const struct creator *creator)
{
    bool changed = false;
    for (size_t i = 0; i < creator->observer_count; i++) {
        const struct creator_observer *observer = &creator->observers[i];
        changed = changed || observer->ops->version(observer->self) != observer->version;
    }
    return changed;
}

/* Does one of its receivers wait for another attempt? */
static bool is_due(const struct creator_known *known, uint64_t now_ns)
{
    const struct creator_instance *one = known->instances;
    while (one != NULL && (one->sub != NULL || now_ns < one->retry_ns)) {
        one = one->next;
    }
    return one != NULL;
}

/* Takes the reference of `endpoint` over. */
static void meet(struct creator *creator, struct creator_known *known, struct hf_endpoint *endpoint,
                 uint64_t now_ns)
{
    bool is_new = known->endpoint == NULL;
    bool is_other =
        is_new || known->gone_ns != 0 ||
        memcmp(known->endpoint->digest, endpoint->digest, sizeof(endpoint->digest)) != 0;
    if (!is_new) {
        hf_ref_drop(&known->endpoint->ref);
    }
    known->endpoint = endpoint;
    known->gone_ns = 0;
    if (is_other || is_due(known, now_ns)) {
        look_at(creator, known, now_ns);
    }
}

/* Both lists are sorted by the ids. `merged` has room for all of both. */
static size_t merge(struct creator *creator, const struct shown *shown,
                    struct creator_known *merged, uint64_t now_ns)
{
    size_t count = 0, i = 0, k = 0;
    while (i < shown->count || k < creator->known_count) {
        int order = i == shown->count ? 1
                    : k == creator->known_count
                        ? -1
                        : strcmp(shown->items[i]->id, creator->known[k].endpoint->id);
        if (order > 0) {
            merged[count] = creator->known[k++];
            count += stays(creator, &merged[count], now_ns);
            continue;
        }
        merged[count] = order == 0 ? creator->known[k++] : (struct creator_known){.endpoint = NULL};
        meet(creator, &merged[count++], shown->items[i++], now_ns);
    }
    return count;
}

void creator_look(struct creator *creator, uint64_t now_ns)
{
    bool is_needed = has_changed(creator);
    for (size_t i = 0; i < creator->known_count && !is_needed; i++) {
        is_needed = creator->known[i].gone_ns != 0 || is_due(&creator->known[i], now_ns);
    }
    creator_sweep(creator);
    if (!is_needed) {
        return;
    }
    struct shown shown = collect(creator);
    struct creator_known *merged =
        shown.failed ? NULL : calloc(shown.count + creator->known_count + 1, sizeof(*merged));
    if (merged == NULL) {
        hf_node_log(creator->node, HF_LOG_ERROR, "out of memory for the endpoints");
        for (size_t i = 0; i < shown.count; i++) {
            hf_ref_drop(&shown.items[i]->ref);
        }
        free(shown.items);
        for (size_t i = 0; i < creator->observer_count; i++) {
            creator->observers[i].version = 0; /* they are looked at again */
        }
        return;
    }
    size_t count = merge(creator, &shown, merged, now_ns);
    free(creator->known);
    creator->known = merged;
    creator->known_count = count;
    free(shown.items);
}

void creator_end_all(struct creator *creator)
{
    for (size_t i = 0; i < creator->known_count; i++) {
        struct creator_known *known = &creator->known[i];
        while (known->instances != NULL) {
            struct creator_instance *instance = known->instances;
            known->instances = instance->next;
            stop_instance(creator, NULL, instance);
        }
        hf_ref_drop(&known->endpoint->ref);
    }
    free(creator->known);
    creator->known = NULL;
    creator->known_count = 0;
    creator_sweep(creator);
}
