#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "components/extensions/basicauth/password_worker.h"

#define ASKS_MAX 64

/* A worker whose checks wait for the test; the password "right" is. */
struct fixture {
    struct password_worker *worker;
    sem_t begun, go;
    pthread_mutex_t lock;
    char order[512]; /* the names that were checked */
    atomic_int ended;
};

struct ask {
    struct hf_auth_wait wait;
    struct hf_meta_writer meta;
    sem_t done;
    atomic_bool gone;
    enum hf_status status;
};

static void await(sem_t *semaphore)
{
    while (sem_wait(semaphore) != 0) {
    }
}

static enum hf_status verify(void *user, const char *name, const char *password)
{
    struct fixture *fixture = user;
    pthread_mutex_lock(&fixture->lock);
    size_t used = strlen(fixture->order);
    snprintf(fixture->order + used, sizeof(fixture->order) - used, "%s ", name);
    pthread_mutex_unlock(&fixture->lock);
    sem_post(&fixture->begun);
    await(&fixture->go);
    return strcmp(password, "right") == 0 ? HF_OK : HF_UNAUTHENTICATED;
}

static void describe(void *user, const char *name, const char *password,
                     struct hf_meta_writer *meta)
{
    (void)user;
    (void)password;
    assert_int_equal(
        hf_meta_add(meta, HF_META_AUTH, hf_slice_text("username"), hf_slice_text(name)), HF_OK);
}

static void ended(void *user)
{
    struct fixture *fixture = user;
    fixture->ended++;
}

static bool is_wanted(struct hf_auth_wait *wait)
{
    return !((struct ask *)(void *)wait)->gone;
}

static void done(struct hf_auth_wait *wait, enum hf_status status)
{
    struct ask *ask = (struct ask *)(void *)wait;
    ask->status = status;
    sem_post(&ask->done);
}

static int set_up(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){.worker = NULL};
    sem_init(&fixture.begun, 0, 0);
    sem_init(&fixture.go, 0, 0);
    pthread_mutex_init(&fixture.lock, NULL);
    const struct password_worker_options options = {
        .verify = verify, .describe = describe, .ended = ended, .user = &fixture};
    assert_int_equal(password_worker_start(&options, &fixture.worker), HF_OK);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < 2 * ASKS_MAX; i++) {
        sem_post(&fixture->go);
    }
    password_worker_free(fixture->worker);
    assert_int_equal(fixture->ended, 1);
    sem_destroy(&fixture->begun);
    sem_destroy(&fixture->go);
    pthread_mutex_destroy(&fixture->lock);
    return 0;
}

static void put(struct fixture *fixture, struct ask *ask, const char *peer, const char *name,
                const char *password)
{
    *ask = (struct ask){.wait = {NULL, &ask->meta, is_wanted, done}, .status = HF_STATUS_COUNT};
    sem_init(&ask->done, 0, 0);
    password_worker_ask(fixture->worker, peer, name, password, &ask->wait);
}

static enum hf_status result(struct ask *ask)
{
    await(&ask->done);
    sem_destroy(&ask->done);
    return ask->status;
}

/* Something is being checked, so that what is put next waits. */
static void occupy(struct fixture *fixture, struct ask *ask)
{
    put(fixture, ask, "10.9.9.9:1", "first", "right");
    await(&fixture->begun);
}

static void let(struct fixture *fixture, int count)
{
    for (int i = 0; i < count; i++) {
        sem_post(&fixture->go);
    }
}

static void says_who_it_was(void **state)
{
    struct fixture *fixture = *state;
    struct ask good, bad;
    struct hf_slice user;
    let(fixture, 2);
    put(fixture, &good, "10.0.0.1:1", "ann", "right");
    put(fixture, &bad, "10.0.0.1:1", "ann", "wrong");
    assert_int_equal(result(&good), HF_OK);
    assert_int_equal(result(&bad), HF_UNAUTHENTICATED);
    assert_true(hf_meta_find(hf_slice_of(good.meta.bytes, good.meta.size), HF_META_AUTH, "username",
                             &user));
    assert_true(hf_slice_is(user, "ann"));
    assert_int_equal(bad.meta.size, 0);
}

