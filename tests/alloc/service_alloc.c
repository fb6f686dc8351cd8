/*
 * The whole path, from the receiver's socket to the exporter's file, while memory is short: it
 * starts whole or not at all, what is acknowledged arrives, and what is refused was told so.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h> /* needs the first three before it */

#include "config/config.h"
#include "grpc/client.h"
#include "http/client.h"
#include "pdata/json.h"
#include "pipeline/graph.h"
#include "pipeline/listeners.h"
#include "registry.h"
#include "storage/storage.h"
#include "util/compress/compress.h"
#include "util/log/log.h"
#include "util/loop.h"
#include "util/metrics/metrics.h"
#include "util/time/clock.h"

#include "failing.h"

static const char configuration[] =
    "receivers:\n"
    "  otlp:\n"
    "    protocols:\n"
    "      grpc: {endpoint: 'unix://${env:PLACE}/grpc', include_metadata: true}\n"
    "      http: {endpoint: 'unix://${env:PLACE}/http', include_metadata: true}\n"
    "  otlp/second:\n"
    "    protocols:\n"
    "      grpc: {endpoint: 'unix://${env:PLACE}/grpc2'}\n"
    "      http: {endpoint: 'unix://${env:PLACE}/http2'}\n"
    "processors:\n"
    "  memory_limiter: {check_interval: 1s, limit_mib: 8000}\n"
    "  resource: {attributes: [{key: zone, value: a, action: upsert},\n"
    "                          {key: who, from_context: metadata.x-who, action: insert}]}\n"
    "  attributes:\n"
    "    include: {match_type: regexp, span_names: ['^id-.*']}\n"
    "    actions: [{key: secret, action: hash}, {key: seen, value: [1, {a: b}], action: insert},\n"
    "              {pattern: '^drop', action: delete}]\n"
    "  batch: {timeout: 1ms, send_batch_size: 3}\n"
    "exporters:\n"
    "  file: {path: '${env:PLACE}/out', retry_on_failure: {initial_interval: 10ms}}\n"
    "  file/packed: {path: '${env:PLACE}/packed', format: proto, compression: zstd,\n"
    "                sending_queue: {compression: zstd}}\n"
    "  file/grouped: {path: '${env:PLACE}/by-*', retry_on_failure: {initial_interval: 10ms},\n"
    "                 group_by: {enabled: true, resource_attribute: zone}}\n"
    "  otlp: {endpoint: 'unix://${env:PLACE}/grpc2', compression: zstd, tls: {insecure: true},\n"
    "         retry_on_failure: {initial_interval: 5ms, max_interval: 5ms}}\n"
    "  otlphttp: {endpoint: 'unix://${env:PLACE}/http2', compression: gzip, encoding: json,\n"
    "             disable_keep_alives: true,\n"
    "             retry_on_failure: {initial_interval: 5ms, max_interval: 5ms}}\n"
    "  file/second: {path: '${env:PLACE}/second'}\n"
    "  nop:\n"
    "connectors: {pass: }\n"
    "service:\n"
    "  telemetry: {logs: {level: error, output_paths: ['/dev/null']}}\n"
    "  pipelines:\n"
    "    traces:\n"
    "      receivers: [otlp]\n"
    "      processors: [memory_limiter, resource, attributes, batch]\n"
    "      exporters: [file, file/packed, file/grouped, otlp, otlphttp, nop]\n"
    "    traces/2: {receivers: [otlp/second], exporters: [pass]}\n"
    "    traces/3: {receivers: [pass], exporters: [file/second],\n"
    "               shards: {count: 2, by: trace_id}}\n"
    "    logs: {receivers: [otlp], exporters: [nop]}\n";

/* What hf_service_run() puts around a graph. */
struct world {
    char place[64];
    struct hf_host host;
    struct hf_loop *loop; /* the receivers' */
    struct hf_config *config;
    struct hf_graph *graph;
    bool is_started;
};

static char *place_now; /* for getenv */

static const char *get_environment(const char *name)
{
    return strcmp(name, "PLACE") == 0 ? place_now : NULL;
}

