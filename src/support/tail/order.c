#include "order.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "util/regex/regex.h"
#include "util/time/time_layout.h"

#define RULES_MAX 8u

struct rule {
    const struct hf_tail_sort_rule *config;
    size_t group; /* of the pattern */
    struct hf_time_layout *layout;
};

struct hf_tail_order {
    struct hf_regex *regex;    /* NULL: none */
    struct hf_regex *group_by; /* whose first group names the group of files; NULL: all are one */
    size_t top_n;
    struct rule rules[RULES_MAX];
    size_t rule_count;
};

struct ranked {
    char *path;
    struct hf_slice group;
    struct hf_slice texts[RULES_MAX];
    double numbers[RULES_MAX];
    const struct hf_tail_order *order;
};

static size_t find_group(const struct hf_regex *regex, const char *name)
{
    for (size_t i = 0; regex != NULL && name != NULL && i < hf_regex_group_count(regex); i++) {
        const char *group = hf_regex_group_name(regex, i + 1);
        if (group != NULL && strcmp(group, name) == 0) {
            return i;
        }
    }
    return SIZE_MAX;
}

/* NULL as the pattern: none. */
static enum hf_status compile(const char *key, const char *pattern, struct hf_regex **ret_regex,
                              char *reterr)
{
    char why[HF_REGEX_ERROR_MAX];
    enum hf_status status =
        pattern != NULL && pattern[0] != '\0' ? hf_regex_new(pattern, ret_regex, why) : HF_OK;
    if (status == HF_INVALID) {
        snprintf(reterr, HF_ERROR_MAX, "ordering_criteria::%s: %s", key, why);
    }
    return status;
}

static enum hf_status open_rule(struct hf_tail_order *order, const struct hf_tail_sort_rule *config,
                                char *reterr)
{
    struct rule *rule = &order->rules[order->rule_count++];
    rule->config = config;
    rule->group = find_group(order->regex, config->regex_key);
    if (config->type != HF_TAIL_MTIME && rule->group == SIZE_MAX) {
        snprintf(reterr, HF_ERROR_MAX,
                 "ordering_criteria::sort_by: regex_key is no group of ordering_criteria::regex");
        return HF_INVALID;
    }
    if (config->type != HF_TAIL_TIMESTAMP) {
        return HF_OK;
    }
    const struct hf_time_layout_options options = {
        .layout = config->layout, .type = "strptime", .location = config->location};
    return hf_time_layout_new(&options, &rule->layout, reterr);
}

enum hf_status hf_tail_order_open(const struct hf_tail_config *config,
                                  struct hf_tail_order **ret_order, char *reterr)
{
    const struct hf_tail_sort_rule *rules = config->order.rules.items;
    size_t count = config->order.rules.count;
    *ret_order = NULL;
    if (count == 0) {
        return HF_OK;
    }
    struct hf_tail_order *order = calloc(1, sizeof(*order));
    if (order == NULL) {
        return HF_NOMEM;
    }
    order->top_n = (size_t)config->order.top_n;
    enum hf_status status = compile("regex", config->order.regex, &order->regex, reterr);
    if (status == HF_OK) {
        status = compile("group_by", config->order.group_by, &order->group_by, reterr);
    }
    if (order->group_by != NULL && hf_regex_group_count(order->group_by) == 0) {
        snprintf(reterr, HF_ERROR_MAX, "ordering_criteria::group_by: it needs a group in brackets");
        status = HF_INVALID;
    }
    if (status == HF_OK && count > RULES_MAX) {
        snprintf(reterr, HF_ERROR_MAX, "ordering_criteria::sort_by: at most %u rules", RULES_MAX);
        status = HF_INVALID;
    }
    for (size_t i = 0; i < count && status == HF_OK; i++) {
        status = open_rule(order, &rules[i], reterr);
    }
    if (status != HF_OK) {
        hf_tail_order_close(order);
        return status;
    }
    *ret_order = order;
    return HF_OK;
}

