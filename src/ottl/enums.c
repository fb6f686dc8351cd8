/* The symbols that stand for numbers, each in the contexts that know it. */
#include <string.h>

#include "node.h"
#include "util/suggest.h"

#define BIT(context) (1u << HF_PATH_##context)
#define OF_SPANS (BIT(SPAN) | BIT(SPANEVENT))
#define OF_METRICS (BIT(METRIC) | BIT(DATAPOINT) | BIT(EXEMPLAR))
#define OF_POINTS (BIT(DATAPOINT) | BIT(EXEMPLAR))

struct symbol {
    const char *name;
    unsigned contexts;
    int64_t value;
};

static const struct symbol symbols[] = {
    {"SPAN_KIND_UNSPECIFIED", OF_SPANS, 0},
    {"SPAN_KIND_INTERNAL", OF_SPANS, 1},
    {"SPAN_KIND_SERVER", OF_SPANS, 2},
    {"SPAN_KIND_CLIENT", OF_SPANS, 3},
    {"SPAN_KIND_PRODUCER", OF_SPANS, 4},
    {"SPAN_KIND_CONSUMER", OF_SPANS, 5},
    {"STATUS_CODE_UNSET", OF_SPANS, 0},
    {"STATUS_CODE_OK", OF_SPANS, 1},
    {"STATUS_CODE_ERROR", OF_SPANS, 2},
    {"SEVERITY_NUMBER_UNSPECIFIED", BIT(LOG), 0},
    {"SEVERITY_NUMBER_TRACE", BIT(LOG), 1},
    {"SEVERITY_NUMBER_TRACE2", BIT(LOG), 2},
    {"SEVERITY_NUMBER_TRACE3", BIT(LOG), 3},
    {"SEVERITY_NUMBER_TRACE4", BIT(LOG), 4},
    {"SEVERITY_NUMBER_DEBUG", BIT(LOG), 5},
    {"SEVERITY_NUMBER_DEBUG2", BIT(LOG), 6},
    {"SEVERITY_NUMBER_DEBUG3", BIT(LOG), 7},
    {"SEVERITY_NUMBER_DEBUG4", BIT(LOG), 8},
    {"SEVERITY_NUMBER_INFO", BIT(LOG), 9},
    {"SEVERITY_NUMBER_INFO2", BIT(LOG), 10},
    {"SEVERITY_NUMBER_INFO3", BIT(LOG), 11},
    {"SEVERITY_NUMBER_INFO4", BIT(LOG), 12},
    {"SEVERITY_NUMBER_WARN", BIT(LOG), 13},
    {"SEVERITY_NUMBER_WARN2", BIT(LOG), 14},
    {"SEVERITY_NUMBER_WARN3", BIT(LOG), 15},
    {"SEVERITY_NUMBER_WARN4", BIT(LOG), 16},
    {"SEVERITY_NUMBER_ERROR", BIT(LOG), 17},
    {"SEVERITY_NUMBER_ERROR2", BIT(LOG), 18},
    {"SEVERITY_NUMBER_ERROR3", BIT(LOG), 19},
    {"SEVERITY_NUMBER_ERROR4", BIT(LOG), 20},
    {"SEVERITY_NUMBER_FATAL", BIT(LOG), 21},
    {"SEVERITY_NUMBER_FATAL2", BIT(LOG), 22},
    {"SEVERITY_NUMBER_FATAL3", BIT(LOG), 23},
    {"SEVERITY_NUMBER_FATAL4", BIT(LOG), 24},
    {"METRIC_DATA_TYPE_NONE", OF_METRICS, 0},
    {"METRIC_DATA_TYPE_GAUGE", OF_METRICS, 1},
    {"METRIC_DATA_TYPE_SUM", OF_METRICS, 2},
    {"METRIC_DATA_TYPE_HISTOGRAM", OF_METRICS, 3},
    {"METRIC_DATA_TYPE_EXPONENTIAL_HISTOGRAM", OF_METRICS, 4},
    {"METRIC_DATA_TYPE_SUMMARY", OF_METRICS, 5},
    {"AGGREGATION_TEMPORALITY_UNSPECIFIED", OF_METRICS, 0},
    {"AGGREGATION_TEMPORALITY_DELTA", OF_METRICS, 1},
    {"AGGREGATION_TEMPORALITY_CUMULATIVE", OF_METRICS, 2},
    {"FLAG_NONE", OF_POINTS, 0},
    {"FLAG_NO_RECORDED_VALUE", OF_POINTS, 1},
};

#define SYMBOL_COUNT (sizeof(symbols) / sizeof(symbols[0]))

bool hf_ottl_enum_find(enum hf_path_context context, struct hf_slice name, int64_t *ret_value)
{
    for (size_t i = 0; i < SYMBOL_COUNT; i++) {
        if ((symbols[i].contexts >> context & 1) != 0 && hf_slice_is(name, symbols[i].name)) {
            *ret_value = symbols[i].value;
            return true;
        }
    }
    return false;
}

#define WORD_MAX 100u

const char *hf_ottl_enum_suggest(enum hf_path_context context, struct hf_slice name)
{
    char word[WORD_MAX + 1];
    struct hf_suggestion suggestion = {.word = word};
    if (name.size > WORD_MAX) {
        return NULL;
    }
    memcpy(word, name.data, name.size);
    word[name.size] = '\0';
    for (size_t i = 0; i < SYMBOL_COUNT; i++) {
        if ((symbols[i].contexts >> context & 1) != 0) {
            hf_suggest(&suggestion, symbols[i].name);
        }
    }
    return suggestion.best;
}
