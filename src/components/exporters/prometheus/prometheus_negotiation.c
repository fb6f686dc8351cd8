#include "prometheus_negotiation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ENTRY_MAX 256

enum rank { RANK_NONE = 0, RANK_TEXT_0, RANK_TEXT_1, RANK_OPEN };

/* The value of a parameter of an entry, without quotes; empty: it is not there. */
static struct hf_slice parameter(const char *entry, const char *name)
{
    size_t size = strlen(name);
    for (const char *at = strchr(entry, ';'); at != NULL; at = strchr(at, ';')) {
        at += 1 + strspn(at + 1, " \t");
        if (strncasecmp(at, name, size) == 0 && at[size] == '=') {
            at += size + 1;
            at += *at == '"';
            return hf_slice_of(at, strcspn(at, "\"; \t"));
        }
    }
    return HF_EMPTY_SLICE;
}

static double weight_of(const char *entry)
{
    struct hf_slice text = parameter(entry, "q");
    return text.size != 0 ? strtod((const char *)text.data, NULL) : 1;
}

static bool is_type(const char *entry, const char *type)
{
    size_t size = strlen(type);
    return strncasecmp(entry, type, size) == 0 && strchr("; \t", entry[size]) != NULL;
}

static enum rank rank_of(const char *entry, bool may_open_metrics)
{
    struct hf_slice version = parameter(entry, "version");
    if (is_type(entry, "application/openmetrics-text")) {
        bool is_known =
            version.size == 0 || hf_slice_is(version, "0.0.1") || hf_slice_is(version, "1.0.0");
        return may_open_metrics && is_known ? RANK_OPEN : RANK_NONE;
    }
    if (!is_type(entry, "text/plain")) {
        return RANK_NONE;
    }
    if (version.size == 0 || hf_slice_is(version, "0.0.4")) {
        return RANK_TEXT_0;
    }
    return hf_slice_is(version, "1.0.0") ? RANK_TEXT_1 : RANK_NONE;
}

/* The entry at `at`, without blanks before it, cut when it is too long; `at` passes it. */
static void take_entry(struct hf_slice accept, size_t *at, char entry[ENTRY_MAX])
{
    size_t size = 0;
    for (; *at < accept.size && accept.data[*at] != ','; ++*at) {
        if (size + 1 < ENTRY_MAX && (size > 0 || accept.data[*at] != ' ')) {
            entry[size++] = (char)accept.data[*at];
        }
    }
    entry[size] = '\0';
    ++*at;
}

struct prometheus_format prometheus_negotiate(struct hf_slice accept, bool may_open_metrics)
{
    struct prometheus_format format = {.escaping = HF_PROM_UNDERSCORES};
    enum rank best = RANK_NONE;
    double best_weight = 0;
    for (size_t at = 0; at < accept.size;) {
        char entry[ENTRY_MAX];
        take_entry(accept, &at, entry);
        enum rank rank = rank_of(entry, may_open_metrics);
        double weight = weight_of(entry);
        if (rank == RANK_NONE || !(weight > 0) || weight < best_weight ||
            (weight == best_weight && rank <= best)) {
            continue;
        }
        best = rank;
        best_weight = weight;
        format.escaping = HF_PROM_UNDERSCORES;
        format.has_escaping = hf_prom_escaping_of(parameter(entry, "escaping"), &format.escaping);
    }
    format.open_metrics = best == RANK_OPEN;
    format.is_text_1 = best == RANK_TEXT_1;
    return format;
}

bool prometheus_accepts_gzip(struct hf_slice accept_encoding)
{
    bool accepts = false;
    for (size_t at = 0; at < accept_encoding.size && !accepts;) {
        char entry[ENTRY_MAX];
        take_entry(accept_encoding, &at, entry);
        accepts = is_type(entry, "gzip") && weight_of(entry) > 0;
    }
    return accepts;
}

void prometheus_content_type(const struct prometheus_format *format,
                             char room[PROMETHEUS_CONTENT_TYPE_MAX])
{
    const char *type = format->open_metrics ? "application/openmetrics-text; version=1.0.0"
                       : format->is_text_1  ? "text/plain; version=1.0.0"
                                            : "text/plain; version=0.0.4";
    bool has_escaping = format->has_escaping || format->is_text_1;
    snprintf(room, PROMETHEUS_CONTENT_TYPE_MAX, "%s; charset=utf-8%s%s", type,
             has_escaping ? "; escaping=" : "",
             has_escaping ? hf_prom_escaping_name(format->escaping) : "");
}
