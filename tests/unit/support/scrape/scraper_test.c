/* Scrapes at their interval; what a queue refuses is offered again and nothing is read meanwhile.
 */
#include "support/scrape/scraper.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h> /* needs the three before it */

#include "pdata/build_metrics.h"
#include "tests/support/node_stub.c"

/* What became of the batches: one lock, since hf_submit_with() runs on the scraper's thread. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned offered, accepted, scrapes;
    unsigned scrapes_when_refused; /* highest while a batch was waiting */
    int refusals;                  /* how many more offers are refused */
    enum hf_status refusal;
    const struct hf_batch *waiting;
    bool same_again; /* what was refused is what was offered next */
} queue = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, 0, 0, 0, HF_FULL, NULL, true};

enum hf_status hf_node_add_transport(struct hf_node *node, const char *name)
{
    (void)node;
    assert_string_equal(name, "");
    return HF_OK;
}

void hf_submit_with(struct hf_node *node, struct hf_batch *batch,
                    const struct hf_submit_options *options, struct hf_reply *reply)
{
    (void)node;
    assert_int_equal(options->checkpoint_count, 0);
    pthread_mutex_lock(&queue.lock);
    queue.offered++;
    enum hf_status status = HF_OK;
    if (queue.waiting != NULL) {
        queue.same_again = queue.same_again && batch == queue.waiting;
    }
    if (queue.refusals > 0) {
        queue.refusals--;
        queue.waiting = hf_status_row(queue.refusal)->retryable ? batch : NULL;
        queue.scrapes_when_refused = queue.scrapes;
        status = queue.refusal;
    } else {
        if (queue.waiting != NULL) {
            assert_int_equal(queue.scrapes, queue.scrapes_when_refused);
        }
        queue.waiting = NULL;
        queue.accepted++;
    }
    pthread_cond_broadcast(&queue.changed);
    pthread_mutex_unlock(&queue.lock);
    reply->done(reply, status);
}

static void wait_for(const unsigned *counter, unsigned count)
{
    pthread_mutex_lock(&queue.lock);
    while (*counter < count) {
        pthread_cond_wait(&queue.changed, &queue.lock);
    }
    pthread_mutex_unlock(&queue.lock);
}

static void scrape_one_point(void *user, struct hf_scrape *scrape)
{
    const struct hf_build_point point = {.time_ns = scrape->now_ns};
    (void)user;
    pthread_mutex_lock(&queue.lock);
    queue.scrapes++;
    pthread_mutex_unlock(&queue.lock);
    hf_build_resource(scrape->builder, HF_EMPTY_SLICE);
    hf_build_scope(scrape->builder, HF_EMPTY_SLICE, HF_EMPTY_SLICE);
    hf_build_metric(scrape->builder, &(struct hf_build_metric){.name = hf_slice_text("one")});
    hf_build_point_int(scrape->builder, &point, 1);
    hf_build_end(scrape->builder);
    hf_scrape_count(scrape, 0, 1);
    hf_scrape_failed(scrape, 1, 2, "there is no %s", "second source");
}

static const char *const sources[] = {"first", "second"};
static const struct hf_scraper_config every_ms = {.interval_ns = 1000000};

static struct hf_scraper *start(struct hf_node *node)
{
    struct hf_scraper *scraper = NULL;
    char why[HF_ERROR_MAX] = "";
    node->id = "test";
    node_stub_init(node);
    assert_int_equal(hf_metrics_new(&node->metrics), HF_OK);
    queue.offered = queue.accepted = queue.scrapes = queue.scrapes_when_refused = 0;
    queue.waiting = NULL;
    queue.same_again = true;
    assert_int_equal(hf_scraper_new(&(struct hf_scraper_options){.node = node,
                                                                 .config = &every_ms,
                                                                 .signal = HF_METRICS,
                                                                 .sources = sources,
                                                                 .source_count = 2,
                                                                 .scrape = scrape_one_point},
                                    &scraper, why),
                     HF_OK);
    assert_int_equal(hf_scraper_start(scraper, why), HF_OK);
    return scraper;
}

static void stop(struct hf_node *node, struct hf_scraper *scraper)
{
    hf_scraper_stop(scraper);
    hf_scraper_free(scraper);
    hf_metrics_free(node->metrics);
}

static void scrapes_again_and_again_and_counts(void **state)
{
    struct hf_node node = {0};
    const struct hf_metrics_style style = {0};
    char *printed;
    size_t size;
    (void)state;
    struct hf_scraper *scraper = start(&node);
    wait_for(&queue.accepted, 3);
    hf_scraper_stop(scraper);
    assert_int_equal(hf_metrics_print(node.metrics, &style, &printed, &size), HF_OK);
    assert_non_null(strstr(printed, "otelcol_scraper_scraped_metric_points{receiver=\"test\","
                                    "scraper=\"first\"}"));
    assert_null(strstr(printed, "otelcol_scraper_errored_metric_points{receiver=\"test\","
                                "scraper=\"second\"} 0"));
    free(printed);
    const char *said = strstr(node.log, "second: there is no second source");
    assert_non_null(said);
    assert_null(strstr(said + 1, "second: there is no second source")); /* once a minute */
    hf_scraper_free(scraper);
    hf_metrics_free(node.metrics);
}

static void offers_what_is_refused_again_and_reads_nothing_meanwhile(void **state)
{
    struct hf_node node = {0};
    (void)state;
    queue.refusals = 2;
    queue.refusal = HF_FULL;
    struct hf_scraper *scraper = start(&node);
    wait_for(&queue.accepted, 2);
    stop(&node, scraper);
    assert_true(queue.same_again);
    assert_true(queue.offered >= queue.accepted + 2);
}

static void drops_what_is_refused_for_good(void **state)
{
    struct hf_node node = {0};
    (void)state;
    queue.refusals = 1;
    queue.refusal = HF_INVALID;
    struct hf_scraper *scraper = start(&node);
    wait_for(&queue.accepted, 1);
    stop(&node, scraper);
    assert_non_null(strstr(node.log, "items are dropped"));
}

static void stops_while_a_batch_waits(void **state)
{
    struct hf_node node = {0};
    (void)state;
    queue.refusals = 1000000;
    queue.refusal = HF_FULL;
    struct hf_scraper *scraper = start(&node);
    wait_for(&queue.offered, 1);
    stop(&node, scraper);
    queue.refusals = 0;
    assert_int_equal(queue.accepted, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scrapes_again_and_again_and_counts),
        cmocka_unit_test(offers_what_is_refused_again_and_reads_nothing_meanwhile),
        cmocka_unit_test(drops_what_is_refused_for_good),
        cmocka_unit_test(stops_while_a_batch_waits),
    };
    return cmocka_run_group_tests_name("scraper", tests, NULL, NULL);
}
