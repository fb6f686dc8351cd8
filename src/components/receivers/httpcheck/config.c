#include "config.h"

#include <stdio.h>
#include <string.h>

#include <holdfast/component.h>

#include "validations.h"

#define AT(member) offsetof(struct httpcheck_config, member)
#define TARGET(member) offsetof(struct httpcheck_target, member)
#define VALIDATION(member) offsetof(struct httpcheck_validation, member)

static const char *check_urls(const struct httpcheck_target *target)
{
    const char *one = target->http.endpoint;
    if ((one == NULL || one[0] == '\0') && target->endpoints.count == 0) {
        return "targets: \"endpoint\" or \"endpoints\" must be specified";
    }
    for (size_t i = 0; i < target->endpoints.count; i++) {
        if (!hf_http_is_url(target->endpoints.items[i])) {
            return "targets: endpoints: expected http://host:port/path or https://... each";
        }
    }
    return NULL;
}

const char *httpcheck_check(const void *from)
{
    static char why[HF_ERROR_MAX]; /* the main thread's */
    const struct httpcheck_config *config = from;
    const struct httpcheck_target *targets = config->targets.items;
    const char *wrong = config->targets.count == 0 ? "targets: no targets configured" : NULL;
    for (size_t i = 0; i < config->targets.count && wrong == NULL; i++) {
        struct httpcheck_validations *validations = NULL;
        wrong = check_urls(&targets[i]);
        wrong = wrong == NULL ? hf_http_client_check(&targets[i].http) : wrong;
        if (wrong == NULL &&
            httpcheck_validations_new(&targets[i].validations, &validations, why) != HF_OK) {
            wrong = why;
        }
        httpcheck_validations_free(validations);
    }
    return wrong;
}

static const char *expect_method(const char *key, const char *text)
{
    size_t size = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-");
    (void)key;
    return size != 0 && size < 32 && text[size] == '\0' ? NULL : "a method such as GET or POST";
}

static const struct hf_field validation_fields[] = {
    {.key = "contains",
     .type = HF_FIELD_STRING,
     .offset = VALIDATION(contains),
     .help = "A text that the body has."},
    {.key = "not_contains",
     .type = HF_FIELD_STRING,
     .offset = VALIDATION(not_contains),
     .help = "A text that it does not have."},
    {.key = "json_path",
     .type = HF_FIELD_STRING,
     .offset = VALIDATION(json_path),
     .help = "Names and indices with dots between them, such as items.0.name, of what a JSON body "
             "has; a backslash before a dot that belongs to a name."},
    {.key = "equals",
     .type = HF_FIELD_STRING,
     .offset = VALIDATION(equals),
     .help = "The value at json_path, as text; absent: any."},
    {.key = "max_size",
     .type = HF_FIELD_INT,
     .offset = VALIDATION(max_size),
     .present_offset = VALIDATION(has_max_size),
     .min = 0,
     .max = 1e15,
     .help = "Most bytes of the body."},
    {.key = "min_size",
     .type = HF_FIELD_INT,
     .offset = VALIDATION(min_size),
     .present_offset = VALIDATION(has_min_size),
     .min = 0,
     .max = 1e15,
     .help = "Fewest bytes of the body."},
    {.key = "regex",
     .type = HF_FIELD_STRING,
     .offset = VALIDATION(regex),
     .help = "A regular expression that matches in the body."},
    HF_FIELDS_END,
};

static const struct hf_field target_fields[] = {
    {.key = "endpoint",
     .type = HF_FIELD_STRING,
     .offset = TARGET(http.endpoint),
     .validate = hf_http_client_expect_url,
     .help = "The URL to check."},
    {.key = "endpoints",
     .type = HF_FIELD_STRING_LIST,
     .offset = TARGET(endpoints),
     .help = "URLs to check in the same way, beside endpoint."},
    {.key = "method",
     .type = HF_FIELD_STRING,
     .offset = TARGET(method),
     .default_text = "GET",
     .validate = expect_method,
     .help = "The method of the request."},
    {.key = "body",
     .type = HF_FIELD_STRING,
     .offset = TARGET(body),
     .help = "The body of the request."},
    {.key = "auto_content_type",
     .type = HF_FIELD_BOOL,
     .offset = TARGET(auto_content_type),
     .default_text = "false",
     .help = "Guess the Content-Type of the body, unless headers have one: JSON, a form or text."},
    {.key = "timeout",
     .type = HF_FIELD_DURATION,
     .offset = TARGET(timeout_ns),
     .default_text = "0s",
     .help = "Longest time of a check; 0: 30s."},
    {.key = "validations",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = TARGET(validations),
     .inner = validation_fields,
     .inner_size = sizeof(struct httpcheck_validation),
     .help = "Conditions for the first 4 MiB of the answer's body (64 KiB when its status is not "
             "2xx), counted by httpcheck.validation.passed and httpcheck.validation.failed."},
    HF_HTTP_CLIENT_FIELDS(struct httpcheck_target, http),
    HF_HTTP_COMPRESSION_FIELDS(struct httpcheck_target, http, "none"),
    HF_FIELDS_END,
};

static const struct hf_field metric_fields[] = {HTTPCHECK_METRICS(HF_METRIC_FIELD) HF_FIELDS_END};

const struct hf_field httpcheck_fields[] = {
    HF_SCRAPER_FIELDS("1m"),
    {.key = "targets",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = AT(targets),
     .inner = target_fields,
     .inner_size = sizeof(struct httpcheck_target),
     .required = true,
     .help = "What is checked, all at once."},
    {.key = "metrics",
     .type = HF_FIELD_STRUCT,
     .offset = AT(wanted.metrics),
     .inner = metric_fields,
     .help = "Which metrics are reported."},
    HF_FIELDS_END,
};
