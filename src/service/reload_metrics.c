#include "reload_metrics.h"

#include "util/time/clock.h"

void hf_reload_show(struct hf_metrics *metrics, bool succeeded)
{
    static const struct hf_metric_family families[] = {
        {.name = "holdfast_config_last_reload_successful",
         .type = HF_GAUGE,
         .help = "1: the configuration that was given last runs; 0: it was kept out, and the one "
                 "before it runs."},
        {.name = "holdfast_config_last_reload_success_timestamp_seconds",
         .type = HF_GAUGE,
         .help = "When the configuration that runs was taken, in Unix time."}};
    struct hf_series *successful = hf_metrics_series(metrics, &families[0], NULL);
    struct hf_series *time = hf_metrics_series(metrics, &families[1], NULL);
    if (successful != NULL) {
        hf_series_set(successful, succeeded ? 1 : 0);
    }
    if (time != NULL && succeeded) {
        hf_series_set(time, (int64_t)(hf_clock_unix_ns() / HF_NS_PER_S));
    }
}
