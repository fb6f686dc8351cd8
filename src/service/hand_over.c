#include "hand_over.h"

#include <ctype.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <holdfast/component.h>

struct hf_hand_over {
    pthread_mutex_t lock;
    char *endpoint; /* NULL: to the backends */
    bool has_failed;
    char why[HF_ERROR_MAX];
};

/* What an exporter to the peer is configured like; its endpoint is set on the way. It names its
 * records: a peer that is a Holdfast stores none twice when an answer is lost. */
static const char peer_config[] = "receivers:\n"
                                  "  nop:\n"
                                  "exporters:\n"
                                  "  otlp:\n"
                                  "    endpoint: peer:4317\n"
                                  "    once: true\n"
                                  "service:\n"
                                  "  pipelines:\n"
                                  "    traces:\n"
                                  "      receivers: [nop]\n"
                                  "      exporters: [otlp]\n";

enum hf_status hf_hand_over_new(struct hf_hand_over **ret_hand_over)
{
    struct hf_hand_over *hand_over = calloc(1, sizeof(*hand_over));
    if (hand_over == NULL) {
        return HF_NOMEM;
    }
    pthread_mutex_init(&hand_over->lock, NULL);
    *ret_hand_over = hand_over;
    return HF_OK;
}

void hf_hand_over_free(struct hf_hand_over *hand_over)
{
    if (hand_over != NULL) {
        pthread_mutex_destroy(&hand_over->lock);
        free(hand_over->endpoint);
        free(hand_over);
    }
}

const char *hf_hand_over_check(const char *endpoint)
{
    const char *host = strncmp(endpoint, "http://", 7) == 0    ? endpoint + 7
                       : strncmp(endpoint, "https://", 8) == 0 ? endpoint + 8
                                                               : NULL;
    if (host == NULL || host[0] == '\0' || host[0] == ':') {
        return "expected the OTLP/gRPC endpoint of a peer, http://host:port or, with TLS, "
               "https://host:port";
    }
    for (const char *at = host; *at != '\0'; at++) {
        if (!isalnum((unsigned char)*at) && strchr(".-_:[]", *at) == NULL) {
            return "expected http://host:port or https://host:port, without a path";
        }
    }
    return NULL;
}

static bool is_same(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

bool hf_hand_over_ask(struct hf_hand_over *hand_over, const char *endpoint, char *reterr)
{
    bool good = true;
    bool changed = false;
    pthread_mutex_lock(&hand_over->lock);
    if (is_same(hand_over->endpoint, endpoint)) {
        good = !hand_over->has_failed;
        snprintf(reterr, HF_ERROR_MAX, "%s", hand_over->why);
        if (!good) { /* told once; the next one tries again */
            free(hand_over->endpoint);
            hand_over->endpoint = NULL;
            hand_over->has_failed = false;
        }
    } else {
        char *copy = endpoint != NULL ? strdup(endpoint) : NULL;
        good = copy != NULL || endpoint == NULL;
        snprintf(reterr, HF_ERROR_MAX, "out of memory");
        if (good) {
            free(hand_over->endpoint);
            hand_over->endpoint = copy;
            hand_over->has_failed = false;
            changed = true;
        }
    }
    pthread_mutex_unlock(&hand_over->lock);
    if (changed) {
        kill(getpid(), SIGHUP); /* the main thread waits for it, all others have it blocked */
    }
    return good;
}

/* The exporter to the peer; NULL with `reterr`. */
static struct hf_config *load_peer(const struct hf_component *const *components,
                                   const char *endpoint, char *reterr)
{
    char set[HF_ERROR_MAX];
    const struct hf_config_source source = {.uri = "", .text = peer_config, .name = "drain --to"};
    snprintf(set, sizeof(set), "exporters.otlp.endpoint=%.400s", endpoint);
    const char *const sets[] = {set};
    const struct hf_config_options options = {.sources = &source,
                                              .source_count = 1,
                                              .sets = sets,
                                              .set_count = 1,
                                              .components = components};
    struct hf_finding *findings = NULL;
    size_t count = 0;
    struct hf_config *config = hf_config_load(&options, &findings, &count);
    snprintf(reterr, HF_ERROR_MAX, "%.480s",
             config == NULL && count != 0 ? findings[0].text : "out of memory");
    hf_findings_free(findings, count);
    return config;
}

enum hf_status hf_hand_over_apply(struct hf_hand_over *hand_over,
                                  const struct hf_component *const *components,
                                  struct hf_config *config, char *reterr)
{
    pthread_mutex_lock(&hand_over->lock);
    char *endpoint = hand_over->endpoint != NULL ? strdup(hand_over->endpoint) : NULL;
    bool is_wanted = hand_over->endpoint != NULL;
    pthread_mutex_unlock(&hand_over->lock);
    if (!is_wanted) {
        return HF_OK;
    }
    struct hf_config *peer = endpoint != NULL ? load_peer(components, endpoint, reterr) : NULL;
    free(endpoint);
    if (peer == NULL) {
        return HF_INVALID;
    }
    hf_config_replace_exporters(config, peer);
    return HF_OK;
}

void hf_hand_over_fail(struct hf_hand_over *hand_over, const char *why)
{
    pthread_mutex_lock(&hand_over->lock);
    if (hand_over->endpoint != NULL) {
        hand_over->has_failed = true;
        snprintf(hand_over->why, sizeof(hand_over->why), "%s", why);
    }
    pthread_mutex_unlock(&hand_over->lock);
}
