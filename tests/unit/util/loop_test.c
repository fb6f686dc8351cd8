/* The order of a turn, timers in order, tasks across threads, and removal in the middle of a turn.
 */
#include <util/loop.h>

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h> /* needs those before it */

#include <holdfast/ref.h>

struct probe {
    struct hf_loop *loop;
    struct hf_io io;
    struct hf_timer timer;
    struct hf_task task;
    int fd;
    char mark;
    char *trace; /* shared by the probes of a test */
    struct probe *other;
    int left;
};

static void note(struct probe *probe)
{
    size_t length = strlen(probe->trace);
    if (length < 63) {
        probe->trace[length] = probe->mark;
    }
}

static struct hf_loop *new_loop(void)
{
    struct hf_loop *loop = NULL;
    assert_int_equal(hf_loop_new(&loop), HF_OK);
    return loop;
}

static void stop_on_fire(struct hf_timer *timer, uint64_t now_ns)
{
    (void)now_ns;
    hf_loop_stop(HF_CONTAINER(timer, struct probe, timer)->loop);
}

static void note_on_fire(struct hf_timer *timer, uint64_t now_ns)
{
    struct probe *probe = HF_CONTAINER(timer, struct probe, timer);
    assert_true(now_ns >= timer->due_ns);
    note(probe);
}

static void note_on_run(struct hf_task *task)
{
    note(HF_CONTAINER(task, struct probe, task));
}

static void note_and_stop(struct hf_task *task)
{
    struct probe *probe = HF_CONTAINER(task, struct probe, task);
    note(probe);
    hf_loop_stop(probe->loop);
}

static void fires_timers_in_the_order_they_are_due(void **state)
{
    (void)state;
    struct hf_loop *loop = new_loop();
    char trace[64] = {0};
    uint64_t now_ns = hf_loop_now_ns(loop);
    const char due[] = "hcafbegd"; /* the letter is the place in time */
    struct probe probes[8];
    memset(probes, 0, sizeof(probes));
    for (size_t i = 0; i < 8; i++) {
        probes[i] = (struct probe){.loop = loop, .mark = due[i], .trace = trace};
        probes[i].timer.fire = note_on_fire;
        assert_int_equal(
            hf_loop_timer_set(loop, &probes[i].timer, now_ns + (uint64_t)(due[i] - 'a')), HF_OK);
    }
    hf_loop_timer_stop(loop, &probes[1].timer); /* c */
    hf_loop_timer_stop(loop, &probes[1].timer);
    assert_int_equal(hf_loop_timer_set(loop, &probes[0].timer, now_ns), HF_OK); /* h first... */
    assert_int_equal(hf_loop_timer_set(loop, &probes[2].timer, now_ns + 100), HF_OK); /* a last */
    struct probe end = {.loop = loop, .timer.fire = stop_on_fire};
    assert_int_equal(hf_loop_timer_set(loop, &end.timer, now_ns + 2000000), HF_OK);
    hf_loop_run(loop);
    assert_string_equal(trace, "hbdefga");
    hf_loop_free(loop);
}

struct fired {
    struct hf_loop *loop;
    struct hf_timer timer;
    struct fired_count {
        uint64_t last_due_ns;
        int left;
    } * count;
};

static void fire_in_order(struct hf_timer *timer, uint64_t now_ns)
{
    struct fired *fired = HF_CONTAINER(timer, struct fired, timer);
    (void)now_ns;
    assert_true(timer->due_ns >= fired->count->last_due_ns);
    fired->count->last_due_ns = timer->due_ns;
    if (--fired->count->left == 0) {
        hf_loop_stop(fired->loop);
    }
}

