#include "certificate_metrics.h"

#include <stdlib.h>
#include <string.h>

#include "status/words.h"
#include "util/time/clock.h"
#include "util/tls/certificate.h"

#define READ_NS (60 * HF_NS_PER_S)
#define ROWS_MAX 256u /* more have no gauge */

/* A key of a component: a series of its own, which stays when the configuration changes. */
struct row {
    struct hf_series *series;
    uint64_t until_s; /* 0: it cannot be read */
    bool is_named;    /* by the present configuration */
};

struct hf_certificate_metrics {
    struct hf_metrics *metrics;
    uint64_t read_ns; /* monotonic; 0: not since the configuration changed */
    struct row rows[ROWS_MAX];
    size_t count;
};

enum hf_status hf_certificate_metrics_new(struct hf_metrics *metrics,
                                          struct hf_certificate_metrics **ret_metrics)
{
    struct hf_certificate_metrics *made = calloc(1, sizeof(*made));
    if (made == NULL) {
        return HF_NOMEM;
    }
    made->metrics = metrics;
    *ret_metrics = made;
    return HF_OK;
}

void hf_certificate_metrics_free(struct hf_certificate_metrics *metrics)
{
    free(metrics);
}

void hf_certificate_metrics_forget(struct hf_certificate_metrics *metrics)
{
    metrics->read_ns = 0;
}

static struct row *row_of(struct hf_certificate_metrics *metrics,
                          const struct hf_config_certificate *certificate)
{
    static const struct hf_metric_family family = {
        .name = "holdfast_certificate_seconds_until_expiry",
        .type = HF_GAUGE,
        .unit = "s",
        .help = "Until the component's certificate expires: its own, or the last of its "
                "authorities; negative: expired, 0: it cannot be read."};
    const struct hf_label labels[] = {{"kind", hf_status_kind(certificate->component->kind)},
                                      {"component", certificate->component->id},
                                      {"key", certificate->key},
                                      {NULL, NULL}};
    struct hf_series *series = hf_metrics_series(metrics->metrics, &family, labels);
    for (size_t i = 0; i < metrics->count; i++) {
        if (metrics->rows[i].series == series) {
            return &metrics->rows[i];
        }
    }
    if (series == NULL || metrics->count == ROWS_MAX) {
        return NULL;
    }
    metrics->rows[metrics->count] = (struct row){.series = series};
    return &metrics->rows[metrics->count++];
}

static uint64_t read_until_s(const struct hf_config_certificate *certificate)
{
    struct hf_certificate_look look;
    enum hf_status status = certificate->is_pem
                                ? hf_certificate_read(hf_slice_text(certificate->text), &look)
                                : hf_certificate_read_file(certificate->text, &look);
    bool is_own = strncmp(certificate->key, "cert_", 5) == 0;
    return status != HF_OK ? 0 : is_own ? look.until_s : look.last_until_s;
}

/* A component may have several of a key: the one that expires first counts. */
static void note(void *user, const struct hf_config_certificate *certificate)
{
    struct row *row = row_of(user, certificate);
    if (row == NULL) {
        return;
    }
    uint64_t until_s = read_until_s(certificate);
    if (!row->is_named || until_s < row->until_s) {
        row->until_s = until_s;
    }
    row->is_named = true;
}

void hf_certificate_metrics_show(struct hf_certificate_metrics *metrics,
                                 const struct hf_config *config, uint64_t unix_s,
                                 uint64_t monotonic_ns)
{
    if (metrics->read_ns == 0 || monotonic_ns - metrics->read_ns >= READ_NS) {
        metrics->read_ns = monotonic_ns;
        for (size_t i = 0; i < metrics->count; i++) {
            metrics->rows[i].is_named = false;
        }
        hf_config_each_certificate(config, note, metrics);
    }
    for (size_t i = 0; i < metrics->count; i++) {
        const struct row *row = &metrics->rows[i];
        int64_t left_s = row->until_s != 0 ? (int64_t)row->until_s - (int64_t)unix_s : 0;
        hf_series_set(row->series, row->is_named ? left_s : HF_CERTIFICATE_NONE_S);
    }
}
