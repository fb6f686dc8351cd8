/*
 * server_tls: the server's TLS.
 */
#include <stdio.h>

#include <holdfast/component.h>

#include "server_internal.h"

enum hf_status hf_http_tls_new(const struct hf_http_server_options *options,
                               struct http_tls **ret_tls, char *reterr)
{
    (void)options;
    (void)ret_tls;
    snprintf(reterr, HF_ERROR_MAX, "tls: is not built in for HTTP servers");
    return HF_UNSUPPORTED;
}

void hf_http_tls_free(struct http_tls *tls)
{
    (void)tls;
}

void hf_http_tls_prepare(struct http_tls *tls, struct MHD_Connection *connection)
{
    (void)tls;
    (void)connection;
}
