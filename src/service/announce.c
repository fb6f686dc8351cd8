#include "announce.h"

#include <stdio.h>

#include "reload_metrics.h"
#include "storage/storage.h"
#include "util/log/log.h"

void hf_announce_reload(struct hf_announce *announce, const struct hf_host *host, bool succeeded)
{
    announce->is_kept_out = !succeeded;
    hf_reload_show(host->metrics, succeeded);
}

void hf_announce_ready(struct hf_announce *announce, const struct hf_host *host)
{
    char why[HF_ERROR_MAX];
    if (hf_storage_is_healthy(host->store, why, sizeof(why))) {
        hf_log_keys(host->log, HF_LOG_INFO, "service",
                    "Everything is ready. Begin running and processing data.",
                    HF_LOG_KEYS(HF_LOG_TEXT("data_directory", hf_storage_directory(host->store))));
    } else {
        hf_log_keys(host->log, HF_LOG_ERROR, "service",
                    "Running, but not ready; retrying until it works",
                    HF_LOG_KEYS(HF_LOG_TEXT("error", why),
                                HF_LOG_TEXT("data_directory", hf_storage_directory(host->store))));
    }
    hf_notify_ready(&announce->notify);
    hf_announce_state(announce, host);
}

void hf_announce_state(struct hf_announce *announce, const struct hf_host *host)
{
    char why[HF_ERROR_MAX], text[HF_ERROR_MAX + 16];
    hf_notify_alive(&announce->notify);
    if (announce->notify.address_bytes == 0) {
        return;
    }
    if (!hf_storage_is_healthy(host->store, why, sizeof(why))) {
        snprintf(text, sizeof(text), "Not ready: %s", why);
        hf_notify_status(&announce->notify, text);
    } else if (announce->is_kept_out) {
        hf_notify_status(&announce->notify,
                         "Running with the configuration of before: the new one was kept out");
    } else {
        hf_notify_status(&announce->notify, "Running");
    }
}
