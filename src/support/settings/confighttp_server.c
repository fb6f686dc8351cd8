#include "confighttp_server.h"

#include <string.h>

const char *hf_server_expect_mode(const char *key, const char *text)
{
    size_t size = strspn(text, "01234567");
    (void)key;
    return text[size] == '\0' && (size == 3 || (size == 4 && text[0] == '0'))
               ? NULL
               : "an octal mode such as \"0660\"";
}

const char *hf_http_server_check(const struct hf_http_server_config *config)
{
    return config->tls != NULL ? hf_tls_server_check(config->tls) : NULL;
}

struct hf_http_server_options hf_http_server_options(const struct hf_http_server_config *config)
{
    return (struct hf_http_server_options){
        .listen_fd = -1,
        .body_time_ns = config->read_timeout_ns,
        .body_rate = config->min_read_rate,
        .connections_max = (size_t)config->max_connections,
        .connections_per_peer_max = (size_t)config->max_connections_per_peer,
        .tls = config->tls,
        .cors = config->cors,
        .response_headers = config->response_headers.count != 0 ? &config->response_headers : NULL,
        .compression_algorithms =
            config->compression_algorithms_written ? &config->compression_algorithms : NULL,
    };
}
