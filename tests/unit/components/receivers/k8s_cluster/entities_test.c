/* Entities of objects: ends, owners that come later, and objects that are large or odd. */
#include "components/receivers/k8s_cluster/entities.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* needs the others before it */

static void describe(struct record *record, const char *kind, const char *text)
{
    struct hf_arena arena = {.limit = 4 << 20};
    const struct hf_json *json;
    char error[HF_JSON_ERROR_MAX];
    assert_int_equal(hf_json_read(hf_slice_text(text), &arena, &json, error), HF_OK);
    cluster_entities_describe(record, kind, json);
    assert_false(record->failed);
    hf_arena_release(&arena);
}

static const struct record *known; /* of the only owner there is */

static const struct record *find(void *user, struct hf_slice kind, struct hf_slice uid)
{
    (void)user;
    return hf_slice_is(kind, "ReplicaSet") && hf_slice_is(uid, "rs") ? known : NULL;
}

static bool has(const struct hf_batch *batch, const char *text)
{
    return memmem(batch->raw.data, batch->raw.size, text, strlen(text)) != NULL;
}

struct told {
    struct hf_builder builder;
    struct entity_writer writer;
};

static void begin(struct told *told)
{
    hf_builder_init(&told->builder, HF_LOGS, 1 << 20);
    told->writer = (struct entity_writer){.builder = &told->builder, .now_ns = 1, .find = find};
    cluster_entities_begin(&told->writer);
}

/* The request, which has passed the scan; NULL: there are no events. */
static struct hf_batch *end(struct told *told)
{
    assert_int_equal(hf_build_finish(&told->builder), HF_OK);
    struct hf_batch *batch = hf_build_take(&told->builder);
    hf_builder_release(&told->builder);
    return batch;
}

static void drop(struct hf_batch *batch)
{
    if (batch != NULL) {
        hf_ref_drop(&batch->ref);
    }
}

static const char pod_text[] =
    "{\"metadata\":{\"name\":\"p\",\"uid\":\"pod\",\"namespace\":\"n\",\"ownerReferences\":"
    "[{\"kind\":\"ReplicaSet\",\"name\":\"r\",\"uid\":\"rs\"}]}}";

static void a_pod_belongs_to_what_owns_its_replica_set_once_that_is_known(void **state)
{
    static const char set_text[] =
        "{\"metadata\":{\"name\":\"r\",\"uid\":\"rs\",\"ownerReferences\":"
        "[{\"kind\":\"Deployment\",\"name\":\"the-deployment\",\"uid\":\"d\"}]}}";
    struct record pod = {.failed = false}, set = {.failed = false};
    (void)state;
    describe(&pod, "pods", pod_text);
    describe(&set, "replicasets", set_text);
    for (size_t i = 0; i < 2; i++) {
        struct told told;
        known = i == 0 ? NULL : &set;
        begin(&told);
        cluster_entities_write(&pod, &told.writer);
        assert_int_equal(told.writer.events, 1);
        struct hf_batch *batch = end(&told);
        assert_true(has(batch, "k8s.replicaset.uid"));
        assert_int_equal(has(batch, "the-deployment"), i == 1);
        assert_int_equal(has(batch, "k8s.workload.name"), i == 1);
        drop(batch);
    }
    hf_bytes_release(&pod.bytes);
    hf_bytes_release(&set.bytes);
}

static void only_what_is_gone_ends(void **state)
{
    static const char two[] =
        "{\"metadata\":{\"uid\":\"pod\"},\"status\":{\"containerStatuses\":["
        "{\"name\":\"a\",\"containerID\":\"x://one\"},{\"name\":\"b\",\"containerID\":\"two\"}]}}";
    static const char one[] = "{\"metadata\":{\"uid\":\"pod\"},\"status\":{\"containerStatuses\":["
                              "{\"name\":\"a\",\"containerID\":\"x://one\"}]}}";
    struct record before = {.failed = false}, after = {.failed = false}, gone = {.failed = false};
    struct told told;
    (void)state;
    describe(&before, "pods", two);
    describe(&after, "pods", one);
    cluster_entities_keep_gone(&before, &after, &gone);
    begin(&told);
    cluster_entities_end(&gone, &told.writer);
    assert_int_equal(told.writer.events, 1);
    struct hf_batch *batch = end(&told);
    assert_true(has(batch, "entity_delete") && has(batch, "two") && !has(batch, "one"));
    drop(batch);
    gone.bytes.size = 0;
    cluster_entities_keep_gone(&before, NULL, &gone);
    begin(&told);
    cluster_entities_end(&gone, &told.writer);
    assert_int_equal(told.writer.events, 3);
    drop(end(&told));
    hf_bytes_release(&before.bytes);
    hf_bytes_release(&after.bytes);
    hf_bytes_release(&gone.bytes);
}

/* More labels than an entity may have, texts longer than one may be. */
static void what_is_too_much_is_cut(void **state)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    struct record record = {.failed = false};
    struct told told;
    (void)state;
    assert_non_null(out);
    fputs("{\"metadata\":{\"uid\":\"u\",\"name\":\"n\",\"labels\":{", out);
    for (int i = 0; i < 400; i++) {
        fprintf(out, "\"label-%d\":\"%02000d\",", i, i);
    }
    fputs("\"last\":\"\"}}}", out);
    fclose(out);
    describe(&record, "nodes", text);
    begin(&told);
    cluster_entities_write(&record, &told.writer);
    assert_int_equal(told.writer.events, 1);
    struct hf_batch *batch = end(&told);
    assert_non_null(batch);
    assert_true(has(batch, "label-100") && !has(batch, "label-399"));
    assert_true(batch->raw.size < 256 * 1200);
    drop(batch);
    hf_bytes_release(&record.bytes);
    free(text);
}

static void odd_objects_and_other_kinds_are_no_entities(void **state)
{
    static const char *const texts[] = {"{}", "[]", "null", "{\"metadata\":7,\"status\":[]}"};
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct record record = {.failed = false};
        struct told told;
        describe(&record, "services", texts[i]);
        assert_int_equal(record.bytes.size, 0);
        describe(&record, "pods", texts[i]);
        describe(&record, "nodes", texts[i]);
        describe(&record, "namespaces", texts[i]);
        describe(&record, "cronjobs", texts[i]);
        begin(&told);
        cluster_entities_write(&record, &told.writer);
        drop(end(&told));
        hf_bytes_release(&record.bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pod_belongs_to_what_owns_its_replica_set_once_that_is_known),
        cmocka_unit_test(only_what_is_gone_ends),
        cmocka_unit_test(what_is_too_much_is_cut),
        cmocka_unit_test(odd_objects_and_other_kinds_are_no_entities),
    };
    return cmocka_run_group_tests_name("entities", tests, NULL, NULL);
}
