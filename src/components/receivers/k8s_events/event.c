#include "event.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "util/time/clock.h"

#define SCOPE_NAME                                                                                 \
    "github.com/open-telemetry/opentelemetry-collector-contrib/receiver/k8seventsreceiver"

static bool read_digits(const char *text, size_t count, int *ret_number)
{
    int number = 0;
    for (size_t i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
        number = number * 10 + (text[i] - '0');
    }
    *ret_number = number;
    return true;
}

/* Days since 1970-01-01 in the Gregorian calendar. */
static int64_t days_of(int year, int month, int day)
{
    int64_t y = year - (month <= 2);
    int64_t era = y / 400, of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* "Z", "+02:00": seconds east. */
static bool read_zone(const char *text, int *ret_seconds)
{
    int hours, minutes;
    *ret_seconds = 0;
    if (strcasecmp(text, "Z") == 0) {
        return true;
    }
    if (strlen(text) != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':' ||
        !read_digits(text + 1, 2, &hours) || !read_digits(text + 4, 2, &minutes)) {
        return false;
    }
    *ret_seconds = (hours * 3600 + minutes * 60) * (text[0] == '-' ? -1 : 1);
    return true;
}

bool k8s_event_parse_time(struct hf_slice text, uint64_t *ret_ns)
{
    char copy[48];
    int year, month, day, hour, minute, second, zone;
    if (text.size < 20 || text.size >= sizeof(copy)) {
        return false;
    }
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    if (!read_digits(copy, 4, &year) || !read_digits(copy + 5, 2, &month) ||
        !read_digits(copy + 8, 2, &day) || !read_digits(copy + 11, 2, &hour) ||
        !read_digits(copy + 14, 2, &minute) || !read_digits(copy + 17, 2, &second) || month < 1 ||
        month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60 ||
        year < 1970 || year > 2261) {
        return false;
    }
    uint64_t fraction = 0;
    const char *rest = copy + 19;
    if (*rest == '.') {
        uint64_t unit = HF_NS_PER_S / 10;
        for (rest++; *rest >= '0' && *rest <= '9'; rest++) {
            fraction += (uint64_t)(*rest - '0') * unit;
            unit /= 10;
        }
    }
    if (!read_zone(rest, &zone)) {
        return false;
    }
    int64_t seconds = days_of(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - zone;
    *ret_ns = seconds > 0 ? (uint64_t)seconds * HF_NS_PER_S + fraction : 0;
    return true;
}

uint64_t k8s_event_time(const struct hf_json *event)
{
    static const char *const keys[] = {"eventTime", "lastTimestamp", "firstTimestamp"};
    for (size_t i = 0; i < 3; i++) {
        uint64_t time_ns;
        if (k8s_event_parse_time(hf_json_text_of(event, keys[i]), &time_ns) && time_ns != 0) {
            return time_ns;
        }
    }
    return 0;
}

static uint32_t severity_of(struct hf_slice type)
{
    static const struct {
        const char *type;
        uint32_t number;
    } rows[] = {{"normal", 9}, {"warning", 13}, {"error", 17}, {"critical", 21}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (type.size == strlen(rows[i].type) &&
            strncasecmp((const char *)type.data, rows[i].type, type.size) == 0) {
            return rows[i].number;
        }
    }
    return 0;
}

/* "2006-01-02 15:04:05 +0000 UTC", as Go writes a time. */
static void put_start_time(struct hf_builder *builder, struct hf_slice created)
{
    char text[64];
    uint64_t time_ns;
    if (!k8s_event_parse_time(created, &time_ns)) {
        snprintf(text, sizeof(text), "0001-01-01 00:00:00 +0000 UTC");
    } else {
        snprintf(text, sizeof(text), "%.10s %.8s +0000 UTC", (const char *)created.data,
                 (const char *)created.data + 11);
    }
    hf_build_attribute_string(builder, hf_slice_text("k8s.event.start_time"), hf_slice_text(text));
}

static void put(struct hf_builder *builder, const char *key, const struct hf_json *from,
                const char *member)
{
    hf_build_attribute_string(builder, hf_slice_text(key), hf_json_text_of(from, member));
}

void k8s_event_build(struct hf_builder *builder, const struct hf_json *event, uint64_t observed_ns)
{
    const struct hf_json *object = hf_json_get(event, "involvedObject");
    const struct hf_json *metadata = hf_json_get(event, "metadata");
    struct hf_slice type = hf_json_text_of(event, "type");
    uint32_t severity = severity_of(type);
    hf_build_resource(builder, HF_EMPTY_SLICE);
    put(builder, "k8s.node.name", hf_json_get(event, "source"), "host");
    put(builder, "k8s.object.kind", object, "kind");
    put(builder, "k8s.object.name", object, "name");
    put(builder, "k8s.object.uid", object, "uid");
    put(builder, "k8s.object.fieldpath", object, "fieldPath");
    put(builder, "k8s.object.api_version", object, "apiVersion");
    put(builder, "k8s.object.resource_version", object, "resourceVersion");
    hf_build_scope(builder, hf_slice_text(SCOPE_NAME), hf_slice_text(HF_VERSION));
    const struct hf_build_log_record record = {
        .time_ns = k8s_event_time(event),
        .observed_ns = observed_ns,
        .severity_number = severity,
        .severity_text = severity != 0 ? type : HF_EMPTY_SLICE,
    };
    hf_build_log_record(builder, &record);
    hf_build_body_string(builder, hf_json_text_of(event, "message"));
    put(builder, "k8s.event.reason", event, "reason");
    put(builder, "k8s.event.action", event, "action");
    put_start_time(builder, hf_json_text_of(metadata, "creationTimestamp"));
    put(builder, "k8s.event.name", metadata, "name");
    put(builder, "k8s.event.uid", metadata, "uid");
    put(builder, "k8s.namespace.name", object, "namespace");
    int64_t count = hf_json_int(hf_json_get(event, "count"));
    if (count != 0) {
        hf_build_attribute_int(builder, hf_slice_text("k8s.event.count"), count);
    }
    hf_build_end(builder);
}
