/*
 * oauth: credentials by OAuth 2.0 and TLS of an HTTP client, from Prometheus' keys to those of the
 * shared layers. No state.
 */
#pragma once

#include "config_discovery.h"
#include "support/tokens/oauth2_request.h"
#include "util/tls/tls.h"

/* The texts are borrowed. */
struct hf_tls_config prom_tls_of(const struct prom_tls *tls);
struct hf_oauth2_config prom_oauth2_of(const struct prom_oauth2 *oauth2);
/* NULL, or what is wrong with its keys. */
const char *prom_oauth2_check(const struct prom_oauth2 *oauth2);
