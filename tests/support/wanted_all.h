/*
 * wanted_all: every metric and every resource attribute is reported, for tests of what reads
 * answers. Include it in any test; no state.
 */
#pragma once

#include <stddef.h>

#include "support/scrape/metric_table.h"

static inline void want_metrics(struct hf_metric_choice *choices, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        choices[i] = (struct hf_metric_choice){.enabled = true};
    }
}

static inline void want_resources(struct hf_resource_choice *choices, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        choices[i] = (struct hf_resource_choice){.enabled = true};
    }
}

/* Of arrays, not of pointers. */
#define WANT_METRICS(choices) want_metrics(choices, sizeof(choices) / sizeof((choices)[0]))
#define WANT_RESOURCES(choices) want_resources(choices, sizeof(choices) / sizeof((choices)[0]))
