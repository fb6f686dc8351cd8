/* The ring leads each identifier to the endpoint that the Go collector's ring leads it to. */
#include "components/exporters/loadbalancing/lb_ring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define IDS 100000
#define MANY 500

/* The same ids as in the run of the Go collector's code that the answers were recorded from. */
static uint64_t next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void put_u64(uint8_t *room, uint64_t number)
{
    for (unsigned i = 0; i < 8; i++) {
        room[i] = (uint8_t)(number >> (8 * i));
    }
}

struct recorded {
    size_t items;      /* of the ring */
    uint64_t digest;   /* FNV-1a of the answers to 100,000 ids, each as four bytes */
    uint32_t first[8]; /* the first answers */
};

static void check(const char *const *endpoints, size_t count, const struct recorded *recorded)
{
    struct lb_ring ring;
    uint64_t state = 88172645463325252;
    uint64_t digest = UINT64_C(14695981039346656037);
    assert_int_equal(lb_ring_init(&ring, endpoints, count), HF_OK);
    assert_int_equal(ring.count, recorded->items);
    for (size_t i = 0; i < IDS; i++) {
        uint8_t id[16];
        put_u64(id, next(&state));
        put_u64(id + 8, next(&state));
        uint32_t answer = lb_ring_find(&ring, hf_slice_of(id, sizeof(id)));
        if (i < 8) {
            assert_int_equal(answer, recorded->first[i]);
        }
        for (unsigned k = 0; k < 4; k++) {
            digest = (digest ^ (uint8_t)(answer >> (8 * k))) * UINT64_C(1099511628211);
        }
    }
    assert_true(digest == recorded->digest);
    lb_ring_release(&ring);
}

static void answers_as_the_go_collector_for_names(void **state)
{
    (void)state;
    const char *const endpoints[] = {"endpoint-1", "endpoint-2:55678", "endpoint-3:4317"};
    check(endpoints, 3,
          &(const struct recorded){600, 0xae6a89421c798e86, {0, 2, 0, 0, 0, 1, 1, 1}});
}

static void answers_as_the_go_collector_for_addresses(void **state)
{
    (void)state;
    const char *const endpoints[] = {"10.0.0.1:4317", "10.0.0.2:4317", "10.0.0.3:4317",
                                     "10.0.0.4:4317", "10.0.0.5:4317", "10.0.0.6:4317",
                                     "10.0.0.7:4317"};
    check(endpoints, 7,
          &(const struct recorded){1400, 0x2b9d34e1c45db9f1, {6, 1, 2, 3, 6, 1, 3, 1}});
}

static int compare(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* So many points that most find their position taken, and some find none. */
static void answers_as_the_go_collector_when_points_collide(void **state)
{
    (void)state;
    static char texts[MANY][32];
    const char *endpoints[MANY];
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(texts[i], sizeof(texts[i]), "[fd00::%x]:4317", i);
        endpoints[i] = texts[i];
    }
    qsort(endpoints, MANY, sizeof(*endpoints), compare);
    check(
        endpoints, MANY,
        &(const struct recorded){99871, 0xf3b5081256815345, {88, 382, 181, 29, 463, 386, 455, 31}});
}

static void moves_only_the_share_of_an_endpoint_that_leaves(void **state)
{
    (void)state;
    const char *const before[] = {"a:1", "b:1", "c:1", "d:1"};
    const char *const after[] = {"a:1", "b:1", "c:1"};
    struct lb_ring four, three;
    uint64_t ids = 1;
    assert_int_equal(lb_ring_init(&four, before, 4), HF_OK);
    assert_int_equal(lb_ring_init(&three, after, 3), HF_OK);
    size_t moved = 0;
    for (size_t i = 0; i < 10000; i++) {
        uint8_t id[8];
        put_u64(id, next(&ids));
        uint32_t old = lb_ring_find(&four, hf_slice_of(id, sizeof(id)));
        uint32_t new = lb_ring_find(&three, hf_slice_of(id, sizeof(id)));
        moved += old != 3 && old != new;
    }
    assert_true(moved < 20); /* those behind a point that had found its position taken */
    lb_ring_release(&four);
    lb_ring_release(&three);
}

static void has_no_points_without_endpoints(void **state)
{
    (void)state;
    struct lb_ring ring;
    assert_int_equal(lb_ring_init(&ring, NULL, 0), HF_OK);
    assert_int_equal(ring.count, 0);
    lb_ring_release(&ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_as_the_go_collector_for_names),
        cmocka_unit_test(answers_as_the_go_collector_for_addresses),
        cmocka_unit_test(answers_as_the_go_collector_when_points_collide),
        cmocka_unit_test(moves_only_the_share_of_an_endpoint_that_leaves),
        cmocka_unit_test(has_no_points_without_endpoints),
    };
    return cmocka_run_group_tests_name("lb_ring", tests, NULL, NULL);
}
