#include "health_legacy.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "http/server.h"
#include "util/time/clock.h"

#define BODY_MAX 512
#define REASON_MAX 300

/* Go's duration text, to the millisecond: "1h2m3.004s". */
static void duration_text(uint64_t ns, char *out, size_t room)
{
    uint64_t ms = ns / 1000000;
    uint64_t hours = ms / 3600000;
    uint64_t minutes = ms / 60000 % 60;
    double seconds = (double)(ms % 60000) / 1000.0;
    if (hours != 0) {
        snprintf(out, room, "%lluh%llum%gs", (unsigned long long)hours, (unsigned long long)minutes,
                 seconds);
    } else if (minutes != 0) {
        snprintf(out, room, "%llum%gs", (unsigned long long)minutes, seconds);
    } else {
        snprintf(out, room, "%gs", seconds);
    }
}

/* In JSON's quotes: nothing of it comes from outside, but an id may have any byte. */
static void quote(const char *text, char *out, size_t room)
{
    size_t used = 0;
    for (; *text != '\0' && used + 2 < room; text++) {
        unsigned char byte = (unsigned char)*text;
        out[used++] = byte < ' ' || byte >= 0x7f || byte == '"' || byte == '\\' ? '?' : *text;
    }
    out[used] = '\0';
}

/* `why_not`: NULL when it is healthy. */
static size_t default_body(uint64_t started_ns, uint64_t up_since_ns, const char *why_not,
                           char *out)
{
    if (why_not != NULL) {
        char quoted[REASON_MAX];
        quote(why_not, quoted, sizeof(quoted));
        return (size_t)snprintf(out, BODY_MAX,
                                "{\"status\":\"Server not available\",\"upSince\":"
                                "\"0001-01-01T00:00:00Z\",\"uptime\":\"\",\"reason\":\"%s\"}",
                                quoted);
    }
    char since[64];
    char uptime[64];
    time_t seconds = (time_t)(up_since_ns / HF_NS_PER_S);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    size_t used = strftime(since, sizeof(since), "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(since + used, sizeof(since) - used, ".%09uZ", (unsigned)(up_since_ns % HF_NS_PER_S));
    duration_text(hf_clock_monotonic_ns() - started_ns, uptime, sizeof(uptime));
    return (size_t)snprintf(
        out, BODY_MAX, "{\"status\":\"Server available\",\"upSince\":\"%s\",\"uptime\":\"%s\"}",
        since, uptime);
}

void hf_health_legacy_show(const struct hf_node *node, const struct hf_health_config *config,
                           uint64_t started_ns, uint64_t up_since_ns,
                           struct hf_http_request *request)
{
    if (strcmp(config->path, "/") != 0 && strcmp(hf_http_path(request), config->path) != 0) {
        hf_http_answer(request, &(struct hf_http_answer){.status = 404});
        return;
    }
    char why[HF_ERROR_MAX];
    bool healthy = hf_node_explain_durable(node, why);
    const char *own = healthy ? config->body.healthy : config->body.unhealthy;
    char body[BODY_MAX];
    size_t size = own == NULL ? default_body(started_ns, up_since_ns, healthy ? NULL : why, body)
                              : strlen(own);
    const struct hf_http_answer answer = {
        .status = healthy ? 200 : 503,
        .content_type = own == NULL ? "application/json" : NULL,
        .body = hf_slice_of(own == NULL ? body : own, size),
    };
    hf_http_answer(request, &answer);
}
