/*
 * probe_server: is a server there? Its name, its port, its certificate, one after the other; the
 * first that fails ends it. The main thread; each step takes at most the probe's timeout.
 */
#pragma once

#include "probe.h"
#include "support/settings/configgrpc.h"
#include "support/settings/confighttp.h"

struct hf_probe_server {
    const char *host, *port;         /* without brackets; */
    const char *path;                /* or that of a Unix socket, NULL: none */
    const struct hf_tls_config *tls; /* NULL: cleartext */
    const char *alpn;                /* "h2", "http/1.1" or "" */
};

/* Steps dns, tcp and tls. */
void hf_probe_server(struct hf_probe *probe, const struct hf_probe_server *server);

/* The server that an endpoint or URL of that client names. One behind a proxy is not tried: a line
 * says so. `url` NULL: the client's endpoint. */
void hf_probe_grpc_client(struct hf_probe *probe, const struct hf_grpc_client_config *config);
void hf_probe_http_client(struct hf_probe *probe, const struct hf_http_client_config *config,
                          const char *url);

/* Certificate, key and authority of a server that this process is; NULL: it has no TLS. */
void hf_probe_own_tls(struct hf_probe *probe, const struct hf_tls_config *tls);