static void keeps_many_timers_sorted_as_they_are_set_moved_and_stopped(void **state)
{
    (void)state;
    enum { COUNT = 500 };
    struct hf_loop *loop = new_loop();
    struct fired *all = calloc(COUNT, sizeof(*all));
    assert_non_null(all);
    struct fired_count count = {0};
    uint64_t now_ns = hf_loop_now_ns(loop);
    uint32_t draw = 12345;
    for (int round = 0; round < 4; round++) {
        for (size_t i = 0; i < COUNT; i++) {
            draw = draw * 1664525u + 1013904223u;
            all[i].timer.fire = fire_in_order;
            all[i].loop = loop;
            all[i].count = &count;
            if ((draw >> 16) % 5 == 0) {
                hf_loop_timer_stop(loop, &all[i].timer);
            } else {
                assert_int_equal(
                    hf_loop_timer_set(loop, &all[i].timer, now_ns + (draw >> 8) % 1000), HF_OK);
            }
        }
    }
    for (size_t i = 0; i < COUNT; i++) {
        count.left += all[i].timer.place != 0;
    }
    hf_loop_run(loop); /* ends when each that is set has fired */
    assert_int_equal(count.left, 0);
    free(all);
    hf_loop_free(loop);
}

static void note_io(struct hf_io *io, uint32_t events)
{
    struct probe *probe = HF_CONTAINER(io, struct probe, io);
    assert_true((events & EPOLLIN) != 0);
    note(probe);
    uint64_t value;
    assert_int_equal(read(probe->fd, &value, sizeof(value)), sizeof(value));
    if (probe->other != NULL) {
        hf_loop_remove(probe->loop, probe->other->fd, &probe->other->io);
        close(probe->other->fd);
        probe->other->fd = -1;
    }
}

static void never_calls_a_descriptor_that_was_removed_in_the_same_turn(void **state)
{
    (void)state;
    struct hf_loop *loop = new_loop();
    char trace[64] = {0};
    struct probe a = {.loop = loop, .mark = 'x', .trace = trace, .io.ready = note_io};
    struct probe b = a;
    a.other = &b;
    b.other = &a;
    a.fd = eventfd(1, EFD_NONBLOCK);
    b.fd = eventfd(1, EFD_NONBLOCK);
    assert_int_equal(hf_loop_add(loop, a.fd, EPOLLIN, &a.io), HF_OK);
    assert_int_equal(hf_loop_add(loop, b.fd, EPOLLIN, &b.io), HF_OK);
    struct probe end = {.loop = loop, .mark = 'e', .trace = trace, .task.run = note_and_stop};
    hf_loop_post(loop, &end.task);
    hf_loop_run(loop);
    assert_string_equal(trace, "xe"); /* both were ready, whichever came first removed the other */
    close(a.fd >= 0 ? a.fd : b.fd);
    hf_loop_free(loop);
}

static void defer_on_io(struct hf_io *io, uint32_t events)
{
    struct probe *probe = HF_CONTAINER(io, struct probe, io);
    (void)events;
    note(probe);
    hf_loop_remove(probe->loop, probe->fd, io);
    hf_loop_defer(probe->loop, &probe->task);
}

static void turns_in_the_documented_order(void **state)
{
    (void)state;
    struct hf_loop *loop = new_loop();
    char trace[64] = {0};
    struct probe io = {.loop = loop, .mark = 'i', .trace = trace, .io.ready = defer_on_io};
    io.task.run = note_on_run;
    io.fd = eventfd(1, EFD_NONBLOCK);
    assert_int_equal(hf_loop_add(loop, io.fd, EPOLLIN, &io.io), HF_OK);
    struct probe inbox = {.loop = loop, .mark = 'p', .trace = trace, .task.run = note_and_stop};
    hf_loop_post(loop, &inbox.task);
    struct probe timer = {.loop = loop, .mark = 't', .trace = trace, .timer.fire = note_on_fire};
    assert_int_equal(hf_loop_timer_set(loop, &timer.timer, hf_loop_now_ns(loop)), HF_OK);
    hf_loop_run(loop);
    assert_string_equal(trace, "itpi");
    close(io.fd);
    hf_loop_free(loop);
}

static void defer_again(struct hf_task *task)
{
    struct probe *probe = HF_CONTAINER(task, struct probe, task);
    if (--probe->left > 0) {
        hf_loop_defer(probe->loop, task);
    } else {
        note(probe);
        hf_loop_stop(probe->loop);
    }
}

