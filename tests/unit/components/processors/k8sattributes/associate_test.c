#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <holdfast/component.h>

#include "components/processors/k8sattributes/extract.h"
#include "components/processors/k8sattributes/table.h"

struct attributes {
    struct hf_arena arena;
    struct hf_attributes list;
};

static void begin(struct attributes *attributes)
{
    memset(attributes, 0, sizeof(*attributes));
    attributes->arena.limit = 1 << 20;
    attributes->list.lender = &attributes->arena;
}

static void add(struct attributes *attributes, const char *key, const char *text)
{
    hf_attributes_set(&attributes->list, hf_slice_text(key),
                      hf_attributes_string(&attributes->list, hf_slice_text(text)));
}

static void addresses_are_read_from_peers(void **state)
{
    static const struct {
        const char *peer, *address;
    } rows[] = {
        {"10.0.0.7:51234", "10.0.0.7"},
        {"[fd00::1]:51234", "fd00::1"},
        {"[FD00:0::1]:1", "fd00::1"},
        {"[::ffff:10.0.0.7]:51234", "10.0.0.7"},
        {"[fe80::1%eth0]:1", "fe80::1"},
        {"unix", ""},
        {"", ""},
        {":1", ""},
        {"host:80", ""},
        {"[fd00::1:51234", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char room[K8S_ADDRESS_MAX];
        struct hf_slice address = k8s_address_of_peer(hf_slice_text(rows[i].peer), room);
        assert_true(hf_slice_is(address, rows[i].address));
    }
}

static void without_rules_the_first_address_counts(void **state)
{
    static const struct {
        const char *keys[3], *texts[3];
        const char *connection, *address;
    } rows[] = {
        {{"k8s.pod.ip", "ip", "host.name"},
         {"1.1.1.1", "2.2.2.2", "3.3.3.3"},
         "4.4.4.4",
         "1.1.1.1"},
        {{"ip", "host.name"}, {"2.2.2.2", "3.3.3.3"}, "4.4.4.4", "2.2.2.2"},
        {{"host.name"}, {"3.3.3.3"}, "4.4.4.4", "4.4.4.4"},
        {{"host.name"}, {"3.3.3.3"}, "", "3.3.3.3"},
        {{"host.name"}, {"my-host"}, "", NULL},
        {{NULL}, {NULL}, "", NULL},
    };
    const struct k8s_associations none = {.count = 0};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct attributes attributes;
        struct k8s_key key;
        struct hf_slice address;
        begin(&attributes);
        for (size_t k = 0; k < 3 && rows[i].keys[k] != NULL; k++) {
            add(&attributes, rows[i].keys[k], rows[i].texts[k]);
        }
        bool told = k8s_associate(&none, &attributes.list, hf_slice_text(rows[i].connection), &key,
                                  &address);
        assert_int_equal(told, rows[i].address != NULL);
        assert_true(!told || hf_slice_is(address, rows[i].address));
        hf_arena_release(&attributes.arena);
    }
}

static void a_rule_counts_when_all_its_sources_have_a_value(void **state)
{
    struct k8s_associations rules = {
        .rules = {{.sources = {{false, hf_slice_text("a")}, {false, hf_slice_text("b")}},
                   .source_count = 2},
                  {.sources = {{.is_connection = true}}, .source_count = 1}},
        .count = 2,
    };
    struct attributes attributes;
    struct k8s_key key;
    struct hf_slice address;
    (void)state;
    begin(&attributes);
    assert_false(k8s_associate(&rules, &attributes.list, HF_EMPTY_SLICE, &key, &address));
    add(&attributes, "a", "1");
    assert_true(k8s_associate(&rules, &attributes.list, hf_slice_text("9.9.9.9"), &key, &address));
    assert_int_equal(key.bytes[1], 1);
    assert_true(hf_slice_is(address, "9.9.9.9"));
    add(&attributes, "b", "2");
    assert_true(k8s_associate(&rules, &attributes.list, hf_slice_text("9.9.9.9"), &key, &address));
    assert_int_equal(key.bytes[1], 0);
    assert_int_equal(address.size, 0);
    assert_memory_equal(key.bytes + 2, "1\0002\0", 4);
    hf_arena_release(&attributes.arena);
}

