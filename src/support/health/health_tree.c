#include "health_tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pdata/json_write.h"

#define PARTS_MAX 100000u
#define ROOM 8u

/* A component at its place; `looks` beside it, so that they can be aggregated. */
struct part {
    enum hf_kind kind;
    const char *id;
};

/* The extensions, or a pipeline: parts from `first` on. */
struct group {
    const char *pipeline_id; /* NULL: the extensions */
    size_t first, count;
};

struct hf_health_tree {
    struct part *parts;
    struct hf_state_look *looks;
    size_t part_count, part_room;
    struct group *groups;
    struct hf_state_look *group_looks;
    size_t group_count, group_room;
    struct hf_state_look whole;
    bool failed;
};

/* ---- aggregation ---- */

static bool is_error(enum hf_state state)
{
    return state == HF_STATE_RECOVERABLE_ERROR || state == HF_STATE_PERMANENT_ERROR ||
           state == HF_STATE_FATAL_ERROR;
}

static enum hf_state aggregate_state(const struct hf_state_look *looks, size_t count,
                                     bool recoverable_first)
{
    unsigned seen = 0;
    for (size_t i = 0; i < count; i++) {
        seen |= 1u << looks[i].state;
    }
    if (seen == 1u << looks[0].state) {
        return looks[0].state;
    }
    const enum hf_state order[][2] = {
        {HF_STATE_FATAL_ERROR, HF_STATE_FATAL_ERROR},
        {HF_STATE_STARTING, HF_STATE_STARTING},
        {HF_STATE_STOPPING, HF_STATE_STOPPING},
        {HF_STATE_STOPPED, HF_STATE_STOPPING},
        {recoverable_first ? HF_STATE_RECOVERABLE_ERROR : HF_STATE_PERMANENT_ERROR,
         recoverable_first ? HF_STATE_RECOVERABLE_ERROR : HF_STATE_PERMANENT_ERROR},
        {HF_STATE_PERMANENT_ERROR, HF_STATE_PERMANENT_ERROR},
        {HF_STATE_RECOVERABLE_ERROR, HF_STATE_RECOVERABLE_ERROR},
    };
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        if ((seen & 1u << order[i][0]) != 0) {
            return order[i][1];
        }
    }
    return HF_STATE_NONE;
}

/* An error has the time and the words of the first one of its kind, since a recovery is counted
 * from there; all else the time of the latest change. */
struct hf_state_look hf_health_aggregate(const struct hf_state_look *looks, size_t count,
                                         bool recoverable_first)
{
    enum hf_state state = aggregate_state(looks, count, recoverable_first);
    struct hf_state_look all = {.state = state};
    const struct hf_state_look *first = NULL;
    for (size_t i = 0; i < count; i++) {
        bool is_earlier = first == NULL || looks[i].since_unix_ns < first->since_unix_ns;
        first = looks[i].state == state && is_earlier ? &looks[i] : first;
        all.since_unix_ns =
            looks[i].since_unix_ns > all.since_unix_ns ? looks[i].since_unix_ns : all.since_unix_ns;
    }
    return is_error(state) && first != NULL ? *first : all;
}

bool hf_health_is_good(const struct hf_health_rule *rule, const struct hf_state_look *look,
                       uint64_t now_unix_ns)
{
    if (!rule->counts_errors) {
        return true;
    }
    if (look->state == HF_STATE_PERMANENT_ERROR) {
        return !rule->include_permanent;
    }
    if (look->state == HF_STATE_RECOVERABLE_ERROR && rule->include_recoverable) {
        return now_unix_ns < look->since_unix_ns + rule->recovery_ns;
    }
    return look->state != HF_STATE_FATAL_ERROR;
}

bool hf_health_is_serving(enum hf_state state)
{
    return state == HF_STATE_OK || state == HF_STATE_RECOVERABLE_ERROR ||
           state == HF_STATE_PERMANENT_ERROR;
}

/* ---- the tree ---- */

