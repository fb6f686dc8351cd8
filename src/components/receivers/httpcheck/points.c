#include "points.h"

#include <string.h>

#include "pdata/any_make.h"
#include "pdata/build_metrics.h"
#include "util/time/clock.h"
#include "validations.h"

#define SCOPE "github.com/open-telemetry/opentelemetry-collector-contrib/receiver/httpcheckreceiver"
#define NAMES_BYTES_MAX ((size_t)1 << 20)
#define CLASSES 5

const struct hf_metric_row httpcheck_rows[] = {HTTPCHECK_METRICS(HF_METRIC_ROW)};

struct points {
    struct hf_builder *builder;
    uint64_t begun_ns;
    uint32_t count;
};

static void text(struct points *points, const char *key, const char *value)
{
    hf_build_attribute_string(points->builder, hf_slice_text(key), hf_slice_text(value));
}

/* Opens a point with its URL; attributes and hf_build_end() follow. */
static void open_point(struct points *points, const struct httpcheck_url *url, int64_t value)
{
    const struct hf_build_point point = {.start_ns = points->begun_ns, .time_ns = url->time_ns};
    hf_build_point_int(points->builder, &point, value);
    text(points, "http.url", url->url);
    points->count++;
}

static void add_point(struct points *points, const struct httpcheck_url *url, uint64_t value)
{
    open_point(points, url, (int64_t)value);
    hf_build_end(points->builder);
}

static void add_status(struct points *points, const struct httpcheck_url *url)
{
    static const char *const classes[CLASSES] = {"1xx", "2xx", "3xx", "4xx", "5xx"};
    for (int i = 0; i < CLASSES; i++) {
        bool is_it = url->status == HF_OK && url->code / 100 == i + 1;
        open_point(points, url, is_it ? 1 : 0);
        if (is_it) {
            hf_build_attribute_int(points->builder, hf_slice_text("http.status_code"), url->code);
        }
        text(points, "http.method", url->peer->target->method);
        text(points, "http.status_class", classes[i]);
        hf_build_end(points->builder);
    }
}

static void add_error(struct points *points, const struct httpcheck_url *url)
{
    if (url->status != HF_OK) {
        open_point(points, url, 1);
        text(points, "error.message", url->error);
        hf_build_end(points->builder);
    }
}

static void add_certificate(struct points *points, const struct httpcheck_url *url)
{
    const struct hf_certificate_names *names = &url->certificate;
    struct hf_arena arena = {.limit = NAMES_BYTES_MAX};
    struct hf_any_maker maker = {.arena = &arena};
    struct hf_slice values[HF_CERTIFICATE_NAMES_MAX];
    if (!url->has_certificate) {
        return;
    }
    for (size_t i = 0; i < names->name_count; i++) {
        values[i] = hf_any_make_string(&maker, hf_slice_text(names->names[i]));
    }
    struct hf_slice list = hf_any_make_list(&maker, values, names->name_count);
    open_point(points, url, names->until_s - (int64_t)(url->time_ns / HF_NS_PER_S));
    text(points, "http.tls.issuer", names->issuer);
    text(points, "http.tls.cn", names->common_name);
    if (!maker.failed) {
        hf_build_attribute_value(points->builder, hf_slice_text("http.tls.san"), list);
    }
    hf_build_end(points->builder);
    hf_arena_release(&arena);
}

static void add_validations(struct points *points, const struct httpcheck_url *url, bool passed)
{
    struct httpcheck_verdict verdict;
    if (url->status != HF_OK || url->peer->target->validations.count == 0) {
        return;
    }
    httpcheck_validate(url->peer->validations, hf_slice_of(url->body.data, url->body.size),
                       url->body_bytes, &verdict);
    for (int i = 0; i < HTTPCHECK_KIND_COUNT; i++) {
        uint32_t number = passed ? verdict.passed[i] : verdict.failed[i];
        if (number != 0) {
            open_point(points, url, number);
            text(points, "validation.type", httpcheck_kinds[i]);
            hf_build_end(points->builder);
        }
    }
}

static void add(struct points *points, enum httpcheck_metric metric,
                const struct httpcheck_url *url)
{
    const struct hf_http_facts *facts = &url->facts;
    switch (metric) {
    case HC_CONNECTION:
        open_point(points, url, (int64_t)facts->connect_ns);
        text(points, "network.transport", "tcp");
        hf_build_end(points->builder);
        break;
    case HC_REQUEST:
        add_point(points, url, facts->request_ns);
        break;
    case HC_LOOKUP:
        add_point(points, url, facts->lookup_ns);
        break;
    case HC_DURATION:
        add_point(points, url, (url->end_ns - url->begin_ns) / HF_NS_PER_MS);
        break;
    case HC_ERROR:
        add_error(points, url);
        break;
    case HC_RESPONSE:
        add_point(points, url, facts->response_ns);
        break;
    case HC_SIZE:
        if (url->body_bytes != 0) {
            add_point(points, url, url->body_bytes);
        }
        break;
    case HC_STATUS:
        add_status(points, url);
        break;
    case HC_CERTIFICATE:
        add_certificate(points, url);
        break;
    case HC_HANDSHAKE:
        add_point(points, url, facts->handshake_ns);
        break;
    case HC_FAILED:
    case HC_PASSED:
        add_validations(points, url, metric == HC_PASSED);
        break;
    case HTTPCHECK_METRIC_COUNT:
    default:
        break;
    }
}

uint32_t httpcheck_points_write(struct hf_builder *builder, const struct httpcheck_wanted *wanted,
                                const struct httpcheck_url *urls, size_t count, uint64_t begun_ns)
{
    struct points points = {.builder = builder, .begun_ns = begun_ns};
    hf_build_resource(builder, HF_EMPTY_SLICE);
    hf_build_scope(builder, hf_slice_text(SCOPE), hf_slice_text(HF_VERSION));
    for (int metric = 0; metric < HTTPCHECK_METRIC_COUNT; metric++) {
        if (!wanted->metrics[metric].enabled) {
            continue;
        }
        hf_metric_open(builder, &httpcheck_rows[metric]);
        for (size_t i = 0; i < count; i++) {
            if (urls[i].status != HF_CLOSED) {
                add(&points, (enum httpcheck_metric)metric, &urls[i]);
            }
        }
    }
    return points.count;
}