/* ---- the table ---- */

static struct k8s_record *record_named(const char *name, uint64_t rank)
{
    struct hf_arena arena = {.limit = 1 << 16};
    struct k8s_draft draft = {.arena = &arena,
                              .record = {.pod_name = hf_slice_text(name), .rank = rank}};
    k8s_draft_put(&draft, "k8s.pod.name", hf_slice_text(name));
    struct k8s_record *record = k8s_record_make(&draft);
    assert_non_null(record);
    hf_arena_release(&arena);
    return record;
}

static void put(struct k8s_table *table, const char *uid, const char *name, uint64_t rank,
                const char *address)
{
    const struct hf_slice key = hf_slice_text(address);
    assert_int_equal(k8s_table_put(table, hf_slice_text(uid), record_named(name, rank), &key, 1),
                     HF_OK);
}

static void assert_found(struct k8s_table *table, const char *key, const char *name)
{
    struct k8s_record *record = k8s_table_find(table, hf_slice_text(key));
    if (name == NULL) {
        assert_null(record);
        return;
    }
    assert_non_null(record);
    assert_true(hf_slice_is(record->pod_name, name));
    hf_ref_drop(&record->ref);
}

static void an_object_is_found_by_its_keys_until_it_is_forgotten(void **state)
{
    struct k8s_table *table;
    (void)state;
    assert_int_equal(k8s_table_new(&table), HF_OK);
    put(table, "u1", "one", 5, "10.0.0.1");
    assert_found(table, "u1", "one");
    assert_found(table, "10.0.0.1", "one");
    put(table, "u1", "one again", 5, "10.0.0.2");
    assert_found(table, "10.0.0.1", NULL);
    assert_found(table, "10.0.0.2", "one again");
    k8s_table_remove(table, hf_slice_text("u1"), 1000, 100);
    k8s_table_sweep(table, 1099);
    assert_found(table, "10.0.0.2", "one again");
    k8s_table_sweep(table, 1100);
    assert_found(table, "10.0.0.2", NULL);
    assert_int_equal(k8s_table_size(table), 0);
    k8s_table_free(table);
}

static void of_several_with_a_key_the_living_and_later_one_counts(void **state)
{
    struct k8s_table *table;
    (void)state;
    assert_int_equal(k8s_table_new(&table), HF_OK);
    put(table, "u1", "late", 9, "ip");
    put(table, "u2", "early", 5, "ip");
    assert_found(table, "ip", "late");
    k8s_table_remove(table, hf_slice_text("u1"), 1, 100);
    assert_found(table, "ip", "early");
    k8s_table_remove(table, hf_slice_text("u2"), 1, 0);
    assert_found(table, "ip", "late");
    k8s_table_free(table);
}

struct reading {
    struct k8s_table *table;
    atomic_bool end;
    atomic_uint found;
};

static void *read_on(void *user)
{
    struct reading *reading = user;
    for (unsigned i = 0; !atomic_load(&reading->end); i++) {
        char key[32];
        snprintf(key, sizeof(key), "ip-%u", i % 500);
        struct k8s_record *record = k8s_table_find(reading->table, hf_slice_text(key));
        if (record != NULL) {
            assert_true(record->pair_count == 1);
            atomic_fetch_add(&reading->found, 1);
            hf_ref_drop(&record->ref);
        }
    }
    return NULL;
}

static void readers_see_whole_records_while_objects_change(void **state)
{
    struct reading reading = {.table = NULL};
    pthread_t threads[2];
    (void)state;
    assert_int_equal(k8s_table_new(&reading.table), HF_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, read_on, &reading), 0);
    }
    for (unsigned round = 0; round < 10 || atomic_load(&reading.found) == 0; round++) {
        for (unsigned i = 0; i < 500; i++) {
            char uid[32], address[32];
            snprintf(uid, sizeof(uid), "uid-%u", i);
            snprintf(address, sizeof(address), "ip-%u", i);
            put(reading.table, uid, uid, round, address);
            if ((i + round) % 7 == 0) {
                k8s_table_remove(reading.table, hf_slice_text(uid), round, round % 2);
            }
        }
        k8s_table_sweep(reading.table, round + 5);
    }
    atomic_store(&reading.end, true);
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
    k8s_table_free(reading.table);
}

