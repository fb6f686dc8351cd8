#include "missing_ca.h"

void hf_warn_of_missing_ca(const struct hf_node *node, const struct hf_tls_config *config)
{
    if (hf_tls_ca_is_missing(config)) {
        hf_node_log_keys(node, HF_LOG_WARN,
                         "tls: ca_file does not exist; data waits in the queue until it does",
                         HF_LOG_KEYS(HF_LOG_TEXT("ca_file", config->ca_file)));
    }
}
