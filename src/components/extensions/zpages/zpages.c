/*
 * zpages: pages about the running process, as the Go collector serves them: its service,
 * pipelines, extensions, feature gates, and the spans of its own work. While it runs, the process
 * traces itself.
 */
#include "zpages.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "pdata/json_write.h"
#include "support/health/page_server.h"
#include "support/probe/probe_inputs.h"
#include "util/own_spans.h"
#include "util/time/clock.h"

struct zpages_config {
    struct hf_http_server_config http;
    struct {
        bool enabled;
    } expvar;
};

struct zpages {
    const struct zpages_config *config;
    struct hf_page_server pages;
    uint64_t started_unix_ns;
    bool is_tracing;
};

/* ---- expvarz ---- */

static void write_arguments(struct hf_json_writer *json)
{
    char text[4096];
    FILE *file = fopen("/proc/self/cmdline", "re");
    size_t size = file != NULL ? fread(text, 1, sizeof(text) - 1, file) : 0;
    if (file != NULL) {
        fclose(file);
    }
    text[size] = '\0';
    hf_json_write_open(json, '[');
    for (size_t at = 0; at < size; at += strlen(text + at) + 1) {
        hf_json_write_text(json, hf_slice_text(text + at));
    }
    hf_json_write_close(json, ']');
}

static void show_variables(struct hf_http_request *request)
{
    const struct mallinfo2 heap = mallinfo2();
    struct hf_bytes out = {0};
    struct hf_json_writer json = {.out = &out};
    hf_json_write_open(&json, '{');
    HF_JSON_WRITE_KEY(&json, "cmdline");
    write_arguments(&json);
    HF_JSON_WRITE_KEY(&json, "memstats");
    hf_json_write_open(&json, '{');
    HF_JSON_WRITE_KEY(&json, "Alloc");
    hf_json_write_u64(&json, heap.uordblks + heap.hblkhd);
    HF_JSON_WRITE_KEY(&json, "Sys");
    hf_json_write_u64(&json, heap.arena + heap.hblkhd);
    HF_JSON_WRITE_KEY(&json, "HeapIdle");
    hf_json_write_u64(&json, heap.fordblks);
    hf_json_write_close(&json, '}');
    hf_json_write_close(&json, '}');
    bool good = hf_json_write_status(&json) == HF_OK;
    hf_page_answer(request, good ? 200 : 503, "application/json; charset=utf-8",
                   hf_slice_of(out.data, good ? out.size : 0));
    hf_bytes_release(&out);
}

/* ---- the pages ---- */

static bool write_page(const struct zpages *zpages, const struct hf_http_request *request,
                       struct hf_html *html)
{
    const struct hf_node *node = zpages->pages.node;
    const char *path = hf_http_path(request);
    if (strcmp(path, "/debug/servicez") == 0) {
        hf_zpages_service(node, zpages->started_unix_ns, html);
    } else if (strcmp(path, "/debug/pipelinez") == 0) {
        hf_zpages_pipelines(node, request, html);
    } else if (strcmp(path, "/debug/extensionz") == 0) {
        hf_zpages_extensions(node, request, html);
    } else if (strcmp(path, "/debug/featurez") == 0) {
        hf_zpages_features(html);
    } else if (strcmp(path, "/debug/tracez") == 0) {
        hf_zpages_traces(node, request, html);
    } else {
        return false;
    }
    return true;
}

static void show(void *user, struct hf_http_request *request)
{
    const struct zpages *zpages = user;
    struct hf_html html = {0};
    if (zpages->config->expvar.enabled && strcmp(hf_http_path(request), "/debug/expvarz") == 0) {
        show_variables(request);
        return;
    }
    if (!write_page(zpages, request, &html)) {
        hf_page_answer(request, 404, NULL, hf_slice_text("see /debug/servicez\n"));
    } else if (hf_html_status(&html) != HF_OK) {
        hf_page_answer(request, 503, NULL, hf_slice_text("out of memory\n"));
    } else {
        hf_page_answer(request, 200, "text/html; charset=utf-8",
                       hf_slice_of(html.out.data, html.out.size));
    }
    hf_html_release(&html);
}

/* ---- its life ---- */

static enum hf_status open_zpages(struct hf_node *node, const void *config, void **ret_self,
                                  char *reterr)
{
    struct zpages *zpages = calloc(1, sizeof(*zpages));
    if (zpages == NULL) {
        return HF_NOMEM;
    }
    zpages->config = config;
    zpages->pages = (struct hf_page_server){
        .node = node, .config = &zpages->config->http, .show = show, .user = zpages};
    enum hf_status status = hf_page_server_open(&zpages->pages, reterr);
    if (status != HF_OK) {
        free(zpages);
        return status;
    }
    *ret_self = zpages;
    return HF_OK;
}

static enum hf_status start_zpages(void *self, char *reterr)
{
    struct zpages *zpages = self;
    struct hf_node *node = zpages->pages.node;
    zpages->started_unix_ns = hf_clock_unix_ns();
    enum hf_status status = hf_page_server_start(&zpages->pages, reterr);
    if (status != HF_OK) {
        return status;
    }
    zpages->is_tracing = hf_node_own_spans(node) != NULL;
    if (zpages->is_tracing) {
        hf_own_spans_want(hf_node_own_spans(node), true);
    }
    hf_node_log_keys(node, HF_LOG_INFO, "Starting zPages extension",
                     HF_LOG_KEYS(HF_LOG_TEXT("endpoint", zpages->config->http.endpoint)));
    return HF_OK;
}

static void stop_zpages(void *self)
{
    struct zpages *zpages = self;
    if (zpages->is_tracing) {
        hf_own_spans_want(hf_node_own_spans(zpages->pages.node), false);
        zpages->is_tracing = false;
    }
    hf_page_server_stop(&zpages->pages);
}

static void close_zpages(void *self)
{
    struct zpages *zpages = self;
    hf_page_server_close(&zpages->pages);
    free(zpages);
}

static const char *check_config(const void *from)
{
    const struct zpages_config *config = from;
    return hf_http_server_check(&config->http);
}

static const struct hf_field expvar_fields[] = {
    {.key = "enabled",
     .type = HF_FIELD_BOOL,
     .offset =
         offsetof(struct zpages_config, expvar.enabled) - offsetof(struct zpages_config, expvar),
     .help = "Serve /debug/expvarz: the command line and the allocator's figures as JSON."},
    HF_FIELDS_END,
};

static const struct hf_field fields[] = {
    HF_HTTP_SERVER_FIELDS(struct zpages_config, http, "localhost:55679"),
    {.key = "expvar",
     .type = HF_FIELD_STRUCT,
     .offset = offsetof(struct zpages_config, expvar),
     .inner = expvar_fields,
     .help = "Variables of the process."},
    HF_FIELDS_END,
};

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct zpages_config *config = from;
    hf_probe_http_server(probe, &config->http);
}

const struct hf_component hf_extension_zpages = {
    .type = "zpages",
    .help = "Pages about the running process: servicez, pipelinez, extensionz, featurez, tracez.",
    .kind = HF_EXTENSION,
    .config_size = sizeof(struct zpages_config),
    .fields = fields,
    .check = check_config,
    .probe = probe_outside,
    .open = open_zpages,
    .start = start_zpages,
    .stop = stop_zpages,
    .close = close_zpages,
};