static bool grow(void *array, size_t *room, size_t item_size, size_t wanted)
{
    void **place = array;
    void *more = wanted <= PARTS_MAX ? reallocarray(*place, wanted, item_size) : NULL;
    if (more != NULL) {
        *place = more;
        *room = wanted;
    }
    return more != NULL;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool begin_group(struct hf_health_tree *tree, const char *pipeline_id)
{
    size_t unused;
    size_t count = tree->group_count;
    if (count != 0 && same_text(tree->groups[count - 1].pipeline_id, pipeline_id)) {
        return true;
    }
    if (count == tree->group_room &&
        !(grow(&tree->groups, &unused, sizeof(*tree->groups), 2 * count + ROOM) &&
          grow(&tree->group_looks, &tree->group_room, sizeof(*tree->group_looks),
               2 * count + ROOM))) {
        return false;
    }
    tree->groups[tree->group_count++] = (struct group){pipeline_id, tree->part_count, 0};
    return true;
}

static void add(void *user, const struct hf_component_view *view)
{
    struct hf_health_tree *tree = user;
    size_t unused;
    size_t count = tree->part_count;
    tree->failed = tree->failed || !begin_group(tree, view->pipeline_id);
    if (!tree->failed && count == tree->part_room) {
        tree->failed =
            !(grow(&tree->parts, &unused, sizeof(*tree->parts), 2 * count + ROOM) &&
              grow(&tree->looks, &tree->part_room, sizeof(*tree->looks), 2 * count + ROOM));
    }
    if (tree->failed) {
        return;
    }
    tree->parts[count] = (struct part){view->component->kind, view->id};
    tree->looks[count] = view->look;
    tree->part_count++;
    tree->groups[tree->group_count - 1].count++;
}

enum hf_status hf_health_tree_new(const struct hf_node *node, const struct hf_health_rule *rule,
                                  struct hf_health_tree **ret_tree)
{
    struct hf_health_tree *tree = calloc(1, sizeof(*tree));
    if (tree == NULL) {
        return HF_NOMEM;
    }
    hf_node_view_components(node, add, tree);
    if (tree->failed) {
        hf_health_tree_free(tree);
        return HF_NOMEM;
    }
    bool recoverable_first =
        rule->counts_errors && rule->include_recoverable && !rule->include_permanent;
    for (size_t i = 0; i < tree->group_count; i++) {
        tree->group_looks[i] = hf_health_aggregate(tree->looks + tree->groups[i].first,
                                                   tree->groups[i].count, recoverable_first);
    }
    if (tree->group_count != 0) {
        tree->whole = hf_health_aggregate(tree->group_looks, tree->group_count, recoverable_first);
    }
    *ret_tree = tree;
    return HF_OK;
}

void hf_health_tree_free(struct hf_health_tree *tree)
{
    if (tree != NULL) {
        free(tree->parts);
        free(tree->looks);
        free(tree->groups);
        free(tree->group_looks);
        free(tree);
    }
}

/* The number of the group; the count of groups: there is none. */
static size_t find_group(const struct hf_health_tree *tree, struct hf_slice scope)
{
    size_t at = 0;
    while (at < tree->group_count) {
        const char *id = tree->groups[at].pipeline_id;
        if (hf_slice_is(scope, id != NULL ? id : "extensions")) {
            break;
        }
        at++;
    }
    return at;
}

const struct hf_state_look *hf_health_find(const struct hf_health_tree *tree, struct hf_slice scope)
{
    if (scope.size == 0) {
        return &tree->whole;
    }
    size_t at = find_group(tree, scope);
    return at < tree->group_count ? &tree->group_looks[at] : NULL;
}

/* ---- its parts ---- */

size_t hf_health_group_count(const struct hf_health_tree *tree)
{
    return tree->group_count;
}

size_t hf_health_part_count(const struct hf_health_tree *tree, size_t group)
{
    return tree->groups[group].count;
}

void hf_health_group(const struct hf_health_tree *tree, size_t group, struct hf_health_part *ret)
{
    const char *id = tree->groups[group].pipeline_id;
    snprintf(ret->key, sizeof(ret->key), "%s%s", id != NULL ? "pipeline:" : "extensions",
             id != NULL ? id : "");
    ret->look = &tree->group_looks[group];
}

void hf_health_part(const struct hf_health_tree *tree, size_t group, size_t part,
                    struct hf_health_part *ret)
{
    static const char *const kinds[HF_KIND_COUNT] = {"receiver", "processor", "exporter",
                                                     "extension", "connector"};
    size_t at = tree->groups[group].first + part;
    snprintf(ret->key, sizeof(ret->key), "%s:%s", kinds[tree->parts[at].kind], tree->parts[at].id);
    ret->look = &tree->looks[at];
}

/* ---- as JSON ---- */

static void write_time(struct hf_json_writer *json, uint64_t unix_ns)
{
    char text[64];
    char fraction[16] = "";
    time_t seconds = (time_t)(unix_ns / 1000000000);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    size_t size = strftime(text, sizeof(text) - 16, "%Y-%m-%dT%H:%M:%S", &parts);
    if (unix_ns % 1000000000 != 0) {
        int digits =
            snprintf(fraction, sizeof(fraction), ".%09u", (unsigned)(unix_ns % 1000000000));
        while (fraction[digits - 1] == '0') {
            fraction[--digits] = '\0';
        }
    }
    snprintf(text + size, sizeof(text) - size, "%sZ", fraction);
    hf_json_write_text(json, hf_slice_text(text));
}

static void write_look(struct hf_json_writer *json, const struct hf_health_print *print,
                       const struct hf_state_look *look, bool is_root)
{
    bool healthy = hf_health_is_good(print->rule, look, print->now_unix_ns);
    HF_JSON_WRITE_KEY(json, "healthy");
    hf_json_write_bool(json, healthy && !(is_root && print->is_refusing));
    HF_JSON_WRITE_KEY(json, "status");
    hf_json_write_text(json, hf_slice_text(hf_state_name(look->state)));
    if (look->error[0] != '\0') {
        HF_JSON_WRITE_KEY(json, "error");
        hf_json_write_text(json, hf_slice_text(look->error));
    }
    HF_JSON_WRITE_KEY(json, "status_time");
    write_time(json, look->since_unix_ns);
    if (print->attributes) {
        HF_JSON_WRITE_KEY(json, "attributes");
        hf_json_write_open(json, '{');
        hf_json_write_close(json, '}');
    }
}

static void write_parts(struct hf_json_writer *json, const struct hf_health_print *print,
                        const struct hf_health_tree *tree, size_t group)
{
    HF_JSON_WRITE_KEY(json, "components");
    hf_json_write_open(json, '{');
    for (size_t i = 0; i < hf_health_part_count(tree, group); i++) {
        struct hf_health_part part;
        hf_health_part(tree, group, i, &part);
        hf_json_write_key(json, hf_slice_text(part.key));
        hf_json_write_open(json, '{');
        write_look(json, print, part.look, false);
        hf_json_write_close(json, '}');
    }
    hf_json_write_close(json, '}');
}

static void write_groups(struct hf_json_writer *json, const struct hf_health_print *print,
                         const struct hf_health_tree *tree)
{
    HF_JSON_WRITE_KEY(json, "components");
    hf_json_write_open(json, '{');
    for (size_t i = 0; i < tree->group_count; i++) {
        struct hf_health_part group;
        hf_health_group(tree, i, &group);
        hf_json_write_key(json, hf_slice_text(group.key));
        hf_json_write_open(json, '{');
        write_look(json, print, group.look, false);
        write_parts(json, print, tree, i);
        hf_json_write_close(json, '}');
    }
    hf_json_write_close(json, '}');
}

enum hf_status hf_health_print(const struct hf_health_tree *tree,
                               const struct hf_health_print *print, struct hf_bytes *out)
{
    struct hf_json_writer json = {.out = out};
    hf_json_write_open(&json, '{');
    HF_JSON_WRITE_KEY(&json, "start_time");
    write_time(&json, print->start_unix_ns);
    write_look(&json, print, hf_health_find(tree, print->scope), true);
    if (print->verbose && print->scope.size == 0) {
        write_groups(&json, print, tree);
    } else if (print->verbose) {
        write_parts(&json, print, tree, find_group(tree, print->scope));
    }
    hf_json_write_close(&json, '}');
    return hf_json_write_status(&json);
}