static void checks_the_same_once_for_all_who_ask(void **state)
{
    struct fixture *fixture = *state;
    struct ask first, asks[ASKS_MAX];
    occupy(fixture, &first);
    for (int i = 0; i < ASKS_MAX; i++) {
        put(fixture, &asks[i], "10.0.0.1:1", "ann", "right");
    }
    let(fixture, 2);
    assert_int_equal(result(&first), HF_OK);
    for (int i = 0; i < ASKS_MAX; i++) {
        assert_int_equal(result(&asks[i]), HF_OK);
    }
    assert_string_equal(fixture->order, "first ann ");
}

static void bounds_what_a_peer_has_waiting(void **state)
{
    struct fixture *fixture = *state;
    struct ask first, asks[17], other;
    char name[16];
    occupy(fixture, &first);
    for (int i = 0; i < 17; i++) {
        snprintf(name, sizeof(name), "user%d", i);
        put(fixture, &asks[i], "10.0.0.1:1", name, "right");
    }
    assert_int_equal(result(&asks[16]), HF_AGAIN);
    put(fixture, &other, "10.0.0.2:1", "other", "right");
    let(fixture, 18);
    assert_int_equal(result(&first), HF_OK);
    for (int i = 0; i < 16; i++) {
        assert_int_equal(result(&asks[i]), HF_OK);
    }
    assert_int_equal(result(&other), HF_OK);
}

static void drops_those_whose_clients_have_gone(void **state)
{
    struct fixture *fixture = *state;
    struct ask first, gone, stays;
    occupy(fixture, &first);
    put(fixture, &gone, "10.0.0.1:1", "gone", "right");
    put(fixture, &stays, "10.0.0.1:1", "stays", "right");
    gone.gone = true;
    let(fixture, 2);
    assert_int_equal(result(&stays), HF_OK);
    assert_int_equal(result(&gone), HF_CLOSED);
    assert_int_equal(result(&first), HF_OK);
    assert_string_equal(fixture->order, "first stays ");
}

static void makes_room_by_those_who_have_gone(void **state)
{
    struct fixture *fixture = *state;
    struct ask first, asks[16], next;
    char name[16];
    occupy(fixture, &first);
    for (int i = 0; i < 16; i++) {
        snprintf(name, sizeof(name), "user%d", i);
        put(fixture, &asks[i], "10.0.0.1:1", name, "right");
        asks[i].gone = true;
    }
    put(fixture, &next, "10.0.0.1:1", "next", "right");
    for (int i = 0; i < 16; i++) {
        assert_int_equal(result(&asks[i]), HF_CLOSED);
    }
    let(fixture, 2);
    assert_int_equal(result(&next), HF_OK);
    assert_int_equal(result(&first), HF_OK);
}

static void answers_those_who_wait_when_it_stops_without_waiting_itself(void **state)
{
    struct fixture *fixture = *state;
    struct ask first, waiting, late;
    occupy(fixture, &first);
    put(fixture, &waiting, "10.0.0.1:1", "ann", "right");
    password_worker_stop(fixture->worker);
    assert_int_equal(result(&waiting), HF_CLOSED);
    put(fixture, &late, "10.0.0.1:1", "ann", "right");
    assert_int_equal(result(&late), HF_CLOSED);
    assert_int_equal(fixture->ended, 0);
    let(fixture, 1);
    assert_int_equal(result(&first), HF_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(says_who_it_was, set_up, tear_down),
        cmocka_unit_test_setup_teardown(checks_the_same_once_for_all_who_ask, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bounds_what_a_peer_has_waiting, set_up, tear_down),
        cmocka_unit_test_setup_teardown(drops_those_whose_clients_have_gone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(makes_room_by_those_who_have_gone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(answers_those_who_wait_when_it_stops_without_waiting_itself,
                                        set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
