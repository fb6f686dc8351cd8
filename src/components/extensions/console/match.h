/*
 * match: does a record have what was asked for? Records are OTLP/JSON trees. Any thread; no state.
 */
#pragma once

#include <stdbool.h>

#include "json/json.h"

struct hf_console_filter {
    const char *trace;       /* hex; NULL: any */
    const char *service;     /* of service.name; NULL: any */
    const char *key, *value; /* an attribute of anything in the record; a value NULL: any */
};

/* Is anything asked for? */
bool hf_console_filter_is_set(const struct hf_console_filter *filter);
/* `record` NULL: one that cannot be read; false. */
bool hf_console_matches(const struct hf_console_filter *filter, const struct hf_json *record);

/* The value of an attribute ({"stringValue": ...}) as text, at most `room`; lists and maps are
 * "[...]" and "{...}". */
void hf_console_value_text(const struct hf_json *value, char *out, size_t room);
/* The value of the attribute with that key in a list of them; NULL: none. */
const struct hf_json *hf_console_attribute(const struct hf_json *attributes, const char *key);