#define POD                                                                                        \
    "{\"metadata\": {\"name\": \"shop-7d9f8c6b5-%05u\", \"namespace\": \"production\", \"uid\": "  \
    "\"9a1b2c3d-0000-4000-8000-%012u\", \"creationTimestamp\": \"2024-05-06T07:08:09Z\", "         \
    "\"labels\": {\"app\": \"shop\", \"version\": \"1.2.3\"}, \"ownerReferences\": [{\"kind\": "   \
    "\"ReplicaSet\", \"name\": \"shop-7d9f8c6b5\", \"uid\": \"rs-uid-1234567890\"}]}, \"spec\": "  \
    "{\"nodeName\": \"node-%u.example.internal\", \"containers\": [{\"name\": \"app\", "           \
    "\"image\": \"registry.example.com:5000/team/shop:1.2.3\"}]}, \"status\": {\"podIP\": "        \
    "\"10.%u.%u.%u\", \"startTime\": \"2024-05-06T07:08:10Z\", \"containerStatuses\": "            \
    "[{\"name\": \"app\", \"restartCount\": 0, \"containerID\": "                                  \
    "\"containerd://0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"}]}}"

static void ten_thousand_pods_fit_in_20_mib(void **state)
{
    const struct k8s_extract_field labels[] = {{.tag_name = "app", .key = "app", .from = "pod"},
                                               {.key = "version", .from = "pod"}};
    struct k8s_config config = {.extract.labels = {labels, 2}};
    struct k8s_associations associations;
    struct k8s_rules rules;
    struct k8s_table *table;
    struct hf_arena arena = {.limit = 1 << 20};
    char text[2048], error[HF_ERROR_MAX];
    (void)state;
    k8s_associations_compile(&config, &associations);
    assert_int_equal(k8s_rules_compile(&config, &rules, error), HF_OK);
    assert_int_equal(k8s_table_new(&table), HF_OK);
    size_t before = mallinfo2().uordblks;
    for (unsigned i = 0; i < 10000; i++) {
        struct k8s_draft draft = {.arena = &arena};
        struct k8s_pod_keys keys;
        const struct hf_json *pod;
        struct k8s_key identity;
        snprintf(text, sizeof(text), POD, i, i, i % 100, i >> 16 & 255, i >> 8 & 255, i & 255);
        assert_int_equal(hf_json_read(hf_slice_text(text), &arena, &pod, error), HF_OK);
        k8s_extract_pod(&rules, &associations, pod, &draft, &keys);
        k8s_key_begin(&identity, K8S_KEY_OF_UID, K8S_POD);
        k8s_key_add(&identity, hf_json_text_of(hf_json_get(pod, "metadata"), "uid"));
        assert_int_equal(k8s_table_put(table, k8s_key_slice(&identity), k8s_record_make(&draft),
                                       keys.keys, keys.count),
                         HF_OK);
        hf_arena_reset(&arena);
    }
    size_t used = mallinfo2().uordblks - before;
    print_message("10000 pods: %zu KiB\n", used / 1024);
    assert_true(used < 20u << 20);
    k8s_table_free(table);
    k8s_rules_release(&rules);
    hf_arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_read_from_peers),
        cmocka_unit_test(without_rules_the_first_address_counts),
        cmocka_unit_test(a_rule_counts_when_all_its_sources_have_a_value),
        cmocka_unit_test(an_object_is_found_by_its_keys_until_it_is_forgotten),
        cmocka_unit_test(of_several_with_a_key_the_living_and_later_one_counts),
        cmocka_unit_test(readers_see_whole_records_while_objects_change),
        cmocka_unit_test(ten_thousand_pods_fit_in_20_mib),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
