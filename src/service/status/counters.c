#include "counters.h"

#include <stdlib.h>
#include <string.h>

#include "util/grow.h"
#include "words.h"

#define TEXT_MAX 512

/* One character of a label's value; what the text format escapes is spelled out again. */
static const char *put_value(const char *at, char *value, size_t *size, size_t room)
{
    char letter = *at++;
    if (letter == '\\' && *at != '\0') {
        letter = *at == 'n' ? '\n' : *at;
        at++;
    }
    if (*size + 1 < room) {
        value[(*size)++] = letter;
    }
    return at;
}

const char *hf_status_label(const char *labels, char *ret_name, char *ret_value, size_t room)
{
    const char *equals = strstr(labels, "=\"");
    if (equals == NULL) {
        return NULL;
    }
    size_t name_size = (size_t)(equals - labels);
    name_size = name_size < room ? name_size : room - 1;
    memcpy(ret_name, labels, name_size);
    ret_name[name_size] = '\0';
    size_t size = 0;
    const char *at = equals + 2;
    while (*at != '\0' && *at != '"') {
        at = put_value(at, ret_value, &size, room);
    }
    ret_value[size] = '\0';
    at += *at == '"' ? 1 : 0;
    return at + (*at == ',' ? 1 : 0);
}

/* The component that the series belongs to: the label that is named as a kind. */
static bool find_owner(const char *labels, enum hf_kind *ret_kind, char *ret_id, size_t room)
{
    char name[TEXT_MAX];
    for (const char *at = labels; (at = hf_status_label(at, name, ret_id, room)) != NULL;) {
        for (int kind = 0; kind < HF_KIND_COUNT; kind++) {
            if (strcmp(name, hf_status_kind((enum hf_kind)kind)) == 0) {
                *ret_kind = (enum hf_kind)kind;
                return true;
            }
        }
    }
    return false;
}

static bool reserve(struct hf_status_counters *counters)
{
    return counters->count < HF_STATUS_COUNTERS_MAX * 2 &&
           hf_grow(&counters->items, &counters->capacity, counters->count + 1,
                   sizeof(*counters->items));
}

static void add(void *user, const struct hf_metric_view *look)
{
    struct hf_status_counters *counters = user;
    struct hf_status_counter counter = {.value = (double)look->value * look->scale};
    char id[TEXT_MAX];
    if (look->type == HF_HISTOGRAM || !find_owner(look->labels, &counter.kind, id, sizeof(id))) {
        return;
    }
    size_t id_size = strlen(id) + 1, name_size = strlen(look->name) + 1;
    size_t labels_size = strlen(look->labels) + 1;
    counter.text = reserve(counters) ? malloc(id_size + name_size + labels_size) : NULL;
    if (counter.text == NULL) {
        counters->is_cut = true;
        return;
    }
    memcpy(counter.text, id, id_size);
    memcpy(counter.text + id_size, look->name, name_size);
    memcpy(counter.text + id_size + name_size, look->labels, labels_size);
    counter.id = counter.text;
    counter.name = counter.text + id_size;
    counter.labels = counter.text + id_size + name_size;
    counters->items[counters->count++] = counter;
}

static int compare_owner(const struct hf_status_counter *counter, enum hf_kind kind, const char *id)
{
    return counter->kind != kind ? (counter->kind < kind ? -1 : 1) : strcmp(counter->id, id);
}

static int compare(const void *a, const void *b)
{
    const struct hf_status_counter *one = a, *other = b;
    int owner = compare_owner(one, other->kind, other->id);
    int name = owner != 0 ? owner : strcmp(one->name, other->name);
    return name != 0 ? name : strcmp(one->labels, other->labels);
}

void hf_status_counters_take(struct hf_metrics *metrics, struct hf_status_counters *ret_counters)
{
    *ret_counters = (struct hf_status_counters){.is_cut = false};
    hf_metrics_walk(metrics, add, ret_counters);
    if (ret_counters->count > 1) {
        qsort(ret_counters->items, ret_counters->count, sizeof(*ret_counters->items), compare);
    }
}

void hf_status_counters_release(struct hf_status_counters *counters)
{
    for (size_t i = 0; i < counters->count; i++) {
        free(counters->items[i].text);
    }
    free(counters->items);
}

const struct hf_status_counter *hf_status_counters_of(const struct hf_status_counters *counters,
                                                      enum hf_kind kind, const char *id,
                                                      size_t *ret_count)
{
    size_t low = 0, high = counters->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_owner(&counters->items[middle], kind, id) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    size_t end = low;
    while (end < counters->count && compare_owner(&counters->items[end], kind, id) == 0) {
        end++;
    }
    *ret_count = end - low;
    return end > low ? &counters->items[low] : NULL;
}
