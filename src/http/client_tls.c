/* The client's certificates, as texts that libcurl is given. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "client_tls.h"
#include "util/time/clock.h"

#define LOOK_NS (5 * HF_NS_PER_S)

static bool given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static void free_pems(struct hf_ref *ref)
{
    struct http_pems *pems = HF_CONTAINER(ref, struct http_pems, ref);
    for (size_t i = 0; i < HTTP_PEM_COUNT; i++) {
        free(pems->texts[i]);
    }
    free(pems);
}

void hf_http_pems_drop(struct http_pems *pems)
{
    hf_ref_drop(pems != NULL ? &pems->ref : NULL);
}

/* Where OpenSSL and Go look for the system's authorities, too, if it is set. */
static const char *system_file(void)
{
    const char *file = getenv("SSL_CERT_FILE");
    return given(file) ? file : curl_version_info(CURLVERSION_NOW)->cainfo;
}

/* Own authorities as a text keep libcurl from reading the system's file: both in one text. */
static enum hf_status add_system(char **text)
{
    char *more = NULL, error[HF_ERROR_MAX];
    const char *file = system_file();
    if (file == NULL || hf_file_watch_read(file, &more, error) != HF_OK) {
        return HF_OK; /* a system without any is no error */
    }
    size_t size = strlen(*text) + strlen(more) + 2;
    char *both = malloc(size);
    if (both != NULL) {
        snprintf(both, size, "%s\n%s", *text, more);
        free(*text);
        *text = both;
    }
    free(more);
    return both != NULL ? HF_OK : HF_NOMEM;
}

static enum hf_status read_pems(const struct http_client_tls *tls, struct http_pems **ret_pems,
                                char *reterr)
{
    const char *const texts[HTTP_PEM_COUNT] = {tls->config.ca_pem, tls->config.cert_pem,
                                               tls->config.key_pem};
    struct http_pems *pems = calloc(1, sizeof(*pems));
    enum hf_status status = pems != NULL ? HF_OK : HF_NOMEM;
    if (pems != NULL) {
        hf_ref_init(&pems->ref, free_pems);
    }
    for (size_t i = 0; i < HTTP_PEM_COUNT && status == HF_OK; i++) {
        if (i == HTTP_PEM_CA && tls->lacks_ca) {
            continue;
        }
        if (tls->watched[i].path != NULL) {
            status = hf_file_watch_read(tls->watched[i].path, &pems->texts[i], reterr);
        } else if (given(texts[i])) {
            pems->texts[i] = strdup(texts[i]);
            status = pems->texts[i] != NULL ? HF_OK : HF_NOMEM;
        }
    }
    if (status == HF_OK && pems->texts[HTTP_PEM_CA] != NULL &&
        tls->config.include_system_ca_certs_pool) {
        status = add_system(&pems->texts[HTTP_PEM_CA]);
    }
    if (status != HF_OK) {
        hf_http_pems_drop(pems);
        return status;
    }
    *ret_pems = pems;
    return HF_OK;
}

/* Reads what there is, and tries whether connections could be made with it. What comes between the
 * reading and the trying is a change that is seen at the next look. */
static enum hf_status load(struct http_client_tls *tls, char *reterr)
{
    struct http_pems *pems;
    struct hf_tls *tried = NULL;
    snprintf(reterr, HF_ERROR_MAX, "tls: no memory");
    tls->lacks_ca = (tls->current == NULL || tls->lacks_ca) && hf_tls_ca_is_missing(&tls->config);
    enum hf_status status = read_pems(tls, &pems, reterr);
    if (status != HF_OK) {
        return status;
    }
    bool any = pems->texts[HTTP_PEM_CA] != NULL || pems->texts[HTTP_PEM_CERT] != NULL;
    status = any ? hf_tls_new_client(&tls->config, "http/1.1", &tried, reterr) : HF_OK;
    hf_tls_free(tried);
    if (status != HF_OK) {
        hf_http_pems_drop(pems);
        return status;
    }
    hf_http_pems_drop(tls->current);
    tls->current = pems;
    return HF_OK;
}

static uint64_t look_interval_ns(const struct http_client_tls *tls)
{
    return tls->config.reload_interval_ns != 0 ? tls->config.reload_interval_ns : LOOK_NS;
}

static bool has_changed(struct http_client_tls *tls)
{
    uint64_t now_ns = hf_clock_coarse_ns(), interval_ns = look_interval_ns(tls);
    bool changed = false;
    for (size_t i = 0; i < HTTP_PEM_COUNT; i++) {
        changed = (tls->watched[i].path != NULL &&
                   hf_file_watch_changed(&tls->watched[i], now_ns, interval_ns)) ||
                  changed;
    }
    return changed;
}

