/* What statements and conditions fail at: a counter of each, and a line in the log once a minute.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "ottl_groups.h"
#include "util/log/log_limiter.h"
#include "util/metrics/metrics.h"
#include "util/time/clock.h"

#define LOG_INTERVAL_NS UINT64_C(60000000000)
#define LABEL_MAX 100 /* characters of a text in a label */

struct counted {
    const char *text;
    struct hf_series *errors; /* NULL: not counted */
};

struct hf_ottl_errors {
    const struct hf_node *node;
    struct hf_log_limiter limiter;
    struct counted *items;
    size_t count;
};

static const struct hf_metric_family family = {
    .name = "holdfast_processor_statement_errors",
    .type = HF_COUNTER,
    .unit = "",
    .help = "Items at which a statement or condition of OTTL failed.",
};

static void add_text(struct hf_ottl_errors *errors, const char *text)
{
    char label[LABEL_MAX + 1];
    struct counted *counted = &errors->items[errors->count++];
    *counted = (struct counted){.text = text};
    size_t size = strnlen(text, LABEL_MAX);
    while (size > 0 && text[size] != '\0' && ((uint8_t)text[size] & 0xc0) == 0x80) {
        size--; /* not into the middle of a character */
    }
    memcpy(label, text, size);
    label[size] = '\0';
    struct hf_metrics *metrics = hf_node_metrics(errors->node);
    if (metrics != NULL) {
        const struct hf_label labels[] = {
            {"processor", hf_node_id(errors->node)}, {"statement", label}, {NULL, NULL}};
        counted->errors = hf_metrics_series(metrics, &family, labels);
    }
}

static size_t count_texts(const struct hf_ottl_groups *groups)
{
    size_t count = 0;
    for (size_t i = 0; i < groups->count; i++) {
        const struct hf_ottl *ottl = groups->items[i].ottl;
        count += ottl == NULL ? 0 : hf_ottl_condition_count(ottl) + hf_ottl_statement_count(ottl);
    }
    return count;
}

struct hf_ottl_errors *hf_ottl_errors_new(const struct hf_node *node,
                                          const struct hf_ottl_groups *groups)
{
    struct hf_ottl_errors *errors = calloc(1, sizeof(*errors));
    if (errors == NULL) {
        return NULL;
    }
    errors->node = node;
    hf_log_limiter_init(&errors->limiter, LOG_INTERVAL_NS);
    errors->items = calloc(count_texts(groups) + 1, sizeof(*errors->items));
    if (errors->items == NULL) {
        hf_ottl_errors_free(errors);
        return NULL;
    }
    for (size_t i = 0; i < groups->count; i++) {
        const struct hf_ottl *ottl = groups->items[i].ottl;
        for (size_t j = 0; ottl != NULL && j < hf_ottl_condition_count(ottl); j++) {
            add_text(errors, hf_ottl_condition_text(ottl, j));
        }
        for (size_t j = 0; ottl != NULL && j < hf_ottl_statement_count(ottl); j++) {
            add_text(errors, hf_ottl_statement_text(ottl, j));
        }
    }
    return errors;
}

void hf_ottl_errors_free(struct hf_ottl_errors *errors)
{
    if (errors == NULL) {
        return;
    }
    hf_log_limiter_release(&errors->limiter);
    free(errors->items);
    free(errors);
}

void hf_ottl_errors_meet(struct hf_ottl_errors *errors, const char *text, const char *error,
                         bool is_silent)
{
    for (size_t i = 0; i < errors->count; i++) {
        if (errors->items[i].text == text && errors->items[i].errors != NULL) {
            hf_series_add(errors->items[i].errors, 1);
        }
    }
    if (is_silent || !hf_log_limiter_allows(&errors->limiter, text, "", hf_clock_monotonic_ns())) {
        return;
    }
    hf_node_log(errors->node, HF_LOG_WARN,
                "failed to execute statement: %s (further errors of it are counted, and said once "
                "a minute): %s",
                error, text);
}
