#include "oauth.h"

#include <string.h>

#include "util/time/clock.h"

/* A token is renewed that long before its end. */
#define EXPIRY_BUFFER_NS (60 * HF_NS_PER_S)

/* "TLS12" as "1.2" */
static const char *version_of(const char *name)
{
    static const struct {
        const char *name, *version;
    } versions[] = {{"TLS10", "1.0"}, {"TLS11", "1.1"}, {"TLS12", "1.2"}, {"TLS13", "1.3"}};
    for (size_t i = 0; name != NULL && i < sizeof(versions) / sizeof(versions[0]); i++) {
        if (strcmp(versions[i].name, name) == 0) {
            return versions[i].version;
        }
    }
    return NULL;
}

struct hf_tls_config prom_tls_of(const struct prom_tls *tls)
{
    return (struct hf_tls_config){
        .ca_file = tls->ca_file,
        .ca_pem = tls->ca,
        .cert_file = tls->cert_file,
        .cert_pem = tls->cert,
        .key_file = tls->key_file,
        .key_pem = tls->key,
        .min_version = version_of(tls->min_version),
        .max_version = version_of(tls->max_version),
        .insecure_skip_verify = tls->insecure_skip_verify,
        .server_name_override = tls->server_name,
    };
}

struct hf_oauth2_config prom_oauth2_of(const struct prom_oauth2 *oauth2)
{
    return (struct hf_oauth2_config){
        .client_id = oauth2->client_id,
        .client_secret = oauth2->client_secret,
        .client_secret_file = oauth2->client_secret_file,
        .token_url = oauth2->token_url,
        .scopes = oauth2->scopes,
        .endpoint_params = oauth2->endpoint_params,
        .tls = prom_tls_of(&oauth2->tls),
        .expiry_buffer_ns = EXPIRY_BUFFER_NS,
        .proxy_url = oauth2->proxy_url,
    };
}

const char *prom_oauth2_check(const struct prom_oauth2 *oauth2)
{
    const struct hf_oauth2_config config = prom_oauth2_of(oauth2);
    if (oauth2->client_secret != NULL && oauth2->client_secret_file != NULL) {
        return "oauth2 has both client_secret and client_secret_file; remove one";
    }
    return hf_oauth2_check(&config);
}
