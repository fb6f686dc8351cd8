/*
 * server_text_fuzz: what servers answer in text when they are asked for metrics. The first byte
 * chooses: 'n' nginx's stub_status, 'r' a reply of Redis, 'i' the text of INFO, 'm' lines of a name
 * and a value of MySQL's status, 'h' a client as MySQL names it, 'p' the plan of a statement. Must
 * reach: stub_status_read, redis_reply_read, redis_info_read, add_command, add_latency,
 * add_database, add_clean, my_host_split, hf_plan_mask, put_masked.
 *
 * What is written passes the scan; a plan that was masked is one again.
 */
#include <stdint.h>
#include <string.h>

#include "check.h"
#include "components/receivers/mysql/my_host.h"
#include "components/receivers/mysql/my_status.h"
#include "components/receivers/nginx/stub_status.h"
#include "components/receivers/redis/redis_info.h"
#include "components/receivers/redis/resp.h"
#include "pdata/scan.h"
#include "support/scrape/plan_mask.h"
#include "support/scrape/sql_mask.h"
#include "tests/support/wanted_all.h"

#define OUTPUT_MAX (1u << 20)

static void take_all(struct hf_points *points)
{
    struct hf_builder builder;
    uint32_t items = 0;
    bool failed;
    hf_builder_init(&builder, HF_METRICS, OUTPUT_MAX);
    hf_build_resource(&builder, HF_EMPTY_SLICE);
    hf_build_scope(&builder, hf_slice_text("scope"), HF_EMPTY_SLICE);
    uint32_t written = hf_points_write(points, &builder, 1, 2, &failed);
    check(hf_build_finish(&builder) == HF_OK);
    for (struct hf_batch *batch = hf_build_take(&builder); batch != NULL;
         batch = hf_build_take(&builder)) {
        struct hf_scan scan;
        check(hf_scan(HF_METRICS, batch->raw, &scan) == HF_OK);
        items += batch->items;
        hf_ref_drop(&batch->ref);
    }
    check(items == written);
    hf_builder_release(&builder);
}

static void read_page(struct hf_slice text)
{
    static struct hf_metric_choice all[NGINX_METRIC_COUNT];
    struct stub_status status;
    struct hf_points points;
    WANT_METRICS(all);
    check(hf_points_init(&points,
                         &(struct hf_metric_set){nginx_rows, all, NGINX_METRIC_COUNT, 0}) == HF_OK);
    if (stub_status_read(text, &status)) {
        stub_status_add(&status, &points);
        take_all(&points);
    }
    hf_points_release(&points);
}

static void read_info(struct hf_slice text)
{
    static struct hf_metric_choice all[REDIS_METRIC_COUNT];
    struct redis_facts facts;
    struct hf_points points;
    WANT_METRICS(all);
    check(hf_points_init(&points,
                         &(struct hf_metric_set){redis_rows, all, REDIS_METRIC_COUNT, 0}) == HF_OK);
    redis_info_read(text, &facts, &points);
    check(memchr(facts.first_wrong, '\0', sizeof(facts.first_wrong)) != NULL);
    take_all(&points);
    hf_points_release(&points);
}

static void read_reply(struct hf_slice bytes)
{
    struct redis_reply reply;
    if (redis_reply_read(bytes, &reply) == HF_OK) {
        check(reply.size <= bytes.size && reply.text.size < reply.size);
        read_info(reply.text);
    }
}

static void read_status(struct hf_slice text)
{
    static struct hf_metric_choice all[MY_METRIC_COUNT];
    struct hf_points points;
    struct my_status status = {.points = &points};
    WANT_METRICS(all);
    check(hf_points_init(&points, &(struct hf_metric_set){my_rows, all, MY_METRIC_COUNT, 0}) ==
          HF_OK);
    while (text.size != 0) {
        const uint8_t *end = memchr(text.data, '\n', text.size);
        size_t size = end != NULL ? (size_t)(end - text.data) : text.size;
        const uint8_t *tab = size != 0 ? memchr(text.data, '\t', size) : NULL;
        if (tab != NULL) {
            size_t name = (size_t)(tab - text.data);
            my_status_take(&status, hf_slice_of(text.data, name),
                           hf_slice_of(tab + 1, size - name - 1));
        }
        size += end != NULL;
        text = hf_slice_of(text.data + size, text.size - size);
    }
    my_status_end(&status);
    take_all(&points);
    hf_points_release(&points);
}

static void read_host(struct hf_slice text)
{
    struct hf_slice address;
    int64_t port;
    my_host_split(text, &address, &port);
    check(address.size <= text.size);
}

static void read_plan(struct hf_slice text)
{
    static const char *const kept[] = {"k", NULL}, *const masked[] = {"m", NULL};
    static const struct hf_plan_keys keys = {
        .kept = kept, .masked = masked, .flags = HF_SQL_MYSQL | HF_SQL_BARE};
    struct hf_bytes once = {.size = 0}, twice = {.size = 0};
    if (hf_plan_mask(text, &keys, &once) == HF_OK) {
        check(hf_plan_mask(hf_slice_of(once.data, once.size), &keys, &twice) == HF_OK);
    }
    hf_bytes_release(&once);
    hf_bytes_release(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) {
        return 0;
    }
    struct hf_slice text = hf_slice_of(data + 1, size - 1);
    if (data[0] == 'n') {
        read_page(text);
    } else if (data[0] == 'r') {
        read_reply(text);
    } else if (data[0] == 'm') {
        read_status(text);
    } else if (data[0] == 'h') {
        read_host(text);
    } else if (data[0] == 'p') {
        read_plan(text);
    } else {
        read_info(text);
    }
    return 0;
}