void hf_tail_order_close(struct hf_tail_order *order)
{
    if (order == NULL) {
        return;
    }
    for (size_t i = 0; i < order->rule_count; i++) {
        hf_time_layout_free(order->rules[i].layout);
    }
    hf_regex_free(order->regex);
    hf_regex_free(order->group_by);
    free(order);
}

static double number_of(struct hf_slice text)
{
    char copy[64];
    size_t size = text.size < sizeof(copy) - 1 ? text.size : sizeof(copy) - 1;
    if (size != 0) {
        memcpy(copy, text.data, size);
    }
    copy[size] = '\0';
    return strtod(copy, NULL);
}

static double mtime_of(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0
               ? (double)about.st_mtim.tv_sec + (double)about.st_mtim.tv_nsec / 1e9
               : 0;
}

/* False: the patterns do not find what it is ranked and grouped by. */
static bool rank(const struct hf_tail_order *order, char *path, struct ranked *ret)
{
    struct hf_slice groups[HF_REGEX_GROUPS_MAX];
    *ret = (struct ranked){.path = path, .order = order};
    if (order->regex != NULL && !hf_regex_find(order->regex, hf_slice_text(path), groups)) {
        return false;
    }
    struct hf_slice by[HF_REGEX_GROUPS_MAX];
    if (order->group_by != NULL) {
        if (!hf_regex_find(order->group_by, hf_slice_text(path), by)) {
            return false;
        }
        ret->group = by[0];
    }
    for (size_t i = 0; i < order->rule_count; i++) {
        const struct rule *rule = &order->rules[i];
        int64_t time_ns = 0;
        ret->texts[i] = rule->group != SIZE_MAX ? groups[rule->group] : HF_EMPTY_SLICE;
        switch (rule->config->type) {
        case HF_TAIL_NUMERIC:
            ret->numbers[i] = number_of(ret->texts[i]);
            break;
        case HF_TAIL_TIMESTAMP:
            if (!hf_time_layout_parse(rule->layout, ret->texts[i], &time_ns)) {
                return false;
            }
            ret->numbers[i] = (double)time_ns;
            break;
        case HF_TAIL_MTIME:
            ret->numbers[i] = mtime_of(path);
            break;
        default:
            break;
        }
    }
    return true;
}

static int compare(const void *left, const void *right)
{
    const struct ranked *a = left, *b = right;
    int order = hf_slice_compare(a->group, b->group);
    for (size_t i = 0; i < a->order->rule_count && order == 0; i++) {
        const struct hf_tail_sort_rule *rule = a->order->rules[i].config;
        order = rule->type == HF_TAIL_ALPHABETICAL
                    ? hf_slice_compare(a->texts[i], b->texts[i])
                    : (a->numbers[i] > b->numbers[i]) - (a->numbers[i] < b->numbers[i]);
        order = rule->ascending ? order : -order;
    }
    return order != 0 ? order : strcmp(a->path, b->path);
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void hf_tail_order_apply(struct hf_tail_order *order, struct hf_paths *paths)
{
    if (order == NULL || paths->count == 0) {
        return;
    }
    struct ranked *ranked = calloc(paths->count, sizeof(*ranked));
    if (ranked == NULL) {
        return;
    }
    size_t count = 0, kept = 0, of_group = 0;
    for (size_t i = 0; i < paths->count; i++) {
        if (rank(order, paths->items[i], &ranked[count])) {
            count++;
        } else {
            free(paths->items[i]);
        }
    }
    qsort(ranked, count, sizeof(*ranked), compare);
    for (size_t i = 0; i < count; i++) {
        bool same = i != 0 && hf_slice_compare(ranked[i].group, ranked[i - 1].group) == 0;
        of_group = same ? of_group + 1 : 1;
        if (order->top_n == 0 || of_group <= order->top_n) {
            paths->items[kept++] = ranked[i].path;
        }
    }
    /* Groups are slices of paths: those left out are freed once nothing is compared any more. */
    for (size_t i = 0, k = 0; i < count; i++) {
        if (k < kept && paths->items[k] == ranked[i].path) {
            k++;
        } else {
            free(ranked[i].path);
        }
    }
    paths->count = kept;
    qsort(paths->items, kept, sizeof(paths->items[0]), compare_paths);
    free(ranked);
}
