/*
 * scrape_stub: a scrape without a scraper, for tests of what reads a server's answers: what is said
 * to have failed, and the points as OTLP/JSON. Include it in one file, after cmocka.h.
 */
#pragma once

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "pdata/json.h"
#include "support/scrape/server_scraper.h"

static struct {
    unsigned failures;
    uint32_t missing, counted;
    char sentences[2048]; /* each on a line */
    struct hf_builder builder;
    struct hf_scrape scrape;
    struct hf_bytes json;
} stub;

void hf_scrape_failed(struct hf_scrape *scrape, size_t source, uint32_t points, const char *format,
                      ...)
{
    size_t size = strlen(stub.sentences);
    va_list arguments;
    (void)scrape;
    assert_int_equal(source, 0);
    stub.failures++;
    stub.missing += points;
    va_start(arguments, format);
    vsnprintf(stub.sentences + size, sizeof(stub.sentences) - size, format, arguments);
    va_end(arguments);
    size = strlen(stub.sentences);
    snprintf(stub.sentences + size, sizeof(stub.sentences) - size, "\n");
}

void hf_scrape_count(struct hf_scrape *scrape, size_t source, uint32_t points)
{
    (void)scrape;
    assert_int_equal(source, 0);
    stub.counted += points;
}

struct hf_patience hf_server_scraper_patience(const struct hf_server_scraper *server,
                                              const struct hf_scrape *scrape)
{
    (void)server;
    (void)scrape;
    return (struct hf_patience){UINT64_MAX, -1};
}

void hf_server_scraper_write(struct hf_server_scraper *server, struct hf_scrape *scrape,
                             uint64_t start_ns)
{
    bool failed = true;
    hf_scrape_count(scrape, 0,
                    hf_points_write(&server->points, scrape->builder, start_ns, 2, &failed));
    assert_false(failed);
}

/* A scrape at the time 2. */
static struct hf_scrape *stub_begin(enum hf_signal signal)
{
    memset(&stub, 0, sizeof(stub));
    hf_builder_init(&stub.builder, signal, 1u << 20);
    stub.scrape =
        (struct hf_scrape){.builder = &stub.builder, .now_ns = 2, .deadline_ns = UINT64_MAX};
    return &stub.scrape;
}

/* Ends it: is one request or none. */
static void stub_end(void)
{
    assert_int_equal(hf_build_finish(&stub.builder), HF_OK);
    struct hf_batch *batch = hf_build_take(&stub.builder);
    if (batch != NULL) {
        assert_int_equal(hf_json_from_proto(batch->signal, batch->raw, &stub.json), HF_OK);
        hf_ref_drop(&batch->ref);
    }
    assert_int_equal(hf_bytes_append(&stub.json, hf_slice_of("", 1)), HF_OK);
    hf_builder_release(&stub.builder);
}

static bool stub_has(const char *text)
{
    return strstr((const char *)stub.json.data, text) != NULL;
}
