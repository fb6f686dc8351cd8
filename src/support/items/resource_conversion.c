#include "resource_conversion.h"

#include <stddef.h>
#include <string.h>

#define AT(member) offsetof(struct hf_resource_conversion, member)

const char *hf_resource_conversion_check(const struct hf_resource_conversion *conversion)
{
    bool is_old = conversion->enabled || conversion->exclude_service_attributes;
    bool is_new = conversion->included.count != 0 || conversion->excluded.count != 0;
    return is_old && is_new ? "resource_to_telemetry_conversion: enabled and "
                              "exclude_service_attributes exclude included and excluded; use "
                              "the latter"
                            : NULL;
}

const char *hf_resource_labels_check(const struct hf_resource_conversion *conversion,
                                     const struct hf_resource_conversion *constant)
{
    bool is_old =
        hf_resource_conversion_is_on(conversion) || conversion->exclude_service_attributes;
    if (is_old && hf_resource_conversion_is_on(constant)) {
        return "resource_to_telemetry_conversion and resource_constant_labels are the same; use "
               "the latter";
    }
    return hf_resource_conversion_check(conversion);
}

bool hf_resource_conversion_is_on(const struct hf_resource_conversion *conversion)
{
    return conversion->enabled || conversion->included.count != 0 ||
           conversion->excluded.count != 0;
}

const struct hf_resource_conversion *
hf_resource_labels_of(const struct hf_resource_conversion *conversion,
                      const struct hf_resource_conversion *constant)
{
    return hf_resource_conversion_is_on(constant) ? constant : conversion;
}

bool hf_is_service_identity(struct hf_slice key)
{
    return hf_slice_is(key, "service.name") || hf_slice_is(key, "service.namespace") ||
           hf_slice_is(key, "service.instance.id");
}

/* `*` takes any text and `?` any character; all else is itself. */
static bool matches(struct hf_slice text, const char *pattern)
{
    const char *star = NULL;
    size_t at = 0, again = 0;
    while (at < text.size) {
        if (*pattern == '*') {
            star = ++pattern;
            again = at;
        } else if (*pattern != '\0' && (*pattern == '?' || (uint8_t)*pattern == text.data[at])) {
            pattern++;
            at++;
        } else if (star != NULL) {
            pattern = star;
            at = ++again;
        } else {
            return false;
        }
    }
    return pattern[strspn(pattern, "*")] == '\0';
}

static bool is_in(const struct hf_string_list *patterns, struct hf_slice key)
{
    for (size_t i = 0; i < patterns->count; i++) {
        if (matches(key, patterns->items[i])) {
            return true;
        }
    }
    return false;
}

bool hf_resource_conversion_takes(const struct hf_resource_conversion *conversion,
                                  struct hf_slice key)
{
    if (conversion->enabled) {
        return !(conversion->exclude_service_attributes && hf_is_service_identity(key));
    }
    if (is_in(&conversion->excluded, key)) {
        return false;
    }
    return conversion->included.count != 0 ? is_in(&conversion->included, key)
                                           : conversion->excluded.count != 0;
}

/* clang-format off */
#define PATTERN_FIELDS                                                                             \
    {.key = "included",                                                                            \
     .type = HF_FIELD_STRING_LIST,                                                                 \
     .offset = AT(included),                                                                       \
     .help = "Instead of enabled: the attributes, by name or by patterns with * and ?."},          \
    {.key = "excluded",                                                                            \
     .type = HF_FIELD_STRING_LIST,                                                                 \
     .offset = AT(excluded),                                                                       \
     .help = "Those that are left out, likewise; without included: all others are converted."}
/* clang-format on */

const struct hf_field hf_resource_conversion_fields[] = {
    {.key = "enabled",
     .type = HF_FIELD_BOOL,
     .offset = AT(enabled),
     .help = "All attributes of the resource, over those of the data point."},
    {.key = "exclude_service_attributes",
     .type = HF_FIELD_BOOL,
     .offset = AT(exclude_service_attributes),
     .help = "Not service.name, service.namespace and service.instance.id."},
    PATTERN_FIELDS,
    HF_FIELDS_END,
};

const struct hf_field hf_resource_constant_fields[] = {
    PATTERN_FIELDS,
    HF_FIELDS_END,
};
