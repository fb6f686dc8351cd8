/*
 * match: is what was expected in what came? Pure; any thread.
 *
 * An expected map has some of the keys of the other; a list, some of its elements; a scalar is the
 * same. Attributes are written as a map of names and plain values, and so is a resource. Keys are
 * compared without case and underscores (startTimeUnixNano, start_time_unix_nano).
 */
#pragma once

#include <holdfast/field.h>

#include "json/json.h"

/* An item as a test sees it: a span, data point or log record, with where it stands. */
struct hf_test_item {
    const struct hf_json *resource, *scope, *metric; /* NULL: there is none */
    const struct hf_json *item;
};

/* `wanted` is a map: the keys resource, scope and metric are about where the item stands, all
 * others are the item's own. */
bool hf_test_matches(const struct hf_value *wanted, const struct hf_test_item *item);

/* Shows each item of an Export request in OTLP/JSON. */
void hf_test_items(const struct hf_json *request,
                   void (*visit)(void *user, const struct hf_test_item *item), void *user);