static struct world *make_world(void)
{
    static const struct hf_config_source source = {.uri = "", .text = configuration, .name = "f"};
    char error[HF_ERROR_MAX] = "";
    struct hf_finding *findings = NULL;
    size_t count = 0;
    struct world *world = calloc(1, sizeof(*world));
    assert_non_null(world);
    /* In memory, where a sync costs nothing. */
    snprintf(world->place, sizeof(world->place), "%s/holdfast-alloc-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(world->place));
    place_now = world->place;
    const struct hf_config_options options = {.sources = &source,
                                              .source_count = 1,
                                              .components = hf_registry,
                                              .getenv = get_environment};
    world->config = hf_config_load(&options, &findings, &count);
    if (world->config == NULL) {
        fail_msg("%s", count > 0 ? findings[0].text : "?");
    }
    hf_findings_free(findings, count);
    const struct hf_log_options log = {.level = HF_LOG_ERROR + 1};
    assert_int_equal(hf_log_new(&log, &world->host.log, error), HF_OK);
    assert_int_equal(hf_metrics_new(&world->host.metrics), HF_OK);
    assert_int_equal(hf_listeners_new(&world->host.listeners), HF_OK);
    assert_int_equal(hf_loop_new(&world->loop), HF_OK);
    assert_int_equal(hf_loop_start_thread(world->loop, "alloc"), HF_OK);
    world->host.loops = &world->loop;
    world->host.loop_count = 1;
    return world;
}

/* Opens and starts; a failure leaves nothing that runs. */
static bool start(struct world *world)
{
    char error[HF_ERROR_MAX] = "";
    const struct hf_storage_options store = {
        .directory = world->place, .no_fsync = true, .log = world->host.log};
    enum hf_status status = hf_storage_open(&store, &world->host.store, error);
    if (status == HF_OK) {
        hf_listeners_begin_round(world->host.listeners);
        status = hf_graph_open(world->config, &world->host, &world->graph, error);
    }
    if (status == HF_OK) {
        hf_storage_open_all(world->host.store);
        status = hf_graph_start(world->graph, NULL, error);
        world->is_started = status == HF_OK;
    }
    return world->is_started;
}

static void stop(struct world *world)
{
    if (world->is_started) {
        hf_graph_stop(world->graph);
    }
    hf_graph_free(world->graph);
    hf_loop_join(world->loop);
    hf_loop_free(world->loop);
    hf_listeners_free(world->host.listeners);
    hf_storage_close(world->host.store);
    hf_metrics_free(world->host.metrics);
    hf_log_free(world->host.log);
    hf_config_free(world->config);
}

static void end_world(struct world *world)
{
    char command[128];
    snprintf(command, sizeof(command), "rm -rf %s", world->place);
    assert_int_equal(system(command), 0);
    free(world);
}

static bool starts(void)
{
    struct world *world = make_world();
    alloc_begin();
    bool is_whole = start(world);
    alloc_end();
    stop(world);
    end_world(world);
    return is_whole;
}

/* A second graph takes over, or the first goes on, or (only so late) none is left. */
static bool reloads(void)
{
    char error[HF_ERROR_MAX] = "";
    struct world *world = make_world();
    struct hf_graph *graph = NULL;
    assert_true(start(world));
    hf_listeners_begin_round(world->host.listeners);
    alloc_begin();
    enum hf_status status = hf_graph_open(world->config, &world->host, &graph, error);
    if (status == HF_OK) {
        status = hf_graph_start(graph, world->graph, error);
        if (status == HF_OK) {
            hf_graph_stop(world->graph);
        } else {
            hf_graph_free(graph);
        }
    }
    alloc_end();
    if (status == HF_OK) {
        assert_false(hf_graph_is_running(world->graph));
        assert_true(hf_graph_is_running(graph));
        hf_graph_free(world->graph);
        world->graph = graph;
    }
    hf_listeners_end_round(world->host.listeners);
    stop(world);
    end_world(world);
    return status == HF_OK;
}

/* ---- requests ---- */

#define REQUESTS 8u /* half by gRPC, half by HTTP; plain, gzip, zstd, JSON or snappy */

struct client {
    struct hf_loop *loop;
    struct hf_grpc_client *grpc;
    struct hf_http_client *http;
    int left;
};

struct request {
    struct client *client;
    struct hf_grpc_request grpc;
    struct hf_http_call http;
    struct hf_bytes body;
    struct hf_slice piece;
    bool is_acked;
};

static void end_request(struct request *request, bool is_acked)
{
    request->is_acked = is_acked;
    if (--request->client->left == 0) {
        hf_loop_stop(request->client->loop);
    }
}

static void on_grpc_done(struct hf_grpc_request *grpc, const struct hf_grpc_result *result)
{
    end_request(HF_CONTAINER(grpc, struct request, grpc), result->code == 0);
}

static void on_http_done(struct hf_http_call *http, const struct hf_http_result *result)
{
    end_request(HF_CONTAINER(http, struct request, http),
                result->status == HF_OK && result->code == 200);
}

/* One span, known by its name. */
static void make_body(struct request *request, unsigned number)
{
    static const enum hf_coding codings[] = {HF_IDENTITY, HF_GZIP, HF_ZSTD};
    char json[400], error[HF_JSON_ERROR_MAX];
    struct hf_bytes proto = {0};
    snprintf(json, sizeof(json),
             "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"traceId\":"
             "\"0102030405060708090a0b0c0d0e0f10\",\"spanId\":\"0102030405060708\","
             "\"name\":\"id-%u\",\"attributes\":[{\"key\":\"secret\",\"value\":"
             "{\"stringValue\":\"abc\"}},{\"key\":\"dropped\",\"value\":{\"intValue\":1}}]}]}]}]}",
             number);
    assert_int_equal(hf_json_to_proto(HF_TRACES, hf_slice_text(json), 4096, &proto, error), HF_OK);
    const struct hf_slice plain = hf_slice_of(proto.data, proto.size);
    enum hf_coding coding = number % 4 < 3 ? codings[number % 4] : HF_SNAPPY_FRAMED;
    bool is_json = number % 4 == 3 && number >= REQUESTS / 2;
    if (is_json) {
        assert_int_equal(hf_bytes_append(&request->body, hf_slice_text(json)), HF_OK);
        coding = HF_IDENTITY;
    } else {
        assert_int_equal(hf_encode(coding, 0, &plain, 1, &request->body), HF_OK);
    }
    request->piece = hf_slice_of(request->body.data, request->body.size);
    request->grpc.coding = coding;
    request->http.content_type = is_json ? "application/json" : "application/x-protobuf";
    request->http.content_encoding = coding == HF_IDENTITY ? NULL : hf_coding_name(coding);
    hf_bytes_release(&proto);
}

static void send_request(struct request *request, bool is_grpc)
{
    static const struct hf_header headers[] = {
        {{(const uint8_t *)"x-who", 5}, {(const uint8_t *)"me", 2}}};
    uint64_t deadline_ns = hf_clock_monotonic_ns() + 10 * HF_NS_PER_S;
    if (is_grpc) {
        request->grpc.path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
        request->grpc.pieces = &request->piece;
        request->grpc.piece_count = 1;
        request->grpc.headers = headers;
        request->grpc.header_count = 1;
        request->grpc.deadline_ns = deadline_ns;
        request->grpc.done = on_grpc_done;
        hf_grpc_client_call(request->client->grpc, &request->grpc);
    } else {
        request->http.method = "POST";
        request->http.url = "http://localhost/v1/traces";
        request->http.pieces = &request->piece;
        request->http.piece_count = 1;
        request->http.headers = headers;
        request->http.header_count = 1;
        request->http.deadline_ns = deadline_ns;
        request->http.done = on_http_done;
        hf_http_client_call(request->client->http, &request->http);
    }
}

static void connect_client(struct client *client, const struct world *world)
{
    char grpc[100], http[100], error[HF_ERROR_MAX] = "";
    snprintf(grpc, sizeof(grpc), "unix://%s/grpc", world->place);
    snprintf(http, sizeof(http), "%s/http", world->place);
    *client = (struct client){.left = REQUESTS};
    assert_int_equal(hf_loop_new(&client->loop), HF_OK);
    const struct hf_grpc_client_options grpc_options = {.loop = client->loop, .target = grpc};
    assert_int_equal(hf_grpc_client_new(&grpc_options, &client->grpc, error), HF_OK);
    const struct hf_http_client_options http_options = {.loop = client->loop, .unix_socket = http};
    assert_int_equal(hf_http_client_new(&http_options, &client->http, error), HF_OK);
}

/* How often a text stands in a file of the exporters'. */
static unsigned count_in(const struct world *world, const char *name, const char *wanted)
{
    static char text[1 << 20];
    char path[100];
    unsigned count = 0;
    snprintf(path, sizeof(path), "%s/%s", world->place, name);
    FILE *file = fopen(path, "r");
    size_t size = file != NULL ? fread(text, 1, sizeof(text) - 1, file) : 0;
    text[size] = '\0';
    if (file != NULL) {
        fclose(file);
    }
    for (const char *at = text; (at = strstr(at, wanted)) != NULL; at++) {
        count++;
    }
    return count;
}

/* Waits until what was acknowledged stands in two files once, and in the last one twice: by gRPC
 * and by HTTP, and once more where an answer was lost. */
static void await_delivery(const struct world *world, const struct request *requests)
{
    char wanted[32];
    for (unsigned i = 0; i < REQUESTS; i++) {
        snprintf(wanted, sizeof(wanted), "\"id-%u\"", i);
        while (requests[i].is_acked &&
               (count_in(world, "out", wanted) < 1 || count_in(world, "by-a", wanted) < 1 ||
                count_in(world, "second", wanted) < 2)) {
            (void)usleep(1000);
        }
    }
    /* What the processors were to do was done, or the request was refused. */
    assert_int_equal(count_in(world, "out", "dropped"), 0);
    assert_int_equal(count_in(world, "out", "\"abc\""), 0);
}

static bool carries(void)
{
    struct world *world = make_world();
    struct client client;
    struct request requests[REQUESTS];
    bool is_whole = true;
    assert_true(start(world));
    connect_client(&client, world);
    memset(requests, 0, sizeof(requests));
    for (unsigned i = 0; i < REQUESTS; i++) {
        requests[i].client = &client;
        make_body(&requests[i], i);
    }
    alloc_begin();
    for (unsigned i = 0; i < REQUESTS; i++) {
        send_request(&requests[i], i < REQUESTS / 2);
    }
    hf_loop_run(client.loop);
    await_delivery(world, requests);
    alloc_end();
    for (unsigned i = 0; i < REQUESTS; i++) {
        is_whole = is_whole && requests[i].is_acked;
        hf_bytes_release(&requests[i].body);
    }
    hf_grpc_client_free(client.grpc);
    hf_http_client_free(client.http);
    hf_loop_free(client.loop);
    stop(world);
    end_world(world);
    return is_whole;
}

int main(int argc, char **argv)
{
    static const struct alloc_scenario scenarios[] = {
        {"starts", starts, true},
        {"reloads", reloads, true},
        {"carries", carries, true},
        {0},
    };
    return alloc_main(argc, argv, scenarios);
}