enum hf_status hf_http_client_tls_init(struct http_client_tls *tls,
                                       const struct hf_tls_config *config, char *reterr)
{
    const char *const files[HTTP_PEM_COUNT] = {config->ca_file, config->cert_file,
                                               config->key_file};
    *tls = (struct http_client_tls){.config = *config};
    for (size_t i = 0; i < HTTP_PEM_COUNT; i++) {
        tls->watched[i].path = given(files[i]) ? files[i] : NULL;
    }
    (void)has_changed(tls); /* what is read next is the state to compare with */
    enum hf_status status =
        hf_tls_lists(config->cipher_suites, config->curve_preferences, &tls->lists, reterr);
    return status == HF_OK ? load(tls, reterr) : status;
}

void hf_http_client_tls_release(struct http_client_tls *tls)
{
    hf_http_pems_drop(tls->current);
    tls->current = NULL;
}

bool hf_http_client_tls_refresh(struct http_client_tls *tls, char *reterr)
{
    return !has_changed(tls) || load(tls, reterr) == HF_OK;
}

static long tls_version(const char *text, long none, bool is_max)
{
    static const struct {
        const char *name;
        long least, most;
    } versions[] = {{"1.0", CURL_SSLVERSION_TLSv1_0, CURL_SSLVERSION_MAX_TLSv1_0},
                    {"1.1", CURL_SSLVERSION_TLSv1_1, CURL_SSLVERSION_MAX_TLSv1_1},
                    {"1.2", CURL_SSLVERSION_TLSv1_2, CURL_SSLVERSION_MAX_TLSv1_2},
                    {"1.3", CURL_SSLVERSION_TLSv1_3, CURL_SSLVERSION_MAX_TLSv1_3}};
    for (size_t i = 0; text != NULL && i < sizeof(versions) / sizeof(versions[0]); i++) {
        if (strcmp(text, versions[i].name) == 0) {
            return is_max ? versions[i].most : versions[i].least;
        }
    }
    return none;
}

static void set_algorithms(CURL *easy, const struct http_client_tls *tls)
{
    const struct hf_tls_lists *lists = &tls->lists;
    const char *least = tls->config.min_version;
    char old[sizeof(lists->old) + 32];
    /* OpenSSL refuses the signatures of the first versions above that level. */
    bool ancient = given(least) && strcmp(least, "1.2") < 0;
    snprintf(old, sizeof(old), "%s%s", given(lists->old) ? lists->old : "DEFAULT",
             ancient ? ":@SECLEVEL=0" : "");
    if (given(lists->old) || ancient) {
        curl_easy_setopt(easy, CURLOPT_SSL_CIPHER_LIST, old);
    }
    if (given(lists->tls13)) {
        curl_easy_setopt(easy, CURLOPT_TLS13_CIPHERS, lists->tls13);
    }
    if (given(lists->curves)) {
        curl_easy_setopt(easy, CURLOPT_SSL_EC_CURVES, lists->curves);
    }
}

static void set_pem(CURL *easy, CURLoption option, char *text)
{
    if (text != NULL) {
        struct curl_blob blob = {text, strlen(text), CURL_BLOB_NOCOPY};
        curl_easy_setopt(easy, option, &blob);
    }
}

struct http_pems *hf_http_client_tls_apply(const struct http_client_tls *tls, CURL *easy)
{
    const struct hf_tls_config *config = &tls->config;
    struct http_pems *pems = tls->current;
    /* With MAX_DEFAULT libcurl 8.14 leaves CURLOPT_TLS13_CIPHERS aside; NONE says the same. */
    curl_easy_setopt(easy, CURLOPT_SSLVERSION,
                     tls_version(config->min_version, CURL_SSLVERSION_TLSv1_2, false) |
                         tls_version(config->max_version, CURL_SSLVERSION_MAX_NONE, true));
    set_algorithms(easy, tls);
    set_pem(easy, CURLOPT_CAINFO_BLOB, pems->texts[HTTP_PEM_CA]);
    set_pem(easy, CURLOPT_SSLCERT_BLOB, pems->texts[HTTP_PEM_CERT]);
    set_pem(easy, CURLOPT_SSLKEY_BLOB, pems->texts[HTTP_PEM_KEY]);
    bool own = pems->texts[HTTP_PEM_CA] != NULL || tls->lacks_ca;
    const char *system_directory = getenv("SSL_CERT_DIR");
    if (tls->lacks_ca) {
        curl_easy_setopt(easy, CURLOPT_CAINFO,
                         config->ca_file); /* libcurl says that it is missing */
    } else if (!own) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, system_file());
    }
    if (own && !config->include_system_ca_certs_pool) {
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    } else if (given(system_directory)) {
        curl_easy_setopt(easy, CURLOPT_CAPATH, system_directory);
    }
    /* The system's authorities are libcurl's to read, after whole seconds. */
    curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, (long)(look_interval_ns(tls) / HF_NS_PER_S));
    if (config->insecure_skip_verify) {
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    hf_ref_take(&pems->ref);
    return pems;
}
