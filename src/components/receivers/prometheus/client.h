/*
 * client: an HTTP client of the receiver with its credentials; request.h makes and uses it.
 */
#pragma once

#include "config_discovery.h"
#include "http/client.h"
#include "support/tokens/oauth2.h"
#include "util/file_watch.h"

struct prom_receiver;

/* A header with a secret in a file. */
struct prom_secret {
    struct hf_file_watch file; /* path NULL: none */
    char *text;
};

/* A client for targets or for a server of discovery, with its credentials. */
struct prom_client {
    struct prom_receiver *receiver;
    const char *what; /* the job's name, for the log */
    const struct prom_http *http;
    struct hf_http_client *client;
    struct hf_tls_config tls;
    struct prom_secret username, password, credentials;
    struct hf_oauth2 *oauth2; /* NULL: none */
    struct hf_oauth2_config oauth2_config;
    char oauth2_what[128];
};
