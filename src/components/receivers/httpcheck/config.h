/*
 * config: the keys of httpcheck. Immutable after loading.
 */
#pragma once

#include "metrics.h"
#include "support/scrape/scraper.h"
#include "support/settings/confighttp.h"

/* One condition for the body of an answer; several of one entry are conditions of their own. */
struct httpcheck_validation {
    const char *contains, *not_contains, *json_path, *equals, *regex;
    int64_t max_size, min_size;
    bool has_max_size, has_min_size;
};

struct httpcheck_target {
    struct hf_http_client_config http;
    struct hf_string_list endpoints;
    const char *method, *body;
    bool auto_content_type;
    uint64_t timeout_ns;
    struct hf_struct_list validations; /* of struct httpcheck_validation */
};

struct httpcheck_config {
    struct hf_scraper_config scraper; /* first: the scraper's */
    struct hf_struct_list targets;    /* of struct httpcheck_target */
    struct httpcheck_wanted wanted;
};

extern const struct hf_field httpcheck_fields[];

/* NULL, or one sentence that names the key. */
const char *httpcheck_check(const void *config);