static void a_chain_of_deferred_tasks_does_not_starve_the_rest(void **state)
{
    (void)state;
    struct hf_loop *loop = new_loop();
    char trace[64] = {0};
    struct probe chain = {.loop = loop, .mark = 'c', .trace = trace, .task.run = defer_again};
    chain.left = 1000;
    hf_loop_defer(loop, &chain.task);
    struct probe timer = {.loop = loop, .mark = 't', .trace = trace, .timer.fire = note_on_fire};
    assert_int_equal(hf_loop_timer_set(loop, &timer.timer, hf_loop_now_ns(loop)), HF_OK);
    hf_loop_run(loop); /* without sleeping: nothing else would ever wake it */
    assert_string_equal(trace, "tc");
    hf_loop_free(loop);
}

enum { POSTS = 2000, POSTERS = 4 };

struct counter {
    struct hf_loop *loop;
    int last[POSTERS]; /* the loop's thread */
    int total;
};

struct poster {
    struct counter *counter;
    int number;
};

struct numbered {
    struct hf_task task;
    struct counter *counter;
    int poster, number;
};

static void run_numbered(struct hf_task *task)
{
    struct numbered *numbered = HF_CONTAINER(task, struct numbered, task);
    struct counter *counter = numbered->counter;
    assert_true(hf_loop_is_own_thread(counter->loop));
    assert_int_equal(numbered->number, counter->last[numbered->poster]);
    counter->last[numbered->poster]++;
    counter->total++;
    free(numbered);
    if (counter->total == POSTERS * POSTS) {
        hf_loop_stop(counter->loop);
    }
}

static void *post_many(void *argument)
{
    struct poster *poster = argument;
    for (int i = 0; i < POSTS; i++) {
        struct numbered *numbered = calloc(1, sizeof(*numbered));
        assert_non_null(numbered);
        *numbered = (struct numbered){.task.run = run_numbered,
                                      .counter = poster->counter,
                                      .poster = poster->number,
                                      .number = i};
        hf_loop_post(poster->counter->loop, &numbered->task);
    }
    return NULL;
}

static void runs_what_other_threads_post_in_their_order(void **state)
{
    (void)state;
    struct counter *counter = calloc(1, sizeof(*counter));
    assert_non_null(counter);
    counter->loop = new_loop();
    pthread_t threads[POSTERS];
    struct poster posters[POSTERS];
    for (int i = 0; i < POSTERS; i++) {
        posters[i] = (struct poster){counter, i};
        assert_int_equal(pthread_create(&threads[i], NULL, post_many, &posters[i]), 0);
    }
    hf_loop_run(counter->loop);
    for (int i = 0; i < POSTERS; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(counter->total, POSTERS * POSTS);
    hf_loop_free(counter->loop);
    free(counter);
}

static void joins_a_thread_and_runs_what_is_left_when_freed(void **state)
{
    (void)state;
    struct hf_loop *loop = new_loop();
    char trace[64] = {0};
    assert_true(hf_loop_is_own_thread(loop));
    assert_int_equal(hf_loop_start_thread(loop, "hf-test"), HF_OK);
    assert_false(hf_loop_is_own_thread(loop));
    hf_loop_join(loop);
    hf_loop_join(loop);
    assert_true(hf_loop_is_own_thread(loop));
    struct probe late = {.loop = loop, .mark = 'l', .trace = trace, .task.run = note_on_run};
    hf_loop_post(loop, &late.task);
    hf_loop_free(loop);
    assert_string_equal(trace, "l");
    hf_loop_free(NULL);
}

static void a_stop_before_the_run_ends_it_at_once(void **state)
{
    (void)state;
    struct hf_loop *loop = new_loop();
    hf_loop_stop(loop);
    hf_loop_run(loop);
    hf_loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fires_timers_in_the_order_they_are_due),
        cmocka_unit_test(keeps_many_timers_sorted_as_they_are_set_moved_and_stopped),
        cmocka_unit_test(never_calls_a_descriptor_that_was_removed_in_the_same_turn),
        cmocka_unit_test(turns_in_the_documented_order),
        cmocka_unit_test(a_chain_of_deferred_tasks_does_not_starve_the_rest),
        cmocka_unit_test(runs_what_other_threads_post_in_their_order),
        cmocka_unit_test(joins_a_thread_and_runs_what_is_left_when_freed),
        cmocka_unit_test(a_stop_before_the_run_ends_it_at_once),
    };
    return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
